package operator

import (
	"errors"
	"fmt"
	"time"

	"blink/state"
)

// NewCount emits the running count of each key.
func NewCount[K comparable, T any](key func(T) K) Spec {
	return NewProcess(key, &counter[K, T]{})
}

type counter[K comparable, T any] struct {
	n state.Value[int64] `state:"count"`
}

func (c *counter[K, T]) Process(ctx *Ctx[K], _ T, out *Out[KV[K, int64]]) error {
	n := c.n.Ref()
	*n++
	out.Emit(KV[K, int64]{ctx.Key(), *n})
	return nil
}

// NewReduce emits the running reduction of each key.
func NewReduce[K comparable, T any](key func(T) K, f func(a, b T) T) Spec {
	return NewProcess(key, &reducer[K, T]{f: f})
}

type reducer[K comparable, T any] struct {
	f    func(a, b T) T
	last state.Value[T] `state:"reduced"`
}

func (r *reducer[K, T]) Process(_ *Ctx[K], in T, out *Out[T]) error {
	if last, ok := r.last.Load(); ok {
		in = r.f(last, in)
	}
	r.last.Set(in)
	out.Emit(in)
	return nil
}

// NewScan folds the records of each key into one state, which starts as the zero S and is
// forgotten when it was not written for ttl, unless that is 0.
func NewScan[K comparable, T, S, R any](key func(T) K, f func(st *S, in T, out *Out[R]), ttl time.Duration) Spec {
	return NewProcess(key, &scanner[K, T, S, R]{f: f, st: state.Value[S]{TTL: ttl}})
}

type scanner[K comparable, T, S, R any] struct {
	f  func(st *S, in T, out *Out[R])
	st state.Value[S] `state:"scan"`
}

func (s *scanner[K, T, S, R]) Process(_ *Ctx[K], in T, out *Out[R]) error {
	s.f(s.st.Ref(), in, out)
	return nil
}

// NewDistinct hands on the first record of each key. The key is forgotten ttl after it, unless
// that is 0.
func NewDistinct[K comparable, T any](key func(T) K, ttl time.Duration) Spec {
	return NewProcess(key, &firsts[K, T]{seen: state.Value[bool]{TTL: ttl}})
}

type firsts[K comparable, T any] struct {
	seen state.Value[bool] `state:"seen"`
}

func (f *firsts[K, T]) Process(_ *Ctx[K], in T, out *Out[T]) error {
	if seen := f.seen.Get(); !seen {
		f.seen.Set(true)
		out.Emit(in)
	}
	return nil
}

// Ranking says how records are ranked: by a value of each, in the order of Compare, which is
// negative when a comes before b.
type Ranking[T, V, R any] struct {
	N       int // how many values of a key have a rank
	By      func(T) V
	Compare func(a, b V) int
	Row     func(rank int, in T) R
	TTL     time.Duration // the ranks of a key are forgotten when no record got one for so long; 0: never
}

// NewTop emits a Row of each record that is among the first N of its key when it comes, with
// its rank from 1, behind equal ones.
func NewTop[K comparable, T, V, R any](key func(T) K, r Ranking[T, V, R]) Spec {
	s := NewProcess(key, &ranker[K, T, V, R]{Ranking: r, first: state.List[V]{TTL: r.TTL}})
	if r.N < 1 {
		s.Err = errors.Join(fmt.Errorf("top %d: at least 1", r.N), s.Err)
	}
	return s
}

type ranker[K comparable, T, V, R any] struct {
	Ranking[T, V, R]
	first state.List[V] `state:"top"` // in the order of Compare
}

func (r *ranker[K, T, V, R]) Process(_ *Ctx[K], in T, out *Out[R]) error {
	if at := r.first.Enter(r.By(in), r.N, r.Compare); at < r.N {
		out.Emit(r.Row(at+1, in))
	}
	return nil
}
