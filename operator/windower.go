package operator

import (
	"cmp"
	"errors"
	"fmt"

	"blink/graph"
	"blink/internal/codec"
	"blink/internal/hash"
)

// Windows are made of three pieces, so that little is compiled for each type of record:
//
//	recordInput (of T) ──► cut (of key and accumulator): windowing, sessioning ──► paneOutput (of R)
//
// cut finds the accumulator that a record goes into: that of its key and of its piece of time.
type cut[K comparable, A any] interface {
	// open gives the accumulator for so many records from one time to another, which lie in one
	// piece of time; nil: they are late. It is valid until the next call. If tell is true,
	// changed is called when they are in it, with the same arguments.
	open(hash uint64, key *K, from, to, records int64) (acc *A, tell bool)
	changed(hash uint64, key *K, from int64)
}

// windowCut is a cut that is an operator: it is connected to its inputs and its output when it
// is made.
type windowCut[K comparable, A any] interface {
	cut[K, A]
	at() *place
	connect(left, right any, out paneSink[K, A])
}

// paneSink is where what comes out of windows goes.
type paneSink[K comparable, A any] interface {
	// emit emits a pane at the last time that belongs to its window, together with others: all
	// are handed on when flush is called.
	emit(p *Pane[K, struct{}], acc *A, ts int64)
	// amid says that the last pane has more rows, which flush goes on with.
	amid() bool
	// flush says that it is done if neither pressure nor the end of the turn stopped it.
	flush() (done bool)
	// whole is flush of all that is left of the last pane: what it was made of may change.
	whole()
	empty() bool
}

// windower is what the operators of windows share.
type windower[K comparable, A any] struct {
	place
	merging[A]
	hash        func(K) uint64
	keys        *codec.Codec[K]
	window      Window
	lateness    int64
	inputs      [2]any
	out         paneSink[K, A]
	pane        Pane[K, struct{}]
	generations generations
}

func (w *windower[K, A]) Input(i int) any { return w.inputs[i] }

func (w *windower[K, A]) at() *place { return &w.place }

func (w *windower[K, A]) connect(left, right any, out paneSink[K, A]) {
	w.inputs, w.out = [2]any{left, right}, out
}

// Empty is Gatherer.
func (w *windower[K, A]) Empty() bool { return w.out.empty() }

// demand fails the task when no window can hold ts.
func (w *windower[K, A]) demand(ts int64) {
	switch {
	case ts == NoTime:
		w.fail(ts, Permanent(errors.New("the record has no event time: use EventTime before the window")))
	case !w.window.timely(ts):
		w.fail(ts, Permanent(fmt.Errorf("the event time is too near the beginning or the end of time for %v: drop such records before the window", w.window)))
	}
}

func (w *windower[K, A]) emit(key *K, acc *A, start, end, ts int64, late bool) {
	w.enter(ts)
	w.pane = Pane[K, struct{}]{Key: *key, Start: timeOf(start), End: timeOf(end), Late: late}
	w.out.emit(&w.pane, acc, ts)
}

// hashOf is the hash of a key that is restored from a key group.
func (w *windower[K, A]) hashOf(key K, group int) (hash uint64, err error) {
	hash = w.hash(key)
	if g := graph.KeyGroup(hash, w.task.MaxParallelism); g != group {
		return 0, fmt.Errorf("a key of group %d", g)
	}
	return hash, nil
}

// windows describes the operators of windows over accumulators A.
type windows[K comparable, A any] struct {
	WindowOptions
	merging[A]
	hash  func(K) uint64
	state graph.State
	build func() windowCut[K, A]
}

func windowsOf[K comparable, A any](o WindowOptions, m merging[A]) (windows[K, A], error) {
	sum, _ := hash.Of[K]() // KeyBy has reported the error
	keys, _ := codec.For[K]()
	w := windows[K, A]{WindowOptions: o, merging: m, hash: sum}
	err := o.check()
	core := windower[K, A]{merging: m, hash: sum, keys: keys, window: o.Window, lateness: int64(o.Lateness)}
	build, refused := newWindowing[K, A], error(nil)
	if o.Window.kind == sessionKind {
		build = newSessioning[K, A]
	}
	w.state, w.build, refused = build(core)
	return w, errors.Join(err, cmp.Or(m.refused, refused))
}

// spec begins the Spec of an operator that w describes.
func (w *windows[K, A]) spec(err error) Spec {
	s := Spec{Err: err}
	if w.LateTo != nil {
		s.Sides = []AnyTag{w.LateTo}
	}
	if err == nil {
		s.State = []graph.State{w.state}
	}
	return s
}

// newWindows is the Spec of windows over the records of one input.
func newWindows[K comparable, T, A, R any](key func(T) K, o WindowOptions, f fold[K, T, A, R]) Spec {
	w, err := windowsOf[K](o, f.merging)
	s := w.spec(err)
	if err != nil {
		return s
	}
	s.New = func(out Outlets) any {
		c := w.build()
		in := newRecordInput(w.hash, key, owning(c.at(), f.add))
		if o.LateTo != nil {
			in.late = out.Side(o.LateTo.Name()).(Collector[T])
		}
		in.into(c, c.at())
		c.connect(Collector[T](in), nil, f.output(c.at(), out))
		return c
	}
	if o.Lateness > 0 || o.LateTo != nil { // each record needs to be seen by itself
		return s
	}
	s.Combined = w.combining(s.State)
	s.Combined.First.New = func(out Outlets) any {
		c := w.newCombining(out)
		c.in = Collector[T](&combineInput[K, T, A]{c, key, w.hash, f.add})
		return c
	}
	s.Combined.Rest.New = func(out Outlets) any {
		c := w.build()
		c.connect(w.partials(c), nil, f.output(c.at(), out))
		return c
	}
	return s
}

