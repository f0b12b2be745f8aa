package blink

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"time"

	"reflect"

	"blink/graph"
	"blink/internal/codec"
	"blink/operator"
)

// Stream is a stream of records of type T. It is a small value: copy it freely, and use it
// twice to feed two operators.
type Stream[T any] struct{ n *node }

// Read starts a stream.
func (j *Job) Read[T any](s Source[T]) Stream[T] {
	n := j.add(1, "read", s.Options().Name, made(s.Spec()))
	o := s.Options()
	n.op.Source, n.op.Bounded, n.op.Watermarks, n.op.Untimed = true, o.Bounded, o.Watermarks, o.Untimed
	n.op.Out, n.main = typeName[T](), operator.PortOf[T]
	n.splits.Splits = s.Splits
	return Stream[T]{n}
}

// made refuses a zero Source or Sink.
func made(s operator.Spec) operator.Spec {
	if s.New == nil && s.Err == nil {
		s.Err = errors.New("it is the zero value: make it with NewSource, NewSink or a connector")
	}
	return s
}

// given refuses a nil function or prototype.
func given(f any, s operator.Spec) operator.Spec {
	s.Err = errors.Join(s.Err, notNil(f))
	return s
}

func notNil(f any) error {
	if v := reflect.ValueOf(f); v.IsNil() {
		return fmt.Errorf("it is given nil instead of a %s", v.Type())
	}
	return nil
}

// then adds an operator with one input.
func then[U any](from *node, verb, what string, spec operator.Spec) Stream[U] {
	n := from.there().job.add(2, verb, what, spec, input{from: from})
	n.op.Out, n.main = typeName[U](), operator.PortOf[U]
	return Stream[U]{n}
}

// Map applies f to every record.
func (s Stream[T]) Map[U any](f func(T) U) Stream[U] {
	return then[U](s.n, "map", funcName(f), given(f, operator.NewMap(f)))
}

// MapInto is Map without copies, for wide records: f reads in and writes all of out, both
// valid only during the call. It may not change in.
func (s Stream[T]) MapInto[U any](f func(in *T, out *U)) Stream[U] {
	return then[U](s.n, "map", funcName(f), given(f, operator.NewMapInto(f)))
}

// Update changes every record in place. Other streams do not see the change.
func (s Stream[T]) Update[F ~func(*T)](f F) Stream[T] {
	return then[T](s.n, "update", funcName(f), given(f, operator.NewUpdate[T](f)))
}

// Filter keeps the records for which keep is true.
func (s Stream[T]) Filter[F ~func(T) bool](keep F) Stream[T] {
	return then[T](s.n, "filter", funcName(keep), given(keep, operator.NewFilter[T](keep)))
}

// FlatMap emits any number of records for each one.
func (s Stream[T]) FlatMap[U any](f func(T, *Out[U])) Stream[U] {
	return then[U](s.n, "flatmap", funcName(f), given(f, operator.NewFlatMap(f)))
}

// Try is Map with a function that can fail. Without onError a failure fails the task; of
// several the last counts.
func (s Stream[T]) Try[U any](f func(T) (U, error), onError ...OnError) Stream[U] {
	on := Fail
	if len(onError) > 0 {
		on = onError[len(onError)-1]
	}
	return then[U](s.n, "try", funcName(f), given(f, operator.NewTry(f, on)))
}

// EventTime says when records happened and how watermarks follow. In the same chain as the
// source, the splits of the source are told apart.
func (s Stream[T]) EventTime[F ~func(T) time.Time](at F, w Watermarks) Stream[T] {
	return then[T](s.n, "eventtime", w.String(), given(at, operator.NewEventTime[T](at, w)))
}

// KeyBy partitions by key: equal keys meet in one task.
func (s Stream[T]) KeyBy[K comparable](key func(T) K) Keyed[K, T] {
	return Keyed[K, T]{s.n.keyed(errors.Join(notNil(key), codec.Keyable[K]()), typeName[K]()), key}
}

