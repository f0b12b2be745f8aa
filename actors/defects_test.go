package actors

import (
	"errors"
	"fmt"
	"testing"

	"github.com/asynkron/protoactor-go/actor"
)

// Each test here shows that something that the library does wrong cannot happen.

func on[M any](do func(c *Ctx) error) func(*Ctx, any) error {
	return func(c *Ctx, m any) error {
		if _, ok := m.(M); ok {
			return do(c)
		}
		return nil
	}
}

func boom(*Ctx) error { panic("boom") }

func TestAPanicInStoppingDoesNotReviveTheActor(t *testing.T) {
	h, s := newHand(t)
	d := &diary{}
	p := family(t, s, d, nil, on[Stopping](boom))
	h.rest()
	s.Stop(Ref{"a", "p/c"})
	h.rest()
	d.is(t, "p started", "c started", "c stopping", "p sees p/c failed: panic: boom")
	if _, alive := s.Inspect(Ref{"a", "p/c"}); alive {
		t.Error("the child lives on")
	}
	s.Stop(p)
	h.rest()
	d.is(t, "p stopping")
	if left := s.List(); len(left) != 0 {
		t.Errorf("still alive: %v", left)
	}
}

func TestAParentCanStopThoughItsChildPanicsInStopping(t *testing.T) {
	h, s := newHand(t)
	d := &diary{}
	p := family(t, s, d, nil, on[Stopping](boom))
	h.rest()
	s.Stop(p)
	h.rest()
	d.is(t, "p started", "c started", "p stopping", "c stopping")
	if left := s.List(); len(left) != 0 {
		t.Errorf("still alive: %v", left)
	}
}

func TestAFailedActorIsStoppedAndNeverStartedAgain(t *testing.T) {
	for name, fail := range map[string]func(*Ctx) error{
		"panic": boom,
		"error": func(*Ctx) error { return errors.New("boom") },
	} {
		t.Run(name, func(t *testing.T) {
			h, s := newHand(t)
			d := &diary{}
			family(t, s, d, nil, on[string](fail))
			c := Ref{"a", "p/c"}
			h.rest()
			s.Tell(c, "m1")
			s.Tell(c, "m2")
			h.rest()
			want := "p sees p/c failed: boom"
			if name == "panic" {
				want = "p sees p/c failed: panic: boom"
			}
			d.is(t, "p started", "c started", "c m1", "c stopping", want)
		})
	}
}

func TestAFailureInStartedOrInTheConstructorIsDownOnce(t *testing.T) {
	h, s := newHand(t)
	d := &diary{}
	spawn(t, s, "p", d.scribe("p", func(c *Ctx, m any) error {
		if _, ok := m.(Started); !ok {
			return nil
		}
		if _, err := c.Spawn("test", "x", d.scribe("x", on[Started](boom))); err != nil {
			return err
		}
		_, err := c.Spawn("test", "y", func() Actor { panic("no y") })
		return err
	}))
	h.rest()
	d.is(t, "p started", "x started", "x stopping", "p sees p/x failed: panic: boom", "p sees p/y failed: panic: no y")
}

func TestStopAndFailureInOneTurnAreOneDown(t *testing.T) {
	h, s := newHand(t)
	d := &diary{}
	family(t, s, d, nil, on[string](func(c *Ctx) error {
		if _, err := c.Spawn("test", "g", d.scribe("g", nil)); err != nil {
			return err
		}
		c.Stop(c.Self())
		c.Stop(c.Self())
		return errors.New("boom")
	}))
	h.rest()
	s.Tell(Ref{"a", "p/c"}, "go")
	s.Stop(Ref{"a", "p/c"})
	h.rest()
	d.is(t, "p started", "c started", "c go", "c stopping", "g started", "g stopping", "p sees p/c failed: boom")
}

func TestNothingIsProcessedAfterStopping(t *testing.T) {
	h, s := newHand(t)
	d := &diary{}
	p := family(t, s, d, on[string](func(c *Ctx) error { return nil }), nil)
	h.rest()
	s.Tell(p, "m1")
	s.Stop(p)
	s.Tell(p, "m2")
	h.steps(2) // m1 and the stop; the child is not down yet
	s.Tell(p, "m3")
	h.rest()
	d.is(t, "p started", "c started", "p m1", "p stopping", "c stopping")
}

func TestStopComesBehindWhatWasToldBefore(t *testing.T) {
	h, s := newHand(t)
	d := &diary{}
	family(t, s, d, on[string](func(c *Ctx) error {
		child := Ref{"a", "p/c"}
		c.Tell(child, "m1")
		c.Stop(child)
		c.Tell(child, "m2")
		return nil
	}), nil)
	h.rest()
	s.Tell(Ref{"a", "p"}, "go")
	h.rest()
	d.is(t, "p started", "c started", "p go", "c m1", "c stopping", "p sees p/c stopped")
}

func TestWhatAStoppedActorLeavesIsToldAsLost(t *testing.T) {
	h, s := newHand(t)
	d := &diary{}
	r := spawn(t, s, "x", d.scribe("x", nil))
	h.rest()
	s.Stop(r)
	s.Tell(r, "late")
	h.rest()
	s.Tell(r, 7)
	if got := fmt.Sprint(h.lost); got != "[a/x string a/x int]" {
		t.Error(got)
	}
}

