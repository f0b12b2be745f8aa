package actors

import (
	"math/rand/v2"
	"time"

	"github.com/rs/zerolog"
)

// Ctx is the one door of an actor to everything outside: other actors, time, chance, and
// blocking work. There is one for each actor, and it may be kept, but it is of use in the
// actor's own turns only.
type Ctx struct {
	c    *cell
	rand *rand.Rand
	log  *zerolog.Logger
}

// Self is this actor.
func (c *Ctx) Self() Ref { return c.c.ref }

// Parent is the actor that spawned this one; nobody for a root actor.
func (c *Ctx) Parent() Ref {
	if c.c.parent == nil {
		return Ref{}
	}
	return c.c.parent.ref
}

// Sender is who told the message at hand, nobody for those of the runtime. The sender of an
// Ask is an address for one answer: it may be kept to answer later, but does not equal the
// Ref of the actor that asks.
func (c *Ctx) Sender() Ref { return c.c.mb.now.from }

// Now is the node's clock.
func (c *Ctx) Now() time.Time { return c.c.sys.run.Now() }

// Rand is this actor's own source of chance.
func (c *Ctx) Rand() *rand.Rand {
	if c.rand == nil {
		c.rand = rand.New(rand.NewPCG(c.c.sys.run.Seed(c.c.ref.ID), 0))
	}
	return c.rand
}

// Log writes to the node's log, with the actor's name.
func (c *Ctx) Log() *zerolog.Logger {
	if c.log == nil {
		log := c.c.sys.config.Log.With().Stringer("actor", c.c.ref).Logger()
		c.log = &log
	}
	return c.log
}

// Tell sends m to an actor, and forgets it. Messages of one actor to another of the same
// node arrive in order; the value itself is passed, so nobody may change it afterwards. To
// another node it is best effort, and m must be a proto known to Register.
func (c *Ctx) Tell(to Ref, m any) { c.c.sys.tell(c.c.ref, to, m) }

// Reply tells m to the sender of the message at hand.
func (c *Ctx) Reply(m any) { c.Tell(c.Sender(), m) }

// Spawn starts a child: see System.Spawn. The parent gets its Down. An actor that is
// stopping cannot spawn.
func (c *Ctx) Spawn(kind, name string, make func() Actor, o ...Option) (Ref, error) {
	return c.c.spawn(kind, name, make, o)
}

// Become makes receive handle the messages from the next one on. The name shows in Inspect.
func (c *Ctx) Become(name string, receive func(*Ctx, any) error) {
	c.c.receive = receive
	c.c.mb.mu.Lock()
	c.c.mb.label = name
	c.c.mb.mu.Unlock()
}

// Yield tells m to this actor when nothing else waits for it; on a Loop, when nothing waits
// for any actor of the loop. Only one m waits at a time: a later one takes its place.
func (c *Ctx) Yield(m any) {
	if c.c.state == running {
		c.c.mb.yield(m)
	}
}
