package operator

import (
	"cmp"
	"slices"
)

// agenda says when who is to be looked at. What lies ahead stands in buckets of time, in no
// order; a bucket is sorted when its time has come. So an entry costs little until it is due.
type agenda struct {
	width int64
	ahead []bucket // ascending by from, none empty
	due   []visit  // ascending, up to next gone
	next  int
	until int64 // what comes before it is due, and not ahead
	free  [][]visit
	n     int // entries
	full  int // n at which the stale ones are dropped
}

type bucket struct {
	from int64 // a multiple of width
	all  []visit
}

type visit struct {
	at  int64
	who int32
}

func (v visit) compare(o visit) int {
	return cmp.Or(cmp.Compare(v.at, o.at), cmp.Compare(v.who, o.who))
}

const (
	fewVisits    = 64
	spareBuckets = 64
)

func newAgenda(width int64) agenda {
	return agenda{width: max(1, width), until: NoTime, full: fewVisits}
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
	if n := len(a.ahead); n > 0 && a.ahead[n-1].from == from {
		return &a.ahead[n-1]
	}
	i, ok := slices.BinarySearchFunc(a.ahead, from, func(b bucket, from int64) int { return cmp.Compare(b.from, from) })
	if !ok {
		b := bucket{from: from}
		if n := len(a.free); n > 0 {
			b.all = a.free[n-1]
			a.free = a.free[:n-1]
		}
		a.ahead = slices.Insert(a.ahead, i, b)
	}
	return &a.ahead[i]
}

// pop takes the earliest visit that is due now. Those of one time come in the order of who.
func (a *agenda) pop(now int64) (v visit, ok bool) {
	for a.next == len(a.due) {
		if len(a.ahead) == 0 || a.ahead[0].from > now {
			return v, false
		}
		a.recycle(a.due)
		b := a.ahead[0]
		a.ahead = slices.Delete(a.ahead, 0, 1)
		slices.SortFunc(b.all, visit.compare)
		a.due, a.next, a.until = b.all, 0, after(b.from, a.width)
	}
	if v = a.due[a.next]; v.at > now {
		return v, false
	}
	a.next++
	a.n--
	return v, true
}

func (a *agenda) recycle(all []visit) {
	if all != nil && len(a.free) < spareBuckets {
		a.free = append(a.free, all[:0])
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
	left := a.ahead[:0]
	for _, b := range a.ahead {
		if b.all = sift(b.all); len(b.all) > 0 {
			left = append(left, b)
			a.n += len(b.all)
		} else {
			a.recycle(b.all)
		}
	}
	clear(a.ahead[len(left):])
	a.ahead = left
	a.full = 2*a.n + fewVisits
}
