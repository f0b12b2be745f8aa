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
	row      func(R) // emits one of several rows of a pane
	ts       int64   // of the pane
	inputs   [2]any
}

func (w *windower[K, T, A, R]) Input(i int) any { return w.inputs[i] }

func (w *windower[K, T, A, R]) feed(left, right any) { w.inputs = [2]any{left, right} }

func (w *windower[K, T, A, R]) at() *place { return &w.place }

// newWindows is the Spec of windows over the records of one input.
func newWindows[K comparable, T, A, R any](key func(T) K, o WindowOptions, f fold[K, T, A, R]) Spec {
	return newWindowsFrom(key, o, f, func(c cut[K, A]) (any, any) { return c.records(), nil })
}

// newWindowsFrom is the Spec of windows with other inputs; key is nil if no record is folded
// by itself.
func newWindowsFrom[K comparable, T, A, R any](key func(T) K, o WindowOptions, f fold[K, T, A, R], inputs func(cut[K, A]) (left, right any)) Spec {
	if o.Window.kind == sessionKind {
		return newWindowsOf(key, o, f, inputs, newSessioning)
	}
	return newWindowsOf(key, o, f, inputs, newWindowing)
}

// newWindowsOf makes the operator with build. E is what it stores.
func newWindowsOf[K comparable, T, A, R, E any](key func(T) K, o WindowOptions, f fold[K, T, A, R], inputs func(cut[K, A]) (left, right any), build func(windower[K, T, A, R], entries[E]) cut[K, A]) Spec {
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
	from := func(inputs func(cut[K, A]) (left, right any)) func(Outlets) any {
		return func(out Outlets) any {
			w := w
			w.next = outlet[R](out)
			if o.LateTo != nil {
				w.late = out.Side(o.LateTo.Name()).(Collector[T])
			}
			c := build(w, stored)
			c.feed(inputs(c))
			return c
		}
	}
	s.New = from(inputs)
	if key != nil && o.Lateness == 0 && o.LateTo == nil { // no record needs to be seen by itself
		s.Combined = newCombining(w, from(func(c cut[K, A]) (any, any) { return c.partials(), nil }))
		s.Combined.Rest.State = s.State
	}
	return s
}

// cut is an operator of windows: what feeds it opens what a record goes into, and tells when
// that has changed.
type cut[K comparable, A any] interface {
	// open is the accumulator of the piece of time of a record, nil if the record is late. It is
	// valid until changed is called, with the same arguments.
	open(hash uint64, key *K, ts int64) *A
	changed(hash uint64, key *K, ts int64)
	// records and partials are inputs for single records and for those of a combiner.
	records() any
	partials() any
	feed(left, right any)
	at() *place
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
	if w.fold.rows != nil {
		w.emitRows(acc, ts)
		return
	}
	w.fold.emit(&w.pane, acc, &w.out)
	w.next.Collect(&w.out, ts)
}

// emitRows emits a pane of several rows.
func (w *windower[K, T, A, R]) emitRows(acc *A, ts int64) {
	if w.row == nil {
		w.row = func(r R) {
			w.out = r
			w.next.Collect(&w.out, w.ts)
			w.enter(w.ts)
		}
	}
	w.ts = ts
	w.fold.rows(acc, w.row)
}
