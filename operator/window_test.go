package operator

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"blink/snapshot"
)

type sale struct {
	Shop string
	Sum  int
	At   int64 // seconds
}

func shop(s sale) string { return s.Shop }

func sell(b *bench, shop string, at int64) { send(b, sale{Shop: shop, Sum: int(at), At: at}, sec(at)) }

// panes prints panes in an order of their own: "shop start-end=value", seconds.
func panes[V any](ps []Pane[string, V]) []string {
	var s []string
	for _, p := range ps {
		late := ""
		if p.Late {
			late = " late"
		}
		s = append(s, fmt.Sprintf("%s %d-%d=%v%s", p.Key, p.Start.Unix(), p.End.Unix(), p.Value, late))
	}
	slices.Sort(s)
	return s
}

func tumbling(size int64) WindowOptions {
	return WindowOptions{Window: Tumbling(time.Duration(size) * time.Second)}
}

func sliding(size, slide int64) WindowOptions {
	return WindowOptions{Window: Sliding(time.Duration(size)*time.Second, time.Duration(slide)*time.Second)}
}

func TestATumblingWindowFiresOnceAtItsEnd(t *testing.T) {
	out := &kettle[Pane[string, int64]]{}
	b := newBench(t, NewWindowCount(shop, tumbling(10)), out)
	sell(b, "a", 1)
	sell(b, "a", 9)
	sell(b, "b", 3)
	sell(b, "a", 10)
	b.advance(sec(10) - 2)
	same(t, out.got)
	b.advance(sec(10) - 1)
	same(t, out.times, sec(10)-1, sec(10)-1)
	same(t, panes(out.take()), "a 0-10=2", "b 0-10=1")
	b.advance(sec(15))
	same(t, out.got)
	b.advance(EndTime)
	same(t, panes(out.take()), "a 10-20=1")
}

func TestASlidingWindowHoldsEveryRecordOfItsSpan(t *testing.T) {
	out := &kettle[Pane[string, int64]]{}
	b := newBench(t, NewWindowCount(shop, sliding(10, 5)), out)
	sell(b, "a", 1)
	sell(b, "a", 7)
	sell(b, "b", 32)
	b.advance(EndTime)
	same(t, panes(out.take()), "a -5-5=1", "a 0-10=2", "a 5-15=1", "b 25-35=1", "b 30-40=1")
}

func TestAnOffsetShiftsWindows(t *testing.T) {
	o := tumbling(10)
	o.Window = o.Window.Offset(-3 * time.Second)
	out := &kettle[Pane[string, int64]]{}
	b := newBench(t, NewWindowCount(shop, o), out)
	sell(b, "a", 6)
	sell(b, "a", 7)
	b.advance(EndTime)
	same(t, panes(out.take()), "a -3-7=1", "a 7-17=1")
}

// Random windows and records, watermarks in between: every window fires once with what a
// plain loop says, whatever the order of records within the bound.
func TestWindowsAgreeWithAPlainLoop(t *testing.T) {
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 1))
		slide := 1 + r.Int64N(7)
		size := slide + r.Int64N(15)
		offset := r.Int64N(20) - 10
		o := sliding(size, slide)
		o.Window = o.Window.Offset(time.Duration(offset) * time.Second)
		out := &kettle[Pane[string, int]]{}
		b := newBench(t, NewWindowSum(shop, func(s sale) int { return s.Sum }, o), out)
		want := map[string]int{}
		for now := range int64(60) {
			key, at := string(rune('a'+r.IntN(5))), now-r.Int64N(5)
			send(b, sale{key, int(now), at}, sec(at))
			for start := floorTo(at-size, slide, offset) + slide; start <= at; start += slide {
				want[fmt.Sprintf("%s %d-%d", key, start, start+size)] += int(now)
			}
			if r.IntN(3) == 0 {
				b.advance(sec(now-4) - 1)
			}
			if r.IntN(10) == 0 {
				b = newBench(t, NewWindowSum(shop, func(s sale) int { return s.Sum }, o), out).restore(b.snapshot())
			}
		}
		b.advance(EndTime)
		var lines []string
		for w, sum := range want {
			lines = append(lines, fmt.Sprintf("%s=%d", w, sum))
		}
		slices.Sort(lines)
		if got := panes(out.got); !slices.Equal(got, lines) {
			t.Fatalf("seed %d, %v:\ngot  %s\nwant %s", seed, o.Window, strings.Join(got, ", "), strings.Join(lines, ", "))
		}
		if w := b.op.(*windowing[string, int]); len(w.slices) != 0 {
			t.Fatalf("seed %d: %d slices are left", seed, len(w.slices))
		}
	}
}

