package state

import (
	"cmp"
	"math/bits"
	"slices"

	"blink/internal/heap"
)

// queue holds the entries of one clock's timers by time: a radix heap. An entry behind last
// stands on the level of the highest digit, of six bits, in which its time differs from last, in
// the bucket of its digit there:
//
//	level 10 … [ ][•][•]…[ ]   the highest digits differ
//	level  0   [ ][ ][•]…[•]   only the lowest: a bucket has entries of one time
//
// The next entries are those of the first bucket of the lowest level. When they are due, last
// moves to the first of them. If they are few they are ready, in order, until an entry comes that
// is earlier. Of many, those of the first's time are ready, and the others fall to lower levels,
// so many at a call. So an entry is moved a few times, each time to the end of a bucket, however
// many others there are. Entries that are added at or before last wait in early.
type queue struct {
	last    uint64 // see place
	hashed  uint64 // no entry behind it is ready or early
	used    uint16 // bit of each level that has entries
	levels  [levels]*level
	spare   *chunk
	spares  int         // chunks from spare on
	sift    sift        // where tidy goes on
	moving  *chunk      // of the bucket that is moved from; last is its first entry's place
	ready   []run       // a binary heap, by what is next in each
	runs    [][]waiting // spare ones
	dealt   []waiting   // memory of sort
	early   []waiting   // a binary heap
	len     int         // entries in all
	far     int         // those that are neither ready nor early
	armed   int         // timers that wait for one of them
	tidying bool        // tidy has begun, and is to be called on
	kept    set         // timers of which it has kept the entry that they wait for
	hashOf  func(row uint32) uint64
}

// run is entries that are ready, in order, the first one next. They are sorted as they are moved,
// so many at a time: a million of one instant are a thousand runs.
type run struct {
	entries []waiting
	all     []waiting // the memory of entries
}

// entry is a timer of a row, by the number of its handle.
type entry struct {
	at     int64
	row    uint32
	handle int32
}

// waiting is an entry with the hash of its key, which puts timers of one time in an order that
// does not depend on what has happened before. It is the hash of the key that had the row when
// the entry left its bucket: if another key has the row by now, the entry is out of its place.
type waiting struct {
	entry
	hash uint64
}

const (
	digitBits  = 6
	levels     = (64 + digitBits - 1) / digitBits
	chunkSize  = 62
	fewEntries = 64
	moveMost   = 1024 // entries that a call moves
	spareRuns  = 4
	maxSpares  = 1024 // chunks: 1.5 MB
)

// level is the buckets of one digit.
type level struct {
	used    uint64 // bit of each bucket that has entries
	buckets [1 << digitBits]bucket
}

// bucket is a chain of chunks, of which the first has room.
type bucket struct {
	first uint64 // no entry's place is before
	chunk *chunk
}

type chunk struct {
	next    *chunk
	n       int
	entries [chunkSize]entry
}

// place is a time as an unsigned number.
func place(at int64) uint64 { return uint64(at) ^ 1<<63 }

func (a waiting) compare(b waiting) int {
	switch {
	case a.at != b.at:
		return cmp.Compare(a.at, b.at)
	case a.handle != b.handle:
		return cmp.Compare(a.handle, b.handle)
	case a.hash != b.hash:
		return cmp.Compare(a.hash, b.hash)
	}
	return cmp.Compare(a.row, b.row)
}

// push adds an entry.
func (q *queue) push(e entry) {
	q.len++
	if place(e.at) <= q.last {
		heap.Push(&q.early, waiting{e, q.hashOf(e.row)}, waiting.compare)
		return
	}
	q.drop(e)
}

// drop puts an entry that is behind last where it belongs.
func (q *queue) drop(e entry) {
	p := place(e.at)
	n := (bits.Len64(p^q.last) - 1) / digitBits
	l := q.levels[n]
	if l == nil {
		l = &level{}
		q.levels[n] = l
	}
	digit := p >> (n * digitBits) % (1 << digitBits)
	b := &l.buckets[digit]
	if l.used&(1<<digit) == 0 || p < b.first {
		b.first = p
	}
	l.used |= 1 << digit
	q.used |= 1 << n
	q.far++
	if b.chunk == nil || b.chunk.n == chunkSize {
		b.chunk = q.chunk(b.chunk)
	}
	b.chunk.entries[b.chunk.n] = e
	b.chunk.n++
}

