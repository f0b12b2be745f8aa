package operator

import (
	"iter"

	"blink/snapshot"
)

// sessioning folds the records of each key by sessions. A record goes into the session that
// it touches, or begins one; it may join several into one. A session is emitted when the
// watermark has reached its end, since a record at its end would still join it.
//
//	Collect ──► sessions (key → start, last, accumulator) ──► agenda ──Advance──► panes
//
// There is one visit for each session on the agenda. It stays where it is when the session
// goes on, and the session is found unfinished when it comes: so a record that goes into an
// open session costs no more than to find it.
type sessioning[K comparable, T, A, R any] struct {
	windower[K, T, A, R]
	stored entries[sessionEntry[K, A]]
	gap    int64
	latest int64 // the latest time that a record may have

	first  table[K, int32] // the latest session of each key
	pool   []session[K, A] // by number, from 1 on
	free   []int32         // numbers of sessions that are gone
	agenda agenda
	opened int32 // between open and changed, if it has to be settled
	mark   int64 // every session with an end up to this one has fired
	_      pad
}

// session is one session of one key. Those of a key are at least gap apart.
type session[K comparable, A any] struct {
	hash        uint64 // 0: it is gone
	key         K
	start, last int64 // times of its first and last record
	armed       int64 // its visit on the agenda; others are stale
	earlier     int32 // the next earlier session of the key; 0: none
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

func newSessioning[K comparable, T, A, R any](w windower[K, T, A, R], stored entries[sessionEntry[K, A]]) cut[K, A] {
	gap := int64(w.window.size)
	return &sessioning[K, T, A, R]{
		windower: w, stored: stored, gap: gap, latest: EndTime - 2*gap, pool: make([]session[K, A], 1),
		agenda: newAgenda(gap / bucketsPerGap), mark: NoTime,
	}
}

func (m *sessioning[K, T, A, R]) records() any { return Collector[T](m) }

func (m *sessioning[K, T, A, R]) Collect(in *T, ts int64) {
	m.enter(ts)
	key := m.key(*in)
	m.collect(in, ts, key, m.hash(key))
}

// CollectHashed is HashedCollector.
func (m *sessioning[K, T, A, R]) CollectHashed(in *T, ts int64, hash uint64) {
	m.enter(ts)
	m.collect(in, ts, m.key(*in), hash)
}

func (m *sessioning[K, T, A, R]) collect(in *T, ts int64, key K, hash uint64) {
	if s := m.current(hash, &key, ts, ts); s != nil {
		m.fold.add(&s.acc, in)
		return
	}
	at := m.sessionOf(hash, &key, ts, ts)
	if at == 0 {
		m.miss(in, ts)
		return
	}
	m.fold.add(&m.pool[at].acc, in)
	m.settle(at)
}

func (m *sessioning[K, T, A, R]) partials() any {
	return Collector[partial[K, A]](&sessionPartials[K, T, A, R]{m})
}

// sessionPartials is the input of sessions over partials, of which each is a piece of one
// session: see windowPartials.
type sessionPartials[K comparable, T, A, R any] struct{ of *sessioning[K, T, A, R] }

func (p *sessionPartials[K, T, A, R]) Collect(in *partial[K, A], ts int64) {
	p.CollectHashed(in, ts, p.of.hash(in.Key))
}

// CollectHashed is HashedCollector.
func (p *sessionPartials[K, T, A, R]) CollectHashed(in *partial[K, A], ts int64, hash uint64) {
	m := p.of
	m.enter(ts)
	if s := m.current(hash, &in.Key, ts, in.Last); s != nil {
		m.fold.take(&s.acc, &in.Acc)
		return
	}
	at := m.sessionOf(hash, &in.Key, ts, in.Last)
	if at == 0 {
		m.count("late", in.Records)
		return
	}
	m.fold.take(&m.pool[at].acc, &in.Acc)
	m.settle(at)
}

// open is explained at cut.
func (m *sessioning[K, T, A, R]) open(hash uint64, key *K, ts int64) *A {
	m.opened = 0
	if s := m.current(hash, key, ts, ts); s != nil {
		return &s.acc
	}
	if m.opened = m.sessionOf(hash, key, ts, ts); m.opened == 0 {
		return nil
	}
	return &m.pool[m.opened].acc
}

func (m *sessioning[K, T, A, R]) changed(uint64, *K, int64) {
	if m.opened != 0 {
		m.settle(m.opened)
	}
}

// current is the latest session of the key if it is open and only goes on with what spans
// start to last: nearly always.
func (m *sessioning[K, T, A, R]) current(hash uint64, key *K, start, last int64) *session[K, A] {
	first := m.first.find(hash, key)
	if first == nil {
		return nil
	}
	s := &m.pool[*first]
	if !s.open || start < s.start || start > s.last+m.gap || last > m.latest {
		return nil
	}
	s.last = max(s.last, last)
	return s
}

// sessionOf is the session of what spans start to last, 0 if that is late.
func (m *sessioning[K, T, A, R]) sessionOf(hash uint64, key *K, start, last int64) int32 {
	m.demand(start)
	m.demand(last)
	if after(last+m.gap, m.lateness) <= m.mark && !m.touched(hash, key, start, last) {
		return 0
	}
	return m.join(hash, key, start, last)
}

// touched says whether a session of the key takes in what spans start to last.
func (m *sessioning[K, T, A, R]) touched(hash uint64, key *K, start, last int64) bool {
	first := m.first.find(hash, key)
	if first == nil {
		return false
	}
	for at := *first; at != 0; at = m.pool[at].earlier {
		if s := &m.pool[at]; last >= s.start-m.gap && start <= s.last+m.gap {
			return true
		}
	}
	return false
}

// join is the session that spans start to last: what it touches has become part of it.
func (m *sessioning[K, T, A, R]) join(hash uint64, key *K, start, last int64) int32 {
	first := m.first.ref(hash, key)
	later, at := int32(0), *first
	for at != 0 && m.pool[at].start-m.gap > last {
		later, at = at, m.pool[at].earlier
	}
	if at == 0 || m.pool[at].last+m.gap < start {
		n := m.begin(session[K, A]{hash: hash, key: *key, start: start, last: last, armed: EndTime, earlier: at})
		if later == 0 {
			*first = n
		} else {
			m.pool[later].earlier = n
		}
		return n
	}
	s := &m.pool[at]
	s.start, s.last = min(s.start, start), max(s.last, last)
	for s.earlier != 0 && m.pool[s.earlier].last+m.gap >= s.start {
		m.absorb(s, s.earlier)
	}
	return at
}

// absorb makes the earlier session o part of s.
func (m *sessioning[K, T, A, R]) absorb(s *session[K, A], number int32) {
	o := &m.pool[number]
	s.start, s.earlier, s.fired = min(s.start, o.start), o.earlier, s.fired || o.fired
	m.fold.merge(&s.acc, &o.acc)
	m.end(number)
}

func (m *sessioning[K, T, A, R]) begin(s session[K, A]) int32 {
	if n := len(m.free); n > 0 {
		at := m.free[n-1]
		m.free = m.free[:n-1]
		m.pool[at] = s
		return at
	}
	m.pool = append(m.pool, s)
	return int32(len(m.pool) - 1)
}

func (m *sessioning[K, T, A, R]) end(number int32) {
	m.pool[number] = session[K, A]{}
	m.free = append(m.free, number)
}

// settle lets a session that has changed wait for its end. If that has passed, it fires again,
// and waits until it is closed.
func (m *sessioning[K, T, A, R]) settle(number int32) {
	s := &m.pool[number]
	end := s.last + m.gap
	if s.open = end > m.mark; s.open {
		m.arm(number, end)
		return
	}
	m.arm(number, after(end, m.lateness))
	s.fired = true
	m.emit(&s.key, &s.acc, s.start, end, end, true)
}

// arm has the session visited at this time, unless it is visited before.
func (m *sessioning[K, T, A, R]) arm(number int32, at int64) {
	if m.pool[number].armed <= at {
		return
	}
	m.pool[number].armed = at
	m.agenda.add(visit{at, number})
	m.agenda.tidy(m.stale)
}

func (m *sessioning[K, T, A, R]) stale(v visit) bool {
	s := &m.pool[v.who]
	return s.hash == 0 || s.armed != v.at
}

// Advance is Advancer.
func (m *sessioning[K, T, A, R]) Advance(in int64) (int64, bool) {
	defer m.pressure.catch()
	for range firingsPerTurn {
		if m.pressure.Held() {
			return in, false
		}
		v, ok := m.agenda.pop(in)
		if !ok {
			m.mark = max(m.mark, in)
			return in, true
		}
		if !m.stale(v) {
			m.visit(v.who, in)
		}
	}
	return in, false
}

// visit fires a session whose end has come, and forgets it when it is closed.
func (m *sessioning[K, T, A, R]) visit(number int32, in int64) {
	s := &m.pool[number]
	s.armed = EndTime
	end := s.last + m.gap
	if end > in {
		m.arm(number, end)
		return
	}
	if s.open {
		s.open = false
		m.emit(&s.key, &s.acc, s.start, end, end, s.fired)
		s.fired = true
	}
	if closed := after(end, m.lateness); closed > in {
		m.arm(number, closed)
		return
	}
	m.forget(number)
}

// forget takes a session out of those of its key.
func (m *sessioning[K, T, A, R]) forget(number int32) {
	s := &m.pool[number]
	first := m.first.find(s.hash, &s.key)
	switch {
	case *first != number:
		at := *first
		for m.pool[at].earlier != number {
			at = m.pool[at].earlier
		}
		m.pool[at].earlier = s.earlier
	case s.earlier != 0:
		*first = s.earlier
	default:
		m.first.remove(s.hash, &s.key)
	}
	m.end(number)
}

// all are the entries of the state, with the hashes of their keys.
func (m *sessioning[K, T, A, R]) all() iter.Seq2[uint64, sessionEntry[K, A]] {
	return func(yield func(uint64, sessionEntry[K, A]) bool) {
		for i := range m.pool {
			if s := &m.pool[i]; s.hash != 0 && !yield(s.hash, sessionEntry[K, A]{s.start, s.last, s.fired, s.key, s.acc}) {
				return
			}
		}
	}
}

// Snapshot is Snapshotter.
func (m *sessioning[K, T, A, R]) Snapshot(SnapshotOptions) (Frozen, error) {
	return m.stored.freeze(&m.place, m.mark, m.all())
}

// Digest is Digester.
func (m *sessioning[K, T, A, R]) Digest() (Digest, error) { return m.stored.digest(m.mark, m.all()) }

// Restore is Restorer.
func (m *sessioning[K, T, A, R]) Restore(parts []snapshot.Part) error {
	mark, err := m.stored.restore(parts, func(mark int64, e *sessionEntry[K, A]) {
		at := m.join(m.hash(e.Key), &e.Key, e.Start, e.Last)
		s := &m.pool[at]
		s.fired, s.acc = e.Fired, e.Acc
		end := e.Last + m.gap
		if s.open = end > mark; !s.open {
			end = after(end, m.lateness)
		}
		m.arm(at, end)
	})
	m.mark = max(m.mark, mark)
	return err
}
