package placement

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Slot is a slot of an executor; without Node it is none.
type Slot struct {
	Node  string
	Index int
}

// Unit is what needs a slot: subtask Index of the vertices of a slot sharing group.
type Unit struct {
	Group    string
	Index    int
	Previous Slot         // where it was last; none at first
	Local    []LocalState // executors that hold state of it on their disks
}

// LocalState is how much of a unit's state lies on an executor's disk.
type LocalState struct {
	Node  string
	Bytes int64
}

// Offer is an executor's slots, 0 to Slots-1, and those of them that are taken.
type Offer struct {
	Node  string
	Slots int
	Taken []int
}

// Assigned gives units[Unit] a slot, and says why that one.
type Assigned struct {
	Unit int
	Slot Slot
	Why  string
}

// Refusal says why units[Unit] got no slot.
type Refusal struct {
	Unit int
	Why  string
}

// Place gives slots to units. A set is units, by index, that are of use together only: it gets
// all of its slots or none, and a unit may be in several sets. Where slots are short, those sets
// come first that return to where they were whole, then the others in their order. A previous
// slot that is free is kept for its unit, even if that one cannot have it yet, and though
// another set could use it: nobody takes another's. For each unit left over it says why. The
// result does not depend on the order of the offers. A node that is offered twice counts once.
func Place(units []Unit, sets [][]int, offers []Offer) ([]Assigned, []Refusal) {
	p := newPlan(units, offers)
	for i := range units {
		p.home[i] = p.reserve(units[i].Previous)
	}
	for _, whole := range []bool{true, false} {
		for _, set := range sets {
			if need := p.need(set); need == 0 || !whole && need <= p.free {
				p.give(set)
			}
		}
	}
	kept := p.keeps()
	var refused []Refusal
	for i, u := range units {
		if !p.placed[i] {
			refused = append(refused, Refusal{i, p.why(u, kept)})
		}
	}
	slices.SortFunc(p.assigned, func(a, b Assigned) int { return cmp.Compare(a.Unit, b.Unit) })
	return p.assigned, refused
}

// plan is a placement in the making.
type plan struct {
	units    []Unit
	nodes    []node // ascending by name
	offered  int    // slots
	free     int    // of them, and kept for nobody
	home     []bool // by unit: its previous slot is kept for it
	placed   []bool // by unit
	assigned []Assigned
}

type node struct {
	name string
	free []int // ascending
}

func newPlan(units []Unit, offers []Offer) *plan {
	p := &plan{units: units, home: make([]bool, len(units)), placed: make([]bool, len(units))}
	for _, o := range offers {
		at, twice := slices.BinarySearchFunc(p.nodes, o.Node, node.compare)
		if twice {
			continue
		}
		n := node{name: o.Node}
		for i := range o.Slots {
			if !slices.Contains(o.Taken, i) {
				n.free = append(n.free, i)
			}
		}
		p.nodes = slices.Insert(p.nodes, at, n)
		p.offered += o.Slots
		p.free += len(n.free)
	}
	return p
}

// node finds the node of a name, nil if there is none.
func (p *plan) node(name string) *node {
	if i, ok := slices.BinarySearchFunc(p.nodes, name, node.compare); ok {
		return &p.nodes[i]
	}
	return nil
}

func (n node) compare(name string) int { return strings.Compare(n.name, name) }

// reserve takes a slot out of the free ones, if it is among them.
func (p *plan) reserve(s Slot) bool {
	n := p.node(s.Node)
	if n == nil {
		return false
	}
	i := slices.Index(n.free, s.Index)
	if i < 0 {
		return false
	}
	n.free = slices.Delete(n.free, i, i+1)
	p.free--
	return true
}

// need is how many of a set's units must be given a slot that is kept for nobody.
func (p *plan) need(set []int) (n int) {
	for _, i := range set {
		if !p.placed[i] && !p.home[i] {
			n++
		}
	}
	return n
}

// give gives a set its slots. There are enough.
func (p *plan) give(set []int) {
	for _, i := range set {
		switch {
		case p.placed[i]:
		case p.home[i]:
			p.assign(i, p.units[i].Previous, "it was there before")
		default:
			p.choose(i)
		}
	}
}

func (p *plan) assign(unit int, s Slot, why string) {
	p.placed[unit] = true
	p.assigned = append(p.assigned, Assigned{unit, s, why})
}

// choose finds a slot for a unit whose previous one is not free. There is one.
func (p *plan) choose(unit int) {
	u := p.units[unit]
	var best *node
	for i := range p.nodes {
		if n := &p.nodes[i]; len(n.free) > 0 && (best == nil || u.prefers(n, best)) {
			best = n
		}
	}
	why := "its executor had the most free slots"
	if b := u.bytesOn(best.name); b > 0 {
		why = fmt.Sprintf("%d bytes of its state are there", b)
	}
	s := Slot{best.name, best.free[0]}
	p.reserve(s)
	p.assign(unit, s, why)
}

// prefers says whether n is better for the unit than m, which comes before it by name.
func (u Unit) prefers(n, m *node) bool {
	return cmp.Or(
		cmp.Compare(u.bytesOn(n.name), u.bytesOn(m.name)),
		cmp.Compare(len(n.free), len(m.free)),
	) > 0
}

func (u Unit) bytesOn(node string) int64 {
	for _, l := range u.Local {
		if l.Node == node {
			return l.Bytes
		}
	}
	return 0
}

// keeps says whether a slot is kept for a unit that cannot have it yet.
func (p *plan) keeps() bool {
	for i := range p.units {
		if p.home[i] && !p.placed[i] {
			return true
		}
	}
	return false
}

// why explains that there is no slot for a unit.
func (p *plan) why(u Unit, kept bool) string {
	s := fmt.Sprintf("%d executors offer %d slots, all are taken", len(p.nodes), p.offered)
	switch {
	case len(p.nodes) == 0:
		s = "no executor offers slots"
	case p.free > 0:
		s = fmt.Sprintf("%d executors offer %d slots, %d are free: too few for all that must run together", len(p.nodes), p.offered, p.free)
	case kept:
		s = fmt.Sprintf("%d executors offer %d slots, and those that are free are kept for what was there and waits for more", len(p.nodes), p.offered)
	}
	if u.Previous.Node != "" && p.node(u.Previous.Node) == nil {
		s += "; " + u.Previous.Node + ", where it was, is gone"
	}
	return s
}
