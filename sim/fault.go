package sim

import (
	"fmt"
	"strings"
	"time"

	"blink/jobmaster"
	"blink/sim/world"
)

// Fault is one thing that goes wrong.
type Fault struct {
	At     time.Duration
	Kind   FaultKind
	Target string        // a node
	Other  string        // the other node of a pair
	For    time.Duration // until it is mended
}

// FaultKind says what goes wrong.
type FaultKind string

// The kinds of faults.
const (
	CrashExecutor  FaultKind = "crash executor"    // process and its tasks die; it starts again
	LoseExecutor   FaultKind = "lose executor"     // the node is gone for good; the resource manager finds another
	CrashJobMaster FaultKind = "crash jobmaster"   // the candidate's process dies; it starts again
	Pause          FaultKind = "pause"             // the node stops for a while and goes on
	Partition      FaultKind = "partition"         // no messages between two nodes
	OneWay         FaultKind = "one-way partition" // none from Target to Other
	Isolate        FaultKind = "isolate"           // none between Target and all others
	BreakLink      FaultKind = "break link"        // the data connection of two executors
	StallLink      FaultKind = "stall link"        // all frames are late, and user code panics in some task of Target meanwhile
	NoServices     FaultKind = "no services"       // Target's calls of store, leader service and disk fail
	StoreErrors    FaultKind = "store errors"      // calls of the object store fail, before or after they were applied
	LeaderErrors   FaultKind = "leader errors"     // calls of the leader service fail, before or after they were applied
	SlowStore      FaultKind = "slow store"        // calls of the object store take long
	DiskErrors     FaultKind = "disk errors"       // calls of the disk fail, not applied
	SlowDisk       FaultKind = "slow disk"         // calls of the disk take long
	FullDisk       FaultKind = "full disk"         // nothing can be written
	SessionsLost   FaultKind = "sessions lost"     // the leader service forgets every session
	ClockJump      FaultKind = "clock jump"        // Target's clock jumps
	PanicTask      FaultKind = "panic task"        // user code panics in some task of Target
	LossyNetwork   FaultKind = "lossy network"     // control messages are lost, repeated and late everywhere
	StopJob        FaultKind = "stop job"          // the user stops the job, and runs it again with another parallelism
	CancelJob      FaultKind = "cancel job"        // the user ends it at once, and runs it again alike
	LateMessages   FaultKind = "late messages"     // some control messages come many seconds late, after what was sent later
)

// FaultKinds lists all kinds.
var FaultKinds = []FaultKind{
	CrashExecutor, LoseExecutor, CrashJobMaster, Pause, Partition, OneWay, Isolate, BreakLink, StallLink,
	NoServices, StoreErrors, LeaderErrors, SlowStore, DiskErrors, SlowDisk, FullDisk, SessionsLost, ClockJump, PanicTask, LossyNetwork, LateMessages,
	StopJob, CancelJob,
}

func (f Fault) String() string {
	s := fmt.Sprintf("%v %s", f.At.Round(time.Millisecond), f.Kind)
	if f.Target != "" {
		s += " " + f.Target
	}
	if f.Other != "" {
		s += " " + f.Other
	}
	if f.For > 0 {
		s += fmt.Sprintf(" for %v", f.For.Round(time.Millisecond))
	}
	return s
}

// drawPlan draws the faults of a seed: some kinds (swarm testing, Groce et al., ISSTA 2012),
// some number of them, within the horizon.
func drawPlan(r *world.Rand, executors, candidates []string, horizon time.Duration) []Fault {
	var kinds []FaultKind
	for _, k := range FaultKinds {
		if r.P(0.35) {
			kinds = append(kinds, k)
		}
	}
	if len(kinds) == 0 {
		return nil
	}
	var plan []Fault
	for range r.N(9) {
		f := Fault{
			At:   r.Between(200*time.Millisecond, horizon),
			Kind: kinds[r.N(len(kinds))],
			For:  r.Between(50*time.Millisecond, 3*time.Second),
		}
		if r.P(0.3) {
			f.For *= 5 // longer than a lease
		}
		f.Target, f.Other = executors[r.N(len(executors))], executors[r.N(len(executors))]
		switch f.Kind {
		case CrashJobMaster:
			f.Target, f.Other = candidates[r.N(len(candidates))], ""
		case Pause, Isolate, NoServices, ClockJump:
			f.Other = ""
			if r.P(0.4) {
				f.Target = candidates[r.N(len(candidates))]
			}
		case Partition, OneWay:
			if r.P(0.6) {
				f.Other = candidates[r.N(len(candidates))]
			}
			if f.Kind == OneWay && r.P(0.5) {
				f.Target, f.Other = f.Other, f.Target
			}
		case CrashExecutor, LoseExecutor, PanicTask, StallLink:
			f.Other = ""
		case StoreErrors, LeaderErrors, SlowStore, DiskErrors, SlowDisk, FullDisk, SessionsLost, LossyNetwork, LateMessages, StopJob, CancelJob:
			f.Target, f.Other = "", ""
		}
		if f.Target != "" && f.Target == f.Other {
			continue
		}
		plan = append(plan, f)
	}
	return plan
}

