package operator

import "blink/graph"

// Combining is a window in two steps, for one whose records reach its task over a network:
// First folds those of one batch by key, at the end of the producer's chain, and Rest makes
// the window from what First emits.
type Combining struct {
	First, Rest Spec
	Port        func() (Port, error) // of what First emits
	Hash        any                  // of the edge in between, as HashOf gives it
	Type        string               // of what First emits, for people
}

// partial is what was folded of some records of one key: those of one slice, with the time of
// any of them, or those of one session, with the time of the earliest.
type partial[K comparable, A any] struct {
	Key     K
	Last    int64 // the time of the latest record of a session
	Records int64
	Acc     A
}

// weight is how many records a partial stands for, for those who count records.
func (p *partial[K, A]) weight() int64 { return p.Records }

// partials is the input of a window behind a combiner.
func (w *windows[K, A]) partials(c windowCut[K, A]) any {
	return Collector[partial[K, A]](&partialInput[K, A]{c, c.at(), w.hash, w.merging})
}

// partialInput merges partials into what a cut opens for them.
type partialInput[K comparable, A any] struct {
	to   cut[K, A]
	at   *place
	hash func(K) uint64
	merging[A]
}

func (m *partialInput[K, A]) Collect(in *partial[K, A], ts int64) {
	m.CollectHashed(in, ts, m.hash(in.Key))
}

// CollectBatch is BatchCollector.
func (m *partialInput[K, A]) CollectBatch(in []partial[K, A], times []int64) {
	for i := range in {
		m.CollectHashed(&in[i], times[i], m.hash(in[i].Key))
	}
}

// CollectHashed is HashedCollector.
func (m *partialInput[K, A]) CollectHashed(in *partial[K, A], ts int64, hash uint64) {
	m.at.enter(ts)
	acc, tell := m.to.open(hash, &in.Key, ts, in.Last, in.Records)
	if acc == nil {
		m.at.count("late", in.Records)
		return
	}
	m.receive(acc, &in.Acc)
	if tell {
		m.to.changed(hash, &in.Key, ts)
	}
}

// combining folds records by key and slice, or by key and session, and hands on what it has
// in Advance, which the task calls after each batch and before event time goes on. So it holds
// nothing at a barrier, and no record waits longer than its batch.
//
// Where keys hardly repeat within a batch it would be work for nothing: it looks at some
// batches, and hands records on one by one for the next ones if they did not become fewer.
type combining[K comparable, A any] struct {
	place
	in      any // its input
	hash    func(K) uint64
	window  Window
	slicing slicing
	gap     int64 // of sessions; 0: there are slices
	next    Collector[partial[K, A]]
	hashed  HashedCollector[partial[K, A]] // next, if it takes hashes

	held  []combined[K, A]
	slots [2 * maxPartials]uint16 // by hash: 1 + the place in held; 0: free
	sent  int                     // of held
	one   combined[K, A]          // that is handed on by itself

	batch            int64 // records since the last Advance
	records, emitted int64 // of the batches since it was decided whether to combine
	batches          int
	single           bool // records are handed on one by one
	_                pad
}

// combined is a partial in the making: records of its key from one time to another go into it.
// With a key and an accumulator of 8 bytes each it is one cache line.
type combined[K comparable, A any] struct {
	hash     uint64
	from, to int64
	slot     uint64
	partial  partial[K, A]
}

const (
	// maxPartials bounds what is held: it is handed on when there are more.
	maxPartials = 1024
	// batchesPerLook is how many batches show whether combining pays, batchesBetween how many
	// pass until it is looked at again.
	batchesPerLook, batchesBetween = 8, 64
	// paysAt is how many records, in hundredths, a partial must stand for.
	paysAt = 130
)

// combining describes a window in two steps, whose operators are still to be made. state is
// that of the second.
func (w *windows[K, A]) combining(state []graph.State) *Combining {
	c := &Combining{
		Port: PortOf[partial[K, A]],
		Hash: func(p *partial[K, A]) uint64 { return w.hash(p.Key) },
		Type: TypeName[partial[K, A]](),
	}
	c.Rest.State = state
	return c
}

// newCombining makes the first step, still without its input.
func (w *windows[K, A]) newCombining(out Outlets) *combining[K, A] {
	m := &combining[K, A]{hash: w.hash, window: w.Window, next: outlet[partial[K, A]](out)}
	m.hashed, _ = m.next.(HashedCollector[partial[K, A]])
	if w.Window.kind == sessionKind {
		m.gap = int64(w.Window.size)
	} else {
		m.slicing = slicingOf(w.Window)
	}
	return m
}

func (m *combining[K, A]) Input(int) any { return m.in }

// Lends is Lender.
func (m *combining[K, A]) Lends() Lending { return Lends }

// Empty is Gatherer.
func (m *combining[K, A]) Empty() bool { return len(m.held) == 0 }

// combineInput folds records into the partials of a combiner, a chunk of them at a time: their
// keys, then their places, then the records themselves. It embeds nothing: see recordInput.
type combineInput[K comparable, T, A any] struct {
	to     *combining[K, A]
	key    func(T) K
	add    func(*A, *T)
	keys   [chunk]K
	places [chunk]int32
	time   [1]int64
}

func (m *combineInput[K, T, A]) Collect(in *T, ts int64) {
	m.to.enter(ts)
	m.keys[0], m.time[0] = m.key(*in), ts
	if m.to.open(m.keys[:1], m.time[:], m.places[:]) == 0 {
		m.alone(in, ts)
		return
	}
	m.add(m.to.at(m.places[0]), in)
}

