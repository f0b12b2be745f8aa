package state

import (
	"math/bits"
	"unsafe"
)

// blocks keeps short sequences of T in blocks of 1, 2, 4, … elements, so that thousands of
// them are one object for the garbage collector and growing makes no garbage. A sequence of
// n elements lies in the smallest block that it fits in: its length tells its class, and the
// number of the block the place. No elements need no block.
//
//	class 2: slab ─ [4][4][4][4]…    slab ─ [4][4][4][4]…    free: 3, 17, …
type blocks[T any] struct {
	classes []class[T]
}

// class holds the blocks of one size in slabs.
type class[T any] struct {
	slabs [][]T
	shift uint8 // a slab holds 1<<shift blocks
	used  uint32
	free  []uint32
}

const slabBytes = 8 << 10

// classOf is the class of n elements, at least one.
func classOf(n int) int { return bits.Len(uint(n - 1)) }

// of are the n elements of a sequence.
func (b *blocks[T]) of(block uint32, n int) []T {
	if n == 0 {
		return nil
	}
	k := classOf(n)
	c := &b.classes[k]
	at := int(block&(1<<c.shift-1)) << k
	return c.slabs[block>>c.shift][at : at+n : at+n]
}

// take gives a block for n elements, at least one. All of them are zero.
func (b *blocks[T]) take(n int) uint32 {
	k := classOf(n)
	for len(b.classes) <= k {
		b.classes = append(b.classes, class[T]{shift: slabShift[T](len(b.classes))})
	}
	c := &b.classes[k]
	if f := len(c.free); f > 0 {
		block := c.free[f-1]
		c.free = c.free[:f-1]
		c.revive(block, k)
		return block
	}
	if int(c.used>>c.shift) == len(c.slabs) {
		c.slabs = append(c.slabs, make([]T, 1<<(int(c.shift)+k)))
	}
	c.used++
	return c.used - 1
}

// slabShift says how many blocks of class k fill a slab.
func slabShift[T any](k int) uint8 {
	var x T
	return uint8(bits.Len(uint(max(slabBytes/(max(int(unsafe.Sizeof(x)), 1)<<k), 1))) - 1)
}

// free takes back the block of n elements.
func (b *blocks[T]) free(block uint32, n int) {
	if n == 0 {
		return
	}
	clear(b.of(block, n))
	k := classOf(n)
	c := &b.classes[k]
	c.free = append(c.free, block)
	if c.shift == 0 {
		c.slabs[block] = nil // large ones go to the garbage collector
	}
}

// revive makes the slab of a large block that was taken back again.
func (c *class[T]) revive(block uint32, k int) {
	if c.slabs[block>>c.shift] == nil {
		c.slabs[block>>c.shift] = make([]T, 1<<k)
	}
}

// room gives the block with n elements room for one more, in a larger one if it must.
func (b *blocks[T]) room(block uint32, n int) uint32 {
	if n&(n-1) != 0 {
		return block
	}
	next := b.take(n + 1)
	copy(b.of(next, n+1), b.of(block, n))
	b.free(block, n)
	return next
}
