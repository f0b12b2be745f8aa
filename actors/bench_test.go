package actors

import (
	"fmt"
	"testing"
)

func TestTellAllocatesNothing(t *testing.T) {
	h, s := newHand(t)
	n := 0
	r := spawn(t, s, "x", func() Actor { return receiver(func(*Ctx, any) error { n++; return nil }) })
	h.rest()
	h.quiet = true
	var m any = "message"
	if got := testing.AllocsPerRun(1000, func() {
		s.Tell(r, m)
		h.ready[0].Run(2)
		h.ready = h.ready[:0]
	}); got > 0 {
		t.Errorf("%v allocations", got)
	}
}

func BenchmarkTell(b *testing.B) {
	s := New(Config{Node: "a"})
	done := make(chan bool)
	n := 0
	r := spawn(b, s, "x", func() Actor {
		return receiver(func(_ *Ctx, m any) error {
			if _, ok := m.(string); ok {
				if n++; n == b.N {
					close(done)
				}
			}
			return nil
		})
	}, Limit(1<<40))
	var m any = "message"
	b.ReportAllocs()
	for range b.N {
		s.Tell(r, m)
	}
	<-done
	shutdown(b, s)
}

func BenchmarkPingPong(b *testing.B) {
	for _, loop := range []bool{false, true} {
		b.Run(fmt.Sprintf("loop=%v", loop), func(b *testing.B) {
			s := New(Config{Node: "a"})
			var o []Option
			if loop {
				o = append(o, OnLoop(s.NewLoop("loop")))
			}
			done := make(chan bool)
			left := b.N
			var m any = "message"
			echo := spawn(b, s, "echo", func() Actor {
				return receiver(on[string](func(c *Ctx) error { c.Reply(m); return nil }))
			}, o...)
			ping := spawn(b, s, "ping", func() Actor {
				return receiver(on[string](func(c *Ctx) error {
					if left--; left == 0 {
						close(done)
						return nil
					}
					c.Tell(echo, m)
					return nil
				}))
			}, o...)
			b.ReportAllocs()
			s.Tell(ping, m)
			<-done
			shutdown(b, s)
		})
	}
}

func BenchmarkSpawnAndStop(b *testing.B) {
	s := New(Config{Node: "a"})
	done := make(chan bool)
	left := b.N
	spawn(b, s, "p", func() Actor {
		next := func(c *Ctx) error {
			if left--; left < 0 {
				close(done)
				return nil
			}
			_, err := c.Spawn("test", "c", func() Actor {
				return receiver(on[Started](func(c *Ctx) error { c.Stop(c.Self()); return nil }))
			})
			return err
		}
		return receiver(func(c *Ctx, m any) error {
			switch m.(type) {
			case Started, Down:
				return next(c)
			}
			return nil
		})
	})
	b.ReportAllocs()
	<-done
	shutdown(b, s)
}
