package operator

import (
	"cmp"
	"errors"
	"fmt"

	"blink/internal/hash"
)

// windower is what the operators of windows share: the key and the fold, where panes and
// late records go, and how a pane is made.
type windower[K comparable, T, A, R any] struct {
	place
	key      func(T) K
	hash     func(K) uint64
	fold     fold[K, T, A, R]
	window   Window
	lateness int64
	next     Collector[R]
	late     Collector[T] // nil: late records are dropped and counted
	pane     Pane[K, struct{}]
	out      R
	input    any
}

func (w *windower[K, T, A, R]) Input(int) any { return w.input }

// newWindows is the Spec of windows over the records of one input.
func newWindows[K comparable, T, A, R any](key func(T) K, o WindowOptions, f fold[K, T, A, R]) Spec {
	if o.Window.kind == sessionKind {
		return newWindowsOf(key, o, f, newSessioning)
	}
	return newWindowsOf(key, o, f, newWindowing)
}

// newWindowsOf makes the operator with build. E is what it stores.
func newWindowsOf[K comparable, T, A, R, E any](key func(T) K, o WindowOptions, f fold[K, T, A, R], build func(windower[K, T, A, R], entries[E]) cut) Spec {
	stored, err := entriesOf[E](o.Window)
	sum, _ := hash.Of[K]() // KeyBy has reported the error
	s := Spec{Err: errors.Join(o.check(), cmp.Or(f.refused, err))}
	if o.LateTo != nil {
		s.Sides = []AnyTag{o.LateTo}
	}
	if s.Err != nil {
		return s
	}
	s.State = append(s.State, stored.state(TypeName[A]()))
	w := windower[K, T, A, R]{key: key, hash: sum, fold: f, window: o.Window, lateness: int64(o.Lateness)}
	opened := func(out Outlets) windower[K, T, A, R] {
		w := w
		w.next = outlet[R](out)
		if o.LateTo != nil {
			w.late = out.Side(o.LateTo.Name()).(Collector[T])
		}
		return w
	}
	s.New = func(out Outlets) any { return build(opened(out), stored).records() }
	if o.Lateness == 0 && o.LateTo == nil { // no record needs to be seen by itself
		s.Combined = newCombining(w, func(out Outlets) any { return build(opened(out), stored).partials() })
		s.Combined.Rest.State = s.State
	}
	return s
}

// cut is an operator of windows, which takes records, or partials of them.
type cut interface {
	records() any
	partials() any
}

// demand fails the task when no window can hold ts.
func (w *windower[K, T, A, R]) demand(ts int64) {
	switch {
	case ts == NoTime:
		w.fail(ts, Permanent(errors.New("the record has no event time: use EventTime before the window")))
	case !w.window.timely(ts):
		w.fail(ts, Permanent(fmt.Errorf("the event time is too near the beginning or the end of time for %v", w.window)))
	}
}

// miss is told of a late record.
func (w *windower[K, T, A, R]) miss(in *T, ts int64) {
	w.count("late", 1)
	if w.late != nil {
		w.late.Collect(in, ts)
	}
}

// emit emits the pane of a window, at the last time that belongs to it.
func (w *windower[K, T, A, R]) emit(key *K, acc *A, start, end, ts int64, late bool) {
	w.enter(ts)
	w.pane = Pane[K, struct{}]{Key: *key, Start: timeOf(start), End: timeOf(end), Late: late}
	w.fold.emit(&w.pane, acc, &w.out)
	w.next.Collect(&w.out, ts)
}
