package operator

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"blink/internal/codec"
)

// fold is how the records of a window become its result: T into A, A into A, and A into the
// emitted R, or into several with rows.
type fold[K comparable, T, A, R any] struct {
	add     func(acc *A, in *T)
	merging merging[A]
	emit    func(p *Pane[K, struct{}], acc *A, out *R)
	rows    paneRows[A, R] // instead of emit
}

// paneRows hands rows of an accumulator to row, from number from on, until row wants no more; done
// says that there are no more.
type paneRows[A, R any] func(acc *A, from int, row func(R) (more bool)) (done bool)

// merging is what can be done with accumulators, of which the zero one holds nothing.
type merging[A any] struct {
	merge func(acc *A, other *A)
	// adopt is merge of what nobody else has, such as a partial: an accumulator that holds
	// nothing becomes it. nil: it is no better than merge.
	adopt func(acc *A, given *A)
	undo  func(acc *A, other *A) // of merge, exactly; nil if there is none
	shown bool                   // what is emitted might lead to what an accumulator leads to
	// refused says in the user's words why A cannot be stored.
	refused error
}

// receive merges what nobody else has.
func (m *merging[A]) receive(acc, given *A) {
	if m.adopt != nil {
		m.adopt(acc, given)
		return
	}
	m.merge(acc, given)
}

// paned puts the result of an accumulator in a pane.
func paned[K comparable, A, V any](result func(*A) V) func(*Pane[K, struct{}], *A, *Pane[K, V]) {
	return func(p *Pane[K, struct{}], acc *A, out *Pane[K, V]) {
		*out = Pane[K, V]{Key: p.Key, Start: p.Start, End: p.End, Value: result(acc), Late: p.Late}
	}
}

// NewWindowCount counts the records of each window.
func NewWindowCount[K comparable, T any](key func(T) K, o WindowOptions) Spec {
	return newWindows(key, o, fold[K, T, int64, Pane[K, int64]]{
		add:     func(n *int64, _ *T) { *n++ },
		merging: sums[int64](),
		emit:    paned[K](func(n *int64) int64 { return *n }),
	})
}

// NewWindowSum adds up a number of each record. The order shows in a sum of floats.
func NewWindowSum[K comparable, T any, N Number](key func(T) K, of func(T) N, o WindowOptions) Spec {
	return newWindows(key, o, fold[K, T, N, Pane[K, N]]{
		add:     func(sum *N, in *T) { *sum += of(*in) },
		merging: sums[N](),
		emit:    paned[K](func(sum *N) N { return *sum }),
	})
}

// sums adds up numbers.
func sums[N Number]() merging[N] {
	m := merging[N]{merge: func(sum, more *N) { *sum += *more }}
	if one := N(1); one/2 == 0 { // an integer: no sum of it is rounded
		m.undo = func(sum, less *N) { *sum -= *less }
	}
	return m
}

// some is a record, or none yet.
type some[T any] struct {
	Record T
	Have   bool
}

// NewWindowReduce emits the reduction of each window. f must be associative and
// commutative, since records are combined by pieces of the window, and changes nothing that its
// arguments refer to.
func NewWindowReduce[K comparable, T any](key func(T) K, f func(a, b T) T, o WindowOptions) Spec {
	return newWindows(key, o, reduction[K](func(acc *T, in T) { *acc = f(*acc, in) }))
}

// NewWindowMaxBy emits the record with the greatest value, any of them on a tie.
func NewWindowMaxBy[K comparable, T any, N cmp.Ordered](key func(T) K, of func(T) N, o WindowOptions) Spec {
	return newWindows(key, o, reduction[K](func(acc *T, in T) {
		if cmp.Compare(of(in), of(*acc)) > 0 {
			*acc = in
		}
	}))
}

// NewWindowMinBy emits the record with the least value, any of them on a tie.
func NewWindowMinBy[K comparable, T any, N cmp.Ordered](key func(T) K, of func(T) N, o WindowOptions) Spec {
	return newWindows(key, o, reduction[K](func(acc *T, in T) {
		if cmp.Compare(of(in), of(*acc)) < 0 {
			*acc = in
		}
	}))
}

// NewWindowAllMaxBy emits all records with the greatest value.
func NewWindowAllMaxBy[K comparable, T any, N cmp.Ordered](key func(T) K, of func(T) N, o WindowOptions) Spec {
	return newWindows(key, o, best[K](of, 1))
}

// NewWindowAllMinBy emits all records with the least value.
func NewWindowAllMinBy[K comparable, T any, N cmp.Ordered](key func(T) K, of func(T) N, o WindowOptions) Spec {
	return newWindows(key, o, best[K](of, -1))
}

