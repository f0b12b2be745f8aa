package operator

import (
	"cmp"
	"slices"

	"blink/internal/heap"
)

// agenda says when who is to be looked at. What lies ahead stands in buckets of time, in no
// order; a bucket is sorted when its time has come. So an entry costs little until it is due.
type agenda struct {
	width  int64
	ahead  []*bucket         // a binary heap by from, none empty
	from   map[int64]*bucket // those ahead
	recent *bucket           // the one ahead that was added to last, or nil
	due    []visit           // ascending, up to next gone
	next   int
	until  int64 // what comes before it is due, and not ahead
	free   []*bucket
	n      int // entries
	full   int // n at which the stale ones are dropped
}

type bucket struct {
	from int64 // a multiple of width
	all  []visit
}

type visit struct {
	at  int64
	who int32
}

func (b *bucket) compare(o *bucket) int { return cmp.Compare(b.from, o.from) }

func (v visit) compare(o visit) int {
	return cmp.Or(cmp.Compare(v.at, o.at), cmp.Compare(v.who, o.who))
}

const (
	fewVisits    = 64
	spareBuckets = 64
)

func newAgenda(width int64) agenda {
	return agenda{width: max(1, width), from: map[int64]*bucket{}, until: NoTime, full: fewVisits}
}

// add asks for a visit.
func (a *agenda) add(v visit) {
	a.n++
	if v.at < a.until {
		i, _ := slices.BinarySearchFunc(a.due[a.next:], v, visit.compare)
		a.due = slices.Insert(a.due, a.next+i, v)
		return
	}
	b := a.bucket(v.at - mod(v.at, a.width))
	b.all = append(b.all, v)
}

// bucket is the one from this time on, a new one if there is none.
func (a *agenda) bucket(from int64) *bucket {
	if a.recent != nil && a.recent.from == from {
		return a.recent
	}
	b := a.from[from]
	if b == nil {
		b = &bucket{}
		if n := len(a.free); n > 0 {
			b = a.free[n-1]
			a.free = a.free[:n-1]
		}
		b.from, a.from[from] = from, b
		heap.Push(&a.ahead, b, (*bucket).compare)
	}
	a.recent = b
	return b
}

// pop takes the earliest visit that is due now. Those of one time come in the order of who.
func (a *agenda) pop(now int64) (v visit, ok bool) {
	for a.next == len(a.due) {
		if len(a.ahead) == 0 || a.ahead[0].from > now {
			return v, false
		}
		b := a.ahead[0]
		heap.Pop(&a.ahead, (*bucket).compare)
		slices.SortFunc(b.all, visit.compare)
		a.due, b.all = b.all, a.due
		a.next, a.until = 0, after(b.from, a.width)
		a.recycle(b)
	}
	if v = a.due[a.next]; v.at > now {
		return v, false
	}
	a.next++
	a.n--
	return v, true
}

// recycle takes back a bucket that is not ahead any more.
func (a *agenda) recycle(b *bucket) {
	delete(a.from, b.from)
	if a.recent == b {
		a.recent = nil
	}
	if b.all = b.all[:0]; len(a.free) < spareBuckets {
		a.free = append(a.free, b)
	}
}

// tidy drops the visits that are stale, whenever there are twice as many as were left the
// last time: who is visited less often than asked for leaves some behind.
func (a *agenda) tidy(stale func(visit) bool) {
	if a.n < a.full {
		return
	}
	sift := func(all []visit) []visit {
		all = slices.DeleteFunc(all, stale)
		slices.SortFunc(all, visit.compare)
		return slices.Compact(all)
	}
	a.due = append(a.due[:0], sift(a.due[a.next:])...)
	a.next, a.n = 0, len(a.due)
	a.ahead = slices.DeleteFunc(a.ahead, func(b *bucket) bool {
		b.all = sift(b.all)
		a.n += len(b.all)
		if len(b.all) > 0 {
			return false
		}
		a.recycle(b)
		return true
	})
	slices.SortFunc(a.ahead, (*bucket).compare) // which is a heap
	a.full = 2*a.n + fewVisits
}
