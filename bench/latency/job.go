package latency

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"sync"
	"time"

	"blink"
)

// watch is told what happens in a run.
type watch struct {
	mu       sync.Mutex // guards what follows
	left     time.Time  // when the first source let the barrier go that is under way; zero: none is
	barriers []time.Duration
	timers   []time.Duration // how late they were
}

// leaves is told that a source stores its position. One checkpoint is under way at a time.
func (w *watch) leaves() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.left.IsZero() {
		w.left = time.Now()
	}
}

// arrived is told that the barrier has come through every channel.
func (w *watch) arrived() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.left.IsZero() {
		w.barriers = append(w.barriers, time.Since(w.left))
		w.left = time.Time{}
	}
}

func (w *watch) fired(late time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.timers = append(w.timers, late)
}

// record is small and has one key among many.
type record struct{ Key, Number int64 }

func keyOf(r record) int64 { return r.Key }

// build describes the job.
func (w *watch) build(o Options) func(*blink.Job) {
	return func(job *blink.Job) {
		job.Read(w.source(o)).ID("records").Parallelism(o.Channels).
			KeyBy(keyOf).Process(&timed{Timer: blink.Timer{Processing: true}, watch: w}).ID("timed").Parallelism(1).
			Write(w.sink(o)).ID("sink").Parallelism(1)
	}
}

// source gives every task of o.Channels the same number of records.
func (w *watch) source(o Options) blink.Source[record] {
	so := blink.SourceOptions{Name: "records", Bounded: true, NonBlocking: true}
	return blink.NewSource(so, splits(o.Channels), func(_ context.Context, _ blink.FS, s split) (blink.Reader[record, split], error) {
		s.watch = w
		return &reader{s, o.Records / int64(o.Channels)}, nil
	})
}

// split is the records of one source task from Next on. Storing it tells the watch that a
// barrier goes out: the runtime stores positions for checkpoints only.
type split struct {
	Index, Next int64
	watch       *watch
}

func (s split) ID() string { return fmt.Sprintf("%05d", s.Index) }

func (s split) MarshalBinary() ([]byte, error) {
	if s.watch != nil {
		s.watch.leaves()
	}
	return binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(nil, uint64(s.Index)), uint64(s.Next)), nil
}

func (s *split) UnmarshalBinary(data []byte) error {
	if len(data) != 16 {
		return fmt.Errorf("a split of %d bytes, want 16", len(data))
	}
	s.Index, s.Next = int64(binary.LittleEndian.Uint64(data)), int64(binary.LittleEndian.Uint64(data[8:]))
	return nil
}

type splits int

func (n splits) Splits(context.Context, blink.FS) (all []split, err error) {
	for i := range int(n) {
		all = append(all, split{Index: int64(i)})
	}
	return all, nil
}

type reader struct {
	split
	end int64
}

func (r *reader) Next(_ context.Context, into *blink.Records[record]) error {
	for ; !into.Full(); r.split.Next++ {
		if r.split.Next == r.end {
			return io.EOF
		}
		*into.Slot(time.Time{}) = record{r.split.Next % 1000, r.split.Next}
	}
	return nil
}

func (r *reader) Position() split { return r.split }

func (r *reader) Close() error { return nil }

// timed keeps a timer of processing time pending and tells how late it fires.
type timed struct {
	Timer blink.Timer
	watch *watch
}

// timerEvery is the time from one timer to the next.
const timerEvery = 20 * time.Millisecond

func (p *timed) Process(c *blink.Ctx[int64], in record, out *blink.Out[record]) error {
	if in.Key == 0 {
		if _, set := p.Timer.Pending(); !set {
			p.Timer.Set(c.Now().Add(timerEvery))
		}
	}
	out.Emit(in)
	return nil
}

func (p *timed) OnTimer(c *blink.Ctx[int64], _ *blink.Timer, _ *blink.Out[record]) error {
	p.watch.fired(c.Now().Sub(c.Time()))
	return nil
}

func (w *watch) sink(o Options) blink.Sink[record] {
	return blink.NewSink("slow", func(context.Context, blink.WriterInfo) (blink.Writer[record, int64], error) {
		return slow{w, o.Cost}, nil
	}, slow{})
}

// slow is a sink that is busy with each record for a while.
type slow struct {
	watch *watch
	cost  time.Duration
}

func (s slow) Write(*record, time.Time) error {
	for start := time.Now(); time.Since(start) < s.cost; {
	}
	return nil
}

func (s slow) Prepare(context.Context, uint64) ([]int64, error) {
	s.watch.arrived()
	return nil, nil
}

func (slow) Flush(context.Context) error                                     { return nil }
func (slow) Close() error                                                    { return nil }
func (slow) Commit(context.Context, blink.WriterInfo, uint64, []int64) error { return nil }