func floorTo(at, step, offset int64) int64 {
	for at -= offset; at%step != 0; at-- {
	}
	return at + offset
}

func TestALateRecordGoesToTheLateOutput(t *testing.T) {
	out, late := &kettle[Pane[string, int64]]{}, &kettle[sale]{}
	o := tumbling(10)
	o.LateTo = NewTag[sale]("late")
	b := newBench(t, NewWindowCount(shop, o), out, func(b *bench) { b.sides["late"] = Collector[sale](late) })
	b.advance(sec(20) - 1)
	sell(b, "a", 19)
	sell(b, "a", 20)
	b.advance(EndTime)
	same(t, late.got, sale{"a", 19, 19})
	same(t, late.times, sec(19))
	same(t, panes(out.take()), "a 20-30=1")
	if b.counts["late"] != 1 {
		t.Errorf("counted %v", b.counts)
	}
}

func TestARecordCountsInTheWindowsStillOpenAndMissesTheRest(t *testing.T) {
	out := &kettle[Pane[string, int64]]{}
	b := newBench(t, NewWindowCount(shop, sliding(20, 5)), out)
	b.advance(sec(20) - 1)
	sell(b, "a", 12) // windows that end at 15, 20 are closed; 25, 30 are open
	b.advance(EndTime)
	same(t, panes(out.take()), "a 10-30=1", "a 5-25=1")
	if b.counts["missed windows"] != 2 || b.counts["late"] != 0 {
		t.Errorf("counted %v", b.counts)
	}
}

func TestARecordWithinTheAllowedLatenessFiresItsWindowAgain(t *testing.T) {
	out := &kettle[Pane[string, int64]]{}
	o := sliding(10, 5)
	o.Lateness = 5 * time.Second
	b := newBench(t, NewWindowCount(shop, o), out)
	sell(b, "a", 1)
	sell(b, "a", 7)
	b.advance(sec(10))
	same(t, panes(out.take()), "a -5-5=1", "a 0-10=2")
	sell(b, "a", 4) // window 0-10 has fired and is open, -5-5 is closed
	same(t, panes(out.take()), "a 0-10=3 late")
	b.advance(sec(15) - 2)
	sell(b, "a", 4)
	same(t, panes(out.take()), "a 0-10=4 late")
	b.advance(sec(15) - 1)
	same(t, panes(out.take()), "a 5-15=1")
	sell(b, "a", 4)
	if b.advance(EndTime); b.counts["late"] != 1 || b.counts["missed windows"] != 2 {
		t.Errorf("counted %v", b.counts)
	}
	same(t, out.got)
}

func TestWindowsFireOneByOneUnderPressure(t *testing.T) {
	out := &kettle[Pane[string, int64]]{limit: 1}
	b := newBench(t, NewWindowCount(shop, sliding(10, 5)), out, func(b *bench) { out.p = b.pressure })
	for n := range int64(30) {
		sell(b, string(rune('a'+n%5)), n)
	}
	held := 0
	for !b.advance(EndTime) {
		b.pressure.Release()
		held++
	}
	if n := len(out.got); held < n-1 || n != 35 {
		t.Errorf("%d panes, held %d times", n, held)
	}
	seen := map[string]bool{}
	for _, p := range panes(out.got) {
		if seen[p] {
			t.Errorf("pane %s twice", p)
		}
		seen[p] = true
	}
}

// A pane that a late record fires under pressure is handed on when that is over, and before a
// barrier: the operator says that it holds something.
func TestAPaneThatPressureStopsIsHandedOnLater(t *testing.T) {
	for _, o := range []WindowOptions{sliding(10, 5), sessions(5)} {
		out := &kettle[Pane[string, int64]]{}
		o.Lateness = time.Minute
		b := newBench(t, NewWindowCount(shop, o), out)
		sell(b, "a", 1)
		b.advance(sec(30))
		out.take()
		b.pressure.Hold()
		sell(b, "a", 2)
		if same(t, out.got); b.op.(Gatherer).Empty() || b.advance(sec(30)) {
			t.Errorf("%v: nothing is held", o.Window)
		}
		b.pressure.Release()
		if !b.advance(sec(30)) || !b.op.(Gatherer).Empty() || len(out.got) == 0 {
			t.Errorf("%v: handed on %v", o.Window, panes(out.got))
		}
	}
}

func TestWhatHasFiredDoesNotFireAgainAfterARestore(t *testing.T) {
	out := &kettle[Pane[string, int64]]{}
	spec := NewWindowCount(shop, sliding(10, 5))
	b := newBench(t, spec, out)
	sell(b, "a", 6)
	b.advance(sec(10) - 1)
	same(t, panes(out.take()), "a 0-10=1")
	again := newBench(t, spec, out).restore(b.snapshot())
	sell(again, "a", 4) // as late as it was before
	again.advance(EndTime)
	if same(t, panes(out.take()), "a 5-15=1"); again.counts["late"] != 1 {
		t.Errorf("counted %v", again.counts)
	}
}

