package world

import (
	"errors"
	"fmt"
	"time"

	"blink/actors"
)

// Options shape a world. The zero value is a calm one: every part that is zero is taken from
// Calm.
type Options struct {
	Network Network // of control messages, unless Shape says otherwise for a direction
	Link    Link    // of the connections of the data plane
	Call    Delay   // of each half of a call of a contract: there, and back
	Quantum Delay   // how long a turn that an actor asked for with Yield keeps it busy
	Faults  Faults  // nil: calls do not fail

	// Trace gets a line for everything that happens. It may be nil.
	Trace func(at time.Duration, where, what string)

	// Turn sees every message just before an actor gets it, for checkers. It may be nil.
	Turn func(n *Node, id string, m any)

	// Lost makes the message that tells the root actor "te" of a node that its connection
	// to another is lost; Frame makes the one in which a frame of another arrives. Needed with
	// Links.
	Lost  func(node string) any
	Frame func(from string, data []byte) any
	// Route says to whom a frame goes that has arrived at a system; nil: to whom it was sent.
	Route func(at *actors.System, to actors.Ref) actors.Ref
}

// Calm are the delays of a small, healthy cluster.
var Calm = Options{
	Network: Network{Delay: Delay{Min: 200 * time.Microsecond, Max: time.Millisecond, Tail: 5 * time.Millisecond, TailP: 0.01}},
	Link: Link{
		Delay:    Delay{Min: 100 * time.Microsecond, Max: 500 * time.Microsecond, Tail: 2 * time.Millisecond, TailP: 0.01},
		Notice:   Delay{Min: time.Millisecond, Max: 20 * time.Millisecond, Tail: 200 * time.Millisecond, TailP: 0.3},
		Patience: Delay{Min: 500 * time.Millisecond, Max: 3 * time.Second},
	},
	Call:    Delay{Min: 50 * time.Microsecond, Max: 2 * time.Millisecond, Tail: 20 * time.Millisecond, TailP: 0.02},
	Quantum: Delay{Min: 20 * time.Microsecond, Max: 200 * time.Microsecond},
}

// epoch is the time at which every world begins.
var epoch = time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)

// World is everything that a simulation consists of. It belongs to one goroutine.
type World struct {
	options Options
	trace   trace
	chance  chances

	now    int64 // ns since epoch
	made   uint64
	events heap
	ready  []ready
	still  int // steps since time has moved

	nodes     []*Node
	byName    map[string]*Node
	paths     map[[2]*Node]*path
	conns     map[[2]*Node]*conn
	at        *work         // whose code runs; nil outside Go work
	resting   []*coroutine  // that wait for something to run
	busy      bool          // in a step
	postponed []func()      // until the step ends
	quantum   time.Duration // how long the unit at hand stays busy
	steps     uint64
	err       error
}

// chances are the streams that decide what happens.
type chances struct{ root, schedule, network, link, call, seed *Rand }

// ready is a unit that has a message to handle.
type ready struct {
	unit actors.Unit
	of   *process
}

// New returns an empty world in which the seed decides.
func New(seed uint64, o Options) *World {
	root := NewRand(seed)
	w := &World{options: withDefaults(o), byName: map[string]*Node{}, paths: map[[2]*Node]*path{}, conns: map[[2]*Node]*conn{}}
	w.chance = chances{root, root.Split("schedule"), root.Split("network"), root.Split("link"), root.Split("call"), root.Split("seed")}
	w.trace = newTrace(seed, o.Trace)
	return w
}

func withDefaults(o Options) Options {
	if o.Network == (Network{}) {
		o.Network = Calm.Network
	}
	if o.Link == (Link{}) {
		o.Link = Calm.Link
	}
	if o.Call == (Delay{}) {
		o.Call = Calm.Call
	}
	if o.Quantum == (Delay{}) {
		o.Quantum = Calm.Quantum
	}
	return o
}

// Rand returns the stream of chance of a label: always the same for the seed, and apart from
// all others.
func (w *World) Rand(label string) *Rand { return w.chance.root.Split("user/" + label) }

// Elapsed is how long the world has run on the true clock, which no node sees.
func (w *World) Elapsed() time.Duration { return time.Duration(w.now) }

// Now is the true time.
func (w *World) Now() time.Time { return epoch.Add(time.Duration(w.now)) }

// Hash is equal for two runs in which the same happened up to now.
func (w *World) Hash() uint64 { return w.trace.hash }

// Events counts what has happened: turns of actors, resumed work, faults.
func (w *World) Events() uint64 { return w.trace.seq }