// chunk is an empty one before next.
func (q *queue) chunk(next *chunk) *chunk {
	c := q.spare
	if c == nil {
		return &chunk{next: next}
	}
	q.spare = c.next
	q.spares--
	c.next, c.n = next, 0
	return c
}

// recycle keeps some chunks that are not needed any more.
func (q *queue) recycle(c *chunk) {
	if q.spares < maxSpares {
		c.next, q.spare = q.spare, c
		q.spares++
	}
}

// head is the bucket with the next entries behind last, nil if there are none.
func (q *queue) head() (b *bucket, n, digit int) {
	if q.used == 0 {
		return nil, 0, 0
	}
	n = bits.TrailingZeros16(q.used)
	digit = bits.TrailingZeros64(q.levels[n].used)
	return &q.levels[n].buckets[digit], n, digit
}

// cut takes a bucket's chunks out.
func (q *queue) cut(n, digit int) *chunk {
	l := q.levels[n]
	b := &l.buckets[digit]
	c := b.chunk
	b.chunk = nil
	if s := &q.sift; s.link != nil && s.level == n && s.digit == digit {
		s.digit, s.link = digit+1, nil
	}
	if l.used &^= 1 << digit; l.used == 0 {
		q.used &^= 1 << n
	}
	return c
}

// pop takes the first entry if it is due. It does little at a call: came is false also when it
// has only come nearer to that entry, and more says that it should be called again.
func (q *queue) pop(now int64) (w waiting, came, more bool) {
	for range levels {
		if q.moving == nil {
			b, n, digit := q.head()
			at, some := q.top()
			switch {
			case b != nil && (!some || b.first <= place(at)):
				if b.first > place(now) {
					return waiting{}, false, false
				}
				if q.last = b.first; len(q.ready) == 0 { // else it is not behind hashed
					q.hashed = q.last
				}
				q.moving = q.cut(n, digit)
			case !some || at > now:
				return waiting{}, false, false
			default:
				q.len--
				return q.take(), true, true
			}
		}
		if q.move(); q.moving != nil {
			break
		}
	}
	return waiting{}, false, true
}

// top is the time of the first entry that is ready or early.
func (q *queue) top() (at int64, ok bool) {
	at = noTimer
	if len(q.ready) > 0 {
		at = q.ready[0].entries[0].at
	}
	if len(q.early) > 0 {
		at = min(at, q.early[0].at)
	}
	return at, len(q.ready)+len(q.early) > 0
}

// take takes that entry.
func (q *queue) take() (w waiting) {
	if len(q.ready) == 0 || len(q.early) > 0 && q.early[0].compare(q.ready[0].entries[0]) < 0 {
		w = q.early[0]
		heap.Pop(&q.early, waiting.compare)
		return w
	}
	w = q.ready[0].entries[0]
	q.dropReady()
	return w
}

// move moves some entries of the bucket that was cut out last.
func (q *queue) move() {
	var r []waiting
	if n := len(q.runs); n > 0 {
		r, q.runs = q.runs[n-1], q.runs[:n-1]
	}
	if c := q.moving; c.next == nil {
		// The rows are looked at one after the other: none waits for the memory of another.
		for _, e := range c.entries[:c.n] {
			r = append(r, waiting{e, q.hashOf(e.row)})
			q.hashed = max(q.hashed, place(e.at))
		}
		q.moved()
	}
	for n := 0; n < moveMost && q.moving != nil; n += chunkSize {
		c := q.moving
		for _, e := range c.entries[:c.n] {
			if place(e.at) == q.last {
				r = append(r, waiting{e, q.hashOf(e.row)})
			} else {
				q.drop(e)
			}
		}
		q.moved()
	}
	if len(r) == 0 {
		q.runs = append(q.runs, r)
		return
	}
	q.sort(r)
	heap.Push(&q.ready, run{r, r}, run.compare)
}

