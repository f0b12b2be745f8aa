package operator

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"time"

	"blink/graph"
	"blink/internal/codec"
	"blink/snapshot"
)

// ErrFull is what Write returns when the writer's buffer has no room: the record was not
// taken, and is offered again after a Flush. Behind that a Writer has room for one record, however
// large: if it has not, the job fails.
var ErrFull = errors.New("the writer is full")

// Writer writes the records of one task. Calls never overlap; Write runs on the task's
// turn, everything else off its actor.
type Writer[T, C any] interface {
	// Write copies rec, which is valid during the call, into the writer's buffer. It does no
	// I/O. at is the zero time if the record has no timestamp.
	Write(rec *T, at time.Time) error
	// Flush makes room in the buffer.
	Flush(ctx context.Context) error
	// Prepare makes all that was written since the last Prepare durable but invisible. What
	// it returns is stored in the checkpoint and makes it visible when handed to Commit. A
	// checkpoint may never complete: what was prepared for it is committed with the next one.
	Prepare(ctx context.Context, checkpoint uint64) ([]C, error)
	Close() error
}

// AnyWriter is a Writer of records of any type: Write is handed a *T, with T as in
// WriterInfo.Type.
type AnyWriter[C any] interface {
	Write(rec any, at time.Time) error
	Flush(ctx context.Context) error
	Prepare(ctx context.Context, checkpoint uint64) ([]C, error)
	Close() error
}

// Committer makes prepared output visible when its checkpoint is complete, and again after
// a restore from it; it is repeated until it succeeds, possibly by another task. So it must
// be idempotent: exactly once = Prepare is durable + Commit is idempotent. Safe for
// concurrent use: one value serves all tasks of a process.
type Committer[C any] interface {
	Commit(ctx context.Context, info WriterInfo, checkpoint uint64, prepared []C) error
}

// Finalizer is an optional part of a Committer: it publishes the result of a bounded job,
// after every task has committed its last checkpoint. Called in task 0, idempotent.
type Finalizer interface {
	Finalize(ctx context.Context, info WriterInfo, checkpoint uint64) error
}

// WriterInfo says for whom a writer is opened. What an earlier attempt of the job has left
// behind that is later than Restored is for the new writer to remove.
type WriterInfo struct {
	Job, Operator        string
	Subtask, Parallelism int
	Attempt              Attempt
	Restored             uint64       // the checkpoint the task was restored from; 0: none
	Resumed              bool         // that checkpoint has this sink: it is not new in the job
	Type                 reflect.Type // of the records
	FS                   FS
}

// SinkOf is a sink of records of type T.
type SinkOf[T any] struct {
	name string
	to   graph.Target
	new  func(out Outlets) any
	err  error
	kind []graph.State
}

// Name of the sink, for people.
func (s SinkOf[T]) Name() string { return s.name }

// Target says what the sink writes to. A job in which another sink has the same target is
// refused before it runs; so is one with a target that is wrong by itself, for the reason err.
func (s SinkOf[T]) Target(to graph.Target, err error) SinkOf[T] {
	s.to, s.err = to, errors.Join(s.err, err)
	return s
}

// Spec of the writing operator.
func (s SinkOf[T]) Spec() Spec { return Spec{New: s.new, State: s.kind, Target: s.to, Err: s.err} }

// NewSink makes a sink. open may block. C is what Prepare returns; it is stored.
func NewSink[T, C any](name string, open func(context.Context, WriterInfo) (Writer[T, C], error), c Committer[C]) SinkOf[T] {
	stored, state, err := transactions[C](name)
	s := SinkOf[T]{name: name, kind: state, err: err}
	s.new = func(Outlets) any {
		return newWriting(func(ctx context.Context, info WriterInfo) (recordWriter[T], writer, error) {
			w, err := open(ctx, info)
			if err != nil {
				return nil, nil, err
			}
			return w, twoPhase[C]{w, c, stored}, nil
		}, committing[C]{c, stored})
	}
	return s
}

// AnySink is a sink of records of every type that can be stored.
type AnySink struct {
	name   string
	to     graph.Target
	check  func(reflect.Type) error // of the records; nil: whatever can be stored
	open   func(context.Context, WriterInfo) (func(any, time.Time) error, writer, error)
	commit committer
	state  []graph.State
	err    error
}

// Name of the sink, for people.
func (s AnySink) Name() string { return s.name }

// NewAnySink makes a sink. open may block, and learns the type of the records.
func NewAnySink[C any](name string, open func(context.Context, WriterInfo) (AnyWriter[C], error), c Committer[C]) AnySink {
	stored, state, err := transactions[C](name)
	return AnySink{
		name: name, state: state, err: err,
		open: func(ctx context.Context, info WriterInfo) (func(any, time.Time) error, writer, error) {
			w, err := open(ctx, info)
			if err != nil {
				return nil, nil, err
			}
			return w.Write, twoPhase[C]{w, c, stored}, nil
		},
		commit: committing[C]{c, stored},
	}
}