// keyed is a virtual node; what follows ships by hash.
func (n *node) keyed(err error, key string) *node {
	k := n.there().job.add(2, "keyby", key, operator.Spec{}, input{from: n})
	k.mistake(err)
	return k
}

// Union merges streams of one type. Order is kept within each of them.
func (s Stream[T]) Union(more ...Stream[T]) Stream[T] {
	n := s.n.there().job.add(1, "union", "", operator.Spec{}, input{from: s.n})
	for _, m := range more {
		n.in = append(n.in, input{from: m.n})
	}
	return Stream[T]{n}
}

// Rebalance deals records round robin to the tasks of what follows.
func (s Stream[T]) Rebalance() Stream[T] {
	return Stream[T]{s.n.there().job.add(1, "rebalance", "", operator.Spec{}, input{from: s.n, ship: graph.Rebalance})}
}

// Side is the side output t of the operator that s comes from.
func (s Stream[T]) Side[U any](t Tag[U]) Stream[U] {
	n := s.n.there().job.add(1, "side", t.Name(), operator.Spec{}, input{from: s.n})
	n.standFor(t)
	return Stream[U]{n}
}

// Write ends the stream in a sink: one for this T, or one for any type, such as files.CSV.
func (s Stream[T]) Write[S Sink[T] | AnySink](to S) Written {
	var name string
	var spec operator.Spec
	switch to := any(to).(type) {
	case Sink[T]:
		name, spec = to.Name(), made(to.Spec())
	case AnySink:
		name, spec = to.Name(), made(operator.AnySinkSpec[T](to))
	}
	n := s.n.there().job.add(1, "write", name, spec, input{from: s.n})
	n.op.Sink, n.op.Target = true, spec.Target
	return Written{n}
}

// Name is what people see; it changes nothing that is stored.
func (s Stream[T]) Name(name string) Stream[T] { s.n.op.Name = name; return s }

// ID is the operator's identity in snapshots. Give one to every operator with state, and to
// sources, EventTime and sinks, which keep positions, clocks and transactions; then the job
// may be rearranged around it, and its parallelism changed.
func (s Stream[T]) ID(id string) Stream[T] { s.n.setID(id); return s }

// Parallelism of this operator; 0 means the job's.
func (s Stream[T]) Parallelism(n int) Stream[T] { s.n.op.Parallelism = n; return s }

// Slot puts the operator, and what follows in its chain, in a slot sharing group.
func (s Stream[T]) Slot(group string) Stream[T] { s.n.op.Slot = group; return s }

// NewChain starts a new chain at this operator.
func (s Stream[T]) NewChain() Stream[T] { s.n.op.NewChain = true; return s }

// Written is a finished branch; it can be named like any operator.
type Written struct{ n *node }

// Name is explained at Stream.Name.
func (w Written) Name(name string) Written { w.n.op.Name = name; return w }

// ID is explained at Stream.ID.
func (w Written) ID(id string) Written { w.n.setID(id); return w }

// Parallelism is explained at Stream.Parallelism.
func (w Written) Parallelism(n int) Written { w.n.op.Parallelism = n; return w }

func (n *node) setID(id string) {
	if id == "" || strings.ContainsAny(id, "\n\x00") {
		n.mistake(fmt.Errorf("ID %q: it must not be empty nor hold a line break", id))
	}
	n.op.ID, n.op.Named = id, true
}

func typeName[T any]() string { return operator.TypeName[T]() }

// funcName is the name of a function for people; func for a literal.
func funcName(f any) string {
	name := runtime.FuncForPC(reflect.ValueOf(f).Pointer()).Name()
	name = name[strings.LastIndexByte(name, '/')+1:]
	if i := strings.IndexByte(name, '['); i >= 0 {
		name = name[:i]
	}
	name = strings.TrimSuffix(name, "-fm")
	if strings.Contains(name, ".func") || strings.HasSuffix(name, ".") {
		return "func"
	}
	return name
}
