package actors

import (
	"fmt"
	"slices"
)

// How an actor stops: beginStop tells it so and tells its children to; settle waits until
// they are down and its Go work has returned; then the library removes it, and finish tells
// those who watch it. The library itself tells the parent.

func (c *cell) beginStop() {
	c.become(stopping)
	c.stopTimers()
	c.endWork()
	c.mb.endYield()
	c.asks = nil
	if c.receive != nil {
		c.tellActor(Stopping{})
	}
	for _, child := range c.inOrder() {
		child.mb.push(envelope{m: stop{}}, false)
	}
	c.settle()
}

// settle ends the actor when nothing of it is left, and what it wants done last is done.
func (c *cell) settle() {
	if c.state != stopping || c.live > 0 || c.works > 0 {
		return
	}
	if c.last != nil {
		c.beginLast()
		return
	}
	c.become(gone)
	c.kernel.Stop(c.kernel.Self())
}

// finish is called by the library when the actor is removed.
func (c *cell) finish() {
	left, watchers := c.mb.close()
	c.sys.unregister(c)
	for i := range left {
		c.discard(&left[i])
	}
	for _, w := range watchers {
		w.mb.push(envelope{m: watched{c}}, false)
	}
	if c.gone != nil {
		c.gone.open()
	}
}

// discard ends the way of a message that came after Stopping.
func (c *cell) discard(e *envelope) {
	switch m := e.m.(type) {
	case *Work:
		c.ended(m, m.err)
	case overdue:
		c.ended(m.w, fmt.Errorf("it takes longer than %v: it is left behind", m.within))
	case stop, full, *timer, childDown, watched, absent, unanswered, call:
	default:
		c.mb.countDropped()
		if e.ask == 0 {
			c.sys.lost(e.from, c.ref, e.m)
		}
	}
}

func (m *mailbox) countDropped() {
	m.mu.Lock()
	m.stats.dropped++
	m.mu.Unlock()
}

// terminated is told by the library that a child is down. The actor hears of it behind what
// the child has told it.
func (c *cell) terminated(id string) {
	child := c.children[id]
	c.live--
	if c.state == running {
		c.mb.push(envelope{m: childDown{child}}, false)
		return
	}
	c.settle()
}

// childGone delivers the Down of a child, and opens the barriers that waited for it.
func (c *cell) childGone(child *cell) {
	delete(c.children, child.ref.ID)
	c.tellActor(child.down())
	for _, b := range child.barriers {
		if b.left--; b.left == 0 && !c.leaving {
			c.guard(func() error { b.then(); return nil })
		}
	}
}

// barrier waits for the children that StopAll stopped.
type barrier struct {
	left int
	then func()
}

// inOrder returns the children in the order of their spawning.
func (c *cell) inOrder() []*cell {
	all := make([]*cell, 0, len(c.children))
	for _, child := range c.children {
		all = append(all, child)
	}
	slices.SortFunc(all, func(a, b *cell) int { return int(a.order) - int(b.order) })
	return all
}

// Stop stops a child behind what it has been told before, or the actor itself when this
// turn ends. A child that is already down is left alone. It panics for any other actor.
func (c *Ctx) Stop(r Ref) {
	if r == c.c.ref {
		c.c.leaving = true
		return
	}
	if child := c.c.children[r.ID]; child != nil && r.Node == c.c.ref.Node {
		child.mb.push(envelope{m: stop{}}, false)
		return
	}
	if !c.c.isAbove(r) {
		panic(fmt.Errorf("%v cannot stop %v: neither a child nor itself", c.c.ref, r))
	}
}

// isAbove says whether r could be the name of a child.
func (c *cell) isAbove(r Ref) bool {
	n := len(c.ref.ID)
	return r.Node == c.ref.Node && len(r.ID) > n && r.ID[:n] == c.ref.ID && r.ID[n] == '/'
}

// StopAll stops all children, and runs then as a turn of this actor when it has got the
// Down of every one of them. Children spawned later are not waited for.
func (c *Ctx) StopAll(then func()) {
	all := c.c.inOrder()
	if len(all) == 0 {
		c.c.mb.push(envelope{m: call{then}}, false)
		return
	}
	b := &barrier{left: len(all), then: then}
	for _, child := range all {
		child.barriers = append(child.barriers, b)
		child.mb.push(envelope{m: stop{}}, false)
	}
}

// Watch asks for the Down of another actor of this node; of one that is not there it comes
// at once. A second Watch before that changes nothing, nor does one of a child, whose Down
// comes anyway. Of an actor on another node nothing is known here: its Down has Reason
// NodeLost and comes at once; use leases and reports.
func (c *Ctx) Watch(r Ref) {
	a := c.c
	switch {
	case r == a.ref:
		panic(fmt.Errorf("%v cannot watch itself", r))
	case r.Node != a.ref.Node:
		a.mb.push(envelope{m: absent{Down{Ref: r, Reason: NodeLost}}}, false)
		return
	case a.children[r.ID] != nil:
		return
	}
	if other := a.sys.find(r.ID); other == nil || !other.addWatcher(a) {
		a.mb.push(envelope{m: absent{Down{Ref: r, Reason: NotFound}}}, false)
	}
}

// addWatcher returns false if c is down.
func (c *cell) addWatcher(by *cell) bool {
	if by.watching[c] {
		return true
	}
	c.mb.mu.Lock()
	defer c.mb.mu.Unlock()
	if c.mb.closed {
		return false
	}
	c.mb.watchers = append(c.mb.watchers, by)
	if by.watching == nil {
		by.watching = map[*cell]bool{}
	}
	by.watching[c] = true
	return true
}
