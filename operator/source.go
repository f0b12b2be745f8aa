package operator

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"blink/graph"
	"blink/internal/codec"
	"blink/snapshot"
)

// Split is one part of a source and the position in it. It is stored, so the rules of
// state types hold for it. ID is the same at every position, and unique in the source.
type Split interface{ ID() string }

// Enumerator finds the splits of a source, once for a job. It may block.
type Enumerator[S Split] interface {
	Splits(ctx context.Context, fs FS) ([]S, error)
}

// Reader reads one split in one task. Unless the source is NonBlocking it runs off the
// task's actor, and may block until ctx ends. Calls never overlap.
type Reader[T any, S Split] interface {
	// Next appends records to into, which is empty, until it is Full or nothing is at hand;
	// io.EOF itself, also together with records, ends the split; an error that wraps it is a
	// failure, since a lost connection is often told so. It should return what it has rather
	// than wait for more.
	Next(ctx context.Context, into *Batch[T]) error
	// Position is the split behind all that Next gave: a reader opened with it goes on there
	// and gives the same records that this one will.
	Position() S
	// Close is called once, when the split has ended or the task does.
	Close() error
}

// SourceOptions of a source.
type SourceOptions struct {
	Name        string   // for people
	Bounded     bool     // it ends; a task then reads only some of many splits at once
	NonBlocking bool     // open, Next, Position and Close never wait: they run on the task's own loop
	Watermarks  bool     // readers say with Batch.Watermark how far event time has come
	Untimed     bool     // readers give no record an event time: a window needs EventTime before it
	Sides       []AnyTag // side outputs that readers fill with Batch.AppendTo
}

// SourceOf is a source of records of type T.
type SourceOf[T any] struct {
	options SourceOptions
	spec    Spec
	splits  func(ctx context.Context, fs FS) ([]snapshot.Item, error)
}

// Options that the source was made with.
func (s SourceOf[T]) Options() SourceOptions { return s.options }

// Spec of the reading operator.
func (s SourceOf[T]) Spec() Spec { return s.spec }

// Splits is for Factory.Splits, but for the place of the source, which errors lack.
func (s SourceOf[T]) Splits(ctx context.Context, fs FS) ([]snapshot.Item, error) {
	return s.splits(ctx, fs)
}

// NewSource makes a source. open may block and is called when the split is first read.
func NewSource[T any, S Split](o SourceOptions, e Enumerator[S], open func(ctx context.Context, fs FS, split S) (Reader[T, S], error)) SourceOf[T] {
	stored, err := codec.For[position[S]]()
	if err != nil {
		err = fmt.Errorf("splits of source %q: %w", o.Name, cmp.Or(codec.Storable[S](), err))
	}
	s := SourceOf[T]{options: o}
	s.spec = Spec{
		New:   func(out Outlets) any { return newReading(o, stored, open, out) },
		Sides: o.Sides,
		Err:   err,
	}
	if err == nil {
		s.spec.State = []graph.State{{Name: "splits", Kind: "splits", Type: TypeName[S](), Schema: stored.Schema()}}
	}
	s.splits = func(ctx context.Context, fs FS) ([]snapshot.Item, error) {
		return enumerate(ctx, fs, e, stored)
	}
	return s
}

func enumerate[S Split](ctx context.Context, fs FS, e Enumerator[S], stored *codec.Codec[position[S]]) ([]snapshot.Item, error) {
	splits, err := e.Splits(ctx, fs)
	if err != nil {
		return nil, err
	}
	items := make([]snapshot.Item, 0, len(splits))
	seen := map[string]bool{}
	for _, s := range splits {
		if seen[s.ID()] {
			return nil, fmt.Errorf("two splits are called %q", s.ID())
		}
		seen[s.ID()] = true
		item, err := splitItem(stored, s.ID(), position[S]{Split: s})
		if err != nil {
			return nil, fmt.Errorf("split %q: %w", s.ID(), err)
		}
		items = append(items, item)
	}
	return items, nil
}

// position is what is stored of a split.
type position[S Split] struct {
	Split  S
	Clocks []splitClock
}

// splitClock is the highest timestamp that an EventTime operator has seen of the split.
type splitClock struct {
	Operator string
	Highest  int64
}

func splitItem[S Split](c *codec.Codec[position[S]], id string, p position[S]) (snapshot.Item, error) {
	data, err := c.Append(nil, []position[S]{p})
	return snapshot.Item{Name: id, Data: data}, err
}

// maxBatch is how many records a reader appends at most before it should return.
const maxBatch = 512

// Batch is a buffer that readers fill: records with their timestamps. It belongs to the
// runtime and is reused.
type Batch[T any] struct {
	records []T
	times   []int64
	runs    []outputRun // in which order records came, if not all are of the main output
	sides   []sideBatch
	sided   int   // records of side outputs
	mark    int64 // of Watermark
	err     error
	most    int // records that make it full; 0: maxBatch
}

// outputRun is a number of records in a row for one output: 0 the main one, i+1 side i.
type outputRun struct{ to, n int32 }

