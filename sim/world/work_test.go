package world

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"blink/actors"
)

// disk is what a crash leaves behind.
type disk struct{ log []string }

func (d *disk) do(w *World, op string) error {
	return w.Call(op, func() error { d.log = append(d.log, op); return nil })
}

// work runs f as the Go work of an actor, then then.
func goWork(t *testing.T, n *Node, f func() error, then func(err error)) {
	spawn(t, n.Start(), "x", func(c *actors.Ctx, m any) error {
		if m == (actors.Started{}) {
			c.Go("work", func(context.Context) (any, error) { return nil, f() }, func(_ any, err error) { then(err) })
		}
		return nil
	})
}

func TestACrashTearsWorkApartAtAnyOfItsCalls(t *testing.T) {
	seen := map[string]int{}
	for seed := range uint64(300) {
		w := New(seed, options())
		n, d := w.Node("a", Clock{}), &disk{}
		returned := false
		goWork(t, n, func() error {
			for _, op := range []string{"write", "fsync", "rename"} {
				if err := d.do(w, op); err != nil {
					return err
				}
			}
			return nil
		}, func(error) { returned = true })
		w.At(w.Rand("crash").Between(0, 8*time.Millisecond), n.Crash)
		if err := w.Run(time.Second); err != nil {
			t.Fatal(err)
		}
		seen[fmt.Sprint(d.log, returned)]++
		w.Close()
	}
	for _, outcome := range []string{"[] false", "[write] false", "[write fsync] false", "[write fsync rename] false", "[write fsync rename] true"} {
		if seen[outcome] == 0 {
			t.Errorf("never seen: %s", outcome)
		}
	}
	if len(seen) != 5 {
		t.Error(seen)
	}
}

func TestCodeCannotSurviveACrash(t *testing.T) {
	w := New(1, options())
	defer w.Close()
	n, d := w.Node("a", Clock{}), &disk{}
	var inDefer error
	goWork(t, n, func() error {
		defer func() { inDefer = d.do(w, "remove") }()
		for {
			func() {
				defer func() { _ = recover() }()
				_ = d.do(w, "write")
			}()
		}
	}, func(error) { t.Error("the work returned") })
	w.At(100*time.Millisecond, n.Crash)
	if err := w.Run(time.Minute); err != nil {
		t.Fatal(err)
	}
	if !errors.Is(inDefer, ErrCrashed) || strings.Contains(fmt.Sprint(d.log), "remove") || len(d.log) == 0 {
		t.Error(inDefer, d.log)
	}
}

func TestACrashFromInsideACallTakesEffect(t *testing.T) {
	w := New(1, options())
	defer w.Close()
	n := w.Node("a", Clock{})
	goWork(t, n, func() error {
		err := w.Call("write", func() error { n.Crash(); return nil })
		t.Error("the call returned", err)
		return err
	}, func(error) { t.Error("the work returned") })
	if err := w.Run(time.Minute); err != nil {
		t.Fatal(err)
	}
	if n.System() != nil {
		t.Error("the node is up")
	}
}

// script says what goes wrong in a call by its name.
type script map[string]Fault

func (s script) Call(_, op string) Fault { return s[op] }

func TestACallMayFailBeforeOrAfterItWasApplied(t *testing.T) {
	o := options()
	o.Faults = script{
		"before": {Err: errors.New("503")},
		"after":  {Err: errors.New("timeout"), Applied: true},
		"late":   {Err: errors.New("timeout"), Applied: true, Late: 30 * time.Second},
		"slow":   {Slow: time.Minute},
	}
	w := New(1, o)
	defer w.Close()
	n, d := w.Node("a", Clock{}), &disk{}
	var errs []error
	goWork(t, n, func() error {
		for _, op := range []string{"before", "after", "late", "next", "slow"} {
			errs = append(errs, d.do(w, op))
		}
		return w.Call("own", func() error { return errors.New("not found") })
	}, func(err error) { errs = append(errs, err) })
	if err := w.RunUntil(func() bool { return len(errs) == 6 }, time.Hour); err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(errs, d.log); got != "[503 timeout timeout <nil> <nil> not found] [after next late slow]" {
		t.Error(got)
	}
	if w.Elapsed() < time.Minute {
		t.Errorf("it took %v", w.Elapsed())
	}
}

func TestTwoPiecesOfWorkInterleave(t *testing.T) {
	seen := map[string]bool{}
	for seed := range uint64(50) {
		w := New(seed, options())
		d := &disk{}
		for _, name := range []string{"a", "b"} {
			goWork(t, w.Node(name, Clock{}), func() error {
				for i := range 2 {
					if err := d.do(w, fmt.Sprint(w.Working().Node, i)); err != nil {
						return err
					}
				}
				return nil
			}, func(error) {})
		}
		if err := w.Run(time.Second); err != nil {
			t.Fatal(err)
		}
		seen[fmt.Sprint(d.log)] = true
		w.Close()
	}
	if len(seen) != 6 {
		t.Errorf("%d of 6 orders seen: %v", len(seen), seen)
	}
}

func TestAnActorThatCallsWithoutGoBreaksAnInvariant(t *testing.T) {
	w := New(1, options())
	defer w.Close()
	spawn(t, w.Node("a", Clock{}).Start(), "x", func(*actors.Ctx, any) error { return (&disk{}).do(w, "write") })
	if err := w.Run(time.Second); err == nil || !strings.Contains(err.Error(), "write is called outside of Go work") {
		t.Error(err)
	}
}

func TestWaitingForWhatDoesNotHappenEnds(t *testing.T) {
	w := New(1, options())
	if err := w.RunUntil(func() bool { return false }, time.Second); !errors.Is(err, ErrLate) {
		t.Error(err)
	}
}
