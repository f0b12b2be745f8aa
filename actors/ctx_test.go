package actors

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"
)

func TestNamesThatWouldMakeARefAmbiguousAreRefused(t *testing.T) {
	h, s := newHand(t)
	for _, name := range []string{"", "a/b", "a?1"} {
		if _, err := s.Spawn("test", name, (&diary{}).scribe("x", nil)); err == nil || !strings.Contains(err.Error(), "is no name") {
			t.Errorf("%q: %v", name, err)
		}
	}
	spawn(t, s, "x", (&diary{}).scribe("x", nil))
	if _, err := s.Spawn("test", "x", (&diary{}).scribe("x", nil)); err == nil || err.Error() != "spawn a/x: there is one already" {
		t.Error(err)
	}
	h.rest()
}

func TestATimerFiresOnceAndOnlyIfItIsStillTheOneOfItsKey(t *testing.T) {
	h, s := newHand(t)
	d := &diary{}
	r := spawn(t, s, "x", d.scribe("x", func(c *Ctx, m any) error {
		switch m {
		case "set":
			c.After("k", time.Second, "k1")
			c.After("k", 2*time.Second, "k2")
			c.After("other", time.Second, "other")
		case "cancel":
			c.Cancel("k")
			c.Cancel("k")
		}
		return nil
	}))
	s.Tell(r, "set")
	h.rest()
	h.pass(time.Second)
	h.pass(time.Second)
	h.pass(time.Hour)
	d.is(t, "x started", "x set", "x other", "x k2")
	s.Tell(r, "set")
	h.rest()
	s.Tell(r, "cancel") // before the timer's message, which fires in the same instant
	h.pass(time.Hour)
	d.is(t, "x set", "x cancel", "x other")
	s.Tell(r, "set")
	s.Stop(r)
	h.rest()
	h.pass(time.Hour)
	d.is(t, "x set", "x stopping")
}

func TestAQuestionGetsOneAnswerOrOneError(t *testing.T) {
	h, s := newHand(t)
	d := &diary{}
	var later Ref
	b := spawn(t, s, "b", d.scribe("b", func(c *Ctx, m any) error {
		switch m {
		case "now":
			c.Reply("yes")
			c.Reply("twice")
		case "later":
			later = c.Sender()
		case "answer":
			c.Tell(later, "at last")
		}
		return nil
	}))
	a := spawn(t, s, "a", d.scribe("a", func(c *Ctx, m any) error {
		if q, ok := m.(string); ok {
			to := b
			if q == "nobody" {
				to = Ref{"a", "z"}
			}
			c.Ask(to, q, time.Second, func(reply any, err error) { d.add("answer %v %v", reply, err) })
		}
		return nil
	}))
	h.rest()
	d.lines = nil
	s.Tell(a, "now")
	h.rest()
	d.is(t, "a now", "b now", "answer yes <nil>")
	s.Tell(a, "later")
	h.rest()
	s.Tell(b, "answer")
	h.rest()
	h.pass(time.Hour)
	d.is(t, "a later", "b later", "b answer", "answer at last <nil>")
	s.Tell(a, "later")
	h.pass(time.Hour)
	d.is(t, "a later", "b later")
	h.pass(time.Hour)
	d.is(t, "answer <nil> no answer in time: a/b was asked 1s before")
	s.Tell(b, "answer")
	h.rest()
	d.is(t, "b answer")
	s.Tell(a, "nobody")
	h.rest()
	d.is(t, "a nobody", "answer <nil> no such actor: a/z")
	s.Stop(b)
	s.Tell(a, "now")
	h.rest()
	d.is(t, "b stopping", "a now", "answer <nil> no such actor: a/b")
}

func TestBehaviourMayChangeAndShowsItsName(t *testing.T) {
	h, s := newHand(t)
	d := &diary{}
	r := spawn(t, s, "x", d.scribe("x", on[string](func(c *Ctx) error {
		c.Become("polite", func(c *Ctx, m any) error { d.add("please %v", m); return nil })
		return nil
	})))
	s.Tell(r, "m1")
	s.Tell(r, "m2")
	h.rest()
	d.is(t, "x started", "x m1", "please m2")
	if i, _ := s.Inspect(r); i.Behaviour != "polite" || i.State != "running" || i.Processed != 2 || i.HighWater != 2 || i.Length != 0 {
		t.Errorf("%+v", i)
	}
}

