package operator

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

// twoSteps is a window with its combiner: what First emits goes to Rest at once.
type twoSteps struct{ first, rest *bench }

func newTwoSteps(t testing.TB, s Spec, main any) *twoSteps {
	t.Helper()
	if s.Err != nil || s.Combined == nil {
		t.Fatalf("it is not combined: %v", s.Err)
	}
	rest := newBench(t, s.Combined.Rest, main)
	return &twoSteps{newBench(t, s.Combined.First, rest.op.(Node).Input(0)), rest}
}

func (w *twoSteps) advance(in int64) {
	w.first.t.Helper()
	if !w.first.advance(in) || !w.first.op.(Gatherer).Empty() {
		w.first.t.Fatal("the combiner holds something back")
	}
	w.rest.advance(w.first.mark)
}

// However the records are cut into batches, and late ones among them: two steps give the panes
// and the counts that one step gives.
func TestTwoStepsGiveWhatOneGives(t *testing.T) {
	for seed := range uint64(400) {
		r := rand.New(rand.NewPCG(seed, 5))
		o := []WindowOptions{tumbling(1 + r.Int64N(9)), sliding(4+r.Int64N(9), 1+r.Int64N(4)), sessions(1 + r.Int64N(4))}[seed%3]
		one, two := &kettle[Pane[string, int64]]{}, &kettle[Pane[string, int64]]{}
		spec := NewWindowSum(shop, func(s sale) int64 { return int64(s.Sum) }, o)
		single, double := newBench(t, spec, one), newTwoSteps(t, spec, two)
		for now := range int64(80) {
			var at []int64
			for range r.IntN(9) {
				at = append(at, now-r.Int64N(6))
			}
			slices.Sort(at) // in one batch a session takes in late records whatever their order
			for _, at := range at {
				key := string(rune('a' + r.IntN(3)))
				sell(single, key, at)
				sell(double.first, key, at)
			}
			mark := sec(now - 4 - r.Int64N(2))
			single.advance(mark)
			double.advance(mark)
			if a, b := panes(one.take()), panes(two.take()); !slices.Equal(a, b) {
				t.Fatalf("seed %d, %v: one step %v, two steps %v", seed, o.Window, a, b)
			}
		}
		single.advance(EndTime)
		double.advance(EndTime)
		if a, b := panes(one.take()), panes(two.take()); !slices.Equal(a, b) {
			t.Fatalf("seed %d, %v: one step %v, two steps %v", seed, o.Window, a, b)
		}
		for _, metric := range []string{"late", "missed windows"} {
			if a, b := single.counts[metric], double.rest.counts[metric]; o.Window.kind != sessionKind && a != b {
				t.Fatalf("seed %d, %v: %d %s in one step, %d in two", seed, o.Window, a, metric, b)
			}
		}
	}
}

func TestAPartialCountsForEachOfItsRecords(t *testing.T) {
	for _, o := range []WindowOptions{tumbling(10), sessions(3)} {
		w := newTwoSteps(t, NewWindowCount(shop, o), &kettle[Pane[string, int64]]{})
		w.advance(sec(20))
		for range 5 {
			sell(w.first, "a", 7)
		}
		if w.advance(sec(20)); w.rest.counts["late"] != 5 {
			t.Errorf("%v: counted %v", o.Window, w.rest.counts)
		}
	}
}

type saleCount = partial[string, int64]

func combiner(t testing.TB, o WindowOptions, main any) *bench {
	t.Helper()
	return newBench(t, NewWindowCount(shop, o).Combined.First, main)
}

func TestACombinerFoldsByKeyAndSliceWithinABatch(t *testing.T) {
	out := &kettle[saleCount]{}
	b := combiner(t, sliding(10, 5), out)
	for _, at := range []int64{6, 1, 7, 3} {
		sell(b, "a", at)
	}
	sell(b, "b", 2)
	same(t, out.got)
	b.advance(0)
	same(t, out.times, sec(6), sec(1), sec(2))
	same(t, out.take(), saleCount{"a", sec(6), 2, 2}, saleCount{"a", sec(1), 2, 2}, saleCount{"b", sec(2), 1, 1})
	sell(b, "a", 8)
	b.advance(0)
	same(t, out.take(), saleCount{"a", sec(8), 1, 1})
}

