package operator

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

func couple(l, r *sale) string {
	if r == nil {
		return fmt.Sprintf("%s %d-", l.Shop, l.Sum)
	}
	return fmt.Sprintf("%s %d-%d", l.Shop, l.Sum, r.Sum)
}

// together says whether two times are in a window, and in how many.
func together(w Window, a, b int64) (n int) {
	size, slide := int64(w.size/time.Second), int64(w.slide/time.Second)
	for start := floorTo(a-size, slide, 0) + slide; start <= a; start += slide {
		if start <= b && b < start+size {
			n++
		}
	}
	return n
}

// Records of both sides in any order, with restores in between: the pairs are those of two
// loops, once for each window that has both.
func TestAWindowJoinAgreesWithTwoLoops(t *testing.T) {
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 7))
		w := []Window{tumbling(1 + r.Int64N(9)).Window, sliding(4+r.Int64N(9), 1+r.Int64N(4)).Window}[seed%2]
		spec := NewWindowJoin(shop, shop, couple, w)
		if seed%4 > 1 {
			spec = NewWindowLeftJoin(shop, shop, couple, w)
		}
		out := &kettle[string]{}
		b := newBench(t, spec, out)
		var side [2][]sale
		for now := range int64(60) {
			s, i := sale{string(rune('a' + r.IntN(3))), int(now), now - r.Int64N(5)}, r.IntN(2)
			sendTo(b, i, s, sec(s.At))
			side[i] = append(side[i], s)
			if r.IntN(4) == 0 {
				b.advance(sec(now-4) - 1)
			}
			if r.IntN(12) == 0 {
				b = newBench(t, spec, out).restore(b.snapshot())
			}
		}
		b.advance(EndTime)
		var want []string
		for _, l := range side[0] {
			matched := map[int64]bool{}
			for _, r := range side[1] {
				if l.Shop == r.Shop {
					for range together(w, l.At, r.At) {
						want = append(want, couple(&l, &r))
					}
				}
			}
			if seed%4 > 1 {
				size, slide := int64(w.size/time.Second), int64(w.slide/time.Second)
				for start := floorTo(l.At-size, slide, 0) + slide; start <= l.At; start += slide {
					for _, r := range side[1] {
						matched[start] = matched[start] || l.Shop == r.Shop && start <= r.At && r.At < start+size
					}
					if !matched[start] {
						want = append(want, couple(&l, nil))
					}
				}
			}
		}
		slices.Sort(want)
		if slices.Sort(out.got); !slices.Equal(out.got, want) {
			t.Fatalf("seed %d, %v:\ngot  %s\nwant %s", seed, w, strings.Join(out.got, ", "), strings.Join(want, ", "))
		}
	}
}

func TestASessionJoinPairsWhatIsInOneSession(t *testing.T) {
	out := &kettle[string]{}
	b := newBench(t, NewWindowJoin(shop, shop, couple, Session(10*time.Second)), out)
	sendTo(b, 0, sale{"a", 1, 0}, sec(1))
	sendTo(b, 1, sale{"a", 2, 0}, sec(30))
	sendTo(b, 1, sale{"a", 3, 0}, sec(11))
	sendTo(b, 0, sale{"a", 4, 0}, sec(41))
	sendTo(b, 0, sale{"a", 5, 0}, sec(20)) // joins all but the last
	b.advance(sec(41))
	sendTo(b, 1, sale{"a", 6, 0}, sec(20))
	b.advance(EndTime)
	same(t, out.got, "a 1-2", "a 1-3", "a 5-2", "a 5-3")
	if b.counts["late"] != 1 {
		t.Errorf("counted %v", b.counts)
	}
}

