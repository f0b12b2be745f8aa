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

// Place gives every unit a slot that is free, or, if that is not possible, none and says for
// each unit left over why. A unit gets its previous slot when it is free: those are given
// first, so nobody takes another's. The result does not depend on the order of the offers. A node that is offered twice counts once.
func Place(units []Unit, offers []Offer) ([]Assigned, []Refusal) {
	p := newPlan(units, offers)
	for i, u := range units {
		if p.isFree(u.Previous) {
			p.assign(i, u.Previous, "it was there before")
		}
	}
	if refused := p.short(); refused != nil {
		return nil, refused
	}
	for i := range units {
		if !p.placed[i] {
			p.choose(i)
		}
	}
	slices.SortFunc(p.assigned, func(a, b Assigned) int { return cmp.Compare(a.Unit, b.Unit) })
	return p.assigned, nil
}

// plan is a placement in the making.
type plan struct {
	units    []Unit
	nodes    []node // ascending by name
	placed   []bool
	assigned []Assigned
}

type node struct {
	name  string
	slots int
	free  []int // ascending
}

func newPlan(units []Unit, offers []Offer) *plan {
	p := &plan{units: units, placed: make([]bool, len(units))}
	for _, o := range offers {
		at, twice := slices.BinarySearchFunc(p.nodes, o.Node, node.compare)
		if twice {
			continue
		}
		n := node{name: o.Node, slots: o.Slots}
		for i := range o.Slots {
			if !slices.Contains(o.Taken, i) {
				n.free = append(n.free, i)
			}
		}
		p.nodes = slices.Insert(p.nodes, at, n)
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

func (p *plan) isFree(s Slot) bool {
	n := p.node(s.Node)
	return n != nil && slices.Contains(n.free, s.Index)
}

func (p *plan) assign(unit int, s Slot, why string) {
	n := p.node(s.Node)
	n.free = slices.DeleteFunc(n.free, func(i int) bool { return i == s.Index })
	p.placed[unit] = true
	p.assigned = append(p.assigned, Assigned{unit, s, why})
}

// short refuses the units, the last ones, for which no slot will be left over.
func (p *plan) short() (refused []Refusal) {
	free, offered := 0, 0
	for _, n := range p.nodes {
		free += len(n.free)
		offered += n.slots
	}
	for i := range p.units {
		if p.placed[i] {
			continue
		}
		if free--; free < 0 {
			refused = append(refused, Refusal{i, p.why(p.units[i], offered)})
		}
	}
	return refused
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
	p.assign(unit, Slot{best.name, best.free[0]}, why)
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

// why explains that there is no slot for a unit.
func (p *plan) why(u Unit, offered int) string {
	s := fmt.Sprintf("%d executors offer %d slots, all are taken", len(p.nodes), offered)
	if len(p.nodes) == 0 {
		s = "no executor offers slots"
	}
	if u.Previous.Node != "" && p.node(u.Previous.Node) == nil {
		s += "; " + u.Previous.Node + ", where it was, is gone"
	}
	return s
}
