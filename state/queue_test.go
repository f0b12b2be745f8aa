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
		now, rows, asked := int64(math.MinInt64), uint32(0), 0
		gone, rounds := uint32(7), 0 // in the first one nothing is dropped
		known := map[uint32]bool{}   // in this round
		wanted := func(e entry) bool {
			if known[e.row] {
				t.Fatalf("tidy asks about %v twice", e)
			}
			known[e.row] = true
			if asked++; e.row%7 != gone {
				return true
			}
			i, ok := slices.BinarySearchFunc(want, waiting{e, q.hashOf(e.row)}, waiting.compare)
			if !ok {
				t.Fatalf("tidy asks about %v, which is not there", e)
			}
			want = slices.Delete(want, i, i+1)
			return false
		}
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
				if some != (len(want) > 0) || some && (first > want[0].at || first < want[0].at && rounds == 0) {
					t.Fatalf("the first is at %d (%v), want %v", first, some, want[:min(1, len(want))])
				}
				e, ok := q.next(ask)
				if due := len(want) > 0 && want[0].at <= ask; ok != due || ok && e != want[0].entry {
					t.Fatalf("at %d came %v (%v), want %v", ask, e, ok, want[:min(1, len(want))])
				}
				if ok {
					want = want[1:]
				}
			}
			if r.IntN(5000) == 0 { // many at one instant, and behind it
				for i := range int64(2 * moveMost) {
					e := entry{now + 1000 + max(0, i-moveMost), rows, int32(r.IntN(3))}
					rows++
					q.push(e)
					want = append(want, waiting{e, q.hashOf(e.row)})
				}
				slices.SortFunc(want, waiting.compare)
			}
			if r.IntN(4) == 0 {
				if asked = 0; q.tidy(wanted) {
					gone, rounds = uint32(r.IntN(7)), rounds+1
					clear(known)
				}
				if asked > chunkSize {
					t.Fatalf("a call asks about %d entries", asked)
				}
			}
			if q.len != len(want) {
				t.Fatalf("it has %d entries, want %d", q.len, len(want))
			}
		}
		if rounds < 10 {
			t.Errorf("seed %d: tidy has gone round %d times", seed, rounds)
		}
	}
}

// However many entries there are, at one instant and at many, no call looks at more than some.
func TestACallMovesFewEntries(t *testing.T) {
	looked := 0
	q := queue{hashOf: func(row uint32) uint64 { looked++; return uint64(row) * 2654435761 % 1000 }}
	const n = 20_000
	for i := range uint32(n) {
		q.push(entry{1_000_000, i, 0})
		q.push(entry{1_000_001 + int64(i)*999, i, 0})
	}
	var got []waiting
	for calls := 0; len(got) < 2*n; calls++ {
		moved := q.spareChunks()
		looked = 0
		w, came, more := q.pop(math.MaxInt64)
		if came {
			got = append(got, w)
		}
		if moved = q.spareChunks() - moved; !more || looked > moveMost+chunkSize || moved > levels*moveMost/chunkSize || calls > 3*n {
			t.Fatalf("call %d looked at %d entries and emptied %d chunks (%v)", calls, looked, moved, more)
		}
	}
	if !slices.IsSortedFunc(got, waiting.compare) {
		t.Error("they came out of order")
	}
	if w, came, more := q.pop(math.MaxInt64); came || more {
		t.Errorf("%v came behind all", w)
	}
}

// spareChunks is how many chunks are spare.
func (q *queue) spareChunks() (n int) {
	for c := q.spare; c != nil; c = c.next {
		n++
	}
	return n
}

// next is pop until it is at the entry.
func (q *queue) next(now int64) (e entry, came bool) {
	for {
		if w, came, more := q.pop(now); came || !more {
			return w.entry, came
		}
	}
}

// Entries of one instant come in the order of their hashes, however these spread.
func TestManyEntriesOfOneInstantAreSorted(t *testing.T) {
	for name, hashOf := range map[string]func(row uint32) uint64{
		"evenly":      func(row uint32) uint64 { return uint64(row) * 0x9E3779B97F4A7C15 },
		"a few":       func(row uint32) uint64 { return uint64(row%3) << 62 },
		"close":       func(row uint32) uint64 { return 7 + uint64(row*2654435761)%5 },
		"one":         func(uint32) uint64 { return 42 },
		"both ends":   func(row uint32) uint64 { return -uint64(row % 2) },
		"a straggler": func(row uint32) uint64 { return uint64(row/1000)<<63 | uint64(row*2654435761)%1000 },
	} {
		for _, n := range []uint32{dealFrom - 1, dealFrom, moveMost, 3 * moveMost} {
			q := queue{hashOf: hashOf}
			var want []waiting
			for row := range n {
				e := entry{at: 1000, row: row, handle: int32(row % n / (n - 1))} // one differs
				q.push(e)
				want = append(want, waiting{e, hashOf(row)})
			}
			slices.SortFunc(want, waiting.compare)
			for i, w := range want {
				if e, ok := q.next(1000); !ok || e != w.entry {
					t.Fatalf("hashes spread %s, %d entries: entry %d is %v (%v), want %v", name, n, i, e, ok, w.entry)
				}
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
					if timer == nil {
						continue
					}
					timer.Set(at(now + n/2 + r.IntN(n)))
					fired++
				}
			}
		})
	}
}

// BenchmarkTimersOfOneInstant sets timers of so many keys to the end of a window and fires them.
func BenchmarkTimersOfOneInstant(b *testing.B) {
	s, err := NewStore[uint64](128, graph.Range{To: 128}, noClock)
	var p struct{ End Timer }
	if err == nil {
		err = s.Bind(&p)
	}
	if err != nil {
		b.Fatal(err)
	}
	const keys = 4000
	for now := int64(0); b.Loop(); {
		now += int64(10 * time.Second)
		for i := range uint64(keys) {
			s.SetKey(i, s.hash(i))
			p.End.Set(time.Unix(0, now))
		}
		for fired := 0; fired < keys; {
			if timer, _, ok := s.Due(EventTime, now); ok && timer != nil {
				fired++
			}
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/keys, "ns/timer")
}
