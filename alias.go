package blink

import (
	"context"
	"time"

	"blink/graph"
	"blink/internal/codec"
	"blink/operator"
	"blink/state"
)

// What processors, sources and sinks are made with. The types live in packages operator and
// state, where their methods are documented.
type (
	// Out takes what an operator emits.
	Out[U any] = operator.Out[U]
	// Tag names a side output of records of type T.
	Tag[T any] = operator.Tag[T]
	// OnError says what becomes of a record whose function failed: Fail, Skip or DeadLetter.
	OnError = operator.OnError
	// Failure is a record and the error it met.
	Failure[T any] = operator.Failure[T]
	// Ctx is the record or timer at hand, and a processor's only clock.
	Ctx[K any] = operator.Ctx[K]
	// KV is a key and what was computed for it.
	KV[K comparable, V any] = operator.KV[K, V]
	// Pane is the result of one firing of one window of one key.
	Pane[K comparable, V any] = operator.Pane[K, V]
	// Number is what can be summed.
	Number = operator.Number
	// Window says how a keyed stream is cut by time.
	Window = operator.Window
	// Watermarks is how far event time has come, given the timestamps seen.
	Watermarks = operator.Watermarks

	// Processor, CoProcessor and Accumulator are what Process and Aggregate take.
	Processor[S, K, T, R any]      = operator.Processor[S, K, T, R]
	CoProcessor[S, K, L, R, O any] = operator.CoProcessor[S, K, L, R, O]
	Accumulator[A, T, R any]       = operator.Accumulator[A, T, R]

	// Value, List and Map are keyed state, Timer a timer for each key: fields of a processor.
	Value[V any]              = state.Value[V]
	List[V any]               = state.List[V]
	Map[MK comparable, V any] = state.Map[MK, V]
	Timer                     = state.Timer

	// Source reads records of type T: see NewSource.
	Source[T any]          = operator.SourceOf[T]
	SourceOptions          = operator.SourceOptions
	Split                  = operator.Split
	Enumerator[S Split]    = operator.Enumerator[S]
	Reader[T any, S Split] = operator.Reader[T, S]
	Records[T any]         = operator.Batch[T]
	// Sink writes records of type T, AnySink those of every storable type.
	Sink[T any]      = operator.SinkOf[T]
	AnySink          = operator.AnySink
	Writer[T, C any] = operator.Writer[T, C]
	AnyWriter[C any] = operator.AnyWriter[C]
	Committer[C any] = operator.Committer[C]
	WriterInfo       = operator.WriterInfo
	// Target is what a sink alone writes to, so that a second one is refused.
	Target = graph.Target
	// FS is the file system that sources and sinks see.
	FS = operator.FS
)

// Fail and Skip are the simple policies of OnError: fail the task, or drop the record,
// count it and report it.
var (
	Fail = operator.Fail
	Skip = operator.Skip
)

// ErrFull is what a Writer answers when its buffer is full.
var ErrFull = operator.ErrFull

// OneOf says which types the values of an interface may have, so that they can be sent and
// stored: call it with a value of each before the first verb that needs it, at one place.
//
//	blink.OneOf[Shape](Circle{}, &Square{})
//
// They are stored under their names, such as main.Circle. More can be added later; one that is
// left out while values of it may be stored is refused. What is wrong with them is told with
// the mistakes of the job.
func OneOf[I any](values ...I) { codec.OneOf(values...) }

// NewTag names a side output.
func NewTag[T any](name string) Tag[T] { return operator.NewTag[T](name) }

// DeadLetter sends a record that failed, with its error, to a side output.
func DeadLetter[T any](t Tag[Failure[T]]) OnError { return operator.DeadLetter(t) }

// BoundedOutOfOrder follows the highest timestamp at a distance d.
func BoundedOutOfOrder(d time.Duration) Watermarks { return operator.BoundedOutOfOrder(d) }

// Ascending is for timestamps that never go back within a split.
func Ascending() Watermarks { return operator.Ascending() }

// Tumbling windows follow each other without overlap.
func Tumbling(size time.Duration) Window { return operator.Tumbling(size) }

// Sliding windows of one size begin every slide.
func Sliding(size, slide time.Duration) Window { return operator.Sliding(size, slide) }

// Session windows end when gap has passed without a record of the key; a record exactly gap
// after the last one still joins. A pane starts with the first record and ends gap after the
// last.
func Session(gap time.Duration) Window { return operator.Session(gap) }

// NewSource makes a source of what an enumerator finds and readers read.
func NewSource[T any, S Split](o SourceOptions, e Enumerator[S], open func(ctx context.Context, fs FS, split S) (Reader[T, S], error)) Source[T] {
	return operator.NewSource(o, e, open)
}

// Values is a bounded source of what is given; for tests and small tables.
func Values[T any](vs ...T) Source[T] { return operator.Values(vs...) }

// NewSink makes a sink of a two-phase writer and its committer.
func NewSink[T, C any](name string, open func(context.Context, WriterInfo) (Writer[T, C], error), c Committer[C]) Sink[T] {
	return operator.NewSink(name, open, c)
}

// NewAnySink makes a sink that learns the type of its records when it is opened.
func NewAnySink[C any](name string, open func(context.Context, WriterInfo) (AnyWriter[C], error), c Committer[C]) AnySink {
	return operator.NewAnySink(name, open, c)
}