func TestACombinerOfSessionsFoldsWithinTheGap(t *testing.T) {
	out := &kettle[saleCount]{}
	b := combiner(t, sessions(5), out)
	for _, at := range []int64{20, 25, 15, 31, 4} {
		sell(b, "a", at)
	}
	b.advance(0)
	same(t, out.times, sec(15), sec(31), sec(4))
	same(t, out.take(), saleCount{"a", sec(25), 3, 3}, saleCount{"a", sec(31), 1, 1}, saleCount{"a", sec(4), 1, 1})
}

func TestACombinerObeysPressure(t *testing.T) {
	out := &kettle[saleCount]{limit: 1}
	b := combiner(t, tumbling(10), out)
	out.p = b.pressure
	for n := range int64(5) {
		sell(b, string(rune('a'+n)), n)
	}
	held := 0
	for ; !b.advance(0); held++ {
		if b.op.(Gatherer).Empty() && held < 4 {
			t.Error("it says that it is empty and holds records")
		}
		b.pressure.Release()
	}
	if held < 4 || len(out.got) != 5 || !b.op.(Gatherer).Empty() {
		t.Errorf("held %d times, %d partials", held, len(out.got))
	}
}

func TestACombinerHoldsABoundedNumberOfKeys(t *testing.T) {
	out := &last[partial[int64, int64]]{}
	b := newBench(t, NewWindowCount(auction, tumbling(10)).Combined.First, out)
	for n := range int64(10 * maxPartials) {
		send(b, offer{Auction: n}, 0)
		if m := b.op.(*combining[int64, int64]); len(m.held) > maxPartials {
			t.Fatalf("%d are held", len(m.held))
		}
	}
	if b.advance(0); out.n != 10*maxPartials {
		t.Errorf("%d partials", out.n)
	}
}

// Keys that do not repeat are handed on one by one, and looked at again later.
func TestACombinerStopsWhereItDoesNotPay(t *testing.T) {
	out := &last[saleCount]{}
	b := combiner(t, tumbling(10), out)
	m := b.op.(*combining[string, int64])
	batch := func(keys int) (partials int) {
		was := out.n
		for n := range 100 {
			sell(b, string(rune('a'+n%keys)), 1)
		}
		b.advance(0)
		return out.n - was
	}
	for n := range batchesPerLook {
		if keys := 80 + n; batch(keys) != keys {
			t.Fatalf("batch %d is not combined", n)
		}
	}
	if !m.single {
		t.Fatal("it goes on combining in vain")
	}
	for n := range batchesBetween {
		if batch(1) != 100 {
			t.Fatalf("batch %d is combined", n)
		}
		b.advance(0) // is no batch
	}
	for range 10 * batchesPerLook {
		if batch(50) != 50 {
			t.Fatal("it does not look again")
		}
	}
}

func TestARecordWithoutTimeIsRefusedByTheWindow(t *testing.T) {
	for _, o := range []WindowOptions{tumbling(10), sessions(10)} {
		w := newTwoSteps(t, NewWindowCount(shop, o), &kettle[Pane[string, int64]]{})
		for ts, want := range map[int64]string{NoTime: "no event time", EndTime - 1: "too near the beginning or the end of time"} {
			if e := failure(t, func() { send(w.first, sale{}, ts) }); !strings.Contains(e.Error(), want) {
				t.Errorf("%v: got %v", o.Window, e)
			}
		}
	}
}

func TestWhatNeedsEachRecordIsNotCombined(t *testing.T) {
	for _, o := range []WindowOptions{
		{Window: Tumbling(time.Second), Lateness: 1},
		{Window: Session(time.Second), LateTo: NewTag[sale]("late")},
	} {
		if NewWindowCount(shop, o).Combined != nil {
			t.Errorf("%+v is combined", o)
		}
	}
}

