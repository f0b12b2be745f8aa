package nexmark

import (
	"context"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"blink/operator"
	"blink/snapshot"
)

// task drives a source by hand, as one task would.
type task[T any] struct {
	t    testing.TB
	op   any
	sink any            // of the main output
	side map[string]any // of the others
	mark int64          // how far event time has come
}

func (k *task[T]) Main() any           { return k.sink }
func (k *task[T]) Side(tag string) any { return k.side[tag] }

// read opens a source that goes on at items.
func read[T any](t testing.TB, s operator.SourceOf[T], items []snapshot.Item, sink operator.Collector[T]) *task[T] {
	t.Helper()
	return readApart(t, s, items, sink, map[string]any{})
}

// readApart has collectors of side outputs as well.
func readApart[T any](t testing.TB, s operator.SourceOf[T], items []snapshot.Item, sink operator.Collector[T], side map[string]any) *task[T] {
	t.Helper()
	return readLimited(t, s, items, sink, side, 0)
}

// readLimited reads at most so many records at once; 0: no limit.
func readLimited[T any](t testing.TB, s operator.SourceOf[T], items []snapshot.Item, sink operator.Collector[T], side map[string]any, most int) *task[T] {
	t.Helper()
	k := &task[T]{t: t, sink: sink, side: side}
	if err := s.Spec().Err; err != nil {
		t.Fatal(err)
	}
	k.op = s.Spec().New(k)
	view := &operator.Task{Job: "test", Parallelism: 1, MaxParallelism: 1, Pressure: &operator.Pressure{}, Splits: operator.NewSplitClocks(1),
		Count: func(string, string, int64) {}, MaxFetch: most}
	k.check(k.op.(operator.Opener).Open(view, "source"))
	k.check(k.op.(operator.Restorer).Restore([]snapshot.Part{{Operator: "source", Items: items}}))
	return k
}

func (k *task[T]) check(err error) {
	k.t.Helper()
	if err != nil {
		k.t.Fatal(err)
	}
}

// step reads a batch; it says whether there was one.
func (k *task[T]) step() bool {
	k.t.Helper()
	err := k.op.(operator.Source).Fetch(context.Background())
	if err == io.EOF {
		return false
	}
	k.check(err)
	k.op.(operator.Source).Deliver(1 << 10)
	k.mark, _ = k.op.(operator.Advancer).Advance(operator.NoTime)
	return true
}

// stop is where the source is.
func (k *task[T]) stop() []snapshot.Item {
	k.t.Helper()
	f, err := k.op.(operator.Snapshotter).Snapshot(operator.SnapshotOptions{Checkpoint: 1})
	k.check(err)
	for done := false; !done; {
		done, err = f.Drain(1)
		k.check(err)
	}
	return f.Part().Items
}

// seen collects what comes, with its timestamp.
type seen[T any] struct {
	records []T
	times   []int64
}

func (s *seen[T]) Collect(in *T, ts int64) {
	s.records, s.times = append(s.records, *in), append(s.times, ts)
}

