package state

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"blink/graph"
)

// A queue gives what a sorted list would, of times near and far, behind last and before it,
// also when it is asked about an earlier time than before.
func TestAQueueGivesWhatASortedListWould(t *testing.T) {
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 1))
		q := queue{hashOf: func(row uint32) uint64 { return uint64(row * 2654435761) }}
		var want []waiting
		now, rows := int64(math.MinInt64), uint32(0)
		if seed%2 == 0 {
			now = -1000
		}
		for range 20_000 {
			switch r.IntN(3) {
			case 0:
				now += int64(1) << r.IntN(1+int(seed)*2)
			case 1:
				e := entry{now + r.Int64N(1<<(1+r.IntN(40))) - r.Int64N(1<<(1+r.IntN(8))), rows, int32(r.IntN(3))}
				if rows++; e.at > now+1<<50 { // before the beginning of time
					e.at = math.MinInt64
				}
				q.push(e)
				w := waiting{e, q.hashOf(e.row)}
				i, _ := slices.BinarySearchFunc(want, w, waiting.compare)
				want = slices.Insert(want, i, w)
			case 2:
				ask := now - int64(r.IntN(3))
				first, some := q.first()
				if some != (len(want) > 0) || some && first != want[0].at {
					t.Fatalf("the first is at %d (%v), want %v", first, some, want[:min(1, len(want))])
				}
				e, ok := q.pop(ask)
				if due := len(want) > 0 && want[0].at <= ask; ok != due || ok && e != want[0].entry {
					t.Fatalf("at %d came %v (%v), want %v", ask, e, ok, want[:min(1, len(want))])
				}
				if ok {
					want = want[1:]
				}
			}
			if r.IntN(2000) == 0 {
				gone := uint32(r.IntN(7))
				q.tidy(func(e entry) bool { return e.row%7 != gone })
				want = slices.DeleteFunc(want, func(w waiting) bool { return w.row%7 == gone })
			}
			if q.len != len(want) {
				t.Fatalf("it has %d entries, want %d", q.len, len(want))
			}
		}
	}
}

// BenchmarkTimers has so many timers pending, each of which is set again an hour later when
// it has fired.
func BenchmarkTimers(b *testing.B) {
	for _, n := range []int{10_000, 100_000, 1_000_000, 10_000_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			s, err := NewStore[uint64](128, graph.Range{To: 128}, noClock)
			var p struct{ End Timer }
			if err == nil {
				err = s.Bind(&p)
			}
			if err != nil {
				b.Fatal(err)
			}
			at := func(i int) time.Time { return time.Unix(0, int64(i)*(int64(time.Hour)/int64(n))) }
			r := rand.New(rand.NewPCG(1, 2))
			for i := range n {
				s.SetKey(uint64(i), s.hash(uint64(i)))
				p.End.Set(at(r.IntN(n)))
			}
			fired := 0
			b.ResetTimer()
			for now := 0; fired < b.N; now++ {
				for {
					timer, _, ok := s.Due(EventTime, at(now).UnixNano())
					if !ok {
						break
					}
					timer.Set(at(now + n/2 + r.IntN(n)))
					fired++
				}
			}
		})
	}
}
