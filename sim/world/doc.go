// Package world is the deterministic kernel of the simulator: nodes that run the production
// actors, a clock that jumps, a network that loses, and blocking work that can be torn apart,
// all decided by one seed on one goroutine.
//
// The loop is World.Step. While anything is ready, it picks one unit (the mailbox of an
// actor, or a loop of several) by chance and lets it handle one message. When nothing is
// ready, it takes the earliest event from a heap, moves the clock to it, and runs it: a
// timer, a message that arrives, a piece of Go work that goes on. So nothing happens
// between two steps, and the same seed gives the same steps.
//
//	w := world.New(seed, world.Options{})
//	defer w.Close()
//	n := w.Node("a", world.Clock{Offset: 3 * time.Second, Drift: 50})
//	s := n.Start()            // an actors.System: spawn the production actors on it
//	w.At(10*time.Second, n.Crash)
//	w.Run(time.Minute)
//	fmt.Printf("%016x\n", w.Hash())
//
// Go work runs as a coroutine. Simulated services (an object store, a disk, a leader
// service) put World.Call around what each of their methods does: there the work is
// suspended, the world goes on, the call may fail before or after it was applied, and a
// crash of the node ends the work for good. So between two calls everything may have
// changed. Work must not wait for anything else: no channel, no ctx.Done, no lock held
// across a call.
//
// Chance comes from streams that are split by label, so that a new consumer of chance
// shifts no other: a shorter list of faults meets the same schedule.
//
// Start reading at World.Step, then Node for processes, World.Call for work, path for
// messages and conn for the connections of the data plane.
package world
