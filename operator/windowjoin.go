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

func (b *bag[T, V]) len() int {
	if !b.Have {
		return 0
	}
	return 1 + len(b.More)
}

func (b *bag[T, V]) at(i int) *T {
	if i == 0 {
		return &b.First
	}
	return &b.More[i-1]
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
	return newWindowJoin(left, right, f, false, w)
}

// NewWindowLeftJoin is NewWindowJoin that also pairs the left records of which there is no
// right one, with nil.
func NewWindowLeftJoin[K comparable, L, R, O any](left func(L) K, right func(R) K, f func(*L, *R) O, w Window) Spec {
	return newWindowJoin(left, right, f, true, w)
}

func newWindowJoin[K comparable, L, R, O any](left func(L) K, right func(R) K, f func(*L, *R) O, outer bool, w Window) Spec {
	pairs := func(s *sides[L, R], from int, row func(O) bool) bool {
		each := s.Right.len() // pairs of each left record
		if outer {
			each = max(1, each)
		}
		for n := from; n < s.Left.len()*each; n++ {
			var r *R
			if s.Right.Have {
				r = s.Right.at(n % each)
			}
			if !row(f(s.Left.at(n/each), r)) {
				return false
			}
		}
		return true
	}
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
		c.connect(Collector[L](l), Collector[R](r), newPaneOutput[K](c.at(), outlet[O](out), nil, pairs))
		return c
	}
	return s
}