// recordInput folds records into what a cut opens for them. It embeds nothing: the methods
// would be compiled for each type of record.
type recordInput[K comparable, T, A any] struct {
	to   cut[K, A]
	at   *place
	key  func(T) K
	hash func(K) uint64
	add  func(*A, *T)
	late Collector[T] // nil: late records are dropped and counted
	of   K            // of the record at hand
}

func newRecordInput[K comparable, T, A any](hash func(K) uint64, key func(T) K, add func(*A, *T)) *recordInput[K, T, A] {
	return &recordInput[K, T, A]{hash: hash, key: key, add: add}
}

func (m *recordInput[K, T, A]) into(to cut[K, A], at *place) { m.to, m.at = to, at }

func (m *recordInput[K, T, A]) Collect(in *T, ts int64) {
	m.at.enter(ts)
	m.of = m.key(*in)
	hash := m.hash(m.of)
	acc, tell := m.to.open(hash, &m.of, ts, ts, 1)
	if acc == nil || tell {
		m.rare(acc, in, ts, hash)
		return
	}
	m.add(acc, in)
}

// CollectHashed is HashedCollector.
func (m *recordInput[K, T, A]) CollectHashed(in *T, ts int64, hash uint64) {
	m.at.enter(ts)
	m.of = m.key(*in)
	acc, tell := m.to.open(hash, &m.of, ts, ts, 1)
	if acc == nil || tell {
		m.rare(acc, in, ts, hash)
		return
	}
	m.add(acc, in)
}

// rare folds a record that is late, or of which its cut must be told.
func (m *recordInput[K, T, A]) rare(acc *A, in *T, ts int64, hash uint64) {
	if acc != nil {
		m.add(acc, in)
		m.to.changed(hash, &m.of, ts)
		return
	}
	m.at.count("late", 1)
	if m.late != nil {
		m.late.Collect(in, ts)
	}
}

// paneOutput makes records of panes, and hands them on in chunks.
type paneOutput[K comparable, A, R any] struct {
	at    *place
	next  next[R]
	pane  func(p *Pane[K, struct{}], acc *A, out *R)
	rows  paneRows[A, R] // instead of pane
	row   func(R) (more bool)
	ts    int64 // of the pane at hand
	rest  A     // of which rows are to come, if more
	more  bool
	from  int // the next of them
	room  int // for rows until the next flush
	out   []R // up to n, and up to sent they are handed on
	times []int64
	n     int
	sent  int
}

// rowsPerTurn is about how many rows of panes are made before others of the slot may go on.
const rowsPerTurn = 1024

// output is the output of an operator.
func (f *fold[K, T, A, R]) output(at *place, out Outlets) paneSink[K, A] {
	return newPaneOutput(at, outlet[R](out), f.emit, f.rows)
}

func newPaneOutput[K comparable, A, R any](at *place, to Collector[R], pane func(*Pane[K, struct{}], *A, *R), rows paneRows[A, R]) paneSink[K, A] {
	o := &paneOutput[K, A, R]{at: at, next: nextOf(to), pane: pane, rows: rows, out: newSlots[R]()}
	o.times = make([]int64, len(o.out))
	o.row = func(r R) bool {
		*o.slot() = r
		o.from++
		o.room--
		return o.room > 0 && !at.pressure.Held()
	}
	return o
}

func (o *paneOutput[K, A, R]) emit(p *Pane[K, struct{}], acc *A, ts int64) {
	if o.ts = ts; o.rows != nil {
		o.rest, o.more, o.from = *acc, true, 0
		o.goOn()
		return
	}
	o.pane(p, acc, o.slot())
}

// goOn makes more rows of the pane at hand.
func (o *paneOutput[K, A, R]) goOn() {
	o.at.enter(o.ts)
	if o.rows(&o.rest, o.from, o.row) {
		var none A
		o.rest, o.more = none, false
	}
}

func (o *paneOutput[K, A, R]) amid() bool { return o.more }

func (o *paneOutput[K, A, R]) whole() {
	for o.more {
		o.room = rowsPerTurn
		o.goOn()
	}
	o.flush()
}

// slot is for the next record. If there is none, all others are handed on.
func (o *paneOutput[K, A, R]) slot() *R {
	if o.n == len(o.out) {
		o.next.collect(o.out[o.sent:], o.times[o.sent:])
		o.n, o.sent = 0, 0
		o.at.enter(o.ts)
	}
	o.times[o.n] = o.ts
	o.n++
	return &o.out[o.n-1]
}

func (o *paneOutput[K, A, R]) flush() bool {
	if o.room = rowsPerTurn; o.more && !o.at.pressure.Held() {
		o.goOn()
	}
	if o.n == 0 {
		return !o.more
	}
	o.sent += o.next.collectUntilHeld(o.out[o.sent:o.n], o.times[o.sent:o.n], o.at.pressure)
	if o.sent < o.n {
		return false
	}
	o.n, o.sent = 0, 0
	return !o.more
}

func (o *paneOutput[K, A, R]) empty() bool { return o.n == 0 && !o.more }
