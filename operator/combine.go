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
	return Collector[partial[K, A]](&partialInput[K, A]{c, c.at(), w.hash, owning(c.at(), w.receive)})
}

// partialInput merges partials into what a cut opens for them.
type partialInput[K comparable, A any] struct {
	to      cut[K, A]
	at      *place
	hash    func(K) uint64
	receive func(acc, given *A)
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
	window  Window
	slicing slicing
	gap     int64 // of sessions; 0: there are slices
	next    Collector[partial[K, A]]
	hashed  HashedCollector[partial[K, A]] // next, if it takes hashes

	held  []combined[K, A]
	slots [2 * maxPartials]uint16 // by hash: 1 + the place in held; 0: free
	sent  int                     // of held
	found int                     // of held, the last one that a record was found to go into
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
	m := &combining[K, A]{window: w.Window, next: outlet[partial[K, A]](out)}
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

// combineInput folds records into the partials of a combiner. The search for them is compiled
// for each type of record, so that a record costs no more calls than those of the user's code.
type combineInput[K comparable, T, A any] struct {
	to   *combining[K, A]
	key  func(T) K
	hash func(K) uint64
	add  func(*A, *T)
}

func (m *combineInput[K, T, A]) Collect(in *T, ts int64) {
	m.to.enter(ts)
	m.to.batch++
	m.find(m.key(*in), in, ts)
}

// CollectBatch is BatchCollector. It looks at the partial first that was found last: where keys are
// few, or one is hot, that saves the search.
func (m *combineInput[K, T, A]) CollectBatch(records []T, times []int64) {
	to, keyOf, add := m.to, m.key, m.add
	to.batch += int64(len(records))
	for i := range records {
		in, ts := &records[i], times[i]
		to.enter(ts)
		key := keyOf(*in)
		if to.found < len(to.held) {
			if c := &to.held[to.found]; c.partial.Key == key && ts >= c.from && ts <= c.to {
				add(&c.partial.Acc, in)
				to.into(c, ts)
				continue
			}
		}
		m.find(key, in, ts)
	}
}

// find folds a record into the partial of its key and time.
func (m *combineInput[K, T, A]) find(key K, in *T, ts int64) {
	to := m.to
	hash := m.hash(key)
	i := hash % uint64(len(to.slots))
	for ; to.slots[i] != 0; i = (i + 1) % uint64(len(to.slots)) {
		n := int(to.slots[i] - 1)
		if c := &to.held[n]; c.hash == hash && ts >= c.from && ts <= c.to && c.partial.Key == key {
			to.found = n
			m.add(&c.partial.Acc, in)
			to.into(c, ts)
			return
		}
	}
	acc, alone := to.begin(hash, &key, ts, i)
	m.add(acc, in)
	if alone {
		to.pass()
	}
}

// into is told of a record that goes into a partial.
func (m *combining[K, A]) into(c *combined[K, A], ts int64) {
	c.partial.Records++
	if m.gap > 0 {
		c.from, c.to = min(c.from, ts-m.gap), max(c.to, ts+m.gap)
	}
}

// begin begins the partial of a record for which there is none, with its place in the slots.
// If it stays alone, pass hands it on.
func (m *combining[K, A]) begin(hash uint64, key *K, ts int64, slot uint64) (acc *A, alone bool) {
	if m.single || !m.window.timely(ts) { // that is for the window to refuse
		m.one = combined[K, A]{hash: hash, partial: partial[K, A]{Key: *key, Last: ts, Records: 1}}
		return &m.one.partial.Acc, true
	}
	if len(m.held) == maxPartials {
		m.flush()
		slot = hash % uint64(len(m.slots))
	}
	m.held = append(m.held, combined[K, A]{hash: hash, from: ts - m.gap, to: ts + m.gap, slot: slot, partial: partial[K, A]{Key: *key, Last: ts, Records: 1}})
	c := &m.held[len(m.held)-1]
	if m.gap == 0 {
		c.from = m.slicing.slice(ts)
		c.to = c.from + m.slicing.width - 1
	}
	m.slots[slot] = uint16(len(m.held))
	return &c.partial.Acc, false
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
	m.held, m.sent, m.found = m.held[:0], 0, 0
	m.one = combined[K, A]{}
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
