package world

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"blink/actors"
)

func TestACrashEndsEverythingOfTheProcessAndARestartBeginsAnew(t *testing.T) {
	w := New(1, options())
	defer w.Close()
	n := w.Node("a", Clock{})
	var got []string
	boot := func() {
		life := n.Starts() + 1
		spawn(t, n.Start(), "te", func(c *actors.Ctx, m any) error {
			got = append(got, fmt.Sprint(w.Elapsed(), " ", life, " ", actors.Kind(m)))
			c.After("k", time.Second, "tick")
			return nil
		})
	}
	boot()
	w.At(1500*time.Millisecond, n.Crash)
	w.At(1700*time.Millisecond, boot)
	if err := w.Run(3 * time.Second); err != nil {
		t.Fatal(err)
	}
	want := []string{"0s 1 actors.Started", "1s 1 string", "1.7s 2 actors.Started", "2.7s 2 string"}
	if !slices.Equal(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

func TestThePausedNodesEventsShift(t *testing.T) {
	w := New(1, options())
	defer w.Close()
	a, b := w.Node("a", Clock{}), w.Node("b", Clock{})
	var got []time.Duration
	r := spawn(t, a.Start(), "x", func(c *actors.Ctx, m any) error {
		got = append(got, w.Elapsed().Round(10*time.Millisecond))
		if m == (actors.Started{}) {
			c.After("k", 2*time.Second, "tick")
		}
		return nil
	})
	spawn(t, b.Start(), "y", func(c *actors.Ctx, m any) error {
		c.After("k", time.Second, "tick")
		if m == "tick" {
			c.Tell(r, text("hello"))
		}
		return nil
	})
	w.At(1500*time.Millisecond, a.Pause)
	w.At(4500*time.Millisecond, a.Resume)
	if err := w.Run(5500 * time.Millisecond); err != nil {
		t.Fatal(err)
	}
	// Started, one message, then during the pause a tick and three messages, one after it.
	want := []time.Duration{0, time.Second, 4500 * time.Millisecond, 4500 * time.Millisecond, 4500 * time.Millisecond, 4500 * time.Millisecond, 5 * time.Second}
	if !slices.Equal(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

func TestANodesClockHasOffsetDriftAndJumps(t *testing.T) {
	w := New(1, options())
	defer w.Close()
	n := w.Node("a", Clock{Offset: time.Minute, Drift: 1000})
	var fired time.Duration
	var began, ended time.Time
	spawn(t, n.Start(), "x", func(c *actors.Ctx, m any) error {
		if m == (actors.Started{}) {
			began = c.Now()
			c.After("k", 1000*time.Second, "tick")
			return nil
		}
		fired, ended = w.Elapsed(), c.Now()
		return nil
	})
	if err := w.Run(time.Hour); err != nil {
		t.Fatal(err)
	}
	if began.Sub(epoch) != time.Minute {
		t.Errorf("it began at %v", began)
	}
	if fired != 999*time.Second {
		t.Errorf("1000 s of a fast clock took %v", fired)
	}
	if d := ended.Sub(began); d < 999900*time.Millisecond || d > 1000*time.Second {
		t.Errorf("on its own clock the timer took %v", d)
	}
	before := n.Now()
	n.Jump(-time.Hour)
	if n.Now().Sub(before) != -time.Hour {
		t.Error("the clock did not jump")
	}
}