// Err is the first thing that went wrong in a way that no simulated fault explains: a broken
// invariant, a message that cannot be encoded, time standing still. Run ends with it.
func (w *World) Err() error { return w.err }

// Fail makes err the outcome of the run, unless there is one already.
func (w *World) Fail(err error) {
	if w.err == nil && err != nil {
		w.err = err
		w.Note("world", "failed: "+err.Error())
	}
}

// Note adds a line to the trace, and to the hash.
func (w *World) Note(where, what string) { w.trace.note(w.now, where, what) }

// At runs f after d, as an event of the world.
func (w *World) At(d time.Duration, f func()) { w.after(d, &task{f: f}) }

func (w *World) after(d time.Duration, t *task) {
	w.made++
	w.events.push(event{w.now + int64(max(d, 0)), w.made, t})
}

// Run lets the world go on until it has run for the given time in all, nothing can happen
// any more, or something went wrong, which it returns.
func (w *World) Run(until time.Duration) error {
	for w.err == nil && (len(w.ready) > 0 || w.due(until)) {
		w.Step()
	}
	if w.err == nil {
		w.now = max(w.now, int64(until))
	}
	return w.err
}

// RunUntil lets the world go on until done holds. It returns an error if that does not
// happen within d from now.
func (w *World) RunUntil(done func() bool, d time.Duration) error {
	limit := time.Duration(w.now) + d
	for !done() {
		if w.err == nil && len(w.ready) == 0 && !w.due(limit) {
			w.now = max(w.now, int64(limit)) // time passes though nothing happens
			if done() {
				return nil
			}
			return fmt.Errorf("%w after %v", ErrLate, d)
		}
		if w.Step(); w.err != nil {
			return w.err
		}
	}
	return nil
}

// ErrLate is wrapped by the error of RunUntil.
var ErrLate = errors.New("what was waited for did not happen")

func (w *World) due(until time.Duration) bool {
	return len(w.events.a) > 0 && w.events.a[0].at <= int64(until)
}

// maxStill bounds the steps without any time passing: actors that tell each other without
// end would stop the clock.
const maxStill = 1 << 20

// Step does one thing: a ready unit handles one message, or else the clock moves and the
// next event happens. It returns false if there is nothing to do.
func (w *World) Step() bool {
	w.steps++
	switch {
	case len(w.ready) > 0:
		w.turn(w.pick())
	case len(w.events.a) > 0:
		w.happen(w.events.pop())
	default:
		return false
	}
	for len(w.postponed) > 0 {
		f := w.postponed[0]
		w.postponed = w.postponed[1:]
		f()
	}
	return true
}

// pick takes one of the ready units by chance.
func (w *World) pick() ready {
	last := len(w.ready) - 1
	i := w.chance.schedule.N(last + 1)
	r := w.ready[i]
	w.ready[i] = w.ready[last]
	w.ready[last] = ready{}
	w.ready = w.ready[:last]
	return r
}

// turn lets a unit handle one message. A unit that yielded stays busy for a while.
func (w *World) turn(r ready) {
	if r.of.dead {
		return
	}
	if r.of.node.paused {
		r.of.parked = append(r.of.parked, r)
		return
	}
	if w.still++; w.still == maxStill {
		w.Fail(fmt.Errorf("%d turns without any time passing, the last at %s", maxStill, r.of.node.name))
	}
	w.busy, w.quantum = true, 0
	more := r.unit.Run(1)
	w.busy = false
	switch {
	case !more:
	case w.quantum > 0:
		w.after(w.quantum, &task{f: func() { w.ready = append(w.ready, r) }, node: r.of.node, of: r.of})
	default:
		w.ready = append(w.ready, r)
	}
}

// happen moves the clock and runs an event, unless it belongs to a process that is gone; at
// a node that is paused it waits.
func (w *World) happen(e event) {
	if e.at > w.now {
		w.now, w.still = e.at, 0
	}
	t := e.task
	switch {
	case t.f == nil || t.of != nil && t.of.dead:
	case t.node != nil && t.node.paused:
		t.node.held = append(t.node.held, t)
	default:
		w.busy = true
		t.f()
		w.busy = false
	}
}

// whenIdle runs f now, or when the step at hand ends.
func (w *World) whenIdle(f func()) {
	if w.busy {
		w.postponed = append(w.postponed, f)
		return
	}
	f()
}

// Close ends all processes, so that nothing of the world is left running.
func (w *World) Close() {
	for _, n := range w.nodes {
		n.Crash()
	}
	for _, c := range w.resting {
		c.stop()
	}
	w.resting = nil
}
