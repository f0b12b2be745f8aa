package operator

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
	"unsafe"
	"weak"

	"blink/graph"
	"blink/internal/codec"
	"blink/snapshot"
	"blink/state"
)

// visits sums a shop's sales until none has come for gap.
type visits struct {
	gap   time.Duration
	odd   Tag[string]
	sum   state.Value[int]
	end   state.Timer
	alarm state.Timer
	life  *[]string
}

func (v *visits) Process(c *Ctx[string], s sale, out *Out[string]) error {
	if s.Sum < 0 {
		return errors.New("a negative sum")
	}
	if s.Sum%2 == 1 {
		out.EmitTo(v.odd, fmt.Sprint(s.Sum))
	}
	*v.sum.Ref() += s.Sum
	v.end.Set(c.Time().Add(v.gap))
	v.alarm.Set(c.Now().Add(time.Hour))
	c.Count("sales", 1)
	return nil
}

func (v *visits) OnTimer(c *Ctx[string], t *state.Timer, out *Out[string]) error {
	switch t {
	case &v.end:
		out.Emit(fmt.Sprintf("%s=%d", c.Key(), v.sum.Get()))
		v.sum.Clear()
	case &v.alarm:
		out.Emit("alarm of " + c.Key())
	}
	return nil
}

func (v *visits) Open(context.Context) error { *v.life = append(*v.life, "open"); return nil }
func (v *visits) Close() error               { *v.life = append(*v.life, "close"); return nil }

func newVisits() (*visits, Spec) {
	p := &visits{gap: 10 * time.Second, odd: NewTag[string]("odd"), life: new([]string)}
	p.alarm.Processing = true
	return p, NewProcess(shop, p)
}

func withOdd(odd *kettle[string]) func(*bench) {
	return func(b *bench) { b.sides["odd"] = Collector[string](odd) }
}

func TestAProcessorHasStateTimersAndSideOutputs(t *testing.T) {
	out, odd := &kettle[string]{}, &kettle[string]{}
	p, spec := newVisits()
	b := newBench(t, spec, out, withOdd(odd)).start()
	sell(b, "a", 1)
	sell(b, "b", 2)
	sell(b, "a", 8)
	b.advance(sec(11)) // a's timer was moved on
	b.advance(sec(12))
	same(t, out.got, "b=2")
	b.advance(EndTime)
	same(t, out.got, "b=2", "a=9")
	same(t, out.times, sec(12), sec(18))
	same(t, odd.got, "1")
	same(t, odd.times, sec(1))
	b.check(b.op.(Closer).Close())
	if same(t, *p.life, "open", "close"); b.counts["sales"] != 3 {
		t.Errorf("counted %v", b.counts)
	}
}

func TestProcessingTimersFireByTheClock(t *testing.T) {
	out := &kettle[string]{}
	_, spec := newVisits()
	b := newBench(t, spec, out, withOdd(&kettle[string]{})).start()
	sell(b, "a", 1)
	b.advance(NoTime) // after each batch
	b.pass(time.Hour - 1)
	same(t, out.got)
	b.pass(1)
	same(t, out.got, "alarm of a")
}

func TestStateAndTimersAreRestored(t *testing.T) {
	out := &kettle[string]{}
	_, spec := newVisits()
	b := newBench(t, spec, out, withOdd(&kettle[string]{})).start()
	for n := range int64(6) {
		sell(b, string(rune('a'+n)), 2*n)
	}
	b.advance(sec(11))
	same(t, out.take(), "a=0")
	part := b.snapshot()
	sell(b, "b", 3) // after the snapshot
	for half := range 2 {
		p := part
		p.Groups = nil
		for _, g := range part.Groups {
			if g.Number/64 == half {
				p.Groups = append(p.Groups, g)
			}
		}
		again := newBench(t, spec, out, withOdd(&kettle[string]{})).restore(p).start()
		if again.advance(NoTime); again.wakeAt != b.now.Add(time.Hour).UnixNano() {
			t.Errorf("woken at %v", again.wakeAt)
		}
		for !again.advance(EndTime) {
		}
	}
	slices.Sort(out.got)
	same(t, out.got, "b=2", "c=4", "d=6", "e=8", "f=10")
}