// Check lets the sink refuse types of records: the job is refused with what check says,
// before anything runs.
func (s AnySink) Check(check func(reflect.Type) error) AnySink { s.check = check; return s }

// Target is explained at SinkOf.Target.
func (s AnySink) Target(to graph.Target, err error) AnySink {
	s.to, s.err = to, errors.Join(s.err, err)
	return s
}

func (s AnySink) refuses(t reflect.Type) error {
	if s.check == nil {
		return nil
	}
	return s.check(t)
}

// AnySinkSpec is the Spec of s for records of type T; that of a zero AnySink is zero.
func AnySinkSpec[T any](s AnySink) Spec {
	if s.open == nil && s.err == nil {
		return Spec{} // a zero AnySink
	}
	_, err := codec.For[T]()
	return Spec{
		State:  s.state,
		Target: s.to,
		Err:    errors.Join(s.err, err, s.refuses(reflect.TypeFor[T]())),
		New: func(Outlets) any {
			return newWriting(func(ctx context.Context, info WriterInfo) (recordWriter[T], writer, error) {
				write, w, err := s.open(ctx, info)
				if err != nil {
					return nil, nil, err
				}
				return anyWrite[T](write), w, nil
			}, s.commit)
		},
	}
}

func transactions[C any](name string) (*codec.Codec[C], []graph.State, error) {
	stored, err := codec.For[C]()
	if err != nil {
		return nil, nil, fmt.Errorf("transactions of sink %q: %w", name, err)
	}
	return stored, []graph.State{{Name: "transactions", Kind: "transactions", Type: TypeName[C](), Schema: stored.Schema()}}, nil
}

// recordWriter is the part of a Writer that takes records.
type recordWriter[T any] interface {
	Write(rec *T, at time.Time) error
}

// anyWrite is Write of an AnyWriter.
type anyWrite[T any] func(rec any, at time.Time) error

func (w anyWrite[T]) Write(rec *T, at time.Time) error { return w(rec, at) }

// writer is a Writer without its types, Write apart.
type writer interface {
	flush(ctx context.Context) error
	prepare(ctx context.Context, checkpoint uint64) ([][]byte, error)
	close() error
}

// committer is a Committer without its type.
type committer interface {
	commit(ctx context.Context, info WriterInfo, checkpoint uint64, prepared [][]byte) error
	finalize(ctx context.Context, info WriterInfo, checkpoint uint64) error
	state() snapshot.StateSchema
	// renew gives what a part holds of one prepared output the form of now.
	renew(p snapshot.Part, data []byte) ([]byte, error)
}

type twoPhase[C any] struct {
	w interface {
		Flush(context.Context) error
		Prepare(context.Context, uint64) ([]C, error)
		Close() error
	}
	c     Committer[C]
	codec *codec.Codec[C]
}

func (t twoPhase[C]) flush(ctx context.Context) error { return t.w.Flush(ctx) }

func (t twoPhase[C]) close() error { return t.w.Close() }

func (t twoPhase[C]) prepare(ctx context.Context, checkpoint uint64) ([][]byte, error) {
	prepared, err := t.w.Prepare(ctx, checkpoint)
	if err != nil {
		return nil, err
	}
	encoded := make([][]byte, len(prepared))
	for i := range prepared {
		if encoded[i], err = t.codec.Append(nil, prepared[i:i+1]); err != nil {
			return nil, err
		}
	}
	return encoded, nil
}

type committing[C any] struct {
	c     Committer[C]
	codec *codec.Codec[C]
}

func (t committing[C]) state() snapshot.StateSchema {
	return snapshot.StateSchema{Name: "transactions", Kind: "transactions", Schema: t.codec.Schema()}
}

func (t committing[C]) renew(p snapshot.Part, data []byte) ([]byte, error) {
	older, err := readerOf(t.codec, t.state(), p)
	if err != nil || older == t.codec {
		return data, err
	}
	prepared, err := older.Decode(nil, data)
	if err != nil {
		return nil, err
	}
	return t.codec.Append(nil, prepared)
}

func (t committing[C]) commit(ctx context.Context, info WriterInfo, checkpoint uint64, encoded [][]byte) error {
	prepared := make([]C, 0, len(encoded))
	for _, data := range encoded {
		c, err := t.codec.Decode(nil, data)
		if err != nil {
			return err
		}
		prepared = append(prepared, c...)
	}
	return t.c.Commit(ctx, info, checkpoint, prepared)
}

func (t committing[C]) finalize(ctx context.Context, info WriterInfo, checkpoint uint64) error {
	if f, ok := t.c.(Finalizer); ok {
		return f.Finalize(ctx, info, checkpoint)
	}
	return nil
}