func TestADrillCountsTheRecordsOfAPartial(t *testing.T) {
	p, err := NewWindowCount(shop, tumbling(10)).Combined.Port()
	if err != nil {
		t.Fatal(err)
	}
	calls, out := 0, &kettle[saleCount]{}
	p.Tap(Collector[saleCount](out), func() { calls++ }).(Collector[saleCount]).Collect(&saleCount{Records: 7}, 0)
	if calls != 7 || len(out.got) != 1 {
		t.Errorf("%d calls, %d partials", calls, len(out.got))
	}
}

func TestCombiningAllocatesNothing(t *testing.T) {
	for _, o := range []WindowOptions{sliding(10, 5), sessions(10)} {
		w := newTwoSteps(t, NewWindowCount(auction, o), &last[Pane[int64, int64]]{})
		in, bids, rec := w.first.op.(Node).Input(0).(Collector[offer]), bidders{}, offer{}
		batch := func() {
			var ts int64
			for range 500 {
				ts = bids.next(&rec)
				in.Collect(&rec, ts)
			}
			w.advance(ts - 1)
		}
		for range 1000 {
			batch()
		}
		if a := testing.AllocsPerRun(500, batch); a != 0 {
			t.Errorf("%v: %v allocations for 500 records", o.Window, a)
		}
	}
}

// first remembers how often something was merged into it while it held nothing.
type first struct{ N, Merged int64 }

func (f *first) Add(int64)     { f.N++ }
func (f *first) Merge(o first) { f.N, f.Merged = f.N+o.N, f.Merged+1 }
func (f *first) Result() first { return *f }

// TestThePartialOfOneBatchIsNotMerged also spares accumulators that make what they need in Add
// alone.
func TestThePartialOfOneBatchIsNotMerged(t *testing.T) {
	for _, o := range []WindowOptions{tumbling(10), sessions(10)} {
		out := &kettle[Pane[int64, first]]{}
		w := newTwoSteps(t, NewWindowAggregate(func(n int64) int64 { return 1 }, &first{}, o), out)
		for n := range int64(3) {
			send(w.first, n, n*int64(time.Second))
		}
		w.advance(EndTime)
		if got := out.take(); len(got) != 1 || got[0].Value != (first{N: 3}) {
			t.Errorf("%v: %+v", o.Window, got)
		}
	}
}

// Records that come together are combined as if they came one by one, also those that no
// window can hold, and where combining does not pay.
func TestACombinerTakesBatches(t *testing.T) {
	for seed := range uint64(100) {
		r := rand.New(rand.NewPCG(seed, 12))
		o := []WindowOptions{tumbling(3), sessions(2)}[seed%2]
		one, all := &kettle[partial[int64, int64]]{}, &kettle[partial[int64, int64]]{}
		spec := NewWindowCount(auction, o).Combined.First
		single, batch := newBench(t, spec, one), newBench(t, spec, all)
		for range 40 {
			var records []offer
			var times []int64
			keys := 1 + r.Int64N(2*maxPartials)
			for range r.IntN(2 * chunk * (1 + r.IntN(20))) {
				ts := sec(r.Int64N(8))
				if r.IntN(500) == 0 {
					ts = NoTime
				}
				records, times = append(records, offer{Auction: r.Int64N(keys)}), append(times, ts)
			}
			for i, rec := range records {
				send(single, rec, times[i])
			}
			batch.op.(Node).Input(0).(BatchCollector[offer]).CollectBatch(records, times)
			single.advance(0)
			batch.advance(0)
		}
		// What is handed on when too much is held may go a few records earlier.
		if a, b := sumsOf(one), sumsOf(all); a != b {
			t.Fatalf("seed %d, %v: %s one by one, %s together", seed, o.Window, a, b)
		}
	}
}

// sumsOf is how many records there are of each key and piece of time.
func sumsOf(k *kettle[partial[int64, int64]]) string {
	n := map[[2]int64]int64{}
	for i, p := range k.got {
		n[[2]int64{p.Key, k.times[i] / sec(100)}] += p.Acc
		if p.Acc != p.Records {
			return fmt.Sprintf("%+v", p)
		}
	}
	return fmt.Sprint(n)
}
