package operator

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"blink/internal/hash"
)

// listed is the plain form of windows: the records of each, folded anew whenever it fires.
type listed struct {
	size, slide, lateness, fired int64
	records                      map[[2]string][]int // by key and "start-end"
	ends                         map[[2]string]int64
	out                          []string
}

func (m *listed) pane(w [2]string, late string) {
	sum := 0
	for _, n := range m.records[w] {
		sum += n
	}
	m.out = append(m.out, fmt.Sprintf("%s %s=%d%s", w[0], w[1], sum, late))
}

func (m *listed) record(key string, at int64, n int) {
	for start := floorTo(at-m.size, m.slide, 0) + m.slide; start <= at; start += m.slide {
		w, end := [2]string{key, fmt.Sprintf("%d-%d", start, start+m.size)}, start+m.size
		if end+m.lateness <= m.fired {
			continue
		}
		m.records[w], m.ends[w] = append(m.records[w], n), end
		if end <= m.fired {
			m.pane(w, " late")
		}
	}
}

func (m *listed) advance(fired int64) {
	for w, end := range m.ends { // the panes are sorted
		if end > m.fired && end <= fired {
			m.pane(w, "")
		}
	}
	m.fired = max(m.fired, fired)
}

// Overlapping windows, whose folds can be undone or not, with late records and restores in
// between: what is emitted between two of them is what the plain form says.
func TestOverlappingWindowsAgreeWithTheirDefinition(t *testing.T) {
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 6))
		slide := 1 + r.Int64N(4)
		o := sliding(slide+1+r.Int64N(20), slide)
		o.Lateness = time.Duration(r.Int64N(2)*r.Int64N(15)) * time.Second
		spec := NewWindowSum(shop, func(s sale) int { return s.Sum }, o)
		if seed%2 == 0 {
			spec = NewWindowAggregate(shop, &total{}, o)
		}
		plain := &listed{size: int64(o.Window.size / time.Second), slide: slide, lateness: int64(o.Lateness / time.Second), fired: -1000, records: map[[2]string][]int{}, ends: map[[2]string]int64{}}
		out := &kettle[Pane[string, int]]{}
		b := newBench(t, spec, out)
		agree := func() {
			t.Helper()
			slices.Sort(plain.out)
			if got := panes(out.take()); !slices.Equal(got, plain.out) {
				t.Fatalf("seed %d, %v, lateness %v:\ngot  %s\nwant %s", seed, o.Window, o.Lateness, strings.Join(got, ", "), strings.Join(plain.out, ", "))
			}
			plain.out = nil
		}
		for now := range int64(90) {
			for range r.IntN(4) {
				key, at := string(rune('a'+r.IntN(4))), now-r.Int64N(25)
				send(b, sale{key, int(now), at}, sec(at))
				plain.record(key, at, int(now))
			}
			agree()
			if r.IntN(3) == 0 {
				mark := now - r.Int64N(12)
				b.advance(sec(mark) - 1)
				plain.advance(mark)
				agree()
			}
			if r.IntN(12) == 0 {
				b = newBench(t, spec, out).restore(b.snapshot())
			}
		}
		b.advance(EndTime)
		plain.advance(1 << 30)
		agree()
		if keys, nodes := left(b.op); keys != 0 || nodes != 0 {
			t.Fatalf("seed %d, %v: %d keys and %d nodes are left", seed, o.Window, keys, nodes)
		}
	}
}

// left is what rolling holds after all windows have fired.
func left(op any) (keys, nodes int) {
	switch w := op.(type) {
	case *windowing[string, int]:
		return w.rolling.table.index.Len, len(w.rolling.pool) - 1 - len(w.rolling.free)
	case *windowing[string, some[total]]:
		return w.rolling.table.index.Len, len(w.rolling.pool) - 1 - len(w.rolling.free)
	}
	return -1, -1
}

// total is an Accumulator that goes wrong when what is merged is shared with another.
type total struct{ Parts []int }

func (m *total) Add(s sale) { m.Parts = append(m.Parts, s.Sum) }

func (m *total) Merge(o total) { m.Parts = append(m.Parts, o.Parts...) }

func (m *total) Result() (sum int) {
	for _, n := range m.Parts {
		sum += n
	}
	return sum
}

// A slice is merged no more often when it belongs to more windows.
func TestASliceIsMergedAFewTimesHoweverManyWindowsItBelongsTo(t *testing.T) {
	for _, overlap := range []int64{5, 60, 720} {
		merges := 0
		f := reduction[string](func(acc *sale, in sale) { merges++; acc.Sum += in.Sum })
		spec := newWindows(shop, sliding(overlap, 1), f)
		b := newBench(t, spec, &last[sale]{})
		const seconds = 3000
		for at := range int64(seconds) {
			sell(b, "a", at)
			b.advance(sec(at) - 1)
		}
		if perSecond := float64(merges) / seconds; perSecond > 4 {
			t.Errorf("overlap %d: %v merges a slice", overlap, perSecond)
		}
	}
}

// overlaps are how many windows a record belongs to.
var overlaps = []int64{1, 5, 60, 720}

const (
	overlapKeys = 100
	perSlide    = 1000 // records
)

func benchmarkOverlap[V any](b *testing.B, spec func(o WindowOptions) Spec) {
	for _, overlap := range overlaps {
		b.Run(fmt.Sprint(overlap), func(b *testing.B) {
			end := &last[V]{}
			w := newBench(b, spec(sliding(overlap, 1)), end)
			in, rec := w.op.(Node).Input(0).(Collector[offer]), offer{}
			b.ReportAllocs()
			for i := int64(0); b.Loop(); i++ {
				rec.Auction, rec.Cents = i*7919%overlapKeys, i
				in.Collect(&rec, sec(i/perSlide))
				if i%perSlide == perSlide-1 {
					w.advance(sec(i/perSlide+1) - 1)
				}
			}
			if w.advance(EndTime); end.n == 0 {
				b.Error("no window has fired")
			}
		})
	}
}

func cents(o offer) int64 { return o.Cents }

func BenchmarkOverlapUndone(b *testing.B) {
	benchmarkOverlap[Pane[int64, int64]](b, func(o WindowOptions) Spec { return NewWindowSum(auction, cents, o) })
}

func BenchmarkOverlapStacked(b *testing.B) {
	benchmarkOverlap[offer](b, func(o WindowOptions) Spec { return NewWindowMaxBy(auction, cents, o) })
}

// The definition folds each window from all of its slices.
func BenchmarkOverlapDefinition(b *testing.B) {
	sum, _ := hash.Of[int64]()
	for _, overlap := range overlaps {
		b.Run(fmt.Sprint(overlap), func(b *testing.B) {
			slices, whole := make([]table[int64, int64], overlap), table[int64, int64]{}
			end, rec := &last[Pane[int64, int64]]{}, offer{}
			for i := int64(0); b.Loop(); i++ {
				rec.Auction, rec.Cents = i*7919%overlapKeys, i
				now := i / perSlide
				*slices[now%overlap].ref(sum(rec.Auction), &rec.Auction) += rec.Cents
				if i%perSlide != perSlide-1 {
					continue
				}
				for n := range slices {
					for _, s := range slices[n].all {
						*whole.ref(s.hash, &s.key) += s.of
					}
				}
				for _, s := range whole.all {
					pane := Pane[int64, int64]{Key: s.key, Start: timeOf(sec(now + 1 - overlap)), End: timeOf(sec(now + 1)), Value: s.of}
					end.Collect(&pane, sec(now+1)-1)
				}
				whole.clear()
				slices[(now+1)%overlap].clear()
			}
		})
	}
}
