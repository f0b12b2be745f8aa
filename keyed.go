package blink

import (
	"cmp"
	"fmt"
	"reflect"
	"time"

	"blink/graph"
	"blink/operator"
)

// Keyed is a stream partitioned by a key of type K.
type Keyed[K comparable, T any] struct {
	n   *node
	key func(T) K
}

// NewKV is a key and what was computed for it.
func NewKV[K comparable, V any](k K, v V) KV[K, V] { return KV[K, V]{Key: k, Value: v} }

// byKey is the input of a keyed operator.
func byKey[K comparable, T any](k Keyed[K, T], n int) input {
	hash, err := operator.HashOf(k.key)
	if err != nil {
		hash = nil // KeyBy has reported it
	}
	return input{from: k.n, ship: graph.Hash, key: typeName[K](), hash: hash, n: n}
}

// keyedThen adds a keyed operator with one input.
func keyedThen[R any](from *node, in input, verb, what string, spec operator.Spec) Stream[R] {
	n := from.there().job.add(2, verb, what, spec, in)
	n.op.Out, n.main = typeName[R](), operator.PortOf[R]
	return Stream[R]{n}
}

// Count emits the running count of each key.
func (k Keyed[K, T]) Count() Stream[KV[K, int64]] {
	return keyedThen[KV[K, int64]](k.n, byKey(k, 0), "count", "", operator.NewCount(k.key))
}

// Reduce emits the running reduction of each key. f changes nothing that its arguments refer to.
func (k Keyed[K, T]) Reduce[F ~func(a, b T) T](f F) Stream[T] {
	return keyedThen[T](k.n, byKey(k, 0), "reduce", funcName(f), given(f, operator.NewReduce(k.key, f)))
}

// Scan folds each key's records into one state S, which starts as S's zero value. st points
// into the state and is valid only during the call.
func (k Keyed[K, T]) Scan[S, R any](f func(st *S, in T, out *Out[R]), o ...StateOption) Stream[R] {
	return keyedThen[R](k.n, byKey(k, 0), "scan", funcName(f), given(f, operator.NewScan(k.key, f, ttlOf(o))))
}

// Distinct hands on the first record of each key and drops those that follow. With a TTL the
// key is forgotten so long after its first record, and the next one counts as the first.
func (k Keyed[K, T]) Distinct(o ...StateOption) Stream[T] {
	return keyedThen[T](k.n, byKey(k, 0), "distinct", "", operator.NewDistinct(k.key, ttlOf(o)))
}

// Top emits a row of each record that is among the first n of its key when it comes, with its
// rank, from 1 on. Records are ranked by a value of each, in the order of compare, which is
// negative when a comes before b: an equal one ranks behind, and those that are pushed down
// are not emitted again. So Top(1, …) emits each record that is ahead of all before it. The
// values of the first n are the state. With a TTL those of a key are forgotten when no record
// came among them for so long.
func (k Keyed[K, T]) Top[V, R any](n int, by func(T) V, compare func(a, b V) int, row func(rank int, in T) R, o ...StateOption) Stream[R] {
	spec := operator.NewTop(k.key, operator.Ranking[T, V, R]{N: n, By: by, Compare: compare, Row: row, TTL: ttlOf(o)})
	return keyedThen[R](k.n, byKey(k, 0), "top", fmt.Sprint(n, " by ", funcName(by)), given(by, given(compare, given(row, spec))))
}

// StateOption is an option of the state of Scan, Distinct and Top.
type StateOption struct{ ttl time.Duration }

// TTL forgets state that was not written for d.
func TTL(d time.Duration) StateOption { return StateOption{d} }

// ttlOf is the last TTL given, 0 if there is none.
func ttlOf(o []StateOption) (ttl time.Duration) {
	for _, o := range o {
		ttl = o.ttl
	}
	return ttl
}

// Process runs p's methods with keyed state and timers. p is a prototype, a pointer: every
// task works on its own copy of *p, whose state fields belong to the task.
func (k Keyed[K, T]) Process[S, R any, P Processor[S, K, T, R]](p P) Stream[R] {
	return keyedThen[R](k.n, byKey(k, 0), "process", structName(p), operator.NewProcess(k.key, p))
}

