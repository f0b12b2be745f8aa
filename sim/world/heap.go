package world

// event is something that will happen at a time; among equal times the earlier made goes
// first.
type event struct {
	at   int64
	seq  uint64
	task *task
}

// task is what happens, at a node or, without one, in the world.
type task struct {
	f    func() // nil: cancelled
	node *Node
	of   *process // not nil: only while this process lives
}

// heap holds events by value, four children to a parent.
type heap struct{ a []event }

func (x *event) before(y *event) bool { return x.at < y.at || x.at == y.at && x.seq < y.seq }

func (h *heap) push(e event) {
	h.a = append(h.a, e)
	i := len(h.a) - 1
	for i > 0 {
		parent := (i - 1) >> 2
		if !e.before(&h.a[parent]) {
			break
		}
		h.a[i] = h.a[parent]
		i = parent
	}
	h.a[i] = e
}

func (h *heap) pop() event {
	top := h.a[0]
	n := len(h.a) - 1
	e := h.a[n]
	h.a[n] = event{}
	h.a = h.a[:n]
	if n > 0 {
		h.sink(e)
	}
	return top
}

// sink puts e at the root and lets it down to its place.
func (h *heap) sink(e event) {
	i, n := 0, len(h.a)
	for {
		least := i<<2 + 1
		if least >= n {
			break
		}
		for child, end := least+1, min(least+4, n); child < end; child++ {
			if h.a[child].before(&h.a[least]) {
				least = child
			}
		}
		if !h.a[least].before(&e) {
			break
		}
		h.a[i] = h.a[least]
		i = least
	}
	h.a[i] = e
}
