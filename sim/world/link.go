package world

import (
	"slices"
	"time"

	"blink/actors"
	"blink/internal/invariant"
)

// Link is how the connections of the data plane behave. There is one for each pair of
// nodes: frames arrive in order, or the connection breaks as a whole.
type Link struct {
	Delay    Delay // of a frame, and of each step of connecting
	Notice   Delay // until an end notices that the connection is broken
	Patience Delay // how long a connection stalls on a cut before it breaks
}

// conn is the connection of two nodes. Its generations follow each other:
//
//	idle ──Send──► live ──crash, cut for too long, Break──► idle
//	                        └─ each end notices on its own ─► "te" gets Lost
//
// An end sends into the generation it knows, until it notices that it is broken; what is on
// the way then, or sent before the notice, is lost. Its next frame opens a new generation,
// and an end that hears of a newer one than it knows has lost its own.
type conn struct {
	w     *World
	ends  [2]*Node
	gen   uint64
	live  bool
	ready int64     // when the generation is connected
	known [2]uint64 // the generation that each end's process sends into; 0: none
	lanes [2]lane   // by sending end
}

// lane is one direction of a connection.
type lane struct {
	last  int64    // when the last frame arrives
	stuck []func() // frames that arrived at a cut
}

// conn returns the connection between two nodes, and which end a is.
func (w *World) conn(a, b *Node) (c *conn, end int) {
	if a.name > b.name {
		a, b, end = b, a, 1
	}
	key := [2]*Node{a, b}
	if c = w.conns[key]; c == nil {
		c = &conn{w: w, ends: key}
		w.conns[key] = c
	}
	return c, end
}

// Links are the connections of one process.
type Links struct{ p *process }

// Links returns the connections of the running process; the node must not be down.
func (n *Node) Links() Links {
	invariant.Check(n.proc != nil, "links of node %s, which is down", n.name)
	return Links{n.proc}
}

// Send holds a frame to an actor until the process calls Flush. Frames between two nodes arrive
// in order, or the root actor "te" of both nodes is told that the connection is lost.
func (l Links) Send(to actors.Ref, frame []byte) {
	l.p.held = append(l.p.held, parcel{to, slices.Clone(frame)})
}

// Flush sends what is held.
func (l Links) Flush() {
	held := l.p.held
	l.p.held = nil
	for _, h := range held {
		there := l.p.node.w.byName[h.to.Node]
		if l.p.dead || there == nil {
			continue
		}
		c, end := l.p.node.w.conn(l.p.node, there)
		c.send(end, h.to, h.frame)
	}
}

// parcel is a frame on its way to an actor.
type parcel struct {
	to    actors.Ref
	frame []byte
}

func (c *conn) send(end int, to actors.Ref, frame []byte) {
	if c.known[end] == 0 {
		if !c.live {
			c.open()
		}
		c.known[end] = c.gen
	}
	gen := c.gen
	if !c.live || c.known[end] != gen {
		return // into a broken generation
	}
	c.forward(end, c.w.options.Link.Delay, func() { c.arrive(end, gen, to, frame) })
}

// forward lets arrive happen behind everything sent before.
func (c *conn) forward(end int, d Delay, arrive func()) {
	l := &c.lanes[end]
	l.last = max(c.w.now+int64(d.draw(c.w.chance.link)), c.ready, l.last)
	c.w.made++
	c.w.events.push(event{l.last, c.w.made, &task{f: arrive, node: c.ends[1-end]}})
}

// open begins a new generation. It breaks at once if nobody is there, and after a while if
// there is no way.
func (c *conn) open() {
	d := c.w.options.Link
	c.gen++
	c.live = true
	c.ready = c.w.now + 2*int64(d.Delay.draw(c.w.chance.link))
	c.lanes = [2]lane{}
	c.w.Note(c.ends[0].name, "connects with "+c.ends[1].name)
	gen := c.gen
	switch {
	case c.ends[0].proc == nil || c.ends[1].proc == nil:
		c.w.At(2*d.Delay.draw(c.w.chance.link), func() { c.breakUp(gen) })
	case c.cut():
		c.lose(gen)
	}
}