// latest is how late a message may come.
const latest = 4 * time.Second

// strike makes a fault happen, and mends it in time.
func (c *cluster) strike(f Fault) {
	c.faults[f.Kind]++
	c.seen["fault "+string(f.Kind)]++
	c.w.Note("fault", f.String())
	c.say("fault", "%v", f)
	c.check.strikes(f)
	c.check.calm = max(c.check.calm, c.w.Elapsed()+f.For)
	mend := func(g func()) { c.w.At(f.For, g) }
	switch f.Kind {
	case CrashExecutor:
		c.crash(f.Target)
		mend(func() { c.revive(f.Target) })
	case LoseExecutor:
		c.crash(f.Target)
		c.resources.lose(f.Target)
	case CrashJobMaster:
		c.crash(f.Target)
		mend(func() { c.revive(f.Target) })
	case Pause:
		n := c.node(f.Target)
		n.Pause()
		mend(n.Resume)
	case Partition, OneWay, Isolate:
		c.cut(f)
	case BreakLink:
		c.w.Break(c.node(f.Target), c.node(f.Other))
	case StallLink:
		c.w.Stall(f.For)
		c.w.At(f.For/32, func() { c.panics[f.Target]++ })
	case ClockJump:
		c.jump(f.Target)
	case StopJob:
		c.ask(jobmaster.StopJob{})
	case CancelJob:
		c.ask(jobmaster.CancelJob{})
	case SessionsLost:
		c.leaders.invalidateAll()
	case PanicTask:
		c.panics[f.Target]++
	case NoServices, StoreErrors, LeaderErrors, SlowStore, DiskErrors, SlowDisk, FullDisk, LossyNetwork, LateMessages:
		c.active[f.Kind] = append(c.active[f.Kind], f.Target)
		c.shape()
		mend(func() {
			c.active[f.Kind] = c.active[f.Kind][1:]
			c.shape()
		})
	}
}

// jump moves a clock forth, and the next time back. Production compares monotonic readings,
// which do not jump, so no jump goes beyond what leases allow for.
func (c *cluster) jump(node string) {
	by := 2 * drift / 5
	if c.jumped[node] {
		by = -by
	}
	c.jumped[node] = !c.jumped[node]
	c.node(node).Jump(by)
}

// cut parts nodes, and mends it in time. Overlapping cuts of one path end with the first.
func (c *cluster) cut(f Fault) {
	target := []*world.Node{c.node(f.Target)}
	var others []*world.Node
	if f.Kind == Isolate {
		for _, n := range c.nodes {
			if n.Name() != f.Target {
				others = append(others, n)
			}
		}
	} else {
		others = []*world.Node{c.node(f.Other)}
	}
	if f.Kind == OneWay {
		c.w.Cut(target[0], others[0])
		c.w.At(f.For, func() { c.w.Mend(target[0], others[0]) })
		return
	}
	c.w.Part(target, others)
	c.w.At(f.For, func() { c.w.Heal(target, others) })
}

// Call implements world.Faults: what goes wrong in a call of a twin.
func (c *cluster) Call(node, op string) world.Fault {
	r, service := c.callChance, op[:strings.IndexByte(op, '.')]
	is := func(k FaultKind) bool { return len(c.active[k]) > 0 }
	for _, n := range c.active[NoServices] {
		if n == node {
			return world.Fault{Err: errUnreachable, Applied: r.P(0.1)}
		}
	}
	switch {
	case service == "store" && is(StoreErrors) && r.P(0.4):
		return world.Fault{Err: errStoreDown, Applied: r.P(0.5)}
	case (service == "leader" || service == "resources") && is(LeaderErrors) && r.P(0.3):
		f := world.Fault{Err: errUnreachable, Applied: r.P(0.5)}
		if r.P(0.3) {
			f.Late = r.Between(0, 3*time.Second)
		}
		return f
	case service == "store" && is(SlowStore):
		return world.Fault{Slow: r.Between(0, 2*time.Second)}
	case service == "disk" && is(DiskErrors) && r.P(0.1):
		return world.Fault{Err: errDisk}
	case (op == "disk.create" || op == "disk.write" || op == "disk.mkdir") && is(FullDisk):
		return world.Fault{Err: errDiskFull}
	case service == "disk" && is(SlowDisk):
		return world.Fault{Slow: r.Between(0, 500*time.Millisecond)}
	}
	return world.Fault{}
}

// shape makes the network what the faults at hand say.
func (c *cluster) shape() {
	n := world.Calm.Network
	if len(c.active[LossyNetwork]) > 0 {
		n.Loss, n.Twice = 0.15, 0.1
		n.Delay.Tail, n.Delay.TailP = 500*time.Millisecond, 0.05
	}
	if len(c.active[LateMessages]) > 0 {
		n.Twice = 0.2
		n.Delay.Tail, n.Delay.TailP = latest, 0.3
	}
	for _, a := range c.nodes {
		for _, b := range c.nodes {
			if a != b {
				c.w.Shape(a, b, n)
			}
		}
	}
}
