package operator

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"blink/graph"
)

// Records that come together have the same effects, in the same order, as one by one.
func TestABatchIsTheSameAsItsRecords(t *testing.T) {
	const n = 3*chunk + 5
	records, times := make([]int, n), make([]int64, n)
	for i := range records {
		records[i], times[i] = i, int64(1000+i)
	}
	operators := map[string]func(next any) (Collector[int], func() string){
		"map":      inFront(t, NewMap(func(i int) int { return i * 3 })),
		"map into": inFront(t, NewMapInto(func(i, o *int) { *o = *i * 3 })),
		"update":   inFront(t, NewUpdate(func(i *int) { *i *= 3 })),
		"update in place": func(next any) (Collector[int], func() string) {
			b := newBench(t, NewUpdate(func(i *int) { *i *= 3 }), next)
			b.op.(InPlacer).InPlace()
			return b.op.(Node).Input(0).(Collector[int]), nothingElse
		},
		"filter":     inFront(t, NewFilter(func(i int) bool { return i%3 == 0 })),
		"event time": inFront(t, NewEventTime(func(i int) time.Time { return timeOf(int64(i) * 7) }, Ascending())),
		"tee": func(next any) (Collector[int], func() string) {
			other := &kettle[int]{}
			return (&port[int]{}).Tee([]any{next, Collector[int](other)}).(Collector[int]), func() string { return fmt.Sprint(other.got, other.times) }
		},
		"a link":         linked(t, OutputOptions{Ship: graph.Forward, Channels: 1, BatchRecords: 7}),
		"a link by hash": linked(t, OutputOptions{Ship: graph.Hash, Hash: func(i *int) uint64 { return uint64(*i) << 57 }, Channels: 3, BatchRecords: 7}),
		"a sink that becomes full": func(any) (Collector[int], func() string) {
			v := &vault{}
			b := newBench(t, v.sink().Spec(), nil).start()
			return b.op.(Node).Input(0).(Collector[int]), func() string { return fmt.Sprint(v.buffer, v.lastTimes, len(b.op.(*writing[int]).kept)) }
		},
	}
	for name, make := range operators {
		t.Run(name, func(t *testing.T) {
			run := func(put func(Collector[int])) string {
				out := &kettle[int]{}
				c, rest := make(Collector[int](out))
				if _, ok := c.(BatchCollector[int]); !ok {
					t.Fatal("it takes no batches")
				}
				put(c)
				return fmt.Sprint(out.got, out.times, rest())
			}
			single := run(func(c Collector[int]) {
				for i, r := range records {
					c.Collect(&r, times[i])
				}
			})
			together := run(func(c Collector[int]) { atOnce(c, slices.Clone(records), times) })
			if single != together {
				t.Errorf("one by one:\n%s\ntogether:\n%s", single, together)
			}
		})
	}
}

func atOnce(c Collector[int], records []int, times []int64) {
	n := nextOf(c)
	n.collect(records, times)
}

func untilHeld(c Collector[int], records []int, times []int64, p *Pressure) int {
	n := nextOf(c)
	return n.collectUntilHeld(records, times, p)
}

func nothingElse() string { return "" }

func inFront(t *testing.T, s Spec) func(next any) (Collector[int], func() string) {
	return func(next any) (Collector[int], func() string) {
		b := newBench(t, s, next)
		return b.op.(Node).Input(0).(Collector[int]), nothingElse
	}
}

func linked(t *testing.T, o OutputOptions) func(any) (Collector[int], func() string) {
	return func(any) (Collector[int], func() string) {
		l := newLink[int](t, o)
		return l.out.Input(0).(Collector[int]), func() string { return fmt.Sprint(l.sent, l.times, l.dirty, l.out.Len(0)) }
	}
}

// A batch to another process may have made the link's limit less than what has gathered.
func TestALinkWhoseLimitHasShrunkTakesABatch(t *testing.T) {
	l := newLink[int](t, OutputOptions{Ship: graph.Forward, Channels: 1, BatchRecords: 8})
	atOnce(l.out.Input(0).(Collector[int]), []int{1, 2, 3, 4}, make([]int64, 4))
	l.out.Sent(1, 1<<20)
	atOnce(l.out.Input(0).(Collector[int]), []int{5, 6}, make([]int64, 2))
	same(t, l.sent[0], 1, 2, 3, 4, 5, 6)
}

// The failure of a record among others is told with that one's time.
func TestAFailureInABatchHasTheTimeOfItsRecord(t *testing.T) {
	for name, s := range map[string]Spec{
		"map":        NewMap(func(i int) int { return 6 / i }),
		"map into":   NewMapInto(func(i, o *int) { *o = 6 / *i }),
		"update":     NewUpdate(func(i *int) { *i = 6 / *i }),
		"filter":     NewFilter(func(i int) bool { return 6/i > 0 }),
		"event time": NewEventTime(func(i int) time.Time { return timeOf(int64(6 / i)) }, Ascending()),
	} {
		b := newBench(t, s, Collector[int](&kettle[int]{}))
		e := failure(t, func() {
			defer b.pressure.catch()
			atOnce(b.op.(Node).Input(0).(Collector[int]), []int{1, 2, 0, 4}, []int64{10, 20, 30, 40})
		})
		if e == nil || e.Time != 30 || !strings.Contains(e.Error(), "divide by zero") {
			t.Errorf("%s: %v", name, e)
		}
	}
}

// Pressure is felt within a chunk.
func TestPressureStopsTheHandingOn(t *testing.T) {
	records, times := make([]int, 10*chunk), make([]int64, 10*chunk)
	p := &Pressure{}
	one := &kettle[int]{limit: 3, p: p}
	if n := untilHeld(one, records, times, p); n != 3 {
		t.Errorf("%d records, want 3", n)
	}
	p.Release()
	many := &kettle[int]{limit: chunk + 1, p: p}
	if n := untilHeld(batches[int]{many}, records, times, p); n != 2*chunk {
		t.Errorf("%d records, want %d", n, 2*chunk)
	}
}

// batches is a kettle that takes batches.
type batches[T any] struct{ *kettle[T] }

func (b batches[T]) CollectBatch(records []T, times []int64) {
	for i := range records {
		b.Collect(&records[i], times[i])
	}
}
