package world

import (
	"errors"
	"iter"
	"runtime"
	"slices"
	"time"

	"blink/actors"
	"blink/internal/invariant"
)

// work is a piece of Go work, which the world resumes.
type work struct {
	of    *process
	id    string
	where string // for the trace
	what  string
	body  *coroutine
	over  bool // unwinding: calls do nothing
}

// coroutine runs one function after another; what it was made for is over in microseconds,
// and making one takes as long.
type coroutine struct {
	run   func()
	next  func() (done, ok bool) // done: run has returned; not ok: the coroutine has ended
	stop  func()
	yield func(done bool) bool
}

// coroutine returns one that will run the function.
func (w *World) coroutine(run func()) *coroutine {
	if n := len(w.resting); n > 0 {
		c := w.resting[n-1]
		w.resting = w.resting[:n-1]
		c.run = run
		return c
	}
	c := &coroutine{run: run}
	c.next, c.stop = iter.Pull(func(yield func(bool) bool) {
		c.yield = yield
		for again := true; again; again = yield(true) {
			c.run()
			c.run = nil
		}
	})
	return c
}

// Faults decides what goes wrong in calls of contracts. It may crash or pause nodes too.
type Faults interface {
	// Call is asked once for each call that a process of the node makes, before it begins.
	Call(node, op string) Fault
}

// Fault is what goes wrong in one call. The zero value is nothing.
type Fault struct {
	Slow    time.Duration // how much longer than usual it takes
	Err     error         // what the caller gets in place of the answer
	Applied bool          // with Err: the call did its work all the same
	Late    time.Duration // with Applied: how long after the caller was answered it does it
}

// ErrCrashed is what a call returns to code that still runs after its process has crashed:
// the defers of Go work.
var ErrCrashed = errors.New("the process has crashed")

// Go implements actors.Runtime: run becomes a coroutine that starts a little later.
func (p *process) Go(id, what string, run func()) {
	if p.dead {
		return
	}
	k := &work{of: p, id: id, where: p.node.name + "/" + id, what: what, body: p.node.w.coroutine(run)}
	p.works = append(p.works, k)
	p.resumeAfter(k, startWork.draw(p.node.w.chance.call))
}

// startWork is how long it takes until a goroutine gets a processor.
var startWork = Delay{Max: 100 * time.Microsecond}

func (p *process) resumeAfter(k *work, d time.Duration) {
	p.node.w.after(d, &task{f: k.resume, node: p.node, of: p})
}

// resume lets the work run to its next call, or its end.
func (k *work) resume() {
	w := k.of.node.w
	w.trace.note(w.now, k.where, k.what)
	w.at = k
	done, ok := k.body.next()
	w.at = nil
	if done || !ok {
		i := slices.Index(k.of.works, k)
		k.of.works = slices.Delete(k.of.works, i, i+1)
	}
	if done {
		w.resting = append(w.resting, k.body)
	}
}

// unwind ends the work where it is: its defers run, nothing else. It takes another goroutine
// because the end of the work ends the goroutine that waits for it, and the world waits for
// that, so still one thing happens at a time.
func (k *work) unwind(w *World) {
	k.over = true
	w.at = k
	done := make(chan struct{})
	go func() {
		defer close(done)
		k.body.stop()
	}()
	<-done
	w.at = nil
}

// Call is what a simulated service puts around what a method does. It must be called in Go
// work. The work is suspended on the way there; then f is applied, in one piece; then the
// work is suspended on the way back. Faults decides whether it fails, before f or after it.
// If the process crashes meanwhile, Call does not return. op is the name of the method, for
// traces and faults.
func (w *World) Call(op string, f func() error) error {
	k := w.at
	invariant.Check(k != nil, "%s is called outside of Go work: an actor must not block", op)
	if k.over {
		return ErrCrashed
	}
	fault := w.fault(k, op)
	k.suspend(w.options.Call.draw(w.chance.call) + fault.Slow)
	err := fault.Err
	switch {
	case err == nil:
		w.Note(k.where, op)
		err = f()
	case fault.Applied && fault.Late > 0:
		w.At(fault.Late, func() {
			w.Note(k.where, op+" comes late")
			_ = f() // nobody waits for the answer
		})
	case fault.Applied:
		w.Note(k.where, op)
		_ = f() // the caller does not hear it
	}
	k.suspend(w.options.Call.draw(w.chance.call))
	return err
}

func (w *World) fault(k *work, op string) Fault {
	if w.options.Faults == nil {
		return Fault{}
	}
	return w.options.Faults.Call(k.of.node.name, op)
}

// suspend lets the world go on for d. It does not return if the process crashes.
func (k *work) suspend(d time.Duration) {
	k.of.resumeAfter(k, d)
	if !k.body.yield(false) {
		runtime.Goexit()
	}
}

// Sleep suspends the Go work that calls it for d.
func (w *World) Sleep(d time.Duration) {
	invariant.Check(w.at != nil, "Sleep is called outside of Go work: an actor must not block")
	if !w.at.over {
		w.at.suspend(d)
	}
}

// Working returns the node, and the actor, whose Go work is running: whoever calls a
// simulated service. It must be called in Go work.
func (w *World) Working() actors.Ref {
	invariant.Check(w.at != nil, "Working is called outside of Go work")
	return actors.Ref{Node: w.at.of.node.name, ID: w.at.id}
}
