package world

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"blink/actors"

	"google.golang.org/protobuf/types/known/wrapperspb"
)

type receiver func(c *actors.Ctx, m any) error

func (f receiver) Receive(c *actors.Ctx, m any) error { return f(c, m) }

// actor returns what makes an actor of a function.
func actor(f func(c *actors.Ctx, m any) error) func() actors.Actor {
	return func() actors.Actor { return receiver(f) }
}

func spawn(t testing.TB, s *actors.System, name string, f func(c *actors.Ctx, m any) error, o ...actors.Option) actors.Ref {
	t.Helper()
	r, err := s.Spawn("test", name, actor(f), o...)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func text(s string) *wrapperspb.StringValue { return wrapperspb.String(s) }

type (
	lost  struct{ node string }
	frame struct{ data string }
)

func options() Options {
	actors.Register(&wrapperspb.StringValue{})
	return Options{
		Lost:  func(node string) any { return lost{node} },
		Frame: func(_ string, data []byte) any { return frame{string(data)} },
	}
}

// chaos is a world with everything in it: nodes that talk, yield, work, fail, crash.
type chaos struct {
	*World
	t     testing.TB
	rand  *Rand
	nodes []*Node
}

func newChaos(t testing.TB, seed uint64, o Options) *chaos {
	o.Network = Network{Delay: Calm.Network.Delay, Loss: 0.01, Twice: 0.01}
	w := &chaos{World: New(seed, o), t: t}
	w.rand = w.Rand("faults")
	for i := range 5 {
		n := w.Node(fmt.Sprint("n", i), Clock{Offset: w.rand.Between(0, time.Second), Drift: int64(w.rand.N(200) - 100)})
		w.nodes = append(w.nodes, n)
		w.boot(n)
	}
	w.At(100*time.Millisecond, w.fault)
	return w
}

func (w *chaos) boot(n *Node) {
	s, links := n.Start(), n.Links()
	loop := s.NewLoop("loop")
	spawn(w.t, s, "te", func(c *actors.Ctx, m any) error {
		switch m := m.(type) {
		case actors.Started:
			for i := range 4 {
				if err := w.talker(c, links, loop, i, 1); err != nil {
					return err
				}
			}
		case actors.Down:
			var i, attempt int
			if _, err := fmt.Sscanf(m.Ref.ID, "te/t%d@%d", &i, &attempt); err != nil {
				return err
			}
			return w.talker(c, links, loop, i, attempt+1)
		}
		return nil
	})
}

func (w *chaos) talker(c *actors.Ctx, links Links, loop *actors.Loop, i, attempt int) error {
	var o []actors.Option
	if i%2 == 0 {
		o = append(o, actors.OnLoop(loop))
	}
	left := 3
	_, err := c.Spawn("talker", fmt.Sprintf("t%d@%d", i, attempt), actor(func(c *actors.Ctx, m any) error {
		to := actors.Ref{Node: w.nodes[c.Rand().IntN(len(w.nodes))].Name(), ID: fmt.Sprintf("te/t%d@%d", c.Rand().IntN(4), attempt)}
		switch m := m.(type) {
		case actors.Started:
			c.After("tick", 10*time.Millisecond, "tick")
			c.Yield("quantum")
		case string:
			if m == "tick" {
				c.After("tick", time.Duration(c.Rand().IntN(20))*time.Millisecond, "tick")
				c.Tell(to, text("hello"))
				links.Send(to, []byte("data"))
				links.Flush()
			}
			if m == "quantum" && left > 0 {
				left--
				c.Yield("quantum")
			}
			if c.Rand().IntN(100) == 0 {
				return errors.New("chance")
			}
		case *wrapperspb.StringValue:
			c.Go("put", func(context.Context) (any, error) {
				for range 3 {
					if err := w.Call("put", func() error { return nil }); err != nil {
						return nil, err
					}
				}
				return nil, nil
			}, func(any, error) { left = 2; c.Yield("quantum") })
		}
		return nil
	}), o...)
	return err
}

// fault does one bad thing and plans the next.
func (w *chaos) fault() {
	n, other := w.nodes[w.rand.N(len(w.nodes))], w.nodes[w.rand.N(len(w.nodes))]
	back := w.rand.Between(0, time.Second)
	switch w.rand.N(5) {
	case 0:
		n.Crash()
		w.At(back, func() {
			if n.System() == nil {
				w.boot(n)
			}
		})
	case 1:
		n.Pause()
		w.At(back, n.Resume)
	case 2:
		w.Part([]*Node{n}, []*Node{other})
		w.At(back, func() { w.Heal([]*Node{n}, []*Node{other}) })
	case 3:
		if n != other {
			w.Cut(n, other)
			w.At(back, func() { w.Mend(n, other) })
			w.Break(n, other)
		}
	case 4:
		n.Jump(w.rand.Between(-time.Second, time.Second))
	}
	w.At(w.rand.Between(0, 300*time.Millisecond), w.fault)
}

// run lets the world of a seed go on for a while and returns its hash.
func run(t testing.TB, seed uint64, d time.Duration) (hash, events uint64) {
	w := newChaos(t, seed, options())
	defer w.Close()
	if err := w.Run(d); err != nil {
		t.Fatalf("seed %d: %v", seed, err)
	}
	return w.Hash(), w.Events()
}
