package operator

import (
	"fmt"
	"iter"
	"slices"
	"sort"

	"blink/graph"
	"blink/snapshot"
)

// windowing folds the records of each key by event-time windows. A record goes into its
// slice; when the watermark reaches the end of a window, the window is folded from its
// slices and emitted, key by key, as long as pressure allows. A slice is dropped when no
// window that it belongs to is open any more.
//
//	open ──► slices (start → key → accumulator) ──Advance──► panes
type windowing[K comparable, A any] struct {
	windower[K, A]
	stored  entries[paneEntry[K, A]]
	slicing slicing

	slices []*slice[K, A] // ascending by start
	recent *slice[K, A]   // of the last record
	opened *slice[K, A]   // between open and changed
	free   []*slice[K, A]
	fired  int64 // every window with an end up to this one has fired
	firing firing[K, A]
	was    restoredMarks // until event time has caught up with them
	// rolling is the window that fires, if windows are of several slices.
	rolling rolling[K, A]
	_       pad
}

// spareSlices is how many dropped slices are kept for reuse.
const spareSlices = 4

// slice is a piece of time, from start on, with the keys seen in it.
type slice[K comparable, A any] struct {
	start int64
	first int64 // end of the earliest window that it belongs to
	table table[K, A]

	stored *entries[paneEntry[K, A]]
}

// firing is the window being emitted: its panes are the rows of table, or of rolling, up to
// next gone.
type firing[K comparable, A any] struct {
	on    bool
	end   int64
	table *table[K, A]
	next  int32
}

// paneEntry is what is stored of one key in one slice.
type paneEntry[K comparable, A any] struct {
	Slice int64
	Key   K
	Acc   A
}

// firingsPerTurn bounds how many panes or timers fire before others of the slot may go on.
const firingsPerTurn = 512

func newWindowing[K comparable, A any](w windower[K, A]) (graph.State, func() windowCut[K, A], error) {
	stored, err := entriesOf[paneEntry[K, A]](w.window)
	if err != nil {
		return graph.State{}, nil, err
	}
	return stored.state(TypeName[A]()), func() windowCut[K, A] {
		return &windowing[K, A]{windower: w, stored: stored, slicing: slicingOf(w.window), fired: NoTime, rolling: newRolling[K](w.merging)}
	}, nil
}

// open is explained at cut.
func (m *windowing[K, A]) open(hash uint64, key *K, from, _, records int64) (acc *A, tell bool) {
	s := m.current(from, records)
	if s == nil {
		return nil, false
	}
	m.opened = s
	return s.table.ref(hash, key), s.first <= m.fired
}

// changed is told of records in a slice of which a window has fired.
func (m *windowing[K, A]) changed(hash uint64, key *K, ts int64) {
	if s := m.opened; s.start >= m.rolling.from && s.start < m.rolling.to {
		m.rolling.spoil(hash, &s.table.row(s.table.number(hash, key)).key) // that of the record is lent
	}
	if m.lateness > 0 {
		m.fireAgain(hash, key, ts)
	}
}

// current is the slice of a number of records. It is nil, and they are late, when no window of
// theirs is open any more.
func (m *windowing[K, A]) current(ts, records int64) *slice[K, A] {
	if s := m.recent; s != nil && uint64(ts-s.start) < uint64(m.slicing.width) && s.first > m.fired {
		return s
	}
	return m.sliceOf(ts, records)
}

func (m *windowing[K, A]) sliceOf(ts, records int64) *slice[K, A] {
	m.demand(ts)
	first, closed := m.slicing.first(ts), before(m.fired, m.lateness)
	switch {
	case m.slicing.last(ts) <= closed:
		return nil
	case first <= closed:
		m.count("missed windows", ((closed-first)/m.slicing.slide+1)*records)
	}
	return m.sliceAt(m.slicing.slice(ts))
}

// sliceAt is the slice with this start, a new one if there is none.
func (m *windowing[K, A]) sliceAt(start int64) *slice[K, A] {
	i := m.indexOf(start)
	if i == len(m.slices) || m.slices[i].start != start {
		m.slices = slices.Insert(m.slices, i, m.newSlice(start))
	}
	m.recent = m.slices[i]
	return m.recent
}