func splitsOf[T any](t testing.TB, s operator.SourceOf[T]) []snapshot.Item {
	t.Helper()
	items, err := s.Splits(context.Background(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return items
}

// text is an event as a line.
func text(e Event) string { return string(e.appendLine(nil)) }

// first are the lines of the first n events.
func first(n uint64) (lines []string) {
	g := NewGenerator()
	for i := range n {
		var e Event
		g.Event(i, &e)
		lines = append(lines, text(e))
	}
	return lines
}

func TestOneSplitGivesTheEventsInTheirOrder(t *testing.T) {
	var out seen[Event]
	s := Events(Options{Events: 2345})
	if !s.Options().Bounded || !s.Options().NonBlocking {
		t.Errorf("options %+v", s.Options())
	}
	for k := read(t, s, splitsOf(t, s), &out); k.step(); {
	}
	for i, want := range first(2345) {
		if have := text(out.records[i]); have != want {
			t.Fatalf("event %d is %s, want %s", i, have, want)
		}
		if at := time.Duration(out.times[i]); at != time.Duration(dateTime(uint64(i)))*time.Millisecond {
			t.Fatalf("event %d is at %v", i, at)
		}
	}
	if len(out.records) != 2345 {
		t.Errorf("%d events", len(out.records))
	}
}

func TestEachSplitHasItsShareInOrder(t *testing.T) {
	const p = 7
	s := Events(Options{Events: 10_000, Splits: p})
	all := first(10_000)
	for i, item := range splitsOf(t, s) {
		var out seen[Event]
		for k := read(t, s, []snapshot.Item{item}, &out); k.step(); {
		}
		for j, e := range out.records {
			if text(e) != all[i+j*p] {
				t.Fatalf("split %d: event %d is not number %d", i, j, i+j*p)
			}
		}
		if want := (10_000 - i + p - 1) / p; len(out.records) != want {
			t.Errorf("split %d has %d events, want %d", i, len(out.records), want)
		}
	}
}

func TestAWatermarkFollowsEvery1000thEventOfASplit(t *testing.T) {
	s := Events(Options{Splits: 3})
	var out seen[Event]
	k := read(t, s, splitsOf(t, s)[1:2], &out)
	for len(out.records) < 20_000 {
		k.step()
		want := operator.NoTime
		if n := len(out.records) / 1000; n > 0 {
			last := uint64(1 + 3*(1000*n-1))
			want = (int64(dateTime(last)) - 1) * int64(time.Millisecond)
		}
		if k.mark != want {
			t.Fatalf("behind %d events the watermark is %d, want %d", len(out.records), k.mark, want)
		}
		// Half of the time go on in another task, as after a failure.
		if len(out.records)%2000 > 1000 {
			items := k.stop()
			k = read(t, s, items, &out)
		}
	}
}

// TestRescalingKeepsEachEventOnce stops all tasks anywhere and deals the splits to others.
func TestRescalingKeepsEachEventOnce(t *testing.T) {
	const total = 50_000
	s := Events(Options{Events: total, Splits: 5})
	items := splitsOf(t, s)
	var out seen[Event]
	for round, tasks := range []int{1, 7, 3, 2, 5} {
		var stopped []snapshot.Item
		for i := range tasks {
			var mine []snapshot.Item
			for j := i; j < len(items); j += tasks {
				mine = append(mine, items[j])
			}
			k := read(t, s, mine, &out)
			for steps := 0; (round == 4 || steps < 4+i) && k.step(); steps++ {
			}
			stopped = append(stopped, k.stop()...)
		}
		items = stopped
	}
	missing := map[string]bool{}
	for _, l := range first(total) {
		missing[l] = true
	}
	for _, e := range out.records {
		if !missing[text(e)] {
			t.Fatalf("twice or unknown: %s", text(e))
		}
		delete(missing, text(e))
	}
	if len(missing) > 0 {
		t.Errorf("%d events are missing", len(missing))
	}
}

func TestBidsHaveTheOtherKindsAtTheirSides(t *testing.T) {
	s := Bids(Options{Events: 5000, Splits: 2})
	var bids seen[Bid]
	var auctions seen[Auction]
	var persons seen[Person]
	side := map[string]any{Auctions().Name(): &auctions, Persons().Name(): &persons}
	for k := readApart(t, s, splitsOf(t, s)[:1], &bids, side); k.step(); {
	}
	g := NewGenerator()
	for n := uint64(0); n < 5000; n += 2 {
		var e Event
		g.Event(n, &e)
		switch e.Kind {
		case BidKind:
			bids.take(t, e.Bid)
		case AuctionKind:
			auctions.take(t, e.Auction)
		default:
			persons.take(t, e.Person)
		}
	}
	if len(bids.records)+len(auctions.records)+len(persons.records) > 0 {
		t.Error("there is more than that")
	}
}

// take wants a record to be the next one.
func (s *seen[T]) take(t *testing.T, want T) {
	t.Helper()
	if have := fmt.Sprint(s.records[0]); have != fmt.Sprint(want) {
		t.Fatalf("have %v, want %v", have, want)
	}
	s.records = s.records[1:]
}

func TestSplitsWithoutAnEventEndAtOnce(t *testing.T) {
	s := Events(Options{Events: 2, Splits: 4})
	var out seen[Event]
	for k := read(t, s, splitsOf(t, s), &out); k.step(); {
	}
	if len(out.records) != 2 {
		t.Errorf("%d events, want 2", len(out.records))
	}
}

func TestAWrongNumberOfSplitsIsRefused(t *testing.T) {
	for _, n := range []int{-1, MaxSplits + 1} {
		_, err := Events(Options{Splits: n}).Splits(context.Background(), nil)
		if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("Options.Splits is %d: from 1 to 32768", n)) {
			t.Errorf("%d splits: %v", n, err)
		}
	}
}

// nothing takes what comes.
type nothing[T any] struct{}

func (nothing[T]) Collect(*T, int64) {}

// TestEventsWithoutEndComeAFewAtATimeWhereTheRateIsLimited also looks at the watermarks, which
// stand behind the same events however many are read at once.
func TestEventsWithoutEndComeAFewAtATimeWhereTheRateIsLimited(t *testing.T) {
	s := Events(Options{})
	if s.Options().Bounded {
		t.Error("a source without end says that it has one")
	}
	const most = 7
	out := &seen[Event]{}
	k := readLimited(t, s, splitsOf(t, s), out, nil, most)
	for len(out.records) < 2100 {
		before := len(out.records)
		if !k.step() {
			t.Fatalf("it has ended behind %d events", before)
		}
		if n := len(out.records) - before; n < 1 || n > most {
			t.Fatalf("%d events are read at once, of at most %d", n, most)
		}
	}
	if want := (dateTime(1999) - 1).nanos(); k.mark != want {
		t.Errorf("the watermark is %d, want %d", k.mark, want)
	}
	for i, want := range first(2100) {
		if have := text(out.records[i]); have != want {
			t.Fatalf("event %d is %s, want %s", i, have, want)
		}
	}
}

func TestReadingAllocatesNothing(t *testing.T) {
	quiet(t, Events(Options{}))
	quiet(t, Bids(Options{}))
}

// onto is a task of a source whose records nobody keeps.
func onto[T any](t testing.TB, s operator.SourceOf[T]) *task[T] {
	t.Helper()
	side := map[string]any{Auctions().Name(): nothing[Auction]{}, Persons().Name(): nothing[Person]{}}
	return readApart(t, s, splitsOf(t, s), nothing[T]{}, side)
}

func quiet[T any](t *testing.T, s operator.SourceOf[T]) {
	t.Helper()
	k := onto(t, s)
	for range 10 { // buffers grow
		k.step()
	}
	if allocs := testing.AllocsPerRun(100, func() { k.step() }); allocs > 0 {
		t.Errorf("%s: %v allocations a batch", s.Options().Name, allocs)
	}
}

// BenchmarkSource is the generator when it fills the batches of the engine, beside
// BenchmarkEvent.
func BenchmarkSource(b *testing.B) {
	b.Run("events", func(b *testing.B) { benchmarkSource(b, Events(Options{})) })
	b.Run("bids", func(b *testing.B) { benchmarkSource(b, Bids(Options{})) })
}

func benchmarkSource[T any](b *testing.B, s operator.SourceOf[T]) {
	k := onto(b, s)
	b.ResetTimer()
	for n := 0; n < b.N; n += batch {
		k.step()
	}
}