// Event time goes on where it had come, in whatever tasks and on however many layers.
func TestARestoredProcessorHasTheWatermarkOfItsSnapshot(t *testing.T) {
	spec := NewCount(shop)
	b := newBench(t, spec, &kettle[KV[string, int64]]{})
	take := func(o SnapshotOptions) snapshot.Part {
		f, err := b.op.(Snapshotter).Snapshot(o)
		b.check(err)
		_, err = f.Drain(1 << 20)
		b.check(err)
		return f.Part()
	}
	for n := range int64(10) {
		sell(b, fmt.Sprint(n), 1)
	}
	b.advance(sec(50))
	layers := []snapshot.Part{take(SnapshotOptions{Checkpoint: 1})}
	sell(b, "1", 60)
	b.advance(sec(100))
	layers = append(layers, take(SnapshotOptions{Checkpoint: 2, Onto: 1}))
	if layers[1].Onto != 1 {
		t.Fatal("the second one is whole")
	}
	for n := range 2 {
		for _, parallelism := range []int{1, 2, 128} {
			for i := range parallelism {
				owned := graph.GroupRange(128, parallelism, i)
				again := newBench(t, spec, nobody[KV[string, int64]]{}, func(b *bench) { b.task.Groups = owned }).restore(cutParts(layers[:n+1], owned)...)
				if d, err := again.op.(Digester).Digest(); err != nil || d.Mark != sec(50*int64(n+1)) {
					t.Fatalf("%d layers: task %d of %d begins at %d (%v)", n+1, i, parallelism, d.Mark, err)
				}
			}
		}
	}
}

// ticker sets a timer whenever one fires, up to a time or, when that is zero, to the end.
type ticker struct {
	Tick state.Timer
	last time.Time
}

func (p *ticker) Process(c *Ctx[string], _ sale, _ *Out[int64]) error {
	p.Tick.Set(c.Time())
	return nil
}

func (p *ticker) OnTimer(c *Ctx[string], _ *state.Timer, out *Out[int64]) error {
	out.Emit(c.Time().Unix())
	if c.Time().Before(p.last) || p.last.IsZero() && !c.Ended() {
		p.Tick.Set(c.Time().Add(time.Minute))
	}
	return nil
}

func TestTimersThatAreSetAfterTheEndOfInputFire(t *testing.T) {
	out := &kettle[int64]{}
	b := newBench(t, NewProcess(shop, &ticker{last: time.Unix(180, 0)}), out)
	sell(b, "a", 0)
	if !b.advance(EndTime) {
		t.Error("timers go on firing")
	}
	same(t, out.got, 0, 60, 120, 180)
}

func TestATimerLearnsThatTheInputHasEnded(t *testing.T) {
	out := &kettle[int64]{}
	b := newBench(t, NewProcess(shop, &ticker{}), out)
	sell(b, "a", 0)
	b.advance(sec(60))
	same(t, out.take(), 0, 60)
	if !b.advance(EndTime) {
		t.Error("timers go on firing")
	}
	same(t, out.got, 120)
}

func TestATimerOutsideOfTimeFailsTheTask(t *testing.T) {
	for _, at := range []time.Time{{}, time.Time{}.Add(time.Hour), time.Date(2300, 1, 1, 0, 0, 0, 0, time.UTC)} {
		b := newBench(t, NewProcess(func(time.Time) string { return "a" }, &alarm{}), &kettle[int64]{})
		e := failure(t, func() {
			defer b.pressure.catch()
			send(b, at, 0)
		})
		if want := "a timer cannot be set to " + at.String() + ", which is outside of the years 1678 to 2261"; !strings.Contains(e.Error(), want) {
			t.Errorf("got %v, want %s", e, want)
		}
	}
}

type alarm struct{ At state.Timer }

func (p *alarm) Process(_ *Ctx[string], at time.Time, _ *Out[int64]) error { p.At.Set(at); return nil }

func TestTimersFireOneByOneUnderPressure(t *testing.T) {
	out := &kettle[string]{limit: 1}
	_, spec := newVisits()
	b := newBench(t, spec, out, withOdd(&kettle[string]{}), func(b *bench) { out.p = b.pressure }).start()
	for n := range int64(6) {
		sell(b, string(rune('a'+n)), n)
	}
	calls := 1
	for ; !b.advance(EndTime); calls++ {
		if len(out.got) != calls {
			t.Errorf("%d timers fired in %d calls", len(out.got), calls)
		}
		b.pressure.Release()
	}
	if len(out.got) != 6 {
		t.Errorf("%d timers fired", len(out.got))
	}
}

