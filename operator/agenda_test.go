package operator

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// Whatever is added when, the visits come in the order of their time, then in that of who.
func TestVisitsComeInOrder(t *testing.T) {
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 31))
		a, now := newAgenda(1+r.Int64N(20)), r.Int64N(100)-50
		var plain []visit
		gone := map[visit]bool{}
		for range 400 {
			switch r.IntN(8) {
			case 0:
				now += r.Int64N(1 + r.Int64N(200))
			case 1:
				if len(plain) > 0 && r.IntN(4) == 0 {
					gone[plain[r.IntN(len(plain))]] = true
				}
				stale := func(v visit) bool { return gone[v] }
				if before := a.n; before >= a.full {
					a.tidy(stale)
					plain = slices.Compact(slices.DeleteFunc(plain, stale))
				}
			case 2, 3, 4:
				v := visit{now - 20 + r.Int64N(1+r.Int64N(1000)), int32(r.IntN(5))}
				a.add(v)
				i, _ := slices.BinarySearchFunc(plain, v, visit.compare)
				plain = slices.Insert(plain, i, v)
			default:
				v, ok := a.pop(now)
				if want := len(plain) > 0 && plain[0].at <= now; ok != want || ok && v != plain[0] {
					t.Fatalf("seed %d, now %d: got %v, %v of %v", seed, now, v, ok, plain)
				}
				if ok {
					plain = plain[1:]
				}
			}
			if a.n != len(plain) {
				t.Fatalf("seed %d: %d visits, want %d", seed, a.n, len(plain))
			}
		}
	}
}

// BenchmarkAgenda is a visit that is asked for, in a bucket of its own, and paid: it should cost
// the same however many lie ahead, and in whatever order they were asked for.
func BenchmarkAgenda(b *testing.B) {
	for _, step := range []int64{1, 7919} {
		for _, ahead := range []int64{1 << 10, 1 << 18} {
			b.Run(fmt.Sprintf("ahead=%d/step=%d", ahead, step), func(b *testing.B) {
				a := newAgenda(1)
				for i := range ahead {
					a.add(visit{i * step % ahead, 0})
				}
				for i := int64(0); b.Loop(); i++ {
					if _, ok := a.pop(i); !ok {
						b.Fatal("no visit is due")
					}
					a.add(visit{i/ahead*ahead + ahead + i%ahead*step%ahead, 0})
				}
			})
		}
	}
}
