package operator

// Combining is a window in two steps, for one whose records reach its task over a network:
// First folds those of one batch by key, at the end of the producer's chain, and Rest makes
// the window from what First emits.
type Combining struct {
	First, Rest Spec
	Port        func() (Port, error) // of what First emits
	Hash        any                  // of the edge in between, as HashOf gives it
	Type        string               // of what First emits, for people
}

// partial is what was folded of some records of one key. Its time is that of the earliest.
type partial[K comparable, A any] struct {
	Key     K
	Last    int64 // the time of the latest record
	Records int64
	Acc     A
}

// weight is how many records a partial stands for, for those who count records.
func (p *partial[K, A]) weight() int64 { return p.Records }

// combining folds records by key and slice, or by key and session, and hands on what it has
// in Advance, which the task calls after each batch and before event time goes on. So it holds
// nothing at a barrier, and no record waits longer than its batch.
//
// Where keys hardly repeat within a batch it would be work for nothing: it looks at some
// batches, and hands records on one by one for the next ones if they did not become fewer.
type combining[K comparable, T, A any] struct {
	place
	key     func(T) K
	hash    func(K) uint64
	add     func(*A, *T)
	window  Window
	slicing slicing
	gap     int64 // of sessions; 0: there are slices
	next    Collector[partial[K, A]]
	hashed  HashedCollector[partial[K, A]] // next, if it takes hashes

	held  []combined[K, A]
	slots [2 * maxPartials]uint16 // by hash: 1 + the place in held; 0: free
	sent  int                     // of held
	one   partial[K, A]

	batch            int64 // records since the last Advance
	records, emitted int64 // of the batches since it was decided whether to combine
	batches          int
	single           bool // records are handed on one by one
	_                pad
}

// combined is a partial in the making: records of its key from one time to another go into it.
type combined[K comparable, A any] struct {
	hash     uint64
	from, to int64
	start    int64
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

// newCombining is a window in two steps. rest is the window over partials.
func newCombining[K comparable, T, A, R any](w windower[K, T, A, R], rest func(out Outlets) any) *Combining {
	hash := w.hash
	c := &Combining{
		Port: PortOf[partial[K, A]],
		Hash: func(p *partial[K, A]) uint64 { return hash(p.Key) },
		Type: TypeName[partial[K, A]](),
	}
	c.Rest.New = rest
	c.First.New = func(out Outlets) any {
		m := &combining[K, T, A]{key: w.key, hash: hash, add: w.fold.add, window: w.window, next: outlet[partial[K, A]](out)}
		m.hashed, _ = m.next.(HashedCollector[partial[K, A]])
		if w.window.kind == sessionKind {
			m.gap = int64(w.window.size)
		} else {
			m.slicing = slicingOf(w.window)
		}
		return m
	}
	return c
}

func (m *combining[K, T, A]) Input(int) any { return Collector[T](m) }

// Lends is Lender.
func (m *combining[K, T, A]) Lends() Lending { return Lends }

// Empty is Gatherer.
func (m *combining[K, T, A]) Empty() bool { return len(m.held) == 0 }

func (m *combining[K, T, A]) Collect(in *T, ts int64) {
	m.enter(ts)
	key := m.key(*in)
	hash := m.hash(key)
	m.batch++
	if m.single {
		m.pass(in, ts, &key, hash)
		return
	}
	i := hash % uint64(len(m.slots))
	for ; m.slots[i] != 0; i = (i + 1) % uint64(len(m.slots)) {
		if c := &m.held[m.slots[i]-1]; c.hash == hash && ts >= c.from && ts <= c.to && c.partial.Key == key {
			m.into(c, in, ts)
			return
		}
	}
	if !m.window.timely(ts) {
		m.pass(in, ts, &key, hash) // for the window to refuse
		return
	}
	m.begin(in, ts, &key, hash, i)
}

// into adds a record to a partial.
func (m *combining[K, T, A]) into(c *combined[K, A], in *T, ts int64) {
	m.add(&c.partial.Acc, in)
	c.partial.Records++
	c.start, c.partial.Last = min(c.start, ts), max(c.partial.Last, ts)
	if m.gap > 0 {
		c.from, c.to = c.start-m.gap, c.partial.Last+m.gap
	}
}

// begin makes a partial of a record, with its place in the slots.
func (m *combining[K, T, A]) begin(in *T, ts int64, key *K, hash, slot uint64) {
	c := combined[K, A]{hash: hash, from: ts - m.gap, to: ts + m.gap, start: ts, slot: slot, partial: partial[K, A]{Key: *key, Last: ts, Records: 1}}
	if m.gap == 0 {
		c.from = m.slicing.slice(ts)
		c.to = c.from + m.slicing.width - 1
	}
	m.held = append(m.held, c)
	m.add(&m.held[len(m.held)-1].partial.Acc, in)
	m.slots[slot] = uint16(len(m.held))
	if len(m.held) == maxPartials {
		for m.sent < len(m.held) {
			m.send()
		}
		m.clear()
	}
}

// pass hands a record on by itself.
func (m *combining[K, T, A]) pass(in *T, ts int64, key *K, hash uint64) {
	m.one = partial[K, A]{Key: *key, Last: ts, Records: 1}
	m.add(&m.one.Acc, in)
	m.emit(&m.one, ts, hash)
}

func (m *combining[K, T, A]) emit(p *partial[K, A], ts int64, hash uint64) {
	if m.hashed != nil {
		m.hashed.CollectHashed(p, ts, hash)
		return
	}
	m.next.Collect(p, ts)
}

// send hands on the next partial.
func (m *combining[K, T, A]) send() {
	c := &m.held[m.sent]
	m.sent++
	m.emit(&c.partial, c.start, c.hash)
}

// Advance is Advancer.
func (m *combining[K, T, A]) Advance(in int64) (int64, bool) {
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
func (m *combining[K, T, A]) clear() {
	for i := range m.held {
		m.slots[m.held[i].slot] = 0
	}
	m.emitted += int64(len(m.held))
	clear(m.held)
	m.held, m.sent = m.held[:0], 0
}

// look decides, after a batch, whether the next ones are combined.
func (m *combining[K, T, A]) look() {
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
