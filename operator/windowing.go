package operator

import (
	"iter"
	"slices"
	"sort"

	"blink/snapshot"
)

// windowing folds the records of each key by event-time windows. A record goes into its
// slice; when the watermark reaches the end of a window, the window is folded from its
// slices and emitted, key by key, as long as pressure allows. A slice is dropped when no
// window that it belongs to is open any more.
//
//	Collect ──► slices (start → key → accumulator) ──Advance──► panes
type windowing[K comparable, T, A, R any] struct {
	windower[K, T, A, R]
	stored  entries[paneEntry[K, A]]
	slicing slicing

	slices []*slice[K, A] // ascending by start
	recent *slice[K, A]   // of the last record
	opened *slice[K, A]   // between open and changed
	free   []*slice[K, A]
	fired  int64 // every window with an end up to this one has fired
	firing firing[K, A]
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
}

// firing is the window being emitted: its panes are the slots of table, or of rolling, up to
// next gone.
type firing[K comparable, A any] struct {
	on    bool
	end   int64
	table *table[K, A]
	next  int
}

// paneEntry is what is stored of one key in one slice.
type paneEntry[K comparable, A any] struct {
	Slice int64
	Key   K
	Acc   A
}

// firingsPerTurn bounds how many panes or timers fire before others of the slot may go on.
const firingsPerTurn = 512

func newWindowing[K comparable, T, A, R any](w windower[K, T, A, R], stored entries[paneEntry[K, A]]) cut[K, A] {
	return &windowing[K, T, A, R]{windower: w, stored: stored, slicing: slicingOf(w.window), fired: NoTime, rolling: newRolling[K](w.fold.merge, w.fold.undo)}
}

func (m *windowing[K, T, A, R]) records() any { return Collector[T](m) }

func (m *windowing[K, T, A, R]) Collect(in *T, ts int64) {
	m.enter(ts)
	key := m.key(*in)
	m.collect(in, ts, key, m.hash(key))
}

// CollectHashed is HashedCollector.
func (m *windowing[K, T, A, R]) CollectHashed(in *T, ts int64, hash uint64) {
	m.enter(ts)
	m.collect(in, ts, m.key(*in), hash)
}

func (m *windowing[K, T, A, R]) collect(in *T, ts int64, key K, hash uint64) {
	s := m.current(ts, 1)
	if s == nil {
		m.miss(in, ts)
		return
	}
	m.fold.add(s.table.ref(hash, &key), in)
	if s.first <= m.fired {
		m.spoil(s, hash, &key)
		m.fireAgain(hash, &key, ts)
	}
}

func (m *windowing[K, T, A, R]) partials() any {
	return Collector[partial[K, A]](&windowPartials[K, T, A, R]{m})
}

// windowPartials is the input of windows over partials: those of a combiner, which is there
// when no record has to be seen by itself.
type windowPartials[K comparable, T, A, R any] struct{ of *windowing[K, T, A, R] }

func (p *windowPartials[K, T, A, R]) Collect(in *partial[K, A], ts int64) {
	p.CollectHashed(in, ts, p.of.hash(in.Key))
}

// CollectHashed is HashedCollector.
func (p *windowPartials[K, T, A, R]) CollectHashed(in *partial[K, A], ts int64, hash uint64) {
	m := p.of
	m.enter(ts)
	s := m.current(ts, in.Records)
	if s == nil {
		m.count("late", in.Records)
		return
	}
	m.fold.take(s.table.ref(hash, &in.Key), &in.Acc)
	if s.first <= m.fired {
		m.spoil(s, hash, &in.Key)
	}
}

// open is explained at cut.
func (m *windowing[K, T, A, R]) open(hash uint64, key *K, ts int64) *A {
	s := m.current(ts, 1)
	if s == nil {
		return nil
	}
	m.opened = s
	return s.table.ref(hash, key)
}

func (m *windowing[K, T, A, R]) changed(hash uint64, key *K, ts int64) {
	if m.opened.first <= m.fired {
		m.spoil(m.opened, hash, key)
		m.fireAgain(hash, key, ts)
	}
}

// spoil tells of a record in a slice of which a window has fired.
func (m *windowing[K, T, A, R]) spoil(s *slice[K, A], hash uint64, key *K) {
	if s.start >= m.rolling.from && s.start < m.rolling.to {
		m.rolling.spoil(hash, key)
	}
}

// current is the slice of a number of records. It is nil, and they are late, when no window of
// theirs is open any more.
func (m *windowing[K, T, A, R]) current(ts, records int64) *slice[K, A] {
	if s := m.recent; s != nil && uint64(ts-s.start) < uint64(m.slicing.width) && s.first > m.fired {
		return s
	}
	return m.sliceOf(ts, records)
}

