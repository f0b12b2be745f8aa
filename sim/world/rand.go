package world

import (
	"math/bits"
	"time"

	"github.com/zeebo/xxh3"
)

// Rand is a stream of chance: SplitMix64. Streams of different labels are independent, and
// drawing from one does not shift another. It is a rand.Source of math/rand/v2.
type Rand struct{ state uint64 }

const golden = 0x9e3779b97f4a7c15

// NewRand returns the stream of a seed.
func NewRand(seed uint64) *Rand { return &Rand{mix(seed + golden)} }

func mix(x uint64) uint64 {
	x ^= x >> 30
	x *= 0xbf58476d1ce4e5b9
	x ^= x >> 27
	x *= 0x94d049bb133111eb
	return x ^ x>>31
}

// Split returns the stream of a label. It depends on the seed and the label only when it is
// called before anything is drawn from r.
func (r *Rand) Split(label string) *Rand { return &Rand{mix(r.state ^ xxh3.HashString(label))} }

// Uint64 draws 64 bits.
func (r *Rand) Uint64() uint64 {
	r.state += golden
	return mix(r.state)
}

// N draws from [0, n); 0 when n is not positive.
func (r *Rand) N(n int) int {
	if n <= 0 {
		return 0
	}
	hi, _ := bits.Mul64(r.Uint64(), uint64(n))
	return int(hi)
}

// P says yes with probability p.
func (r *Rand) P(p float64) bool { return p > 0 && float64(r.Uint64()>>11)/(1<<53) < p }

// Between draws a duration from [low, high].
func (r *Rand) Between(low, high time.Duration) time.Duration {
	return low + time.Duration(r.N(int(high-low)+1))
}

// Delay is a distribution of durations with a heavy tail: mostly from [Min, Max], but with
// probability TailP longer by Tail, doubled up to six times with probability one half each.
type Delay struct {
	Min, Max, Tail time.Duration
	TailP          float64
}

const maxDoublings = 6

// draw uses integers only, so that it is the same on every machine.
func (d Delay) draw(r *Rand) time.Duration {
	x := r.Between(d.Min, d.Max)
	if !r.P(d.TailP) {
		return x
	}
	doublings := min(bits.TrailingZeros64(r.Uint64()), maxDoublings)
	return x + r.Between(0, d.Tail)<<doublings
}