func TestPanesOfSeveralRows(t *testing.T) {
	sum := func(s sale) int { return s.Sum }
	down := func(a, b sale) int { return cmp.Compare(b.Sum, a.Sum) }
	sales := []sale{{"a", 4, 1}, {"a", 9, 2}, {"a", 1, 3}, {"a", 9, 6}, {"a", 1, 7}, {"a", 5, 8}}
	for _, c := range []struct {
		spec Spec
		want []sale // of the window from 0 to 10
	}{
		{NewWindowAllMaxBy(shop, sum, sliding(10, 5)), []sale{sales[1], sales[3]}},
		{NewWindowAllMinBy(shop, sum, sliding(10, 5)), []sale{sales[2], sales[4]}},
		{NewWindowTop(shop, 3, down, sliding(10, 5)), []sale{sales[1], sales[3], sales[5]}},
	} {
		out := &kettle[sale]{}
		two := newTwoSteps(t, c.spec, out)
		for i, s := range sales {
			send(two.first, s, sec(s.At))
			if i == 3 {
				two.advance(sec(5) - 1)
				out.take() // of the window to 5
			}
		}
		two.advance(sec(10) - 1)
		same(t, out.take(), c.want...)
		two.advance(EndTime)
		if out.take() == nil {
			t.Error("the last window is empty")
		}
	}
	if err := NewWindowTop(shop, 0, down, tumbling(1)).Err; err == nil || err.Error() != "top 0: at least 1" {
		t.Errorf("got %v", err)
	}
}

func TestABagAllocatesNothingForItsFirstRecord(t *testing.T) {
	s := sale{"a", 1, 1}
	var sum int
	if a := testing.AllocsPerRun(100, func() {
		var b bag[sale, struct{}]
		b.put(&s)
		for in := range b.all {
			sum += in.Sum
		}
	}); a != 0 {
		t.Errorf("%v allocations", a)
	}
}

// comeInTurns advances an operator to the end, without and with pressure at every hundredth row. The
// panes of two keys, with so many rows together, are at hand.
func comeInTurns[R any](t *testing.T, spec Spec, sides, sales, rows int) {
	for _, limit := range []int{0, 100} {
		out := &kettle[R]{limit: limit}
		b := newBench(t, spec, out, func(b *bench) { out.p = b.pressure })
		for n := range sales {
			for side := range sides {
				sendTo(b, side, sale{string(rune('a' + n%2)), n, int64(n)}, sec(int64(n)))
			}
		}
		most, turns := 2*rowsPerTurn, 1
		if limit > 0 {
			most = limit + len(newSlots[R]())
		}
		for before := 0; !b.advance(EndTime); turns++ {
			if n := len(out.got) - before; n > most || turns == 1 && b.op.(Gatherer).Empty() {
				t.Fatalf("%d rows in a turn, pressure at %d", n, limit)
			}
			before = len(out.got)
			for b.pressure.Held() {
				b.pressure.Release()
			}
		}
		distinct := map[string]bool{}
		for _, r := range out.got {
			distinct[fmt.Sprint(r)] = true
		}
		if len(distinct) != rows || len(out.got) != rows || turns < rows/most || !b.op.(Gatherer).Empty() {
			t.Errorf("%d rows, %d of them distinct, in %d turns, pressure at %d", len(out.got), len(distinct), turns, limit)
		}
	}
}

// However many there are of a pane: others go on between two turns, and pressure stops them.
func TestTheRowsOfAPaneComeInTurns(t *testing.T) {
	comeInTurns[string](t, NewWindowJoin(shop, shop, couple, tumbling(1000).Window), 2, 160, 2*80*80)
	comeInTurns[string](t, NewWindowLeftJoin(shop, shop, couple, sessions(10).Window), 2, 160, 2*80*80)
	comeInTurns[string](t, NewWindowJoin(shop, shop, couple, sliding(5000, 5000).Window), 2, 160, 2*80*80)
	comeInTurns[sale](t, NewWindowAllMaxBy(shop, func(sale) int { return 1 }, tumbling(10_000)), 1, 9000, 9000)
	comeInTurns[sale](t, NewWindowTop(shop, 4000, func(a, b sale) int { return cmp.Compare(a.Sum, b.Sum) }, sessions(10)), 1, 9000, 8000)
}