// NewBatch is an empty batch for a reader that works without a task, as in a measurement.
// sides are as in SourceOptions; what is written to them goes nowhere.
func NewBatch[T any](sides ...AnyTag) *Batch[T] {
	b := &Batch[T]{mark: NoTime}
	for _, t := range sides {
		b.sides = append(b.sides, t.batch(nowhere{}))
	}
	return b
}

// nowhere is Outlets that lead nowhere.
type nowhere struct{}

func (nowhere) Main() any       { return nil }
func (nowhere) Side(string) any { return nil }

// Reset makes the batch empty, to be filled again.
func (b *Batch[T]) Reset() { b.reset() }

// Full says that Next should return.
func (b *Batch[T]) Full() bool { return b.Room() == 0 }

// Room is how many records it takes until it is full: few at a time when the rate of the
// source is limited.
func (b *Batch[T]) Room() int {
	most := maxBatch
	if b.most > 0 {
		most = min(most, b.most)
	}
	return max(0, most-b.Len())
}

// Len is the number of records, those for side outputs included.
func (b *Batch[T]) Len() int { return len(b.records) + b.sided }

// Append copies rec. The zero time means that the record has no timestamp.
func (b *Batch[T]) Append(rec T, at time.Time) {
	b.records = append(b.records, rec)
	b.stamp(at)
}

// Slot is Append of a record that the caller fills in place, at once. It may hold an old
// record, which the job may have changed: set every field.
func (b *Batch[T]) Slot(at time.Time) *T {
	b.records = extend(b.records)
	b.stamp(at)
	return &b.records[len(b.records)-1]
}

// extend is s with one more record, perhaps an old one.
func extend[T any](s []T) []T {
	if n := len(s); n < cap(s) {
		return s[:n+1]
	}
	return append(s, *new(T))
}

// Slots is Slot for n records at once, for sources to which every nanosecond matters. The
// caller sets the times as well: Unix nanoseconds, or NoTime.
func (b *Batch[T]) Slots(n int) (records []T, times []int64) {
	from := len(b.records)
	b.records = slices.Grow(b.records, n)[:from+n]
	b.times = slices.Grow(b.times, n)[:from+n]
	b.came(0, n)
	return b.records[from:], b.times[from:]
}

func (b *Batch[T]) stamp(at time.Time) {
	ts, err := stampOf(at)
	if err != nil {
		b.err = err
	}
	b.times = append(b.times, ts)
	b.came(0, 1)
}

// came notes that n records for an output have been added. Runs begin with the first record
// for a side output.
func (b *Batch[T]) came(to int32, n int) {
	switch last := len(b.runs) - 1; {
	case last >= 0 && b.runs[last].to == to:
		b.runs[last].n += int32(n)
	case last >= 0 || to != 0:
		if last < 0 && len(b.records) > 0 {
			b.runs = append(b.runs, outputRun{0, int32(len(b.records))})
		}
		b.runs = append(b.runs, outputRun{to, int32(n)})
	}
}

// Watermark promises that the split's later batches have no record at or before at. The
// event time of the source is that of the split that is behind most. SourceOptions must
// announce Watermarks; an EventTime operator behind the source makes its own.
func (b *Batch[T]) Watermark(at time.Time) {
	ts, err := stampOf(at)
	if err != nil {
		b.err = err
	}
	b.mark = max(b.mark, ts)
}

// AppendTo copies rec to a side output, which SourceOptions must name.
func (b *Batch[T]) AppendTo[V any](t Tag[V], rec V, at time.Time) { *b.SlotTo(t, at) = rec }

// SlotTo is AppendTo of a record that the caller fills in place, at once: see Slot.
func (b *Batch[T]) SlotTo[V any](t Tag[V], at time.Time) *V {
	for i, s := range b.sides {
		if s, ok := s.(*sideRecords[V]); ok && s.tag == t.name {
			ts, err := stampOf(at)
			if err != nil {
				b.err = err
			}
			s.records = extend(s.records)
			s.times = append(s.times, ts)
			b.sided++
			b.came(int32(i+1), 1)
			return &s.records[len(s.records)-1]
		}
	}
	b.err = fmt.Errorf("side output %q of %s is not among the source's Sides", t.name, t.Type())
	return new(V)
}

// sideBatch is sideRecords of any type.
type sideBatch interface {
	emit(n int, p *Pressure) int // up to n records, until pressure stops it
	reset()
}

type sideRecords[V any] struct {
	tag     string
	next    next[V]
	records []V
	times   []int64
	at      int
}

func (s *sideRecords[V]) emit(n int, p *Pressure) int {
	n = s.next.collectUntilHeld(s.records[s.at:s.at+n], s.times[s.at:s.at+n], p)
	s.at += n
	return n
}

func (s *sideRecords[V]) reset() { s.records, s.times, s.at = s.records[:0], s.times[:0], 0 }

func (b *Batch[T]) reset() {
	b.records, b.times, b.mark = b.records[:0], b.times[:0], NoTime
	b.runs, b.sided = b.runs[:0], 0
	for _, s := range b.sides {
		s.reset()
	}
}