func TestManyTimersLetOthersGoOn(t *testing.T) {
	out := &kettle[string]{}
	_, spec := newVisits()
	b := newBench(t, spec, out, withOdd(&kettle[string]{})).start()
	for n := range int64(firingsPerTurn + 1) {
		sell(b, fmt.Sprint(n), 2)
	}
	if b.advance(EndTime) || len(out.got) != firingsPerTurn {
		t.Errorf("%d timers fired in one turn", len(out.got))
	}
	if !b.advance(EndTime) || len(out.got) != firingsPerTurn+1 {
		t.Errorf("%d timers fired in all", len(out.got))
	}
}

// Also where looking for the next one is work for several turns.
func TestThousandsOfTimersOfOneInstantFireInTurns(t *testing.T) {
	out := &kettle[string]{}
	_, spec := newVisits()
	b := newBench(t, spec, out, withOdd(&kettle[string]{})).start()
	const n = 5000
	for i := range n {
		sell(b, fmt.Sprint(i), 2)
	}
	turns := 1
	for ; !b.advance(EndTime) && turns < n; turns++ {
	}
	if len(out.got) != n || turns <= n/firingsPerTurn {
		t.Errorf("%d timers fired in %d turns", len(out.got), turns)
	}
}

func TestTasksDoNotShareAProcessor(t *testing.T) {
	out := &kettle[string]{}
	_, spec := newVisits()
	a := newBench(t, spec, out, withOdd(&kettle[string]{})).start()
	b := newBench(t, spec, out, withOdd(&kettle[string]{})).start()
	sell(a, "x", 2)
	sell(b, "x", 4)
	a.advance(EndTime)
	same(t, out.got, "x=2")
}

func TestAnErrorOfAProcessorNamesOperatorAndTime(t *testing.T) {
	_, spec := newVisits()
	b := newBench(t, spec, &kettle[string]{}, withOdd(&kettle[string]{})).start()
	e := failure(t, func() { send(b, sale{"a", -1, 0}, sec(3)) })
	if want := `operator "op" (job.go:7), at event time 1970-01-01T00:00:03Z: a negative sum`; e.Error() != want {
		t.Errorf("got  %v\nwant %s", e, want)
	}
}

// match pairs numbers with names.
type match struct {
	number state.Value[int]
	names  state.List[string]
}

func (m *match) ProcessLeft(_ *Ctx[string], n int, out *Out[string]) error {
	m.number.Set(n)
	for name := range m.names.All() {
		out.Emit(fmt.Sprint(name, n))
	}
	return nil
}

func (m *match) ProcessRight(_ *Ctx[string], name string, out *Out[string]) error {
	if n, ok := m.number.Load(); ok {
		out.Emit(fmt.Sprint(name, n))
	}
	m.names.Append(name)
	return nil
}

func TestBothSidesOfACoProcessorShareState(t *testing.T) {
	out := &kettle[string]{}
	b := newBench(t, NewCoProcess(func(n int) string { return fmt.Sprint(n % 2) }, func(s string) string { return s[:1] }, &match{}), out)
	sendTo(b, 1, "0a", 0)
	sendTo(b, 0, 10, 0)
	sendTo(b, 1, "0b", 0)
	sendTo(b, 1, "1c", 0)
	same(t, out.got, "0a10", "0b10")
}

func TestRunningVerbsFoldByKey(t *testing.T) {
	counts := &kettle[KV[string, int64]]{}
	count := newBench(t, NewCount(shop), counts)
	sums := &kettle[sale]{}
	reduce := newBench(t, NewReduce(shop, func(a, b sale) sale { a.Sum += b.Sum; return a }), sums)
	scans := &kettle[int]{}
	scan := newBench(t, NewScan(shop, func(st *int, in sale, out *Out[int]) {
		if *st += in.Sum; *st > 2 {
			out.Emit(*st)
		}
	}, time.Minute), scans)
	for _, b := range []*bench{count, reduce, scan} {
		sell(b, "a", 1)
		sell(b, "b", 2)
		sell(b, "a", 3)
	}
	same(t, counts.got, KV[string, int64]{"a", 1}, KV[string, int64]{"b", 1}, KV[string, int64]{"a", 2})
	same(t, sums.got, sale{"a", 1, 1}, sale{"b", 2, 2}, sale{"a", 4, 1})
	same(t, scans.take(), 4)
	scan.now = scan.now.Add(time.Hour)
	sell(scan, "a", 3)
	same(t, scans.got, 3)
}

// bySum ranks sales with the highest sum first, and says who it is.
func bySum(n int) Ranking[sale, int, string] {
	return Ranking[sale, int, string]{
		N: n, By: func(s sale) int { return s.Sum }, Compare: func(a, b int) int { return cmp.Compare(b, a) },
		Row: func(rank int, s sale) string { return fmt.Sprintf("%s%d %d.", s.Shop, s.At, rank) },
	}
}

