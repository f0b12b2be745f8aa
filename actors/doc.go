// Package actors is the runtime in which everything that acts in Blink lives: an actor owns
// its state, handles one message at a time, and reaches the world only through Ctx. It
// stands on Proto.Actor, and is the only package that imports it.
//
// An actor is a loop that is turned inside out:
//
//	type greeter struct{ greeted int }
//
//	func (g *greeter) Receive(c *actors.Ctx, m any) error {
//		switch m := m.(type) {
//		case actors.Started:
//			c.After("tick", time.Second, tick{})
//		case tick:
//			c.Log().Info().Int("greeted", g.greeted).Msg("so far")
//		case hello:
//			g.greeted++
//			c.Reply(fmt.Sprintf("hello, %s", m.name))
//		}
//		return nil
//	}
//
//	s := actors.New(actors.Config{Node: "a"})
//	ref, err := s.Spawn("greeter", "greeter", func() actors.Actor { return &greeter{} })
//	s.Tell(ref, hello{"world"})
//
// It never blocks: blocking work goes to Ctx.Go, and its result comes back as a turn. It
// never restarts: an error or a panic stops it and its children, and its parent, who gets
// Down when nothing of it is left, spawns the next attempt under a new name.
//
// The same mailboxes, lifecycle and kernel run in production and in simulation. Runtime is
// the seam: clock, goroutines, chance. Transport is the other one: what leads to other nodes.
//
//	Tell ──► mailbox ──► Runtime.Schedule ──► Unit.Run ──► Proto.Actor ──► cell ──► Actor.Receive
//
// A mailbox is scheduled on its own, or by a Loop that serves many actors in turn. The cell
// stands between the library and the actor and keeps from both what the other must not see.
//
// Start reading at Ctx for what an actor can do, at cell.Receive for how its life goes.
package actors
