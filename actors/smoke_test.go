package actors

import (
	"context"
	"testing"
	"time"
)

type fn func(c *Ctx, m any) error

func (f fn) Receive(c *Ctx, m any) error { return f(c, m) }

func act(f func(c *Ctx, m any) error) func() Actor { return func() Actor { return fn(f) } }

func TestAskIsAnswered(t *testing.T) {
	s := New(Config{Node: "a"})
	echo, err := s.Spawn("echo", "echo", act(func(c *Ctx, m any) error {
		if v, ok := m.(string); ok {
			c.Reply(v + "!")
		}
		return nil
	}))
	if err != nil {
		t.Fatal(err)
	}
	got := make(chan any, 1)
	s.Spawn("asker", "asker", act(func(c *Ctx, m any) error {
		if _, ok := m.(Started); ok {
			c.Ask(echo, "hi", time.Minute, func(v any, err error) { got <- v })
		}
		return nil
	}))
	if v := <-got; v != "hi!" {
		t.Fatal(v)
	}
	if err := s.Shutdown(context.Background()); err != nil {
		t.Fatal(err)
	}
}
