package operator

import (
	"fmt"
	"iter"

	"blink/graph"
	"blink/snapshot"
)

// sessioning folds the records of each key by sessions. A record goes into the session that
// it touches, or begins one; it may join several into one. A session is emitted when the
// watermark has reached its end, since a record at its end would still join it.
//
//	open ──► sessions (key → start, last, accumulator) ──► agenda ──Advance──► panes
//
// There is one visit for each session on the agenda. It stays where it is when the session
// goes on, and the session is found unfinished when it comes: so a record that goes into an
// open session costs no more than to find it.
type sessioning[K comparable, A any] struct {
	windower[K, A]
	stored entries[sessionEntry[K, A]]
	gap    int64
	latest int64 // the latest time that a record may have

	table  table[K, session[A]] // the index leads to the latest session of each key
	agenda agenda
	opened int32 // between open and changed
	mark   int64 // every session with an end up to this one has fired
	_      pad
}

// session is one session of one key. Those of a key are at least gap apart. With a key and an
// accumulator of 8 bytes each, its row is one cache line.
type session[A any] struct {
	start, last int64 // times of its first and last record
	armed       int64 // its visit on the agenda; others are stale
	earlier     int32 // the next earlier session of the key, or none
	open        bool  // it fires when its end has come
	fired       bool  // some of its records have been in a pane
	acc         A
}

// sessionEntry is what is stored of a session.
type sessionEntry[K comparable, A any] struct {
	Start, Last int64
	Fired       bool
	Key         K
	Acc         A
}

// bucketsPerGap is how finely the agenda of sessions is divided.
const bucketsPerGap = 64

func newSessioning[K comparable, A any](w windower[K, A]) (graph.State, func() windowCut[K, A], error) {
	stored, err := entriesOf[sessionEntry[K, A]](w.window)
	if err != nil {
		return graph.State{}, nil, err
	}
	gap := int64(w.window.size)
	return stored.state(TypeName[A]()), func() windowCut[K, A] {
		return &sessioning[K, A]{windower: w, stored: stored, gap: gap, latest: EndTime - 2*gap - 1, agenda: newAgenda(gap / bucketsPerGap), mark: NoTime}
	}, nil
}

// Open is Opener.
func (m *sessioning[K, A]) Open(t *Task, id string) error {
	m.table.keyCodec, m.table.lent = m.keys, &t.Pressure.Lent
	return m.place.Open(t, id)
}

// open is explained at cut.
func (m *sessioning[K, A]) open(hash uint64, key *K, from, to, _ int64) (acc *A, tell bool) {
	if s := m.current(hash, key, from, to); s != nil {
		return &s.acc, false
	}
	if m.opened = m.sessionOf(hash, key, from, to); m.opened == none {
		return nil, false
	}
	return &m.session(m.opened).acc, true
}

func (m *sessioning[K, A]) changed(uint64, *K, int64) { m.settle(m.opened) }

// current is the latest session of the key if it is open and only goes on with what spans
// start to last: nearly always.
func (m *sessioning[K, A]) current(hash uint64, key *K, start, last int64) *session[A] {
	n := m.table.number(hash, key)
	if n == none {
		return nil
	}
	r := m.table.row(n)
	if !r.of.open || start < r.of.start || start > r.of.last+m.gap || last > m.latest {
		return nil
	}
	if r.gen != m.table.versions.gen {
		m.table.versions.touch(n, &r.head)
	}
	r.of.last = max(r.of.last, last)
	return &r.of
}

// session is the one with this number.
func (m *sessioning[K, A]) session(number int32) *session[A] { return &m.table.row(number).of }

// sessionOf is the session of what spans start to last, none if that is late.
func (m *sessioning[K, A]) sessionOf(hash uint64, key *K, start, last int64) int32 {
	m.demand(start)
	m.demand(last)
	if after(last+m.gap, m.lateness) <= m.mark && !m.touched(hash, key, start, last) {
		return none
	}
	return m.join(hash, key, start, last)
}

// touched says whether a session of the key takes in what spans start to last.
func (m *sessioning[K, A]) touched(hash uint64, key *K, start, last int64) bool {
	for n := m.table.number(hash, key); n != none; n = m.session(n).earlier {
		if s := m.session(n); last >= s.start-m.gap && start <= s.last+m.gap {
			return true
		}
	}
	return false
}

// join is the session that spans start to last: what it touches has become part of it.
func (m *sessioning[K, A]) join(hash uint64, key *K, start, last int64) int32 {
	later, at := int32(none), m.table.number(hash, key)
	for at != none && m.session(at).start-m.gap > last {
		later, at = at, m.session(at).earlier
	}
	if at == none || m.session(at).last+m.gap < start {
		return m.begin(hash, key, later, session[A]{start: start, last: last, armed: EndTime, earlier: at})
	}
	m.table.change(at)
	s := m.session(at)
	s.start, s.last = min(s.start, start), max(s.last, last)
	for s.earlier != none && m.session(s.earlier).last+m.gap >= s.start {
		m.absorb(s, s.earlier)
	}
	return at
}

// absorb makes the earlier session o part of s.
func (m *sessioning[K, A]) absorb(s *session[A], number int32) {
	o := m.session(number)
	s.start, s.earlier, s.fired = min(s.start, o.start), o.earlier, s.fired || o.fired
	m.merge(&s.acc, &o.acc)
	m.table.release(number)
}

// begin adds a session of a key, behind the next later one.
func (m *sessioning[K, A]) begin(hash uint64, key *K, later int32, s session[A]) int32 {
	n := m.table.take(hash, key)
	*m.session(n) = s
	switch {
	case later != none:
		m.session(later).earlier = n
	case s.earlier != none:
		m.table.index.Move(hash, uint32(s.earlier), uint32(n))
	default:
		m.table.index.Add(hash, uint32(n))
	}
	return n
}

