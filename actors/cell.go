package actors

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/asynkron/protoactor-go/actor"
)

// cell is the record of one actor, and what the library takes for the actor: it stands
// between the two, so that the library sees an actor that never fails, is stopped once, and
// only when nothing of it is left. stop.go shows how it ends.
type cell struct {
	sys     *System
	ref     Ref
	parent  *cell
	kind    string
	make    func() Actor
	order   uint64 // of spawning
	spawned time.Time
	gone    *gate // of root actors
	mb      mailbox

	// What follows belongs to the actor's turns.
	ctx      Ctx
	kernel   actor.Context
	actor    Actor
	receive  func(*Ctx, any) error
	state    state
	leaving  bool // Stop(self) was called in this turn
	reason   Reason
	err      error
	children map[string]*cell // by ID, until their Down is delivered
	live     int              // children not yet down
	watching map[*cell]bool   // until their Down is delivered
	timers   map[string]*timer
	asks     map[uint64]*question
	lastAsk  uint64
	works    int       // Go work not yet returned
	last     *lastWork // what follows when nothing else is left
	life     context.Context
	endLife  context.CancelFunc
	barriers []*barrier // of StopAll of the parent; belongs to its turns
}

// state is where an actor is in its life:
//
//	starting ──Started──► running ──Stop, failure──► stopping ──children down, work returned──► gone
type state uint8

const (
	starting state = iota
	running
	stopping
	gone
)

func (s state) String() string {
	return [...]string{"starting", "running", "stopping", "gone"}[s]
}

// Messages of the runtime to an actor, told like any other.
type (
	stop       struct{}          // stop it
	childDown  struct{ c *cell } // tell it that a child is down
	watched    struct{ c *cell } // tell it that an actor it watches is down
	absent     struct{ Down }    // tell it that an actor it wants to watch is not there
	unanswered struct{ err error }
	call       struct{ f func() }
)

func newCell(s *System, parent *cell, kind, id string, make func() Actor) *cell {
	c := &cell{sys: s, ref: Ref{s.config.Node, id}, parent: parent, kind: kind, make: make, spawned: s.run.Now()}
	c.ctx.c = c
	c.mb.run, c.mb.limit, c.mb.idle, c.mb.queued = s.run, defaultLimit, true, true
	return c
}

// Receive is called by the library.
func (c *cell) Receive(k actor.Context) {
	switch m := k.Message().(type) {
	case *envelope:
		c.turn(m)
	case *actor.Started:
		c.kernel = k
		c.start()
	case *actor.Terminated:
		c.terminated(m.Who.Id)
	case *actor.Stopped:
		c.finish()
	}
}

func (c *cell) start() {
	c.become(running)
	c.sys.run.Turn(c.ref.ID, Started{})
	c.guard(func() error {
		c.actor = c.make()
		c.receive = c.actor.Receive
		return c.receive(&c.ctx, Started{})
	})
	c.afterTurn()
}

// turn handles one message of the user lane.
func (c *cell) turn(e *envelope) {
	if c.state != running {
		c.discard(e)
		return
	}
	switch m := e.m.(type) {
	case stop:
		c.leaving = true
	case full:
		c.fail(fmt.Errorf("mailbox of %v is full (%d messages)", c.ref, m.n))
	case *timer:
		c.fired(m)
	case *Work:
		c.returned(m)
	case childDown:
		c.childGone(m.c)
	case watched:
		delete(c.watching, m.c)
		c.tellActor(m.c.down())
	case absent:
		c.tellActor(m.Down)
	case call:
		c.sys.run.Turn(c.ref.ID, m)
		c.guard(func() error { m.f(); return nil })
	default:
		switch {
		case e.ask != 0:
			c.answered(e.ask, e.m)
		case e.low:
			c.sys.run.Yielded(c.ref.ID, e.m)
			c.handle(e.m)
		default:
			c.tellActor(e.m)
		}
	}
	c.afterTurn()
}

// tellActor runs the actor's own handler.
func (c *cell) tellActor(m any) {
	c.sys.run.Turn(c.ref.ID, m)
	c.handle(m)
}

func (c *cell) handle(m any) {
	if err := c.safely(m); err != nil {
		c.fail(err)
	}
}

func (c *cell) safely(m any) (err error) {
	defer rescue(&err)
	return c.receive(&c.ctx, m)
}

// guard runs f as part of a turn: its error or panic is the actor's failure.
func (c *cell) guard(f func() error) {
	err := func() (err error) {
		defer rescue(&err)
		return f()
	}()
	if err != nil {
		c.fail(err)
	}
}

// rescue turns a panic into an error.
func rescue(err *error) {
	if v := recover(); v != nil {
		*err = &Panic{Value: v, Stack: debug.Stack()}
	}
}

// fail notes the failure of the actor; its turn ends in stopping.
func (c *cell) fail(err error) {
	c.leaving, c.reason = true, Failed
	if c.err != nil {
		err = errors.Join(c.err, err)
	}
	c.err = err
	c.sys.run.Failed(c.ref.ID, err)
	if c.parent == nil {
		event := c.ctx.Log().Error().Err(err)
		if p := (*Panic)(nil); errors.As(err, &p) {
			event.Bytes("stack", p.Stack)
		}
		event.Msg("root actor failed")
	}
}

func (c *cell) afterTurn() {
	if c.leaving && c.state == running {
		c.beginStop()
	}
}

func (c *cell) become(s state) {
	c.state = s
	c.mb.mu.Lock()
	c.mb.state = s
	c.mb.mu.Unlock()
}

func (c *cell) down() Down { return Down{Ref: c.ref, Kind: c.kind, Reason: c.reason, Err: c.err} }

// spawn starts a child.
func (c *cell) spawn(kind, name string, make func() Actor, o []Option) (Ref, error) {
	if c.state != running {
		return Ref{}, fmt.Errorf("spawn %s/%s: the parent is stopping", c.ref, name)
	}
	child, err := c.sys.register(c, kind, name, make, o)
	if err != nil {
		return Ref{}, err
	}
	if c.children == nil {
		c.children = map[string]*cell{}
	}
	c.children[child.ref.ID] = child
	c.live++
	if err := c.sys.start(child, c.kernel, name); err != nil {
		delete(c.children, child.ref.ID)
		c.live--
		return Ref{}, err
	}
	return child.ref, nil
}