func TestDistinctHandsOnTheFirstRecordOfEachKeyUntilItIsForgotten(t *testing.T) {
	out := &kettle[sale]{}
	b := newBench(t, NewDistinct(shop, time.Minute), out)
	sell(b, "a", 1)
	sell(b, "b", 2)
	sell(b, "a", 3)
	same(t, out.take(), sale{"a", 1, 1}, sale{"b", 2, 2})
	b.now = b.now.Add(40 * time.Second)
	sell(b, "a", 4) // keeps nothing alive
	b.now = b.now.Add(20 * time.Second)
	sell(b, "a", 5)
	sell(b, "a", 6)
	same(t, out.got, sale{"a", 5, 5})
	same(t, out.times, sec(5))
}

func TestTopRanksRecordsAsTheyComeBehindEqualOnes(t *testing.T) {
	out := &kettle[string]{}
	r := bySum(3)
	r.TTL = time.Minute
	b := newBench(t, NewTop(shop, r), out)
	for at, sum := range []int{5, 7, 5, 5, 1, 6, 6, 7, 9} {
		send(b, sale{"a", sum, int64(at)}, sec(int64(at)))
	}
	send(b, sale{"b", 1, 9}, sec(9))
	same(t, out.take(), "a0 1.", "a1 1.", "a2 3.", "a5 2.", "a6 3.", "a7 2.", "a8 1.", "b9 1.")
	b.now = b.now.Add(time.Minute)
	send(b, sale{"a", 1, 10}, sec(10))
	same(t, out.got, "a10 1.")
}

func TestTopOfOneKeepsTheLast(t *testing.T) {
	out := &kettle[string]{}
	b := newBench(t, NewTop(shop, bySum(1)), out)
	for at, sum := range []int{2, 1, 2, 3, 3} {
		send(b, sale{"a", sum, int64(at)}, sec(int64(at)))
	}
	same(t, out.got, "a0 1.", "a3 1.")
}

// What is stored is the values alone, so that it serves a Top of another number.
func TestTopIsRestoredWithMoreOrFewerRanks(t *testing.T) {
	b := newBench(t, NewTop(shop, bySum(3)), &kettle[string]{})
	for _, sum := range []int{8, 6, 4} {
		send(b, sale{"a", sum, 0}, 0)
	}
	part := b.snapshot()
	for n, want := range map[int][]string{1: {"a3 1."}, 2: {"a1 2.", "a3 1."}, 3: {"a0 3.", "a1 2.", "a3 1."}, 6: {"a0 3.", "a1 2.", "a2 6.", "a3 1."}} {
		out := &kettle[string]{}
		again := newBench(t, NewTop(shop, bySum(n)), out).restore(part)
		for at, sum := range []int{5, 7, 4, 9} {
			send(again, sale{"a", sum, int64(at)}, 0)
		}
		if !slices.Equal(out.got, want) {
			t.Errorf("top %d: got %v, want %v", n, out.got, want)
		}
	}
}

func TestATopOfNothingIsRefusedWithAllElseThatIsWrong(t *testing.T) {
	err := NewTop(shop, Ranking[sale, chan int, sale]{N: -1, TTL: -1}).Err
	for _, want := range []string{"top -1: at least 1", `state "top": type chan int cannot be stored`, `TTL of -1ns: it must not be negative`} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("missing %q in\n%v", want, err)
		}
	}
}

// crooked is wrong in every way.
type crooked struct {
	deep  state.Value[chan int]
	cache map[string]int
	side  Tag[string]
	inner struct {
		shelves [2]map[string]int
		side    Tag[int]
	}
}

func (c *crooked) Process(_ *Ctx[string], _ sale, out *Out[string]) error {
	c.deep.Clear()
	out.EmitTo(c.side, "")
	return nil
}
func (*crooked) OnTimer(*Ctx[int], *state.Timer, *Out[string]) error { return nil }
func (*crooked) Open() error                                         { return nil }
func (*crooked) Close()                                              {}

