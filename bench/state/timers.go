package state

import (
	"container/heap"
	"time"

	"blink/bench/usage"
	"blink/internal/hash"
	keyed "blink/state"
)

// timers has keys of them pending, over an hour. Each that fires is set again, to some time in
// the hour that begins half an hour later.
func timers(keys, n int) (Result, error) {
	var p struct{ End keyed.Timer }
	s, err := store[uint64](&p)
	if err != nil {
		return Result{}, err
	}
	before := live()
	step := int64(time.Hour) / int64(keys)
	again := func(i int) int64 { return step * int64(keys/2+shuffled(i, keys)) }
	for k := range keys {
		s.SetKey(uint64(k), hash.Uint64(uint64(k)))
		p.End.Set(time.Unix(0, again(k)))
	}
	now := int64(0)
	r := Result{Bytes: (live() - before) / float64(keys)}
	r.Time, r.Allocs = timed(n, func(i int) {
		for {
			switch t, _, ok := s.Due(keyed.EventTime, now); {
			case !ok:
				now += step
			case t != nil:
				t.Set(time.Unix(0, now+again(i)))
				return
			}
		}
	})
	r.Peak = usage.Peak()
	r.Access = accesses(r.Bytes*float64(keys), n)
	var h alarms
	for k := range keys {
		h = append(h, alarm{again(k), uint64(k)})
	}
	heap.Init(&h)
	now = 0
	r.Plain, _ = timed(n, func(i int) {
		for h[0].at > now {
			now += step
		}
		h[0].at = now + again(i)
		heap.Fix(&h, 0)
	})
	return r, nil
}

// alarms is what a plain program would have: a binary heap.
type alarms []alarm

type alarm struct {
	at  int64
	key uint64
}

func (a alarms) Len() int           { return len(a) }
func (a alarms) Less(i, j int) bool { return a[i].at < a[j].at }
func (a alarms) Swap(i, j int)      { a[i], a[j] = a[j], a[i] }
func (a *alarms) Push(x any)        { *a = append(*a, x.(alarm)) }

func (a *alarms) Pop() any {
	last := len(*a) - 1
	x := (*a)[last]
	*a = (*a)[:last]
	return x
}