// Entries are dealt into hands by the first bits in which their hashes differ when there are so
// many that it pays.
const (
	dealFrom = 128
	handBits = 8
)

// sort sorts entries, which are of one time if they are many. Their hashes spread evenly, so
// that a hand holds only a few.
func (q *queue) sort(r []waiting) {
	if len(r) < dealFrom {
		slices.SortFunc(r, waiting.compare)
		return
	}
	least, most := r[0].hash, r[0].hash
	for i := range r {
		least, most = min(least, r[i].hash), max(most, r[i].hash)
		if r[i].handle != r[0].handle {
			slices.SortFunc(r, waiting.compare)
			return
		}
	}
	shift := max(0, bits.Len64(most-least)-handBits)
	var next [1<<handBits + 1]int // of each hand: where its next entry goes
	for i := range r {
		next[(r[i].hash-least)>>shift+1]++
	}
	for i := range next[1:] {
		next[i+1] += next[i]
	}
	q.dealt = append(q.dealt[:0], r...)
	for i := range q.dealt {
		hand := &next[(q.dealt[i].hash-least)>>shift]
		r[*hand] = q.dealt[i]
		*hand++
	}
	for from, hand := 0, 0; from < len(r); hand++ { // a hand ends where the next one began
		slices.SortFunc(r[from:next[hand]], waiting.compare)
		from = next[hand]
	}
}

// moved takes back the chunk whose entries were moved.
func (q *queue) moved() {
	c := q.moving
	q.moving = c.next
	q.far -= c.n
	q.recycle(c)
}

// dropReady drops the first of the entries that are ready.
func (q *queue) dropReady() {
	r := &q.ready[0]
	if r.entries = r.entries[1:]; len(r.entries) > 0 {
		heap.Sink(q.ready, run.compare)
		return
	}
	if all := r.all[:0]; len(q.runs) < spareRuns {
		q.runs = append(q.runs, all)
	}
	heap.Pop(&q.ready, run.compare)
}

func (r run) compare(o run) int { return r.entries[0].compare(o.entries[0]) }

// first is the time of the first entry, or one before it where tidy has dropped some; ok is
// false when there is none.
func (q *queue) first() (at int64, ok bool) {
	if q.len == 0 {
		return 0, false
	}
	at, _ = q.top()
	if b, _, _ := q.head(); b != nil {
		at = min(at, int64(b.first^1<<63))
	}
	if q.moving != nil {
		at = min(at, int64(q.last^1<<63))
	}
	return at, true
}

// sift is where tidy goes on.
type sift struct {
	level, digit int
	link         **chunk // to the next chunk of that bucket; nil: it has not begun with it
}

// tidy drops the far entries that are not wanted, some at a call; done says that it has asked
// about all of them. It is not asked twice about any: it goes from low levels up, and entries
// move down. So it may miss those that have moved meanwhile, and are ready soon.
func (q *queue) tidy(wanted func(entry) bool) (done bool) {
	c := q.unsifted()
	if c == nil {
		q.sift = sift{}
		return true
	}
	kept := 0
	for _, e := range c.entries[:c.n] {
		if wanted(e) {
			c.entries[kept] = e
			kept++
		}
	}
	q.len, q.far = q.len-c.n+kept, q.far-c.n+kept
	c.n = kept
	s := &q.sift
	if kept > 0 {
		s.link = &c.next
		return false
	}
	*s.link = c.next
	q.recycle(c)
	if q.levels[s.level].buckets[s.digit].chunk == nil {
		q.cut(s.level, s.digit)
	}
	return false
}

// unsifted is the chunk that tidy has to look at next, nil if there is none.
func (q *queue) unsifted() *chunk {
	s := &q.sift
	for s.level < levels {
		if s.link != nil {
			if *s.link != nil {
				return *s.link
			}
			s.digit, s.link = s.digit+1, nil
		}
		l, ahead := q.levels[s.level], uint64(0)
		if l != nil {
			ahead = l.used >> s.digit
		}
		if ahead == 0 {
			s.level, s.digit = s.level+1, 0
			continue
		}
		s.digit += bits.TrailingZeros64(ahead)
		s.link = &l.buckets[s.digit].chunk
	}
	return nil
}
