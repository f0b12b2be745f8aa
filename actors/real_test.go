package actors

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// shutdown stops s and waits until none of its goroutines is left.
func shutdown(t testing.TB, s *System) {
	t.Helper()
	if err := s.Shutdown(context.Background()); err != nil {
		t.Fatal(err)
	}
}

// goroutines waits until there are at most n.
func goroutines(n int) {
	for runtime.NumGoroutine() > n {
		runtime.Gosched()
	}
}

func TestShutdownStopsTheLastSpawnedFirstAndLeavesNoGoroutine(t *testing.T) {
	before := runtime.NumGoroutine()
	s := New(Config{Node: "a"})
	var mu sync.Mutex
	var order []string
	l := s.NewLoop("loop")
	for i := range 4 {
		name := fmt.Sprint("r", i)
		spawn(t, s, name, func() Actor {
			return receiver(on[Stopping](func(*Ctx) error {
				mu.Lock()
				defer mu.Unlock()
				order = append(order, name)
				return nil
			}))
		}, OnLoop(l))
	}
	shutdown(t, s)
	if fmt.Sprint(order) != "[r3 r2 r1 r0]" {
		t.Error(order)
	}
	if _, err := s.Spawn("test", "x", func() Actor { return nil }); err == nil {
		t.Error("spawned after the end")
	}
	goroutines(before)
}

func TestAStuckActorIsSeenFromOutsideAndNamedByShutdown(t *testing.T) {
	s := New(Config{Node: "a"})
	entered, leave := make(chan bool), make(chan bool)
	r := spawn(t, s, "x", func() Actor {
		return receiver(on[string](func(*Ctx) error { entered <- true; <-leave; return nil }))
	})
	s.Tell(r, "stick")
	s.Tell(r, "wait")
	<-entered
	if i, ok := s.Inspect(r); !ok || i.Current != "string" || i.Length != 1 || i.Since.IsZero() {
		t.Errorf("%+v", i)
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(errors.New("too late"))
	if err := s.Shutdown(ctx); err == nil || !strings.Contains(err.Error(), "too late") || !strings.Contains(err.Error(), "a/x is still alive: running test, 2 waiting") {
		t.Error(err)
	}
	leave <- true
	<-entered
	leave <- true
	shutdown(t, s)
}

func TestWorkBeyondTheBoundWaitsAndShows(t *testing.T) {
	s := New(Config{Node: "a"})
	block := make(chan bool)
	var begun sync.WaitGroup
	begun.Add(maxWork)
	done := make(chan bool, maxWork+1)
	var n atomic.Int32
	r := spawn(t, s, "x", func() Actor {
		return receiver(on[Started](func(c *Ctx) error {
			for range maxWork + 1 {
				c.Go("block", func(context.Context) (any, error) {
					if n.Add(1) <= maxWork {
						begun.Done()
					}
					<-block
					return nil, nil
				}, func(any, error) { done <- true })
			}
			return nil
		}))
	})
	begun.Wait()
	waiting := 0
	i, _ := s.Inspect(r)
	for _, w := range i.Work {
		if w.Waiting {
			waiting++
		}
	}
	if waiting != 1 || len(i.Work) != maxWork+1 {
		t.Errorf("%d of %d wait", waiting, len(i.Work))
	}
	close(block)
	for range maxWork + 1 {
		<-done
	}
	shutdown(t, s)
}

// TestActorsUnderStress is for the race detector: everything at once, from everywhere.
func TestActorsUnderStress(t *testing.T) {
	before := runtime.NumGoroutine()
	s := New(Config{Node: "a"})
	l := s.NewLoop("loop")
	const rounds, children = 50, 6
	finished := make(chan bool)
	leaf := func() Actor {
		return receiver(func(c *Ctx, m any) error {
			switch m := m.(type) {
			case Started:
				c.After("tick", time.Microsecond, "tick")
				c.Go("w", func(ctx context.Context) (any, error) { return nil, ctx.Err() }, func(any, error) { c.Yield("y") })
			case int:
				c.Reply(m)
				if m%5 == 0 {
					return errors.New("five")
				}
			}
			return nil
		})
	}
	spawn(t, s, "p", func() Actor {
		round, downs := 0, 0
		var begin func(c *Ctx) error
		begin = func(c *Ctx) error {
			if round++; round > rounds {
				close(finished)
				return nil
			}
			for i := range children {
				var o []Option
				if i%2 == 0 {
					o = append(o, OnLoop(l))
				}
				r, err := c.Spawn("leaf", fmt.Sprintf("c%d@%d", i, round), leaf, o...)
				if err != nil {
					return err
				}
				c.Ask(r, i+round, time.Minute, func(any, error) {})
			}
			c.StopAll(func() {
				if downs != children {
					panic(fmt.Sprintf("%d downs of %d", downs, children))
				}
				downs = 0
				if err := begin(c); err != nil {
					panic(err)
				}
			})
			return nil
		}
		return receiver(func(c *Ctx, m any) error {
			switch m.(type) {
			case Started:
				return begin(c)
			case Down:
				downs++
			}
			return nil
		})
	})
	var outside sync.WaitGroup
	outside.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-finished:
				return
			default:
				for _, info := range s.List() {
					s.Tell(info.Ref, "hello")
				}
				runtime.Gosched()
			}
		}
	})
	<-finished
	outside.Wait()
	shutdown(t, s)
	goroutines(before)
}

// toiler is busy, each turn for half a slice, until others have had the processor.
type toiler struct {
	turns  int
	others atomic.Bool
}

func (t *toiler) Run(most int) bool {
	for range most {
		if t.others.Load() {
			return false
		}
		for start := time.Now(); time.Since(start) < slice/2; {
		}
		t.turns++
	}
	return true
}

func TestABusyUnitLetsOthersHaveItsProcessor(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	var u toiler
	go u.others.Store(true)
	const most = 3 * turnsPerLook // now and then Go takes a unit that has gone to the end before others
	if run(&u); u.turns > most {
		t.Errorf("others wait for %d turns, want %d at most", u.turns, most)
	}
}