func (m *windowing[K, A]) newSlice(start int64) *slice[K, A] {
	s := &slice[K, A]{stored: &m.stored}
	if n := len(m.free); n > 0 {
		s = m.free[n-1]
		m.free = m.free[:n-1]
	}
	s.start, s.first = start, m.slicing.first(start)
	s.table.versions.gen, s.table.keyCodec, s.table.lent = m.generations.current, m.keys, &m.pressure.Lent
	return s
}

// Advance is Advancer.
func (m *windowing[K, A]) Advance(in int64) (int64, bool) {
	defer m.pressure.catch()
	if !m.out.flush() {
		return in, false
	}
	until := max(in, before(m.was.ahead(), 1))
	for m.firing.on || m.begin(until) {
		if !m.fire() {
			return in, false
		}
		m.finish()
	}
	m.fired, m.was = max(m.fired, after(until, 1)), restoredMarks{}
	m.drop()
	return in, true
}

// begin starts to fire the earliest window that ends up to watermark in, if there is one.
func (m *windowing[K, A]) begin(in int64) bool {
	i := sort.Search(len(m.slices), func(i int) bool { return m.slicing.last(m.slices[i].start) > m.fired })
	if i == len(m.slices) {
		return false // what there is is kept for late records only
	}
	s := m.slices[i]
	end := m.slicing.first(max(s.start, m.fired))
	if end-1 > in {
		return false
	}
	m.firing = firing[K, A]{on: true, end: end}
	if m.slicing.size == m.slicing.width {
		m.firing.table = &s.table
	} else {
		m.roll(end)
	}
	return true
}

// roll moves rolling on to the window that ends at end.
func (m *windowing[K, A]) roll(end int64) {
	m.enter(end - 1)
	r := &m.rolling
	from := max(r.to, end-m.slicing.size)
	for _, s := range m.between(from, end) {
		for n := range s.table.versions.used {
			at := s.table.row(n)
			r.take(at.hash, &at.key, s.start, &at.of)
		}
	}
	r.from, r.to = end-m.slicing.size, end
	r.renew(m.between(r.from, r.to))
}

// leave gives up the slices that belong to no window after that which ends at end.
func (m *windowing[K, A]) leave(end int64) {
	m.enter(end - 1)
	r := &m.rolling
	from := end + m.slicing.slide - m.slicing.size
	for _, s := range m.between(r.from, min(from, r.to)) {
		for n := range s.table.versions.used {
			at := s.table.row(n)
			r.give(at.hash, &at.key, &at.of)
		}
	}
	r.from = from
	r.table.fit()
}

// between are the slices that begin from one time on and before another.
func (m *windowing[K, A]) between(from, to int64) []*slice[K, A] {
	i, j := m.indexOf(from), m.indexOf(to)
	return m.slices[i:max(i, j)]
}

// indexOf is where a slice with this start is, or would be.
func (m *windowing[K, A]) indexOf(start int64) int {
	return sort.Search(len(m.slices), func(i int) bool { return m.slices[i].start >= start })
}

// fire emits the panes of the firing window until pressure or the end of the turn stops it.
func (m *windowing[K, A]) fire() bool {
	f, fired := &m.firing, 0
	for ; f.next < m.places() && fired < firingsPerTurn && !m.out.amid() && !m.pressure.Held(); f.next++ {
		if key, acc := m.paneAt(f.next); key != nil {
			m.emitPane(key, acc, f.end, false)
			fired++
		}
	}
	return m.out.flush() && f.next == m.places()
}

// places is how many places for a pane the firing window has.
func (m *windowing[K, A]) places() int32 {
	if t := m.firing.table; t != nil {
		return t.versions.used
	}
	return m.rolling.table.versions.used
}

// paneAt is the pane at a place of the firing window; none if key is nil. Whoever gets it may
// change what it refers to, so what does not live on is frozen before.
func (m *windowing[K, A]) paneAt(n int32) (key *K, acc *A) {
	m.enter(m.firing.end - 1)
	if t := m.firing.table; t != nil {
		r := t.row(n)
		if m.hasFired(r.hash) {
			return nil, nil
		}
		if m.lateness > 0 {
			return &r.key, m.apart(&r.of)
		}
		if t.versions.frozen != nil {
			t.versions.frozen.save(n, &r.head)
		}
		return &r.key, &r.of
	}
	if r := m.rolling.table.row(n); r.hash != 0 && !m.hasFired(r.hash) {
		return &r.key, m.rolling.value(&r.of)
	}
	return nil, nil
}