func TestAWindowIsNotLongerThanTimeAllows(t *testing.T) {
	for _, w := range []Window{Tumbling(maxWindow + 1), Sliding(200*365*24*time.Hour, time.Hour)} {
		if err := NewWindowCount(shop, WindowOptions{Window: w}).Err; err == nil || !strings.Contains(err.Error(), "the size must be at most 50 years") {
			t.Errorf("%v: got %v", w, err)
		}
	}
	out := &kettle[Pane[string, int64]]{}
	b := newBench(t, NewWindowCount(shop, WindowOptions{Window: Tumbling(maxWindow)}), out)
	sell(b, "a", sec(1))
	b.advance(EndTime)
	same(t, panes(out.take()), "a 0-1576800000=1")
}

func TestARecordThatNoWindowCanHoldSaysWhy(t *testing.T) {
	for ts, want := range map[int64]string{
		NoTime:      "the record has no event time: use EventTime before the window",
		NoTime + 1:  "the event time is too near the beginning or the end of time for tumbling 10s",
		EndTime - 1: "the event time is too near the beginning or the end of time for tumbling 10s",
	} {
		b := newBench(t, NewWindowCount(shop, tumbling(10)), &kettle[Pane[string, int64]]{})
		if e := failure(t, func() { send(b, sale{}, ts) }); !strings.Contains(e.Error(), want) {
			t.Errorf("%d: got %v, want %s", ts, e, want)
		}
	}
}

// The slices of one window are no slices of another.
func TestAnotherWindowDoesNotTakeTheStateOver(t *testing.T) {
	was := NewWindowCount(shop, tumbling(10))
	b := newBench(t, was, &kettle[Pane[string, int64]]{})
	sell(b, "a", 6)
	for _, w := range []Window{Tumbling(25 * time.Second), Sliding(10*time.Second, 5*time.Second), Tumbling(10 * time.Second).Offset(time.Second)} {
		is := NewWindowCount(shop, WindowOptions{Window: w})
		if is.State[0] == was.State[0] {
			t.Errorf("%v declares the state of %v: %v", w, tumbling(10).Window, is.State[0])
		}
		err := newBench(t, is, &kettle[Pane[string, int64]]{}).op.(Restorer).Restore([]snapshot.Part{b.snapshot()})
		if err == nil || !strings.Contains(err.Error(), w.String()) {
			t.Errorf("%v took over the state of %v: %v", w, tumbling(10).Window, err)
		}
	}
}

func TestARestoreTakesItsKeyGroupsOnly(t *testing.T) {
	out := &kettle[Pane[string, int64]]{}
	spec := NewWindowCount(shop, tumbling(10))
	b := newBench(t, spec, out)
	for n := range int64(9) {
		sell(b, string(rune('a'+n)), n)
	}
	p := b.snapshot()
	for half := range 2 {
		part := p
		part.Groups = nil
		for _, g := range p.Groups {
			if g.Number/64 == half {
				part.Groups = append(part.Groups, g)
			}
		}
		if len(part.Groups) < 2 {
			t.Errorf("half %d has %d groups", half, len(part.Groups))
		}
		newBench(t, spec, out).restore(part).advance(EndTime)
	}
	same(t, panes(out.take()), "a 0-10=1", "b 0-10=1", "c 0-10=1", "d 0-10=1", "e 0-10=1", "f 0-10=1", "g 0-10=1", "h 0-10=1", "i 0-10=1")
}

// mean is an Accumulator with configuration.
type mean struct{ Scale, Sum, N int }

func (m *mean) Add(s sale)   { m.Sum, m.N = m.Sum+s.Sum, m.N+1 }
func (m *mean) Merge(o mean) { m.Sum, m.N = m.Sum+o.Sum, m.N+o.N }
func (m *mean) Result() int  { return m.Scale * m.Sum / m.N }

