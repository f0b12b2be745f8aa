package world

import (
	"fmt"

	"blink/actors"
)

// Network is how control messages travel in one direction between two nodes: each on its
// own, so that one may overtake another.
type Network struct {
	Delay Delay
	Loss  float64 // probability that a message is lost
	Twice float64 // probability that it comes twice
}

// path is one direction between two nodes.
type path struct {
	shape *Network // nil: that of Options
	cut   bool
}

func (w *World) path(from, to *Node) *path {
	key := [2]*Node{from, to}
	p := w.paths[key]
	if p == nil {
		p = &path{}
		w.paths[key] = p
	}
	return p
}

// Shape makes one direction differ from Options.Network.
func (w *World) Shape(from, to *Node, n Network) { w.path(from, to).shape = &n }

// Cut ends traffic in one direction: control messages are lost, connections of the data
// plane stall and then break.
func (w *World) Cut(from, to *Node) {
	if p := w.path(from, to); !p.cut {
		w.Note(from.name, "cut off from "+to.name)
		p.cut = true
		w.stall(from, to)
	}
}

// Mend ends a cut.
func (w *World) Mend(from, to *Node) {
	if p := w.path(from, to); p.cut {
		w.Note(from.name, "mended to "+to.name)
		p.cut = false
		w.flush(from, to)
	}
}

// Part cuts every path between a and b, in both directions.
func (w *World) Part(a, b []*Node) { between(a, b, w.Cut) }

// Heal mends every path between a and b.
func (w *World) Heal(a, b []*Node) { between(a, b, w.Mend) }

func between(a, b []*Node, do func(from, to *Node)) {
	for _, x := range a {
		for _, y := range b {
			if x != y {
				do(x, y)
				do(y, x)
			}
		}
	}
}

// Send implements actors.Transport: messages travel as bytes, as between real nodes.
func (p *process) Send(from, to actors.Ref, m any) {
	w := p.node.w
	if p.dead {
		return
	}
	kind, data, err := actors.Encode(m)
	if err != nil {
		w.Fail(fmt.Errorf("%v tells %v: %w", from, to, err))
		return
	}
	there := w.byName[to.Node]
	if there == nil {
		w.Note(p.node.name, "no node "+to.Node)
		return
	}
	w.carry(p.node, there, func() { there.deliver(from, to, kind, data) })
}

// carry decides the fate of one message.
func (w *World) carry(from, to *Node, arrive func()) {
	r, path, shape := w.chance.network, w.path(from, to), &w.options.Network
	if path.shape != nil {
		shape = path.shape
	}
	delay, lost, twice := shape.Delay.draw(r), r.P(shape.Loss), r.P(shape.Twice)
	if path.cut || lost {
		w.Note(from.name, "message lost on the way to "+to.name)
		return
	}
	w.after(delay, &task{f: arrive, node: to})
	if twice {
		w.after(shape.Delay.draw(r), &task{f: arrive, node: to})
	}
}

// deliver hands a message to whatever process the node runs now.
func (n *Node) deliver(from, to actors.Ref, kind string, data []byte) {
	if n.proc == nil {
		return
	}
	m, err := actors.Decode(kind, data)
	if err != nil {
		n.w.Fail(fmt.Errorf("%v hears from %v: %w", to, from, err))
		return
	}
	n.proc.sys.Deliver(from, to, m)
}
