package graph

import (
	"math"
	"math/rand/v2"
	"testing"

	"blink/internal/hash"
)

func TestRangesCoverAllKeyGroupsOnceAndNameTheirTask(t *testing.T) {
	for max := range 65 {
		for parallelism := range 2 * max {
			checkRanges(t, max, parallelism+1)
		}
	}
	r := rand.New(rand.NewPCG(3, 4))
	for range 100 {
		max := 1 + r.IntN(MaxKeyGroups)
		checkRanges(t, max, 1+r.IntN(max))
	}
	for _, parallelism := range []int{1, 2, 3, 1000, MaxKeyGroups - 1, MaxKeyGroups} {
		checkRanges(t, MaxKeyGroups, parallelism)
	}
}

func checkRanges(t *testing.T, max, parallelism int) {
	t.Helper()
	next := 0
	for i := range parallelism {
		r := GroupRange(max, parallelism, i)
		if r.From != next || r.To < r.From {
			t.Fatalf("%d groups, %d tasks: task %d has %v, the one before ends at %d", max, parallelism, i, r, next)
		}
		if n := r.To - r.From; n < max/parallelism || n > max/parallelism+1 {
			t.Fatalf("%d groups, %d tasks: task %d has %d groups, which is no fair share", max, parallelism, i, n)
		}
		for g := r.From; g < r.To; g++ {
			if to := TaskOf(g, max, parallelism); to != i {
				t.Fatalf("%d groups, %d tasks: group %d is task %d's, and is sent to task %d", max, parallelism, g, i, to)
			}
		}
		next = r.To
	}
	if next != max {
		t.Fatalf("%d groups, %d tasks: the ranges end at %d", max, parallelism, next)
	}
}

// State on disk lies in the group of its key: a change of these values loses it.
func TestTheKeyGroupOfAHashNeverChanges(t *testing.T) {
	for _, c := range []struct {
		hash               uint64
		of8, of128, of1000 int
		ofMost             int
	}{
		{0, 0, 0, 0, 0},
		{1, 0, 0, 0, 0},
		{1<<61 - 1, 0, 15, 124, 4095},
		{1 << 61, 1, 16, 125, 4096},
		{0x0123456789abcdef, 0, 0, 4, 145},
		{0xfedcba9876543210, 7, 127, 995, 32622},
		{hash.String("JFK"), 1, 20, 157, 5165},
		{hash.Uint64(42), 5, 95, 743, 24352},
		{math.MaxUint64, 7, 127, 999, 32767},
	} {
		got := [4]int{KeyGroup(c.hash, 8), KeyGroup(c.hash, 128), KeyGroup(c.hash, 1000), KeyGroup(c.hash, MaxKeyGroups)}
		if want := [4]int{c.of8, c.of128, c.of1000, c.ofMost}; got != want {
			t.Errorf("%#x lies in groups %v of 8, 128, 1000 and 32768, want %v", c.hash, got, want)
		}
	}
}

func TestEveryHashHasAKeyGroupAndTheOrderOfHashesIsKept(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for range 10_000 {
		groups, a, b := 1+r.IntN(MaxKeyGroups), r.Uint64(), r.Uint64()
		low, high := KeyGroup(min(a, b), groups), KeyGroup(max(a, b), groups)
		if low < 0 || high >= groups || low > high {
			t.Fatalf("%#x and %#x lie in groups %d and %d of %d", min(a, b), max(a, b), low, high, groups)
		}
	}
}

func TestTheIntersectionHoldsWhatBothRangesHold(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	for range 2000 {
		a, b := randomRange(r), randomRange(r)
		x := a.Intersect(b)
		if x.From > x.To {
			t.Fatalf("%v and %v have %v in common", a, b, x)
		}
		for g := range 17 {
			if x.Contains(g) != (a.Contains(g) && b.Contains(g)) {
				t.Fatalf("%v and %v have %v in common: group %d", a, b, x, g)
			}
		}
	}
}

func randomRange(r *rand.Rand) Range {
	from := r.IntN(16)
	return Range{from, from + r.IntN(17-from)}
}
