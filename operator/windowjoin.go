package operator

import (
	"errors"

	"blink/internal/codec"
)

// bag keeps records, and may have a value beside them. The first one needs no room of its own.
type bag[T, V any] struct {
	First T
	Have  bool
	More  []T
	value V    `blink:"-"`
	known bool `blink:"-"`
}

func (b *bag[T, V]) put(in *T) {
	if !b.Have {
		b.First, b.Have = *in, true
		return
	}
	b.More = append(b.More, *in)
}

// all are the records in the order in which they were put in.
func (b *bag[T, V]) all(yield func(*T) bool) {
	if !b.Have || !yield(&b.First) {
		return
	}
	for i := range b.More {
		if !yield(&b.More[i]) {
			return
		}
	}
}

func (b *bag[T, V]) putAll(o *bag[T, V]) {
	for in := range o.all {
		b.put(in)
	}
}

// sides are the records of a key on both sides of a join.
type sides[L, R any] struct {
	Left  bag[L, struct{}]
	Right bag[R, struct{}]
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
	join, err := windowsOf[K](WindowOptions{Window: w}, merging[sides[L, R]]{
		merge: func(s, o *sides[L, R]) {
			s.Left.putAll(&o.Left)
			s.Right.putAll(&o.Right)
		},
		refused: errors.Join(codec.Listable[L](), codec.Listable[R]()),
	})
	s := join.spec(err)
	s.New = func(out Outlets) any {
		c := join.build()
		l := newRecordInput(join.hash, left, owning(c.at(), func(s *sides[L, R], in *L) { s.Left.put(in) }))
		r := newRecordInput(join.hash, right, owning(c.at(), func(s *sides[L, R], in *R) { s.Right.put(in) }))
		l.into(c, c.at())
		r.into(c, c.at())
		c.connect(Collector[L](l), Collector[R](r), newPaneOutput[K](c.at(), outlet[O](out), nil, pair))
		return c
	}
	return s
}
