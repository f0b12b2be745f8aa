package actors

import "time"

// Runtime is where a System gets its time, its goroutines and its chance. There are two:
// the real one, which New makes when Config.Runtime is nil, and that of a node in the
// simulated world. Everything else of this package is the same in both.
type Runtime interface {
	// Now is the node's clock.
	Now() time.Time
	// AfterFunc calls f after d, on any goroutine, unless stop is called before.
	AfterFunc(d time.Duration, f func()) (stop func())
	// Schedule is told that u, which was idle, has work: the runtime calls u.Run, never
	// twice at a time, until it returns false.
	Schedule(u Unit)
	// Go calls run once, where it may block, for the actor with the given id.
	Go(id, what string, run func())
	// Seed starts the random numbers of a new actor.
	Seed(id string) uint64
	// Turn is told of every message just before the actor gets it.
	Turn(id string, m any)
	// Yielded is told instead when the actor told itself with Yield.
	Yielded(id string, m any)
	// Lost is told of a message that no actor gets.
	Lost(to Ref, m any)
	// Failed is told of every actor that fails, and of every panic in Go work.
	Failed(id string, err error)
}

// Unit is something that has turns to run: the mailbox of an actor, or a Loop with those of
// all its actors.
type Unit interface {
	// Run handles at most max messages, and says whether there may be more. After false
	// the unit is idle, until it is given to Schedule again.
	Run(max int) bool
}

// Transport carries messages to other nodes: best effort, so a message may be lost, come
// twice or overtake another. m is a proto that is known to Register. The receiving side
// hands it to System.Deliver.
type Transport interface {
	Send(from, to Ref, m any)
}