func (m *windowing[K, T, A, R]) sliceOf(ts, records int64) *slice[K, A] {
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
func (m *windowing[K, T, A, R]) sliceAt(start int64) *slice[K, A] {
	i := m.indexOf(start)
	if i == len(m.slices) || m.slices[i].start != start {
		m.slices = slices.Insert(m.slices, i, m.newSlice(start))
	}
	m.recent = m.slices[i]
	return m.recent
}

func (m *windowing[K, T, A, R]) newSlice(start int64) *slice[K, A] {
	if n := len(m.free); n > 0 {
		s := m.free[n-1]
		m.free = m.free[:n-1]
		s.start, s.first = start, m.slicing.first(start)
		return s
	}
	return &slice[K, A]{start: start, first: m.slicing.first(start)}
}

// Advance is Advancer.
func (m *windowing[K, T, A, R]) Advance(in int64) (int64, bool) {
	defer m.pressure.catch()
	for m.firing.on || m.begin(in) {
		if !m.fire() {
			return in, false
		}
		m.finish()
	}
	m.fired = max(m.fired, after(in, 1))
	m.drop()
	return in, true
}

// begin starts to fire the earliest window that ends up to watermark in, if there is one.
func (m *windowing[K, T, A, R]) begin(in int64) bool {
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
func (m *windowing[K, T, A, R]) roll(end int64) {
	m.enter(end - 1)
	r := &m.rolling
	from := max(r.to, end-m.slicing.size)
	for _, s := range m.between(from, end) {
		for i := range s.table.slots {
			if at := &s.table.slots[i]; at.hash != 0 {
				r.take(at.hash, &at.key, s.start, &at.acc)
			}
		}
	}
	r.from, r.to = end-m.slicing.size, end
	r.renew(m.between(r.from, r.to))
}

// leave gives up the slices that belong to no window after that which ends at end.
func (m *windowing[K, T, A, R]) leave(end int64) {
	m.enter(end - 1)
	r := &m.rolling
	from := end + m.slicing.slide - m.slicing.size
	for _, s := range m.between(r.from, min(from, r.to)) {
		for i := range s.table.slots {
			if at := &s.table.slots[i]; at.hash != 0 {
				r.give(at.hash, &at.key, &at.acc)
			}
		}
	}
	r.from = from
	r.table.fit()
}

// between are the slices that begin from one time on and before another.
func (m *windowing[K, T, A, R]) between(from, to int64) []*slice[K, A] {
	i, j := m.indexOf(from), m.indexOf(to)
	return m.slices[i:max(i, j)]
}

// indexOf is where a slice with this start is, or would be.
func (m *windowing[K, T, A, R]) indexOf(start int64) int {
	return sort.Search(len(m.slices), func(i int) bool { return m.slices[i].start >= start })
}

// fire emits the panes of the firing window until pressure or the end of the turn stops it.
func (m *windowing[K, T, A, R]) fire() bool {
	f, fired := &m.firing, 0
	for ; f.next < m.panes(); f.next++ {
		key, acc := m.paneAt(f.next)
		if key == nil {
			continue
		}
		if m.pressure.Held() || fired == firingsPerTurn {
			return false
		}
		m.emitPane(key, acc, f.end, false)
		fired++
	}
	return true
}

// panes is how many places for a pane the firing window has.
func (m *windowing[K, T, A, R]) panes() int {
	if t := m.firing.table; t != nil {
		return len(t.slots)
	}
	return len(m.rolling.table.slots)
}

// paneAt is the pane at a place of the firing window; none if key is nil.
func (m *windowing[K, T, A, R]) paneAt(i int) (key *K, acc *A) {
	if t := m.firing.table; t != nil {
		if s := &t.slots[i]; s.hash != 0 {
			return &s.key, &s.acc
		}
		return nil, nil
	}
	if s := &m.rolling.table.slots[i]; s.hash != 0 {
		return &s.key, m.rolling.value(&s.acc)
	}
	return nil, nil
}

func (m *windowing[K, T, A, R]) emitPane(key *K, acc *A, end int64, late bool) {
	m.emit(key, acc, end-m.slicing.size, end, end-1, late)
}

func (m *windowing[K, T, A, R]) finish() {
	f := &m.firing
	if f.table == nil {
		m.leave(f.end)
	}
	f.on, f.table = false, nil
	m.fired = f.end
	m.drop()
}

// drop forgets the slices that belong to closed windows only.
func (m *windowing[K, T, A, R]) drop() {
	n := 0
	for n < len(m.slices) && after(m.slicing.last(m.slices[n].start), m.lateness) <= m.fired {
		s := m.slices[n]
		if s == m.recent {
			m.recent = nil
		}
		s.table.clear()
		if len(m.free) < spareSlices {
			m.free = append(m.free, s)
		}
		n++
	}
	m.slices = slices.Delete(m.slices, 0, n)
}

// fireAgain emits, for the key of a record that came within the allowed lateness, the panes
// that have fired and are still open.
func (m *windowing[K, T, A, R]) fireAgain(hash uint64, key *K, ts int64) {
	for end := m.slicing.first(ts); end <= min(m.slicing.last(ts), m.fired); end += m.slicing.slide {
		if after(end, m.lateness) <= m.fired {
			continue
		}
		m.enter(ts)
		var acc A
		for _, s := range m.between(end-m.slicing.size, end) {
			if part := s.table.find(hash, key); part != nil {
				m.fold.merge(&acc, part)
			}
		}
		m.emitPane(key, &acc, end, true)
	}
}

// all are the entries of the state, with the hashes of their keys.
func (m *windowing[K, T, A, R]) all() iter.Seq2[uint64, paneEntry[K, A]] {
	return func(yield func(uint64, paneEntry[K, A]) bool) {
		for _, s := range m.slices {
			for i := range s.table.slots {
				if at := &s.table.slots[i]; at.hash != 0 && !yield(at.hash, paneEntry[K, A]{s.start, at.key, at.acc}) {
					return
				}
			}
		}
	}
}

// Snapshot is Snapshotter.
func (m *windowing[K, T, A, R]) Snapshot(SnapshotOptions) (Frozen, error) {
	return m.stored.freeze(&m.place, m.fired, m.all())
}

// Digest is Digester.
func (m *windowing[K, T, A, R]) Digest() (Digest, error) { return m.stored.digest(m.fired, m.all()) }

// Restore is Restorer.
func (m *windowing[K, T, A, R]) Restore(parts []snapshot.Part) error {
	fired, err := m.stored.restore(parts, func(_ int64, e *paneEntry[K, A]) {
		*m.sliceAt(e.Slice).table.ref(m.hash(e.Key), &e.Key) = e.Acc
	})
	m.fired = max(m.fired, fired)
	return err
}
