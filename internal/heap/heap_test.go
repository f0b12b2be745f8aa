package heap

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestTheFirstElementIsTheLeast(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var all, plain []int
	for range 10_000 {
		switch n := r.IntN(100); {
		case len(all) == 0 || r.IntN(5) < 2:
			Push(&all, n, cmp.Compare)
			plain = append(plain, n)
		case r.IntN(2) == 0:
			Pop(&all, cmp.Compare)
			plain = plain[1:]
		default:
			all[0] += n
			Sink(all, cmp.Compare)
			plain[0] += n
		}
		if slices.Sort(plain); len(all) != len(plain) || len(all) > 0 && all[0] != plain[0] {
			t.Fatalf("%v is no heap of %v", all, plain)
		}
	}
}