// Window groups each key's records by event time; say next what becomes of a window. Unless
// it has an allowed lateness or a late output, the records of a batch are combined before they
// are sent: the plan shows an operator ID.combine.
func (k Keyed[K, T]) Window(w Window) Windowed[K, T] {
	return Windowed[K, T]{k, operator.WindowOptions{Window: w}}
}

// Connect shares keyed state between two streams of different types.
func (k Keyed[K, T]) Connect[U any](right Keyed[K, U]) Connected[K, T, U] {
	return Connected[K, T, U]{k, right}
}

// Join pairs records of two streams that have one key; say next with Window how near in time.
func (k Keyed[K, T]) Join[U any](right Keyed[K, U]) Joined[K, T, U] {
	return Joined[K, T, U]{left: k, right: right}
}

// LeftJoin is Join that keeps the left records without a right one: their right one is nil.
func (k Keyed[K, T]) LeftJoin[U any](right Keyed[K, U]) Joined[K, T, U] {
	return Joined[K, T, U]{left: k, right: right, unmatched: true}
}

// Joined is two streams whose records are paired.
type Joined[K comparable, L, R any] struct {
	left      Keyed[K, L]
	right     Keyed[K, R]
	unmatched bool
	window    Window
}

// Window pairs the records that are in one window. In a session are the records of both sides.
func (j Joined[K, L, R]) Window(w Window) Joined[K, L, R] { j.window = w; return j }

// Apply makes a record of each pair when its window ends. l and r are valid during the call,
// and f may not change what they point to. Late records are counted and dropped.
func (j Joined[K, L, R]) Apply[O any](f func(l *L, r *R) O) Stream[O] {
	spec, what := operator.Spec{}, "join "
	if j.unmatched {
		spec, what = operator.NewWindowLeftJoin(j.left.key, j.right.key, f, j.window), "left join "
	} else {
		spec = operator.NewWindowJoin(j.left.key, j.right.key, f, j.window)
	}
	s := windowed[O](j.left.n, byKey(j.left, 0), j.window, what+funcName(f), given(f, spec))
	s.n.in = append(s.n.in, byKey(j.right, 1))
	return s
}

// Connected is two streams of one key that share state.
type Connected[K comparable, L, R any] struct {
	left  Keyed[K, L]
	right Keyed[K, R]
}

// Process runs a processor with a method for each side: see Keyed.Process.
func (c Connected[K, L, R]) Process[S, O any, P CoProcessor[S, K, L, R, O]](p P) Stream[O] {
	s := keyedThen[O](c.left.n, byKey(c.left, 0), "process", structName(p), operator.NewCoProcess(c.left.key, c.right.key, p))
	s.n.in = append(s.n.in, byKey(c.right, 1))
	return s
}

// structName is the name of a processor's type for people.
func structName(p any) string { return reflect.TypeOf(p).Elem().Name() }

// Windowed is a keyed stream cut into windows; a terminal verb makes it a Stream.
type Windowed[K comparable, T any] struct {
	k Keyed[K, T]
	o operator.WindowOptions
}

// AllowedLateness keeps a window after its end; late records fire it again.
func (w Windowed[K, T]) AllowedLateness(d time.Duration) Windowed[K, T] {
	w.o.Lateness = d
	return w
}

// LateTo sends the records none of whose windows is open any more to a side output. Without
// it they are counted and dropped.
func (w Windowed[K, T]) LateTo(t Tag[T]) Windowed[K, T] { w.o.LateTo = t; return w }

// windowed adds a window, and before it, where it can be made in two steps, an operator that
// combines at the end of each chain that feeds it.
func windowed[R any](k *node, in input, w Window, what string, spec operator.Spec) Stream[R] {
	ins, what := []input{in}, w.String()+" "+what
	var combiners []*node
	if c := spec.Combined; c != nil && spec.Err == nil {
		combiners = k.there().combine(what, c)
		spec, ins = c.Rest, nil
		for _, from := range combiners {
			ins = append(ins, input{from: from, ship: graph.Hash, key: in.key, hash: c.Hash})
		}
	}
	n := k.there().job.add(2, "window", what, spec, ins...)
	n.op.Out, n.main = typeName[R](), operator.PortOf[R]
	for _, c := range combiners {
		c.combines = n
	}
	return Stream[R]{n}
}