// best keeps the records of which none is better: those with the greatest value if sign is 1,
// with the least if it is -1. The value of those is kept beside them, so that a record costs one
// call of of.
func best[K comparable, T any, N cmp.Ordered](of func(T) N, sign int) fold[K, T, bag[T, N], T] {
	add := func(acc *bag[T, N], in *T) {
		value := of(*in)
		if acc.Have {
			if !acc.known { // it was stored, or sent
				acc.value, acc.known = of(acc.First), true
			}
			switch c := sign * cmp.Compare(value, acc.value); {
			case c < 0:
				return
			case c == 0:
				acc.put(in)
				return
			}
		}
		*acc = bag[T, N]{First: *in, Have: true, value: value, known: true} // what it had may be shared
	}
	return fold[K, T, bag[T, N], T]{
		add: add,
		merging: merging[bag[T, N]]{
			merge: func(acc, more *bag[T, N]) {
				for in := range more.all {
					add(acc, in)
				}
			},
			refused: codec.Listable[T](),
		},
		rows: func(acc *bag[T, N], from int, row func(T) bool) bool {
			for i := from; i < acc.len(); i++ {
				if !row(*acc.at(i)) {
					return false
				}
			}
			return true
		},
	}
}

// ranked is the first records in some order.
type ranked[T any] struct{ Records []T }

// NewWindowTop emits the n first records of each window in the order of compare.
func NewWindowTop[K comparable, T any](key func(T) K, n int, compare func(a, b T) int, o WindowOptions) Spec {
	if n < 1 {
		return Spec{Err: fmt.Errorf("top %d: at least 1", n)}
	}
	add := func(acc *ranked[T], in *T) {
		i := len(acc.Records)
		for i > 0 && compare(*in, acc.Records[i-1]) < 0 {
			i--
		}
		switch {
		case i == n:
			return
		case len(acc.Records) == n:
			acc.Records = acc.Records[:n-1]
		}
		acc.Records = slices.Insert(acc.Records, i, *in)
	}
	return newWindows(key, o, fold[K, T, ranked[T], T]{
		add: add,
		merging: merging[ranked[T]]{
			merge: func(acc, more *ranked[T]) {
				for i := range more.Records {
					add(acc, &more.Records[i])
				}
			},
			refused: codec.Listable[T](),
		},
		rows: func(acc *ranked[T], from int, row func(T) bool) bool {
			for _, in := range acc.Records[from:] {
				if !row(in) {
					return false
				}
			}
			return true
		},
	})
}

func reduction[K comparable, T any](combine func(acc *T, in T)) fold[K, T, some[T], T] {
	take := func(acc *some[T], in *T) {
		if acc.Have {
			combine(&acc.Record, *in)
			return
		}
		acc.Record, acc.Have = *in, true
	}
	return fold[K, T, some[T], T]{
		add: take,
		merging: merging[some[T]]{
			merge:   func(acc, more *some[T]) { take(acc, &more.Record) },
			refused: codec.Storable[T](),
		},
		emit: func(_ *Pane[K, struct{}], acc *some[T], out *T) { *out = acc.Record },
	}
}

// Accumulator is a pointer type *A with these methods. A is stored, so the rules of state types
// hold. Merge joins two partial results, one of which may be a copy of *zero, which holds
// nothing. What is merged may be merged again, and Result asked for several times: Merge neither
// changes nor keeps what its argument refers to, such as a map, and Result changes nothing. It may
// return what the accumulator refers to: if that lives on, its Result is that of a merged copy.
type Accumulator[A, T, R any] interface {
	*A
	Add(T)
	Merge(A)
	Result() R
}

// NewWindowAggregate folds each window into an accumulator that starts as a copy of *zero, whose
// maps, slices and pointers are nil.
func NewWindowAggregate[K comparable, T, A, R any, P Accumulator[A, T, R]](key func(T) K, zero P, o WindowOptions) Spec {
	start := func(acc *some[A]) P {
		if !acc.Have {
			acc.Record, acc.Have = *zero, true
		}
		return P(&acc.Record)
	}
	return newWindows(key, o, fold[K, T, some[A], Pane[K, R]]{
		add: func(acc *some[A], in *T) { start(acc).Add(*in) },
		merging: merging[some[A]]{
			merge: func(acc, more *some[A]) { start(acc).Merge(more.Record) },
			adopt: func(acc, given *some[A]) {
				if !acc.Have {
					*acc = *given
					return
				}
				P(&acc.Record).Merge(given.Record)
			},
			shown:   shows[A, R](),
			refused: errors.Join(codec.Storable[A](), ownEach(zero)),
		},
		emit: paned[K](func(acc *some[A]) R { return P(&acc.Record).Result() }),
	})
}
