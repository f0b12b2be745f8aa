package operator

// rolling is what the window that fires holds of each key, when windows overlap. From one
// window to the next it takes in the slices that are new and gives up those that have left,
// so a slice costs the same however many windows it belongs to. It is derived from the slices
// alone and is not stored: a restored one takes all of them in again.
//
// What can be undone is taken away from one sum. Otherwise the slices of a key are two stacks:
//
//	       leaving ◄──                          ◄── coming
//	front  a+b+c   b+c   c  │  d   e   back     acc: d+e
//
// Each node of the front holds the sum of its slice and the later ones of the front. When the
// front is empty the back becomes the front, so each slice of a key is added three times at most.
type rolling[K comparable, A any] struct {
	merging[A]
	from, to int64 // the slices that begin in between are in it
	table    table[K, rolled[A]]
	pool     []node[A] // of the stacks, from 1 on
	free     []int32
	stale    []staleKey[K]
	sum      A
}

// rolled is what is held of one key.
type rolled[A any] struct {
	acc         A     // of all slices, or of the back
	front, back int32 // the first node: of the earliest slice, and of the latest; 0: none
	slices      int32
	stale       bool // a slice in it has changed: it is made anew for the next window
}

type node[A any] struct {
	slice int64
	acc   A
	next  int32
}

type staleKey[K comparable] struct {
	hash uint64
	key  K
}

func newRolling[K comparable, A any](m merging[A]) rolling[K, A] {
	return rolling[K, A]{merging: m, from: NoTime, to: NoTime, pool: make([]node[A], 1)}
}

// take takes in what a slice holds of a key.
func (r *rolling[K, A]) take(hash uint64, key *K, slice int64, acc *A) {
	if e := r.table.ref(hash, key); !e.stale {
		r.push(e, slice, acc)
	}
}

func (r *rolling[K, A]) push(e *rolled[A], slice int64, acc *A) {
	r.merge(&e.acc, acc)
	e.slices++
	if r.undo != nil {
		return
	}
	n := node[A]{slice, *acc, e.back}
	if free := len(r.free); free > 0 {
		e.back = r.free[free-1]
		r.free = r.free[:free-1]
		r.pool[e.back] = n
		return
	}
	e.back = int32(len(r.pool))
	r.pool = append(r.pool, n)
}

// give gives up what the earliest slice holds of a key.
func (r *rolling[K, A]) give(hash uint64, key *K, acc *A) {
	n := r.table.number(hash, key)
	e := &r.table.row(n).of
	if e.slices--; e.slices == 0 {
		r.drop(e)
		r.table.forget(hash, n)
		return
	}
	if r.undo != nil {
		r.undo(&e.acc, acc)
		return
	}
	if e.front == 0 {
		r.turn(e)
	}
	first := e.front
	e.front = r.pool[first].next
	r.release(first)
}

// turn makes the back the front.
func (r *rolling[K, A]) turn(e *rolled[A]) {
	later := int32(0)
	for at := e.back; at != 0; {
		n := &r.pool[at]
		if later != 0 {
			var sum A // the node's own may be shared with the slice
			r.merge(&sum, &n.acc)
			r.merge(&sum, &r.pool[later].acc)
			n.acc = sum
		}
		at, n.next, later = n.next, later, at
	}
	var none A
	e.front, e.back, e.acc = later, 0, none
}

// value is what the window holds of a key, valid until the next call.
func (r *rolling[K, A]) value(e *rolled[A]) *A {
	switch {
	case e.front == 0:
		return r.apart(&e.acc)
	case e.back == 0:
		return r.apart(&r.pool[e.front].acc)
	}
	var none A
	r.sum = none
	r.merge(&r.sum, &r.pool[e.front].acc)
	r.merge(&r.sum, &e.acc)
	return &r.sum
}

// spoil has what is held of a key made anew, since a slice in it has changed.
func (r *rolling[K, A]) spoil(hash uint64, key *K) {
	if e := r.table.ref(hash, key); !e.stale {
		e.stale = true
		r.stale = append(r.stale, staleKey[K]{hash, *key})
	}
}

// renew makes anew what is stale: slices are those in it.
func (r *rolling[K, A]) renew(slices []*slice[K, A]) {
	for i := range r.stale {
		hash, key := r.stale[i].hash, &r.stale[i].key
		e := r.table.ref(hash, key)
		r.drop(e)
		for _, s := range slices {
			if acc := s.table.find(hash, key); acc != nil {
				r.push(e, s.start, acc)
			}
		}
		if e.slices == 0 {
			r.table.forget(hash, r.table.number(hash, key))
		}
	}
	clear(r.stale)
	r.stale = r.stale[:0]
}

// drop empties e.
func (r *rolling[K, A]) drop(e *rolled[A]) {
	for _, at := range [2]int32{e.front, e.back} {
		for at != 0 {
			next := r.pool[at].next
			r.release(at)
			at = next
		}
	}
	*e = rolled[A]{}
}

func (r *rolling[K, A]) release(at int32) {
	r.pool[at] = node[A]{}
	r.free = append(r.free, at)
}