// settle lets a session that has changed wait for its end. If that has passed, it fires again,
// and waits until it is closed.
func (m *sessioning[K, A]) settle(number int32) {
	r := m.table.row(number)
	s := &r.of
	end := s.last + m.gap
	if s.open = end > m.mark; s.open {
		m.arm(number, end)
		return
	}
	m.arm(number, after(end, m.lateness))
	s.fired = true
	m.emit(&r.key, m.apart(&s.acc), s.start, end, end, true)
	m.out.whole()
}

// arm has the session visited at this time, unless it is visited before.
func (m *sessioning[K, A]) arm(number int32, at int64) {
	s := m.session(number)
	if s.armed <= at {
		return
	}
	s.armed = at
	m.agenda.add(visit{at, number})
	m.agenda.tidy(m.stale)
}

func (m *sessioning[K, A]) stale(v visit) bool {
	r := m.table.row(v.who)
	return r.hash == 0 || r.of.armed != v.at
}

// Advance is Advancer.
func (m *sessioning[K, A]) Advance(in int64) (int64, bool) {
	defer m.pressure.catch()
	if !m.out.flush() {
		return in, false
	}
	until := max(in, m.mark) // what is restored may have been further behind
	for range firingsPerTurn {
		if m.pressure.Held() || m.out.amid() {
			return in, false
		}
		v, ok := m.agenda.pop(until)
		if !ok {
			if !m.out.flush() {
				return in, false
			}
			m.mark = until
			return in, true
		}
		if !m.stale(v) {
			m.visit(v.who, until)
		}
	}
	m.out.flush()
	return in, false
}

// visit fires a session whose end has come, and forgets it when it is closed.
func (m *sessioning[K, A]) visit(number int32, in int64) {
	r := m.table.row(number)
	s := &r.of
	s.armed = EndTime
	end := s.last + m.gap
	if end > in {
		m.arm(number, end)
		return
	}
	m.table.change(number) // before others see what it refers to
	if s.open {
		s.open = false
		acc := &s.acc
		if m.lateness > 0 {
			m.enter(end)
			acc = m.apart(acc)
		}
		m.emit(&r.key, acc, s.start, end, end, s.fired)
		s.fired = true
	}
	if closed := after(end, m.lateness); closed > in {
		m.arm(number, closed)
		return
	}
	m.forget(number)
}

// forget takes a session out of those of its key.
func (m *sessioning[K, A]) forget(number int32) {
	r := m.table.row(number)
	switch first := m.table.number(r.hash, &r.key); {
	case first != number:
		at := first
		for m.session(at).earlier != number {
			at = m.session(at).earlier
		}
		m.session(at).earlier = r.of.earlier
	case r.of.earlier != none:
		m.table.index.Move(r.hash, uint32(number), uint32(r.of.earlier))
	default:
		m.table.index.Remove(r.hash, uint32(number))
	}
	m.table.release(number)
}

// Snapshot is Snapshotter.
func (m *sessioning[K, A]) Snapshot(o SnapshotOptions) (Frozen, error) {
	f := &frozenTables{mark: appendMark(nil, m.mark), part: snapshot.Part{States: m.stored.states}}
	f.tables = []frozenTable{{of: &m.table.versions, rows: m}}
	return f.freeze(&m.generations, &m.place, o), nil
}

func (m *sessioning[K, A]) head(n int32) *head { return &m.table.row(n).head }

func (m *sessioning[K, A]) encode(dst []byte, n int32) ([]byte, error) {
	return m.stored.append(dst, entryOfSession(m.table.row(n)))
}

func entryOfSession[K comparable, A any](r *row[K, session[A]]) sessionEntry[K, A] {
	return sessionEntry[K, A]{r.of.start, r.of.last, r.of.fired, r.key, r.of.acc}
}

// Digest is Digester.
func (m *sessioning[K, A]) Digest() (Digest, error) { return m.stored.digest(m.mark, m.entries()) }

func (m *sessioning[K, A]) entries() iter.Seq[sessionEntry[K, A]] {
	return func(yield func(sessionEntry[K, A]) bool) {
		for _, r := range m.table.all {
			if !yield(entryOfSession(r)) {
				return
			}
		}
	}
}

// Restore is Restorer.
func (m *sessioning[K, A]) Restore(parts []snapshot.Part) error {
	was, err := m.stored.restore(parts, m.restore)
	m.mark = was.latest
	for n, r := range m.table.all {
		end := r.of.last + m.gap
		if !r.of.open {
			end = after(end, m.lateness)
		}
		m.arm(n, end)
	}
	return err
}

// restore takes an entry in, unless its session has been closed since it was stored. It stands for
// all that older layers hold of what it touches.
func (m *sessioning[K, A]) restore(e *sessionEntry[K, A], group int, mark int64) error {
	hash, err := m.hashOf(e.Key, group)
	switch {
	case err != nil:
		return err
	case e.Start > e.Last || !m.window.timely(e.Start) || !m.window.timely(e.Last):
		return fmt.Errorf("no session spans %v to %v", timeOf(e.Start), timeOf(e.Last))
	}
	end := e.Last + m.gap
	if after(end, m.lateness) <= mark {
		return nil
	}
	s := m.session(m.join(hash, &e.Key, e.Start, e.Last))
	s.start, s.last, s.open, s.fired, s.acc = e.Start, e.Last, end > mark, e.Fired, e.Acc
	return nil
}