// hasFired says whether the firing window has fired for a key where that was stored.
func (m *windowing[K, A]) hasFired(hash uint64) bool {
	return m.was.groups != nil && m.was.of(graph.KeyGroup(hash, m.task.MaxParallelism)) >= m.firing.end
}

func (m *windowing[K, A]) emitPane(key *K, acc *A, end int64, late bool) {
	m.emit(key, acc, end-m.slicing.size, end, end-1, late)
}

func (m *windowing[K, A]) finish() {
	f := &m.firing
	if f.table == nil {
		m.leave(f.end)
	}
	f.on, f.table = false, nil
	m.fired = f.end
	m.drop()
}

// drop forgets the slices that belong to closed windows only.
func (m *windowing[K, A]) drop() {
	n := 0
	for n < len(m.slices) && after(m.slicing.last(m.slices[n].start), m.lateness) <= m.fired {
		s := m.slices[n]
		if s == m.recent {
			m.recent = nil
		}
		if s.table.versions.frozen == nil && len(m.free) < spareSlices { // what is frozen stays as it is
			s.table.clear()
			m.free = append(m.free, s)
		}
		n++
	}
	if n*2 < len(m.slices) { // those that are left are not moved for a few
		clear(m.slices[:n])
		m.slices = m.slices[n:]
		return
	}
	m.slices = slices.Delete(m.slices, 0, n)
}

// fireAgain emits, for the key of a record that came within the allowed lateness, the panes
// that have fired and are still open.
func (m *windowing[K, A]) fireAgain(hash uint64, key *K, ts int64) {
	for end := m.slicing.first(ts); end <= min(m.slicing.last(ts), m.fired); end += m.slicing.slide {
		if after(end, m.lateness) <= m.fired {
			continue
		}
		m.enter(ts)
		var acc A
		for _, s := range m.between(end-m.slicing.size, end) {
			if part := s.table.find(hash, key); part != nil {
				m.merge(&acc, part)
			}
		}
		m.emitPane(key, &acc, end, true)
		m.out.whole()
	}
}

// Snapshot is Snapshotter.
func (m *windowing[K, A]) Snapshot(o SnapshotOptions) (Frozen, error) {
	f := &frozenTables{mark: appendMark(nil, m.fired), part: snapshot.Part{States: m.stored.states}}
	for _, s := range m.slices {
		f.tables = append(f.tables, frozenTable{of: &s.table.versions, rows: s})
	}
	return f.freeze(&m.generations, &m.place, o), nil
}

func (s *slice[K, A]) head(n int32) *head { return &s.table.row(n).head }

func (s *slice[K, A]) encode(dst []byte, n int32) ([]byte, error) {
	r := s.table.row(n)
	return s.stored.append(dst, paneEntry[K, A]{s.start, r.key, r.of})
}

// Digest is Digester.
func (m *windowing[K, A]) Digest() (Digest, error) {
	return m.stored.digest(max(m.fired, m.was.ahead()), m.entries())
}

func (m *windowing[K, A]) entries() iter.Seq[paneEntry[K, A]] {
	return func(yield func(paneEntry[K, A]) bool) {
		for _, s := range m.slices {
			for _, r := range s.table.all {
				if !yield(paneEntry[K, A]{s.start, r.key, r.of}) {
					return
				}
			}
		}
	}
}

// Restore is Restorer.
func (m *windowing[K, A]) Restore(parts []snapshot.Part) (err error) {
	m.was, err = m.stored.restore(parts, m.restore)
	m.fired = m.was.earliest
	return err
}

// restore takes an entry in, unless its slice has been dropped since it was stored.
func (m *windowing[K, A]) restore(e *paneEntry[K, A], group int, fired int64) error {
	hash, err := m.hashOf(e.Key, group)
	if err != nil {
		return err
	}
	within := m.window.timely(e.Slice) || m.window.timely(e.Slice+m.slicing.width-1)
	if !within || m.slicing.slice(e.Slice) != e.Slice {
		return fmt.Errorf("no slice begins at %v", timeOf(e.Slice))
	}
	if after(m.slicing.last(e.Slice), m.lateness) > fired {
		*m.sliceAt(e.Slice).table.ref(hash, &e.Key) = e.Acc
	}
	return nil
}