// Count counts the records of each window.
func (w Windowed[K, T]) Count() Stream[Pane[K, int64]] {
	return windowed[Pane[K, int64]](w.k.n, byKey(w.k, 0), w.o.Window, "count", operator.NewWindowCount(w.k.key, w.o))
}

// Sum adds up a number of each record. A sum of floats is rounded after each of them, so its
// last digits depend on the order of arrival.
func (w Windowed[K, T]) Sum[N Number](of func(T) N) Stream[Pane[K, N]] {
	return windowed[Pane[K, N]](w.k.n, byKey(w.k, 0), w.o.Window, "sum "+funcName(of), given(of, operator.NewWindowSum(w.k.key, of, w.o)))
}

// Reduce emits the reduction of each window. f must be associative and commutative: records
// are combined by pieces of the window. It changes nothing that its arguments refer to.
func (w Windowed[K, T]) Reduce[F ~func(a, b T) T](f F) Stream[T] {
	return windowed[T](w.k.n, byKey(w.k, 0), w.o.Window, "reduce "+funcName(f), given(f, operator.NewWindowReduce(w.k.key, f, w.o)))
}

// MaxBy emits the record with the greatest value, any of them on a tie: which one depends on
// the order of arrival. To choose, compare by more with Reduce.
func (w Windowed[K, T]) MaxBy[N cmp.Ordered](of func(T) N) Stream[T] {
	return windowed[T](w.k.n, byKey(w.k, 0), w.o.Window, "max by "+funcName(of), given(of, operator.NewWindowMaxBy(w.k.key, of, w.o)))
}

// MinBy emits the record with the least value, any of them on a tie; see MaxBy.
func (w Windowed[K, T]) MinBy[N cmp.Ordered](of func(T) N) Stream[T] {
	return windowed[T](w.k.n, byKey(w.k, 0), w.o.Window, "min by "+funcName(of), given(of, operator.NewWindowMinBy(w.k.key, of, w.o)))
}

// AllMaxBy emits all records with the greatest value, where MaxBy emits one of them.
func (w Windowed[K, T]) AllMaxBy[N cmp.Ordered](of func(T) N) Stream[T] {
	return windowed[T](w.k.n, byKey(w.k, 0), w.o.Window, "all max by "+funcName(of), given(of, operator.NewWindowAllMaxBy(w.k.key, of, w.o)))
}

// AllMinBy emits all records with the least value.
func (w Windowed[K, T]) AllMinBy[N cmp.Ordered](of func(T) N) Stream[T] {
	return windowed[T](w.k.n, byKey(w.k, 0), w.o.Window, "all min by "+funcName(of), given(of, operator.NewWindowAllMinBy(w.k.key, of, w.o)))
}

// Top emits the n first records of each window in the order of compare, which is negative when
// a comes before b. Which of equal records are among them depends on the order of arrival.
func (w Windowed[K, T]) Top[F ~func(a, b T) int](n int, compare F) Stream[T] {
	return windowed[T](w.k.n, byKey(w.k, 0), w.o.Window, fmt.Sprint("top ", n, " ", funcName(compare)), given(compare, operator.NewWindowTop(w.k.key, n, compare, w.o)))
}

// Aggregate folds each window into an accumulator of type A, a copy of *zero, whose maps, slices
// and pointers must be nil: all keys would share what they lead to. Result is what the pane holds.
// Give it as a pointer: Aggregate(&mean{}).
func (w Windowed[K, T]) Aggregate[A, R any, P Accumulator[A, T, R]](zero P) Stream[Pane[K, R]] {
	return windowed[Pane[K, R]](w.k.n, byKey(w.k, 0), w.o.Window, typeName[A](), given(zero, operator.NewWindowAggregate(w.k.key, zero, w.o)))
}