func TestAggregatesFoldWindowsOfSeveralSlices(t *testing.T) {
	sales := []sale{{"a", 4, 1}, {"a", 2, 6}, {"a", 9, 7}, {"a", 9, 8}}
	fold := func(b *bench) {
		for _, s := range sales {
			send(b, s, sec(s.At))
		}
		b.advance(sec(10) - 1)
	}
	sum := func(s sale) int { return s.Sum }
	o := sliding(10, 5)
	records := &kettle[sale]{}
	for _, s := range []Spec{
		NewWindowMaxBy(shop, sum, o), NewWindowMinBy(shop, sum, o),
		NewWindowReduce(shop, func(a, b sale) sale { return sale{a.Shop, a.Sum + b.Sum, max(a.At, b.At)} }, o),
	} {
		fold(newBench(t, s, records))
	}
	first := sale{"a", 4, 1}
	same(t, records.got, first, sale{"a", 9, 7}, first, sale{"a", 2, 6}, first, sale{"a", 24, 8})
	means := &kettle[Pane[string, int]]{}
	fold(newBench(t, NewWindowAggregate(shop, &mean{Scale: 10}, o), means))
	same(t, panes(means.got), "a -5-5=40", "a 0-10=60")
}

// shops counts the records of each shop.
type shops map[string]int

func (m *shops) Add(s sale)  { (*m)[s.Shop]++ }
func (m *shops) Merge(shops) {}
func (m *shops) Result() int { return len(*m) }

// pointing is an Accumulator that may lead to something by a pointer.
type pointing struct {
	Since time.Time
	Host  netip.Addr
	Sum   *int
	Days  [2][]int
	From  fmt.Stringer `blink:"-"`
}

func (m *pointing) Add(sale)       {}
func (m *pointing) Merge(pointing) {}
func (m *pointing) Result() int    { return 0 }

func TestKeysShareNothingOfAnAccumulator(t *testing.T) {
	o := sliding(10, 5)
	for want, s := range map[string]Spec{
		"":                                  NewWindowAggregate(shop, &shelf{}, o),
		"field Sum is a *int that all keys": NewWindowAggregate(shop, &pointing{Sum: new(int)}, o),
		"field From is a fmt.Stringer that": NewWindowAggregate(shop, &pointing{From: big.NewInt(1)}, o),
		"field Days[1] is a []int that all": NewWindowAggregate(shop, &pointing{Days: [2][]int{nil, {1}}}, o),
		"it is a operator.shops that all":   NewWindowAggregate(shop, &shops{}, o),
		"field All is a []int that all key": NewWindowAggregate(shop, &shelf{make([]int, 0, 8)}, o),
	} {
		if s.Err == nil != (want == "") || s.Err != nil && !strings.Contains(s.Err.Error(), want) {
			t.Errorf("got %v, want %q", s.Err, want)
		}
	}
	plain := &pointing{Host: netip.IPv6Loopback(), From: time.Second}
	plain.Since = time.Date(2026, 1, 1, 0, 0, 0, 0, time.FixedZone("east", 3600))
	if s := NewWindowAggregate(shop, plain, o); s.Err != nil {
		t.Errorf("what cannot change is refused: %v", s.Err)
	}
}

func TestWindowMistakesAreReported(t *testing.T) {
	for _, s := range []struct {
		o    WindowOptions
		want string
	}{
		{WindowOptions{}, "no window given"},
		{sliding(60, 3600), "sliding window of 1m0s by 1h0m0s: the slide must be positive and at most the size"},
		{tumbling(0), "tumbling window of size 0s: the size must be positive"},
		{WindowOptions{Window: Tumbling(time.Second), Lateness: -1}, "allowed lateness of -1ns"},
	} {
		if err := NewWindowCount(shop, s.o).Err; err == nil || !strings.Contains(err.Error(), s.want) {
			t.Errorf("%v: got %v, want %q", s.o.Window, err, s.want)
		}
	}
}

func TestAWindowAllocatesNothingForARecord(t *testing.T) {
	b := newBench(t, NewWindowCount(func(s sale) int64 { return int64(s.Sum) % 100 }, sliding(10, 5)), &last[Pane[int64, int64]]{})
	in := b.op.(Node).Input(0).(Collector[sale])
	at, s := int64(0), sale{}
	second := func() {
		for n := range 1000 {
			s.Sum = n
			in.Collect(&s, sec(at))
		}
		at++
		b.advance(sec(at))
	}
	for range 50 {
		second()
	}
	if a := testing.AllocsPerRun(50, second); a > 2 {
		t.Errorf("%v allocations for 1000 records", a)
	}
}

func TestATableHoldsEveryKeyThroughGrowthAndCollisions(t *testing.T) {
	var tab table[int, int]
	for round := range 3 {
		for n := range 1000 {
			*tab.ref(uint64(1+n%7), &n) += n + round
		}
		for n := range 1000 {
			if acc := tab.find(uint64(1+n%7), &n); acc == nil || *acc != n+round {
				t.Fatalf("round %d: key %d has %v", round, n, acc)
			}
		}
		tab.clear()
		if none := tab.find(1, new(int)); none != nil || tab.index.Len != 0 {
			t.Fatalf("round %d: a cleared table holds %d", round, tab.index.Len)
		}
	}
}
