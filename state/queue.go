package state

import (
	"cmp"
	"math/bits"
	"slices"
)

// queue holds the entries of one clock's timers by time: a radix heap. last is the time of
// the timers that came last. An entry behind it stands on the level of the highest digit, of
// six bits, in which its time differs from last, in the bucket of its digit there:
//
//	level 10 … [ ][•][•]…[ ]   the highest digits differ
//	level  0   [ ][ ][•]…[•]   only the lowest: a bucket has entries of one time
//
// The next entries are those of the first bucket of the lowest level. When they are due, last
// moves to the first of them, and the others fall to lower levels. So an entry is moved a few
// times, each time to the end of a bucket, however many others there are. Entries at last
// wait in ready, in order; those that are added at or before it, in early.
type queue struct {
	last   uint64 // see place
	used   uint16 // bit of each level that has entries
	levels [levels]*level
	spare  *chunk
	ready  []waiting // ascending, those before next gone
	next   int
	early  []waiting // a binary heap
	len    int       // entries in all
	armed  int       // timers that wait for one of them
	hashOf func(row uint32) uint64
}

// entry is a timer of a row, by the number of its handle.
type entry struct {
	at     int64
	row    uint32
	handle int32
}

// waiting is an entry with the hash of its key, which puts timers of one time in an order that
// does not depend on what has happened before.
type waiting struct {
	entry
	hash uint64
}

const (
	digitBits  = 6
	levels     = (64 + digitBits - 1) / digitBits
	chunkSize  = 62
	fewEntries = 64
)

// level is the buckets of one digit.
type level struct {
	used    uint64 // bit of each bucket that has entries
	buckets [1 << digitBits]bucket
}

// bucket is a chain of chunks, of which the first has room.
type bucket struct {
	first uint64 // the earliest entry's place
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
		q.pushEarly(waiting{e, q.hashOf(e.row)})
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
	c.next, c.n = next, 0
	return c
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
	if l.used &^= 1 << digit; l.used == 0 {
		q.used &^= 1 << n
	}
	return c
}

// pop takes the first entry if it is due.
func (q *queue) pop(now int64) (e entry, ok bool) {
	for q.next == len(q.ready) && len(q.early) == 0 {
		b, n, digit := q.head()
		if b == nil || b.first > place(now) {
			return entry{}, false
		}
		q.advance(b.first, q.cut(n, digit))
	}
	if q.next == len(q.ready) || len(q.early) > 0 && q.early[0].compare(q.ready[q.next]) < 0 {
		if e = q.early[0].entry; e.at > now {
			return entry{}, false
		}
		q.popEarly()
	} else {
		if e = q.ready[q.next].entry; e.at > now {
			return entry{}, false
		}
		q.next++
	}
	q.len--
	return e, true
}

// advance moves last to the first entry of a bucket that was cut out.
func (q *queue) advance(last uint64, c *chunk) {
	q.last, q.ready, q.next = last, q.ready[:0], 0
	for c != nil {
		for _, e := range c.entries[:c.n] {
			if place(e.at) == last {
				q.ready = append(q.ready, waiting{e, q.hashOf(e.row)})
			} else {
				q.drop(e)
			}
		}
		next := c.next
		c.next, q.spare = q.spare, c
		c = next
	}
	slices.SortFunc(q.ready, waiting.compare)
}

// first is the time of the first entry; ok is false when there is none.
func (q *queue) first() (at int64, ok bool) {
	if q.len == 0 {
		return 0, false
	}
	at = noTimer
	if b, _, _ := q.head(); b != nil {
		at = int64(b.first ^ 1<<63)
	}
	if q.next < len(q.ready) {
		at = min(at, q.ready[q.next].at)
	}
	if len(q.early) > 0 {
		at = min(at, q.early[0].at)
	}
	return at, true
}

// tidy keeps the entries that are wanted, and is asked about each once.
func (q *queue) tidy(wanted func(entry) bool) {
	ready := slices.Clone(q.ready[q.next:])
	early := q.early
	q.ready, q.next, q.early, q.len = q.ready[:0], 0, nil, 0
	for _, w := range ready {
		if wanted(w.entry) {
			q.ready = append(q.ready, w)
			q.len++
		}
	}
	for _, w := range early {
		if wanted(w.entry) {
			q.push(w.entry)
		}
	}
	for n, l := range q.levels {
		for digit := 0; l != nil && digit < len(l.buckets); digit++ {
			for c := q.cut(n, digit); c != nil; {
				for _, e := range c.entries[:c.n] {
					if wanted(e) {
						q.push(e)
					}
				}
				next := c.next
				c.next, q.spare = q.spare, c
				c = next
			}
		}
	}
}

// pushEarly and popEarly are those of a binary heap.
func (q *queue) pushEarly(w waiting) {
	q.early = append(q.early, w)
	i := len(q.early) - 1
	for i > 0 {
		p := (i - 1) / 2
		if w.compare(q.early[p]) >= 0 {
			break
		}
		q.early[i] = q.early[p]
		i = p
	}
	q.early[i] = w
}

func (q *queue) popEarly() {
	n := len(q.early) - 1
	w := q.early[n]
	q.early = q.early[:n]
	if n == 0 {
		return
	}
	i := 0
	for {
		c := 2*i + 1
		if c >= n {
			break
		}
		if c+1 < n && q.early[c+1].compare(q.early[c]) < 0 {
			c++
		}
		if q.early[c].compare(w) >= 0 {
			break
		}
		q.early[i] = q.early[c]
		i = c
	}
	q.early[i] = w
}