// CollectBatch is BatchCollector.
func (m *combineInput[K, T, A]) CollectBatch(records []T, times []int64) {
	for len(records) > 0 {
		n := 1
		if !m.to.single {
			n = min(len(records), chunk)
		}
		for i := range n {
			m.to.enter(times[i])
			m.keys[i] = m.key(records[i])
		}
		n = m.to.open(m.keys[:n], times, m.places[:])
		for i := range n {
			m.to.enter(times[i])
			m.add(m.to.at(m.places[i]), &records[i])
		}
		if n == 0 {
			m.alone(&records[0], times[0])
			n = 1
		}
		records, times = records[n:], times[n:]
	}
}

// alone hands on a record by itself. Its key is the first one.
func (m *combineInput[K, T, A]) alone(in *T, ts int64) {
	acc := m.to.alone(&m.keys[0], ts)
	m.add(acc, in)
	m.to.pass()
}

// open finds the places of the partials that records go into, and says of how many it did. If
// it is none, the first one is handed on alone.
func (m *combining[K, A]) open(keys []K, times []int64, places []int32) (n int) {
	if m.single {
		return 0
	}
	if len(m.held)+len(keys) > maxPartials { // places stay as they are until they are used
		m.flush()
	}
	for i := range keys {
		ts := times[i]
		if !m.window.timely(ts) {
			return i // for the window to refuse
		}
		m.batch++
		// Few keys have most of the records, so the one before is often of the same key.
		if i > 0 && keys[i] == keys[i-1] && m.joins(&m.held[places[i-1]], ts) {
			places[i] = places[i-1]
			continue
		}
		places[i] = m.placeOf(m.hash(keys[i]), &keys[i], ts)
	}
	return len(keys)
}

// joins says whether a record of its key at this time goes into a partial, and counts it.
func (m *combining[K, A]) joins(c *combined[K, A], ts int64) bool {
	if ts < c.from || ts > c.to {
		return false
	}
	c.partial.Records++
	if m.gap > 0 {
		c.from, c.to = min(c.from, ts-m.gap), max(c.to, ts+m.gap)
	}
	return true
}

// at is the accumulator of a partial.
func (m *combining[K, A]) at(place int32) *A { return &m.held[place].partial.Acc }

// placeOf is where the partial is that a record goes into, a new one if there is none.
func (m *combining[K, A]) placeOf(hash uint64, key *K, ts int64) int32 {
	i := hash % uint64(len(m.slots))
	for ; m.slots[i] != 0; i = (i + 1) % uint64(len(m.slots)) {
		place := int32(m.slots[i]) - 1
		if c := &m.held[place]; c.hash == hash && c.partial.Key == *key && m.joins(c, ts) {
			return place
		}
	}
	m.held = append(m.held, combined[K, A]{hash: hash, from: ts - m.gap, to: ts + m.gap, slot: i, partial: partial[K, A]{Key: *key, Last: ts, Records: 1}})
	place := int32(len(m.held)) - 1
	if m.gap == 0 {
		c := &m.held[place]
		c.from = m.slicing.slice(ts)
		c.to = c.from + m.slicing.width - 1
	}
	m.slots[i] = uint16(place + 1)
	return place
}

// alone begins the partial of a record that is handed on by itself: pass does so.
func (m *combining[K, A]) alone(key *K, ts int64) *A {
	m.batch++
	m.one = combined[K, A]{hash: m.hash(*key), partial: partial[K, A]{Key: *key, Last: ts, Records: 1}}
	return &m.one.partial.Acc
}

func (m *combining[K, A]) pass() { m.emit(&m.one, m.one.partial.Last) }

// flush hands on all that is held.
func (m *combining[K, A]) flush() {
	for m.sent < len(m.held) {
		m.send()
	}
	m.clear()
}

func (m *combining[K, A]) emit(c *combined[K, A], ts int64) {
	if m.hashed != nil {
		m.hashed.CollectHashed(&c.partial, ts, c.hash)
		return
	}
	m.next.Collect(&c.partial, ts)
}

// send hands on the next partial.
func (m *combining[K, A]) send() {
	c := &m.held[m.sent]
	m.sent++
	ts := c.partial.Last
	if m.gap > 0 {
		ts, c.partial.Last = c.from+m.gap, c.to-m.gap
	}
	m.emit(c, ts)
}

// Advance is Advancer.
func (m *combining[K, A]) Advance(in int64) (int64, bool) {
	for m.sent < len(m.held) {
		if m.pressure.Held() {
			return in, false
		}
		m.send()
	}
	if m.batch > 0 {
		m.clear()
		m.look()
	}
	return in, true
}

// clear forgets what was handed on.
func (m *combining[K, A]) clear() {
	for i := range m.held {
		m.slots[m.held[i].slot] = 0
	}
	m.emitted += int64(len(m.held))
	clear(m.held)
	m.held, m.sent = m.held[:0], 0
}

// look decides, after a batch, whether the next ones are combined.
func (m *combining[K, A]) look() {
	m.batches++
	m.records += m.batch
	m.batch = 0
	switch {
	case m.single && m.batches >= batchesBetween:
		m.single = false
	case !m.single && m.batches >= batchesPerLook:
		m.single = m.records*100 < m.emitted*paysAt
	default:
		return
	}
	m.batches, m.records, m.emitted = 0, 0, 0
}
