package actors

// ring is a queue in a circular slice that grows as needed.
type ring[T any] struct {
	buf  []T
	head int
	n    int
}

// keepRing is the capacity above which an emptied ring gives its memory back.
const keepRing = 1024

func (r *ring[T]) push(v T) {
	if r.n == len(r.buf) {
		r.grow()
	}
	r.buf[(r.head+r.n)&(len(r.buf)-1)] = v
	r.n++
}

func (r *ring[T]) pop() T {
	var zero T
	v := r.buf[r.head]
	r.buf[r.head] = zero
	r.head = (r.head + 1) & (len(r.buf) - 1)
	r.n--
	if r.n == 0 && len(r.buf) > keepRing {
		*r = ring[T]{}
	}
	return v
}

// grow doubles the capacity, which is always a power of two.
func (r *ring[T]) grow() {
	buf := make([]T, max(4, 2*len(r.buf)))
	n := copy(buf, r.buf[r.head:])
	copy(buf[n:], r.buf[:r.head])
	r.buf, r.head = buf, 0
}