func TestWorkComesBackAsATurn(t *testing.T) {
	h, s := newHand(t)
	d := &diary{}
	r := spawn(t, s, "x", d.scribe("x", func(c *Ctx, m any) error {
		then := func(v any, err error) { d.add("got %v %v", v, err) }
		switch m {
		case "read":
			c.Go("read", func(context.Context) (any, error) { return 7, nil }, then)
		case "panic":
			c.Go("panic", func(context.Context) (any, error) { panic("boom") }, then)
		}
		return nil
	}))
	s.Tell(r, "read")
	s.Tell(r, "panic")
	h.rest()
	i, _ := s.Inspect(r)
	if len(i.Work) != 2 || i.Work[0].What != "read" || !i.Work[0].Waiting {
		t.Errorf("%+v", i.Work)
	}
	h.work()
	h.work()
	d.is(t, "x started", "x read", "x panic", "got 7 <nil>", "got <nil> panic: boom")
	if fmt.Sprint(h.failed) != "[x: panic: boom]" {
		t.Error(h.failed)
	}
}

func TestAnActorIsDownOnlyWhenItsWorkHasReturned(t *testing.T) {
	h, s := newHand(t)
	d := &diary{}
	work := func(name string) func(ctx context.Context) (any, error) {
		return func(ctx context.Context) (any, error) { d.add("%s: %v", name, ctx.Err()); return nil, nil }
	}
	then := func(any, error) { d.add("never") }
	family(t, s, d, nil, func(c *Ctx, m any) error {
		switch m.(type) {
		case Started:
			c.Go("before", work("before"), then)
		case Stopping:
			c.Go("last", work("last"), then)
		}
		return nil
	})
	h.rest()
	s.Stop(Ref{"a", "p/c"})
	h.rest()
	d.is(t, "p started", "c started", "c stopping")
	h.work()
	d.is(t, "before: context canceled")
	h.work()
	d.is(t, "last: <nil>", "p sees p/c stopped")
}

func TestAFullMailboxFailsItsActor(t *testing.T) {
	h, s := newHand(t)
	d := &diary{}
	spawn(t, s, "p", d.scribe("p", on[Started](func(c *Ctx) error {
		_, err := c.Spawn("test", "c", d.scribe("c", nil), Limit(3))
		return err
	})))
	h.rest()
	for i := range 5 {
		s.Tell(Ref{"a", "p/c"}, i)
	}
	h.rest()
	d.is(t, "p started", "c started", "c stopping", "p sees p/c failed: mailbox of a/p/c is full (3 messages)")
}

func TestYieldComesWhenNothingElseWaits(t *testing.T) {
	h, s := newHand(t)
	d := &diary{}
	r := spawn(t, s, "x", d.scribe("x", on[string](func(c *Ctx) error {
		c.Yield(1)
		c.Yield(2)
		return nil
	})))
	s.Tell(r, "m1")
	s.Tell(r, "m2")
	h.rest()
	d.is(t, "x started", "x m1", "x m2", "x 2")
	s.Tell(r, "m3")
	s.Stop(r)
	h.rest()
	d.is(t, "x m3", "x stopping")
	if len(h.lost) > 0 {
		t.Error(h.lost)
	}
}

func TestOnALoopAMessageWaitsForOneYieldedTurnAtMost(t *testing.T) {
	h, s := newHand(t)
	d := &diary{}
	l := s.NewLoop("slot 0")
	busy := func(c *Ctx, m any) error { c.Yield("quantum"); return nil }
	a := spawn(t, s, "a", d.scribe("a", busy), OnLoop(l))
	spawn(t, s, "b", d.scribe("b", busy), OnLoop(l))
	c := spawn(t, s, "c", d.scribe("c", nil), OnLoop(l))
	h.steps(7)
	d.is(t, "a started", "b started", "c started", "a quantum", "b quantum", "a quantum", "b quantum")
	s.Tell(c, "m1")
	s.Tell(a, "m2")
	s.Tell(c, "m3")
	h.steps(5)
	d.is(t, "c m1", "a m2", "c m3", "a quantum", "b quantum")
	if len(h.ready) != 1 {
		t.Errorf("%d units are scheduled, want the loop alone", len(h.ready))
	}
	if i, _ := s.Inspect(a); i.Loop != "slot 0" {
		t.Error(i.Loop)
	}
	s.Stop(a)
	s.Stop(Ref{"a", "b"})
	h.rest()
}

