package operator

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

// census is an Accumulator whose Result is what it holds.
type census struct{ Sums map[int]int }

func (m *census) Add(s sale) { m.put(s.Sum, 1) }

func (m *census) Merge(o census) {
	for sum, n := range o.Sums {
		m.put(sum, n)
	}
}

func (m *census) Result() map[int]int { return m.Sums }

func (m *census) put(sum, n int) {
	if m.Sums == nil {
		m.Sums = map[int]int{}
	}
	m.Sums[sum] += n
}

// album keeps panes, with what they said when they came. One that spoils them writes to what they
// refer to.
type album struct {
	got    []Pane[string, map[int]int]
	said   []string
	spoils bool
}

func (a *album) Collect(in *Pane[string, map[int]int], _ int64) {
	a.got, a.said = append(a.got, *in), append(a.said, fmt.Sprint(*in))
	if a.spoils {
		in.Value[-1]++
	}
}

// filled is an album of a window over random sales, with restores in between, from snapshots that
// are drained while panes come.
func filled(t *testing.T, o WindowOptions, seed uint64, spoils bool) *album {
	r, a := rand.New(rand.NewPCG(seed, 21)), &album{spoils: spoils}
	spec := NewWindowAggregate(shop, &census{}, o)
	b := newBench(t, spec, a)
	var f Frozen
	for now := range int64(60) {
		for range r.IntN(4) {
			at := now - r.Int64N(15)
			send(b, sale{string(rune('a' + r.IntN(3))), int(now), at}, sec(at))
		}
		if r.IntN(3) == 0 {
			b.advance(sec(now-r.Int64N(8)) - 1)
		}
		switch {
		case f == nil && r.IntN(8) == 0:
			var err error
			f, err = b.op.(Snapshotter).Snapshot(SnapshotOptions{Checkpoint: 1})
			b.check(err)
		case f != nil && r.IntN(4) == 0:
			done, err := f.Drain(1 << 20)
			if b.check(err); !done {
				t.Fatal("a MiB does not hold a few sales")
			}
			b, f = newBench(t, spec, a).restore(f.Part()), nil
		}
	}
	b.advance(EndTime)
	return a
}

// What an accumulator holds may be its result: nobody sees it change later, and who changes it
// changes nothing else.
func TestAPaneIsNobodyElses(t *testing.T) {
	for seed := range uint64(120) {
		o := []WindowOptions{tumbling(10), sliding(12, 3), sliding(9, 2), sessions(5)}[seed%4]
		o.Lateness = time.Duration(seed/4%3*5) * time.Second
		kept, spoilt := filled(t, o, seed, false), filled(t, o, seed, true)
		for i, p := range kept.got {
			if now := fmt.Sprint(p); now != kept.said[i] {
				t.Fatalf("%v, lateness %v: a pane that was\n%s\nhas become\n%s", o.Window, o.Lateness, kept.said[i], now)
			}
		}
		if !slices.Equal(spoilt.said, kept.said) {
			t.Fatalf("%v, lateness %v: if panes are written to, they are\n%s\nand not\n%s", o.Window, o.Lateness, strings.Join(spoilt.said, "\n"), strings.Join(kept.said, "\n"))
		}
	}
}

// merged counts how often it is merged.
type merged struct{ N, Merges int }

func (m *merged) Add(sale)       { m.N++ }
func (m *merged) Merge(o merged) { m.N, m.Merges = m.N+o.N, m.Merges+o.Merges+1 }
func (m *merged) Result() int    { return m.Merges }

func TestAPaneOfAnAccumulatorThatRefersToNothingIsNotMergedForIt(t *testing.T) {
	for _, o := range []WindowOptions{tumbling(10), sessions(5)} {
		o.Lateness = time.Minute
		out := &kettle[Pane[string, int]]{}
		b := newBench(t, NewWindowAggregate(shop, &merged{}, o), out)
		sell(b, "a", 1)
		b.advance(sec(20))
		if len(out.got) != 1 || out.got[0].Value != 0 {
			t.Errorf("%v: got %v, want no merge", o.Window, out.got)
		}
	}
}
