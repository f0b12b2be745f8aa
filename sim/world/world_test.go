package world

import (
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"blink/actors"
	"blink/internal/invariant"
)

func TestTheSameSeedGivesTheSameHash(t *testing.T) {
	const d = 500 * time.Millisecond
	want, events := run(t, 7, d)
	if events < 1000 {
		t.Errorf("only %d events", events)
	}
	for i := range 100 {
		before := runtime.GOMAXPROCS(1 + i%2)
		got, _ := run(t, 7, d)
		runtime.GOMAXPROCS(before)
		if got != want {
			t.Fatalf("run %d: hash %016x, want %016x", i, got, want)
		}
	}
}

func TestTwoHundredSeedsGiveTwoHundredHashes(t *testing.T) {
	seen := map[uint64]uint64{}
	for seed := range uint64(200) {
		hash, _ := run(t, seed, 200*time.Millisecond)
		if other, twice := seen[hash]; twice {
			t.Errorf("seeds %d and %d have hash %016x", other, seed, hash)
		}
		seen[hash] = seed
	}
}

// TestAnotherProcessGivesTheSameHash runs itself again.
func TestAnotherProcessGivesTheSameHash(t *testing.T) {
	hash, _ := run(t, 11, 3*time.Second)
	line := fmt.Sprintf("hash %016x", hash)
	if os.Getenv("WORLD_HASH") != "" {
		fmt.Println(line)
		return
	}
	for _, procs := range []string{"1", "2"} {
		c := exec.Command(os.Args[0], "-test.run=^TestAnotherProcessGivesTheSameHash$")
		c.Env = append(os.Environ(), "WORLD_HASH=1", "GOMAXPROCS="+procs, "GOGC=20")
		out, err := c.Output()
		if err != nil || !strings.Contains(string(out), line) {
			t.Errorf("GOMAXPROCS=%s: %v\n%swant %s", procs, err, out, line)
		}
	}
}

func TestEventsHappenInTheOrderOfTheirTime(t *testing.T) {
	r := NewRand(1)
	var h heap
	var want []event
	for i := range 1000 {
		e := event{at: int64(r.N(100)), seq: uint64(i)}
		h.push(e)
		want = append(want, e)
	}
	slices.SortFunc(want, func(a, b event) int { return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.seq, b.seq)) })
	for i, e := range want {
		if got := h.pop(); got != e {
			t.Fatalf("event %d is %v, want %v", i, got, e)
		}
	}
}

func TestAStreamOfChanceDependsOnSeedAndLabelOnly(t *testing.T) {
	a, b := New(1, Options{}), New(1, Options{})
	a.Rand("x").Uint64()
	a.chance.network.Uint64()
	if a.Rand("y").Uint64() != b.Rand("y").Uint64() {
		t.Error("a stream was shifted by another")
	}
	if a.Rand("x").Uint64() == a.Rand("y").Uint64() || a.Rand("x").Uint64() == New(2, Options{}).Rand("x").Uint64() {
		t.Error("two streams are the same")
	}
}

func TestCloseLeavesNothingRunning(t *testing.T) {
	before := runtime.NumGoroutine()
	for seed := range uint64(20) {
		run(t, seed, 500*time.Millisecond)
	}
	for runtime.NumGoroutine() > before {
		runtime.Gosched()
	}
}

func TestABrokenInvariantEndsTheRun(t *testing.T) {
	w := New(1, Options{})
	defer w.Close()
	spawn(t, w.Node("a", Clock{}).Start(), "x", func(c *actors.Ctx, m any) error {
		invariant.Check(m == actors.Started{}, "got %v", m)
		c.After("k", time.Second, "m")
		return nil
	})
	if err := w.Run(time.Hour); err == nil || err.Error() != "a/x: panic: invariant: got m" || w.Elapsed() != time.Second {
		t.Error(err, w.Elapsed())
	}
}

func TestActorsThatStopTheClockEndTheRun(t *testing.T) {
	w := New(1, Options{})
	defer w.Close()
	spawn(t, w.Node("a", Clock{}).Start(), "x", func(c *actors.Ctx, m any) error {
		c.Tell(c.Self(), "again")
		return nil
	})
	if err := w.Run(time.Hour); err == nil || !strings.Contains(err.Error(), "without any time passing") {
		t.Error(err)
	}
}

func TestAYieldedTurnTakesTime(t *testing.T) {
	w := New(1, Options{})
	defer w.Close()
	turns := 0
	spawn(t, w.Node("a", Clock{}).Start(), "x", func(c *actors.Ctx, m any) error {
		turns++
		c.Yield("quantum")
		return nil
	})
	if err := w.Run(time.Second); err != nil {
		t.Fatal(err)
	}
	if turns < 5_000 || turns > 50_000 {
		t.Errorf("%d quanta of 20 to 200 µs in a second", turns)
	}
}

func TestWhatCannotBeEncodedEndsTheRun(t *testing.T) {
	w := New(1, Options{})
	defer w.Close()
	w.Node("b", Clock{})
	spawn(t, w.Node("a", Clock{}).Start(), "x", func(c *actors.Ctx, m any) error {
		c.Tell(actors.Ref{Node: "b", ID: "x"}, "no proto")
		return nil
	})
	if err := w.Run(time.Hour); err == nil || !strings.Contains(err.Error(), "a/x tells b/x: encode string") {
		t.Error(err)
	}
}

func TestTheTraceReadsAsAStory(t *testing.T) {
	o := options()
	var lines []string
	o.Trace = func(at time.Duration, where, what string) {
		lines = append(lines, fmt.Sprint(at, " ", where, " ", what))
	}
	w := New(1, o)
	defer w.Close()
	n := w.Node("a", Clock{})
	spawn(t, n.Start(), "x", func(c *actors.Ctx, m any) error {
		if m == (actors.Started{}) {
			c.After("k", time.Second, text("m"))
		}
		return nil
	})
	w.At(2*time.Second, n.Crash)
	if err := w.Run(time.Minute); err != nil {
		t.Fatal(err)
	}
	want := "0s a start | 0s a/x actors.Started | 1s a/x *wrapperspb.StringValue | 2s a crash"
	if got := strings.Join(lines, " | "); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// BenchmarkChaos reports events for each second of a processor, at five nodes.
func BenchmarkChaos(b *testing.B) {
	var events uint64
	for i := range b.N {
		_, n := run(b, uint64(i), 10*time.Second)
		events += n
	}
	b.ReportMetric(float64(events)/b.Elapsed().Seconds(), "events/s")
}

// BenchmarkHeartbeats is the same for cheap handlers: every node tells every other.
func BenchmarkHeartbeats(b *testing.B) {
	var events uint64
	for i := range b.N {
		w := New(uint64(i), options())
		for i := range 5 {
			spawn(b, w.Node(fmt.Sprint("n", i), Clock{}).Start(), "te", func(c *actors.Ctx, m any) error {
				switch m.(type) {
				case actors.Started, string:
					for j := range 5 {
						c.Tell(actors.Ref{Node: fmt.Sprint("n", j), ID: "te"}, text("beat"))
					}
					c.After("beat", time.Millisecond, "beat")
				}
				return nil
			})
		}
		if err := w.Run(10 * time.Second); err != nil {
			b.Fatal(err)
		}
		events += w.Events()
		w.Close()
	}
	b.ReportMetric(float64(events)/b.Elapsed().Seconds(), "events/s")
}

func BenchmarkStartNode(b *testing.B) {
	w := New(1, Options{})
	n := w.Node("a", Clock{})
	b.ReportAllocs()
	for b.Loop() {
		n.Start()
		n.Crash()
	}
}
