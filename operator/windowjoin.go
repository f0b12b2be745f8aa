package operator

import (
	"errors"

	"blink/internal/codec"
	"blink/internal/hash"
)

// bag keeps records. The first one needs no room of its own.
type bag[T any] struct {
	First T
	Have  bool
	More  []T
}

func (b *bag[T]) put(in *T) {
	if !b.Have {
		b.First, b.Have = *in, true
		return
	}
	b.More = append(b.More, *in)
}

// all are the records in the order in which they were put in.
func (b *bag[T]) all(yield func(*T) bool) {
	if !b.Have || !yield(&b.First) {
		return
	}
	for i := range b.More {
		if !yield(&b.More[i]) {
			return
		}
	}
}

func (b *bag[T]) putAll(o *bag[T]) {
	for in := range o.all {
		b.put(in)
	}
}

// sides are the records of a key on both sides of a join.
type sides[L, R any] struct {
	Left  bag[L]
	Right bag[R]
}

// NewWindowJoin pairs each left record of a window with each right one of its key: input 0 is
// the left side, input 1 the right.
func NewWindowJoin[K comparable, L, R, O any](left func(L) K, right func(R) K, f func(*L, *R) O, w Window) Spec {
	return newWindowJoin(left, right, w, func(s *sides[L, R], row func(O)) {
		for l := range s.Left.all {
			for r := range s.Right.all {
				row(f(l, r))
			}
		}
	})
}

// NewWindowLeftJoin is NewWindowJoin that also pairs the left records of which there is no
// right one, with nil.
func NewWindowLeftJoin[K comparable, L, R, O any](left func(L) K, right func(R) K, f func(*L, *R) O, w Window) Spec {
	return newWindowJoin(left, right, w, func(s *sides[L, R], row func(O)) {
		for l := range s.Left.all {
			if !s.Right.Have {
				row(f(l, nil))
			}
			for r := range s.Right.all {
				row(f(l, r))
			}
		}
	})
}

func newWindowJoin[K comparable, L, R, O any](left func(L) K, right func(R) K, w Window, pair func(s *sides[L, R], row func(O))) Spec {
	sum, _ := hash.Of[K]() // KeyBy has reported the error
	f := fold[K, struct{}, sides[L, R], O]{
		merge: func(s, o *sides[L, R]) {
			s.Left.putAll(&o.Left)
			s.Right.putAll(&o.Right)
		},
		rows:    pair,
		refused: errors.Join(codec.Storable[L](), codec.Storable[R]()),
	}
	return newWindowsFrom(nil, WindowOptions{Window: w}, f, func(c cut[K, sides[L, R]]) (any, any) {
		pl := c.at()
		l := &sideInput[K, L, sides[L, R]]{pl, c, left, sum, func(s *sides[L, R], in *L) { s.Left.put(in) }}
		r := &sideInput[K, R, sides[L, R]]{pl, c, right, sum, func(s *sides[L, R], in *R) { s.Right.put(in) }}
		return Collector[L](l), Collector[R](r)
	})
}

// sideInput is one input of windows that have two.
type sideInput[K comparable, T, A any] struct {
	*place
	to   cut[K, A]
	key  func(T) K
	hash func(K) uint64
	put  func(*A, *T)
}

func (m *sideInput[K, T, A]) Collect(in *T, ts int64) {
	m.enter(ts)
	key := m.key(*in)
	m.collect(in, ts, key, m.hash(key))
}

// CollectHashed is HashedCollector.
func (m *sideInput[K, T, A]) CollectHashed(in *T, ts int64, hash uint64) {
	m.enter(ts)
	m.collect(in, ts, m.key(*in), hash)
}

func (m *sideInput[K, T, A]) collect(in *T, ts int64, key K, hash uint64) {
	acc := m.to.open(hash, &key, ts)
	if acc == nil {
		m.count("late", 1)
		return
	}
	m.put(acc, in)
	m.to.changed(hash, &key, ts)
}