func TestOnlyAChildOrItselfCanBeStopped(t *testing.T) {
	h, s := newHand(t)
	d := &diary{}
	spawn(t, s, "x", d.scribe("x", nil))
	spawn(t, s, "y", d.scribe("y", on[Started](func(c *Ctx) error {
		c.Stop(Ref{"a", "y/gone"})
		c.Stop(Ref{"a", "x"})
		return nil
	})))
	h.rest()
	if want := "[y: panic: a/y cannot stop a/x: neither a child nor itself]"; fmt.Sprint(h.failed) != want {
		t.Error(h.failed)
	}
}

func TestAnActorCannotSpawnWhileItStops(t *testing.T) {
	h, s := newHand(t)
	d := &diary{}
	r := spawn(t, s, "x", d.scribe("x", on[Stopping](func(c *Ctx) error {
		_, err := c.Spawn("test", "y", d.scribe("y", nil))
		d.add("%v", err)
		return nil
	})))
	s.Stop(r)
	h.rest()
	d.is(t, "x started", "x stopping", "spawn a/x/y: the parent is stopping")
}

func TestTheLastWorkBeginsWhenNothingElseIsLeft(t *testing.T) {
	h, s := newHand(t)
	d := &diary{}
	p := family(t, s, d, func(c *Ctx, m any) error {
		switch m.(type) {
		case string:
			c.Go("slow", func(context.Context) (any, error) { d.add("slow"); return nil, nil }, nil)
		case Stopping:
			c.Last("last", time.Second, func(ctx context.Context) error { d.add("last: %v", ctx.Err()); return nil })
		}
		return nil
	}, on[Stopping](func(c *Ctx) error {
		c.Go("of the child", func(context.Context) (any, error) { d.add("of the child"); return nil, nil }, nil)
		return nil
	}))
	s.Tell(p, "go")
	s.Stop(p)
	h.rest()
	d.is(t, "p started", "c started", "p go", "p stopping", "c stopping")
	h.work()
	d.is(t, "slow")
	h.work()
	d.is(t, "of the child")
	h.work()
	d.is(t, "last: <nil>")
	if all := s.List(); len(all) > 0 {
		t.Error(all)
	}
	h.pass(time.Second)
}

func TestALastWorkThatHangsIsLeftBehind(t *testing.T) {
	h, s := newHand(t)
	var log strings.Builder
	s.config.Log = zerolog.New(&log)
	d := &diary{}
	r := spawn(t, s, "x", d.scribe("x", on[Stopping](func(c *Ctx) error {
		c.Last("close", time.Second, func(context.Context) error { d.add("closed"); return errors.New("too late") })
		return nil
	})))
	s.Stop(r)
	h.rest()
	h.pass(time.Second - 1)
	if all := s.List(); len(all) != 1 || !strings.Contains(fmt.Sprint(all[0]), "close") {
		t.Error(all)
	}
	h.pass(1)
	if all := s.List(); len(all) > 0 {
		t.Error(all)
	}
	h.work()
	d.is(t, "x started", "x stopping", "closed")
	if !strings.Contains(log.String(), "it takes longer than 1s") || strings.Contains(log.String(), "too late") {
		t.Error(log.String())
	}
}

func TestAnErrorOfTheLastWorkIsLogged(t *testing.T) {
	h, s := newHand(t)
	var log strings.Builder
	s.config.Log = zerolog.New(&log)
	r := spawn(t, s, "x", func() Actor {
		return receiver(on[Stopping](func(c *Ctx) error {
			c.Last("close", time.Second, func(context.Context) error { return errors.New("disk full") })
			return nil
		}))
	})
	s.Stop(r)
	h.rest()
	h.work()
	for _, want := range []string{"warn", "a/x", "close", "disk full"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("no %q in %s", want, log.String())
		}
	}
	h.pass(time.Second)
	if strings.Contains(log.String(), "longer") {
		t.Error(log.String())
	}
}

func TestWorkThatEndsItsGoroutineComesBackAsAnError(t *testing.T) {
	s := New(Config{Node: "a"})
	got := make(chan error, 1)
	spawn(t, s, "x", func() Actor {
		return receiver(on[Started](func(c *Ctx) error {
			c.Go("exit", func(context.Context) (any, error) { runtime.Goexit(); return nil, nil },
				func(_ any, err error) { got <- err })
			return nil
		}))
	})
	if err := <-got; !errors.Is(err, errEnded) {
		t.Error(err)
	}
	shutdown(t, s)
}
