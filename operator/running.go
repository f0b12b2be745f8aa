package operator

import (
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
