package operator

import (
	"context"
	"fmt"
	"testing"
	"time"

	"blink/graph"
	"blink/snapshot"
)

// bench drives one operator by hand, as a task would.
type bench struct {
	t        testing.TB
	task     *Task
	op       any
	pressure *Pressure
	sides    map[string]any
	main     any
	counts   map[string]int64
	reports  []string
	now      time.Time
	wakeAt   int64
	mark     int64
}

func (b *bench) Main() any           { return b.main }
func (b *bench) Side(tag string) any { return b.sides[tag] }

// newBench opens and starts the operator of s in task subtask of parallelism, with main
// behind it, after restoring it from parts.
func newBench(t testing.TB, s Spec, main any, o ...func(*bench)) *bench {
	t.Helper()
	if s.Err != nil {
		t.Fatal(s.Err)
	}
	b := &bench{t: t, main: main, pressure: &Pressure{}, sides: map[string]any{}, counts: map[string]int64{}, now: time.Unix(1000, 0), wakeAt: EndTime, mark: NoTime}
	b.task = &Task{
		Job: "test", Parallelism: 1, MaxParallelism: 128, Attempt: Attempt{1, 1}, Groups: graph.Range{From: 0, To: 128},
		Now:      func() time.Time { return b.now },
		WakeAt:   func(at int64) { b.wakeAt = min(b.wakeAt, at) },
		Count:    func(op, metric string, by int64) { b.counts[metric] += by },
		Report:   func(op, message string) { b.reports = append(b.reports, message) },
		Where:    func(op string) string { return "job.go:7" },
		Pressure: b.pressure, Splits: NewSplitClocks(1),
	}
	for _, o := range o {
		o(b)
	}
	b.op = s.New(b)
	if op, ok := b.op.(Opener); ok {
		b.check(op.Open(b.task, "op"))
	}
	return b
}

func (b *bench) check(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

// restore gives the operator what other benches had at their snapshots.
func (b *bench) restore(parts ...snapshot.Part) *bench {
	b.t.Helper()
	b.check(b.op.(Restorer).Restore(parts))
	return b
}

func (b *bench) start() *bench {
	b.t.Helper()
	if op, ok := b.op.(Starter); ok {
		b.check(op.Start(context.Background()))
	}
	return b
}

func (b *bench) snapshot() snapshot.Part {
	b.t.Helper()
	f, err := b.op.(Snapshotter).Snapshot(SnapshotOptions{Checkpoint: 1})
	b.check(err)
	for done := false; !done; {
		done, err = f.Drain(1)
		b.check(err)
	}
	return f.Part()
}

// advance moves event time until pressure stops it; it says whether it is done.
func (b *bench) advance(in int64) bool {
	out, done := b.op.(Advancer).Advance(in)
	if done {
		b.mark = out
	}
	return done
}

// send gives one record to input 0.
func send[T any](b *bench, rec T, ts int64) { sendTo(b, 0, rec, ts) }

func sendTo[T any](b *bench, input int, rec T, ts int64) {
	b.op.(Node).Input(input).(Collector[T]).Collect(&rec, ts)
}

// kettle collects what arrives, and holds pressure when it has as many as its limit.
type kettle[T any] struct {
	got   []T
	times []int64
	limit int
	p     *Pressure
}

func (k *kettle[T]) Collect(in *T, ts int64) {
	k.got, k.times = append(k.got, *in), append(k.times, ts)
	if k.limit > 0 && len(k.got)%k.limit == 0 {
		k.p.Hold()
	}
}

func (k *kettle[T]) take() []T {
	got := k.got
	k.got, k.times = nil, nil
	return got
}

// last keeps only the newest record: it allocates nothing.
type last[T any] struct {
	got T
	ts  int64
	n   int
}

func (l *last[T]) Collect(in *T, ts int64) { l.got, l.ts, l.n = *in, ts, l.n+1 }

// failure runs f and returns the *UserError that it panics with.
func failure(t testing.TB, f func()) (e *UserError) {
	t.Helper()
	defer func() {
		t.Helper()
		r := recover()
		var ok bool
		if e, ok = r.(*UserError); !ok {
			t.Fatalf("recovered %v, want a *UserError", r)
		}
	}()
	f()
	return nil
}

func same[T any](t testing.TB, got []T, want ...T) {
	t.Helper()
	if fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", want) {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
}

func sec(n int64) int64 { return n * int64(time.Second) }