// lose breaks a generation if it is still on a cut when patience ends.
func (c *conn) lose(gen uint64) {
	c.w.At(c.w.options.Link.Patience.draw(c.w.chance.link), func() {
		if c.cut() {
			c.breakUp(gen)
		}
	})
}

func (c *conn) cut() bool {
	return c.w.path(c.ends[0], c.ends[1]).cut || c.w.path(c.ends[1], c.ends[0]).cut
}

// arrive hands over a frame, unless its generation is broken; at a cut it waits.
func (c *conn) arrive(end int, gen uint64, to actors.Ref, frame []byte) {
	there := c.ends[1-end]
	if !c.live || gen != c.gen || there.proc == nil {
		return
	}
	if l := &c.lanes[end]; len(l.stuck) > 0 || c.w.path(c.ends[end], there).cut {
		l.stuck = append(l.stuck, func() { c.arrive(end, gen, to, frame) })
		return
	}
	c.hear(1-end, gen)
	if route := c.w.options.Route; route != nil {
		to = route(there.proc.sys, to)
	}
	there.proc.sys.Deliver(actors.Ref{}, to, c.w.options.Frame(c.ends[end].name, frame))
}

// hear tells an end that generation gen is up: an older one that it knew is lost.
func (c *conn) hear(end int, gen uint64) {
	if known := c.known[end]; known != 0 && known != gen {
		c.tell(end)
	}
	c.known[end] = gen
}

// breakUp ends a generation. Each end notices on its own.
func (c *conn) breakUp(gen uint64) {
	if !c.live || gen != c.gen {
		return
	}
	c.live = false
	c.lanes = [2]lane{}
	c.w.Note(c.ends[0].name, "connection broken with "+c.ends[1].name)
	for end := range c.ends {
		c.w.after(c.w.options.Link.Notice.draw(c.w.chance.link), &task{node: c.ends[end], f: func() {
			if c.known[end] == gen {
				c.known[end] = 0
				c.tell(end)
			}
		}})
	}
}

// tell tells an end's executor that the connection is lost.
func (c *conn) tell(end int) {
	n := c.ends[end]
	if n.proc != nil {
		n.proc.sys.Tell(actors.Ref{Node: n.name, ID: "te"}, c.w.options.Lost(c.ends[1-end].name))
	}
}

// Break breaks the connection of two nodes, if there is one.
func (w *World) Break(a, b *Node) {
	c, _ := w.conn(a, b)
	c.breakUp(c.gen)
}

// Stall lets all frames that are sent from now on arrive after d at the earliest. No
// connection breaks; new ones are not stalled.
func (w *World) Stall(d time.Duration) {
	for _, c := range w.conns { // in any order: each on its own
		for end := range c.lanes {
			c.lanes[end].last = max(c.lanes[end].last, w.now+int64(d))
		}
	}
}

// dropLinks breaks the connections of a node that has crashed.
func (w *World) dropLinks(n *Node) {
	for _, other := range w.nodes {
		if c, end := w.conn(n, other); other != n {
			c.known[end] = 0
			c.breakUp(c.gen)
		}
	}
}

// stall is told that traffic from one node to another has been cut.
func (w *World) stall(from, to *Node) {
	if c, _ := w.conn(from, to); c.live {
		c.lose(c.gen)
	}
}

// flush is told that it has been mended: what waited goes on.
func (w *World) flush(from, to *Node) {
	c, end := w.conn(from, to)
	l := &c.lanes[end]
	stuck := l.stuck
	l.stuck = nil
	for _, arrive := range stuck {
		c.forward(end, w.options.Link.Delay, arrive)
	}
}
