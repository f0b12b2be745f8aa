package world

import (
	"fmt"
	"strings"
	"time"

	"blink/actors"

	"github.com/zeebo/xxh3"
)

// Clock is how the clock of a node differs from the true one.
type Clock struct {
	Offset time.Duration
	Drift  int64 // parts per million: positive is fast
}

// Node is a machine with a name. It runs one process at a time; what a crash leaves behind
// (disks) is kept by whoever simulates it, under the node's name.
type Node struct {
	w      *World
	name   string
	hash   uint64
	clock  Clock
	proc   *process // nil: down
	starts int
	paused bool
	held   []*task // events that happened during the pause
}

// process is one incarnation of a node: its actors, timers and Go work. It is their Runtime
// and Transport.
type process struct {
	node   *Node
	sys    *actors.System
	seeds  *Rand
	dead   bool
	parked []ready  // during a pause
	held   []parcel // frames that wait for Links.Flush
	works  []*work  // Go work not yet returned, in the order of its start
}

var (
	_ actors.Runtime   = (*process)(nil)
	_ actors.Transport = (*process)(nil)
)

// Node makes a machine, which is down. It panics if there is one of that name.
func (w *World) Node(name string, clock Clock) *Node {
	if w.byName[name] != nil {
		panic(fmt.Errorf("there is a node %s already", name))
	}
	n := &Node{w: w, name: name, hash: xxh3.HashString(name), clock: clock}
	w.nodes = append(w.nodes, n)
	w.byName[name] = n
	return n
}

// Name returns the node's name.
func (n *Node) Name() string { return n.name }

// Start boots a new process with no actors on a node that is down, and returns its System.
func (n *Node) Start() *actors.System {
	if n.proc != nil {
		panic(fmt.Errorf("node %s is running", n.name))
	}
	n.starts++
	label := fmt.Sprintf("%s#%d", n.name, n.starts)
	p := &process{node: n, seeds: n.w.chance.seed.Split(label)}
	p.sys = actors.New(actors.Config{Node: n.name, Runtime: p, Transport: p})
	n.proc = p
	n.w.Note(n.name, "start")
	return p.sys
}

// Starts counts the processes that the node has run.
func (n *Node) Starts() int { return n.starts }

// System returns the actors of the running process, nil if the node is down.
func (n *Node) System() *actors.System {
	if n.proc == nil {
		return nil
	}
	return n.proc.sys
}

// Crash ends the process at once: no actor gets another turn, running Go work ends where it
// is, connections break. Nothing happens if the node is down. Called in the middle of a
// step, it takes effect when the step ends.
func (n *Node) Crash() { n.w.whenIdle(n.crash) }

func (n *Node) crash() {
	p := n.proc
	if p == nil {
		return
	}
	n.w.Note(n.name, "crash")
	n.proc, p.dead, p.parked = nil, true, nil
	for _, k := range p.works {
		k.unwind(n.w)
	}
	p.works = nil
	n.w.dropLinks(n)
}

// Pause stops the node without ending it, as a long collection of garbage or a suspended
// machine does: everything that would happen there happens when it is resumed.
func (n *Node) Pause() {
	if !n.paused {
		n.w.Note(n.name, "pause")
		n.paused = true
	}
}

// Resume ends a pause.
func (n *Node) Resume() {
	if !n.paused {
		return
	}
	n.w.Note(n.name, "resume")
	n.paused = false
	for _, t := range n.held {
		n.w.after(0, t)
	}
	n.held = nil
	if n.proc != nil {
		n.w.ready = append(n.w.ready, n.proc.parked...)
		n.proc.parked = nil
	}
}

// Jump moves the node's clock; timers are not affected.
func (n *Node) Jump(by time.Duration) {
	n.w.Note(n.name, "clock jumps by "+by.String())
	n.clock.Offset += by
}

// Now is the node's clock.
func (n *Node) Now() time.Time {
	return epoch.Add(n.clock.Offset + time.Duration(n.w.now+n.w.now/million*n.clock.Drift))
}

const million = 1_000_000

// Now implements actors.Runtime.
func (p *process) Now() time.Time { return p.node.Now() }

// AfterFunc implements actors.Runtime.
func (p *process) AfterFunc(d time.Duration, f func()) (stop func()) {
	t := &task{f: f, node: p.node, of: p}
	if !p.dead {
		p.node.w.after(d-d/million*time.Duration(p.node.clock.Drift), t)
	}
	return func() { t.f = nil }
}

// Schedule implements actors.Runtime.
func (p *process) Schedule(u actors.Unit) {
	if !p.dead {
		p.node.w.ready = append(p.node.w.ready, ready{u, p})
	}
}

// Seed implements actors.Runtime.
func (p *process) Seed(string) uint64 { return p.seeds.Uint64() }

// Turn implements actors.Runtime.
func (p *process) Turn(id string, m any) {
	p.node.w.trace.turn(p.node.w.now, p.node, id, m)
	if see := p.node.w.options.Turn; see != nil {
		see(p.node, id, m)
	}
}

// Yielded implements actors.Runtime.
func (p *process) Yielded(id string, m any) {
	p.Turn(id, m)
	p.node.w.quantum = max(1, p.node.w.options.Quantum.draw(p.node.w.chance.schedule))
}

// Lost implements actors.Runtime.
func (p *process) Lost(to actors.Ref, m any) {
	if !p.dead {
		p.node.w.Note(p.node.name+"/"+to.ID, "lost "+actors.Kind(m))
	}
}

// Failed implements actors.Runtime. A broken invariant is not a simulated fault.
func (p *process) Failed(id string, err error) {
	if p.dead {
		return
	}
	p.node.w.Note(p.node.name+"/"+id, "failed: "+err.Error())
	if strings.Contains(err.Error(), "invariant: ") {
		p.node.w.Fail(fmt.Errorf("%s/%s: %w", p.node.name, id, err))
	}
}