func TestAllMistakesOfAProcessorAreReported(t *testing.T) {
	p := &crooked{cache: map[string]int{}}
	p.inner.shelves[1] = map[string]int{}
	err := NewProcess(shop, p).Err
	for _, want := range []string{
		`state "deep": `,
		"operator.crooked: field cache is a map[string]int that all tasks of a process would share",
		"operator.crooked: field side is a Tag without a name",
		"operator.crooked: field inner.shelves[1] is a map[string]int that all tasks of a process would share",
		"operator.crooked: field inner.side is a Tag without a name",
		"operator.crooked: method OnTimer has the wrong type\n\thave func(*operator.crooked, *operator.Ctx[int], *state.Timer, *operator.Out[string]) error\n\twant func(*operator.crooked, *blink.Ctx[string], *blink.Timer, *blink.Out[string]) error",
		"operator.crooked: method Open has the wrong type",
		"operator.crooked: method Close has the wrong type",
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("missing %q in\n%v", want, err)
		}
	}
}

// counted is a processor of which a part holds state and a side output.
type counted struct{ count }

type count struct {
	n    state.Value[int]
	many Tag[int]
}

func (c *counted) Process(_ *Ctx[string], _ sale, out *Out[int]) error {
	*c.n.Ref()++
	out.EmitTo(c.many, c.n.Get())
	return nil
}

func TestStateAndTagsInAPartOfAProcessorAreTheTasks(t *testing.T) {
	many := &kettle[int]{}
	side := func(b *bench) { b.sides["many"] = Collector[int](many) }
	spec := NewProcess(shop, &counted{count{many: NewTag[int]("many")}})
	b := newBench(t, spec, &kettle[int]{}, side)
	send(b, sale{"a", 1, 1}, 0)
	again := newBench(t, spec, &kettle[int]{}, side).restore(b.snapshot())
	send(again, sale{"a", 1, 1}, 0)
	same(t, many.got, 1, 2)
}

func TestAnUndeclaredSideOutputIsNamed(t *testing.T) {
	b := newBench(t, NewFlatMap(func(n int, out *Out[int]) { out.EmitTo(NewTag[string]("none"), "x") }), &kettle[int]{})
	if e := failure(t, func() { send(b, 1, 0) }); !strings.Contains(e.Error(), `no side output "none" of string is declared`) {
		t.Errorf("got %v", e)
	}
}

func TestAChangedStateIsRefusedByName(t *testing.T) {
	p := newBench(t, NewCount(shop), &kettle[KV[string, int64]]{}).snapshot()
	other := newBench(t, NewReduce(shop, func(a, b sale) sale { return a }), &kettle[sale]{})
	err := other.op.(Restorer).Restore([]snapshot.Part{p})
	if err == nil || !strings.Contains(err.Error(), `state "count": was stored in the checkpoint and is not declared any more`) {
		t.Errorf("got %v", err)
	}
	p = newBench(t, NewWindowCount(shop, tumbling(1)), &kettle[Pane[string, int64]]{}).snapshot()
	sum := newBench(t, NewWindowSum(shop, func(sale) float64 { return 0 }, tumbling(1)), &kettle[Pane[string, float64]]{})
	err = sum.op.(Restorer).Restore([]snapshot.Part{p})
	if err == nil || !strings.HasPrefix(err.Error(), `state "panes": the value was int64 in the checkpoint and is float64 now: rename it, or migrate`) {
		t.Errorf("got %v", err)
	}
}

// ledger is a processor; again is what it may become.
type ledger struct {
	First  state.Value[int]
	Second state.Value[string]
}

func (p *ledger) Process(_ *Ctx[string], s sale, out *Out[string]) error {
	out.Emit(fmt.Sprint(p.First.Get(), p.Second.Get()))
	p.First.Set(s.Sum)
	p.Second.Set(s.Shop)
	return nil
}

type again struct {
	New    state.Value[bool]
	Second state.Value[string]
	First  state.Value[int]
}

func (p *again) Process(_ *Ctx[string], _ sale, out *Out[string]) error {
	out.Emit(fmt.Sprint(p.First.Get(), p.Second.Get(), p.New.Get()))
	return nil
}

func TestStatesAreFoundAgainByNameInAnyOrder(t *testing.T) {
	b := newBench(t, NewProcess(shop, &ledger{}), &kettle[string]{})
	sell(b, "a", 7)
	out := &kettle[string]{}
	is := newBench(t, NewProcess(shop, &again{}), out).restore(b.snapshot())
	sell(is, "a", 8)
	same(t, out.got, "7afalse")
}

// keyed is a processor with a state of that name, which the key itself has.
type keyed struct {
	K state.Value[int] `state:"key"`
}

func (*keyed) Process(*Ctx[string], sale, *Out[string]) error { return nil }