func TestDownComesOnceToAParentThatWatchesAndToAWatcherThatWatchesTwice(t *testing.T) {
	h, s := newHand(t)
	d := &diary{}
	child := Ref{"a", "p/c"}
	watch := on[string](func(c *Ctx) error {
		c.Watch(child)
		c.Watch(child)
		return nil
	})
	p := family(t, s, d, watch, nil)
	w := spawn(t, s, "w", d.scribe("w", watch))
	h.rest()
	s.Tell(p, "watch")
	s.Tell(w, "watch")
	h.rest()
	d.lines = nil
	s.Stop(child)
	h.rest()
	d.is(t, "c stopping", "w sees p/c stopped", "p sees p/c stopped")
	s.Tell(w, "again")
	h.rest()
	d.is(t, "w again", "w sees p/c not found", "w sees p/c not found")
}

func TestAnActorOfAnotherNodeIsDownAtOnceForItsWatcher(t *testing.T) {
	h, s := newHand(t)
	d := &diary{}
	spawn(t, s, "w", d.scribe("w", on[Started](func(c *Ctx) error { c.Watch(Ref{"b", "x"}); return nil })))
	h.rest()
	d.is(t, "w started", "w sees x node lost")
}

func TestDownComesBehindEverythingTheChildTold(t *testing.T) {
	h, s := newHand(t)
	d := &diary{}
	family(t, s, d, nil, on[string](func(c *Ctx) error {
		for i := range 3 {
			c.Tell(c.Parent(), i)
		}
		c.Stop(c.Self())
		return nil
	}))
	h.rest()
	s.Tell(Ref{"a", "p/c"}, "go")
	h.rest()
	d.is(t, "p started", "c started", "c go", "c stopping", "p 0", "p 1", "p 2", "p sees p/c stopped")
}

func TestTheNextAttemptMayHaveTheSameNameInTheDownOfTheLast(t *testing.T) {
	h, s := newHand(t)
	d := &diary{}
	family(t, s, d, on[Down](func(c *Ctx) error {
		_, err := c.Spawn("test", "c", d.scribe("c2", nil))
		return err
	}), on[string](boom))
	h.rest()
	s.Tell(Ref{"a", "p/c"}, "go")
	h.rest()
	d.is(t, "p started", "c started", "c go", "c stopping", "p sees p/c failed: panic: boom", "c2 started")
}

func TestStopAllWaitsForEveryChildAndItsChildren(t *testing.T) {
	h, s := newHand(t)
	d := &diary{}
	p := spawn(t, s, "p", d.scribe("p", func(c *Ctx, m any) error {
		switch m {
		case Started{}:
			for _, name := range []string{"c1", "c2"} {
				if _, err := c.Spawn("test", name, d.scribe(name, on[Started](func(c *Ctx) error {
					_, err := c.Spawn("test", "g", d.scribe(name+"/g", nil))
					return err
				}))); err != nil {
					return err
				}
			}
		case "restart":
			c.StopAll(func() { d.add("all down") })
		}
		return nil
	}))
	h.rest()
	d.lines = nil
	s.Tell(p, "restart")
	h.rest()
	d.is(t, "p restart", "c1 stopping", "c2 stopping", "c1/g stopping", "c2/g stopping",
		"p sees p/c1 stopped", "p sees p/c2 stopped", "all down")
	s.Tell(p, "restart")
	h.rest()
	d.is(t, "p restart", "all down")
}

func TestSeveralFailuresAtOnceAreOneDownEach(t *testing.T) {
	h, s := newHand(t)
	d := &diary{}
	spawn(t, s, "p", d.scribe("p", on[Started](func(c *Ctx) error {
		for i := range 3 {
			if _, err := c.Spawn("test", fmt.Sprint("c", i), d.scribe("c", on[Started](boom))); err != nil {
				return err
			}
		}
		c.StopAll(func() { d.add("all down") })
		return nil
	})))
	h.rest()
	downs := 0
	for _, line := range d.lines {
		if line == "c started" {
			downs++
		}
	}
	if downs != 3 || d.lines[len(d.lines)-1] != "all down" || len(d.lines) != 1+3*3+1 {
		t.Error(d.lines)
	}
}

// batch is what the library would unpack.
type batch struct{}

func (batch) GetMessages() []any { return []any{1, 2} }

func TestMessagesThatTheLibraryWouldActOnAreMessagesLikeAnyOther(t *testing.T) {
	h, s := newHand(t)
	var got []string
	r := spawn(t, s, "x", func() Actor {
		return receiver(func(_ *Ctx, m any) error { got = append(got, Kind(m)); return nil })
	})
	for _, m := range []any{batch{}, &actor.PoisonPill{}, &actor.Stop{}, &actor.Started{}, actor.WrapEnvelope(1)} {
		s.Tell(r, m)
	}
	h.rest()
	if want := "[actors.Started actors.batch *actor.PoisonPill *actor.Stop *actor.Started *actor.MessageEnvelope]"; fmt.Sprint(got) != want {
		t.Errorf("got %v", got)
	}
}

// receiver is an actor that is a function.
type receiver func(c *Ctx, m any) error

func (f receiver) Receive(c *Ctx, m any) error { return f(c, m) }
