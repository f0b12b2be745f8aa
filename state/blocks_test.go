package state

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// held is how many blocks are taken.
func (b *blocks[T]) held() (n int) {
	for _, c := range b.classes {
		n += int(c.used) - len(c.free)
	}
	return n
}

func TestBlocksHoldWhatSlicesWould(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var b blocks[[3]int]
	type sequence struct {
		block uint32
		want  [][3]int
	}
	all := make([]sequence, 50)
	for step := range 200_000 {
		s := &all[r.IntN(len(all))]
		if r.IntN(1+len(s.want)/2) > r.IntN(400) {
			b.free(s.block, len(s.want))
			*s = sequence{}
			continue
		}
		x := [3]int{step, -step, 1}
		s.block = b.room(s.block, len(s.want))
		b.of(s.block, len(s.want)+1)[len(s.want)] = x
		if s.want = append(s.want, x); !slices.Equal(b.of(s.block, len(s.want)), s.want) {
			t.Fatalf("%v became %v", s.want, b.of(s.block, len(s.want)))
		}
	}
	used := 0
	for _, s := range all {
		if !slices.Equal(b.of(s.block, len(s.want)), s.want) {
			t.Fatalf("%v became %v", s.want, b.of(s.block, len(s.want)))
		}
		if b.free(s.block, len(s.want)); len(s.want) > 0 {
			used++
		}
	}
	if b.held() != 0 || used == 0 {
		t.Errorf("%d blocks are held, %d were used", b.held(), used)
	}
}

func TestAFreeBlockHoldsNothingAndALargeOneNoMemory(t *testing.T) {
	var b blocks[*int]
	for _, n := range []int{1, 2, 3, 100, slabBytes} {
		block := b.take(n)
		for i := range b.of(block, n) {
			b.of(block, n)[i] = new(int)
		}
		b.free(block, n)
		if c := b.classes[classOf(n)]; c.shift == 0 && c.slabs[block] != nil {
			t.Errorf("a free block of %d elements keeps its memory", n)
		}
		if again := b.take(n); again != block || slices.ContainsFunc(b.of(again, n), func(p *int) bool { return p != nil }) {
			t.Errorf("block %d of %d elements was taken again as %d, with %v", block, n, again, b.of(again, n))
		}
	}
}