func TestAStateMayNotHaveTheNameOfTheKey(t *testing.T) {
	if err := NewProcess(shop, &keyed{}).Err; err == nil || !strings.Contains(err.Error(), `state "key": `) {
		t.Errorf("got %v", err)
	}
}

func TestRunningVerbsAllocateNothingForARecord(t *testing.T) {
	key := func(n int) int { return n % 100 }
	newest := Ranking[int, int, int]{
		N: 10, By: func(n int) int { return n }, Compare: func(a, b int) int { return cmp.Compare(b, a) },
		Row: func(rank, n int) int { return n + rank },
	}
	newestOne := newest
	newestOne.N = 1
	for name, b := range map[string]*bench{
		"count":    newBench(t, NewCount(key), Collector[KV[int, int64]](nobody[KV[int, int64]]{})),
		"distinct": newBench(t, NewDistinct(key, time.Hour), Collector[int](nobody[int]{})),
		"top 10":   newBench(t, NewTop(key, newest), Collector[int](nobody[int]{})),
		"top 1":    newBench(t, NewTop(key, newestOne), Collector[int](nobody[int]{})),
	} {
		in, n := b.op.(Node).Input(0).(Collector[int]), 0
		record := func() {
			n++
			in.Collect(&n, 0)
		}
		for range 2000 {
			record()
		}
		if a := testing.AllocsPerRun(1000, record); a != 0 {
			t.Errorf("%s: %v allocations a record", name, a)
		}
	}
}

// nobody takes records, and keeps none.
type nobody[T any] struct{}

func (nobody[T]) Collect(*T, int64) {}

type entrance struct{ Shop, By string }

func entered(e entrance) string { return e.Shop }

// guestBook keeps who has entered, each with where it was, and has room for so many.
type guestBook struct {
	Room   int
	guests state.Value[map[string][]string]
}

func (g *guestBook) Process(c *Ctx[string], e entrance, _ *Out[entrance]) error {
	all := g.guests.Ref()
	if *all == nil {
		*all = map[string][]string{}
	}
	if len(*all) < g.Room {
		(*all)[e.By] = append((*all)[e.By], c.Key())
	}
	return nil
}

// The records of a batch that came from another process have their strings in its frame.
func TestStateDoesNotKeepTheFrameOfItsRecords(t *testing.T) {
	for _, spec := range []Spec{
		NewReduce(entered, func(_, v entrance) entrance { return v }),
		NewProcess(entered, &guestBook{Room: 9}),
	} {
		stateDoesNotKeepTheFrame(t, spec)
	}
}

// What a state holds already costs a record nothing, though it may hold strings of frames.
func TestARecordOfAFrameCostsTheSameHoweverMuchIsHeld(t *testing.T) {
	costs := map[int]float64{}
	for _, room := range []int{10, 1000} {
		b := newBench(t, NewProcess(entered, &guestBook{Room: room}), Collector[entrance](nobody[entrance]{}))
		b.pressure.Lent = codec.Anywhere()
		enter := func(by string) {
			send(b, entrance{"a", by}, 0)
			send(b, entrance{"b", by}, 0)
		}
		for n := range room {
			enter(fmt.Sprint(n))
		}
		costs[room] = testing.AllocsPerRun(100, func() { enter("one too many") })
	}
	if costs[10] != costs[1000] {
		t.Errorf("allocations of two records, by what is held: %v", costs)
	}
}

func stateDoesNotKeepTheFrame(t *testing.T, spec Spec) {
	type visit = entrance
	p := portOf[visit](t)
	b := newBench(t, spec, Collector[visit](nobody[visit]{})).start()
	frame := p.encoded(t, buffer[visit]{records: []visit{{"a", "x"}, {"b", "y"}, {"b", "z"}}, times: []int64{1, 1, 1}})
	kept := weak.Make(unsafe.SliceData(frame))
	b.pressure.Lent = codec.MemoryOf(frame)
	head := b.op.(Node).Input(0)
	if r, err := p.Decode(frame, nil); err != nil || p.Deliver(r, 0, 3, head, b.pressure) != 3 {
		t.Fatal(err)
	}
	frame = nil
	next := p.encoded(t, buffer[visit]{records: []visit{{"c", "x"}}, times: []int64{1}})
	if r, err := p.Decode(next, nil); err != nil || p.Deliver(r, 0, 1, head, b.pressure) != 1 {
		t.Fatal(err)
	}
	if runtime.GC(); kept.Value() != nil {
		t.Error("it is in use still")
	}
	runtime.KeepAlive(b)
}
