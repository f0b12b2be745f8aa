package campaign

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"blink/sim"
)

// Options say what to run, and how to tell it.
type Options struct {
	First, Last uint64 // seeds, inclusive
	// Workload makes the workload of a seed anew; nil: a random one.
	Workload func(seed uint64) sim.Workload
	Story    bool // tell what happens: for a person, one seed
	JSON     bool // one object a line
	Out      io.Writer
	// Replay is the command that runs one seed again, in front of the seed.
	Replay string
	// Cover makes a campaign of at least so many seeds fail when it has not met everything that
	// random workloads can meet; 0: none fails for that.
	Cover uint64
}

// CoverSeeds is how many seeds must have met everything: the rarest event, a manifest that
// cannot be stored in any of its tries, comes about twice in a thousand.
const CoverSeeds = 5000

// shrinkRuns bounds the runs that look for a minimal plan of faults.
const shrinkRuns = 200

// line is a seed as --json prints it.
type line struct {
	Seed    uint64                `json:"seed"`
	Hash    string                `json:"hash"` // 16 hexadecimal digits
	Events  uint64                `json:"events"`
	Virtual float64               `json:"virtual_seconds"`
	Faults  map[sim.FaultKind]int `json:"faults"`
	Result  string                `json:"result"` // ok, or the invariant that broke
	Error   string                `json:"error,omitempty"`
	Plan    []string              `json:"plan,omitempty"` // of a broken seed, made minimal
}

// summary is the last object of --json.
type summary struct {
	Seeds       uint64                `json:"seeds"`
	OK          uint64                `json:"ok"`
	Broken      []uint64              `json:"broken"`
	Events      uint64                `json:"events"`
	Virtual     float64               `json:"virtual_seconds"`
	Wall        float64               `json:"wall_seconds"`
	Checkpoints int                   `json:"checkpoints"`
	Restarts    int                   `json:"restarts"`
	Leaders     int                   `json:"leaders"`
	Faults      map[sim.FaultKind]int `json:"faults"`
	Seen        sim.Coverage          `json:"seen"`
	Missing     []string              `json:"missing"`
}

// Run runs every seed. It returns false when a seed broke something, or the campaign has not
// met what it must. An error means that not all was run, or not all could be told.
func Run(o Options) (ok bool, err error) {
	if os.Getenv("GOGC") == "" {
		defer debug.SetGCPercent(debug.SetGCPercent(sim.GCPercent))
	}
	out := &teller{to: o.Out}
	o.Out = out
	r := &run{o: o, began: time.Now(), told: time.Now(), sum: summary{
		Broken: []uint64{}, Faults: map[sim.FaultKind]int{}, Seen: sim.Coverage{}, Missing: []string{},
	}}
	workers := runtime.GOMAXPROCS(0)
	if o.Story {
		workers = 1
	}
	for seed := range r.outcomes(workers) {
		if seed.err != nil {
			return false, seed.err
		}
		r.tell(seed)
		if err := out.failed(); err != nil {
			return false, err
		}
	}
	ok = r.end()
	return ok, out.failed()
}

// teller writes until that fails, and keeps the error. Safe for concurrent use: a seed that
// tells its story runs beside the summary of others.
type teller struct {
	mu  sync.Mutex // guards what follows
	to  io.Writer
	err error
}

func (t *teller) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.err != nil {
		return 0, t.err
	}
	n, err := t.to.Write(p)
	t.err = err
	return n, err
}

func (t *teller) failed() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.err == nil {
		return nil
	}
	return fmt.Errorf("tell how the seeds went: %w", t.err)
}

type run struct {
	o     Options
	began time.Time
	told  time.Time // of progress
	sum   summary
}

// outcome is a seed that has run.
type outcome struct {
	sim.Outcome
	err  error // it could not be run
	plan []sim.Fault
}

// outcomes runs the seeds and yields them in order. At most a few run ahead.
func (r *run) outcomes(workers int) func(yield func(outcome) bool) {
	return func(yield func(outcome) bool) {
		slots := make(chan chan outcome, workers)
		stop := make(chan struct{})
		var all sync.WaitGroup
		all.Go(func() {
			defer close(slots)
			for seed := r.o.First; ; seed++ {
				done := make(chan outcome, 1)
				select {
				case slots <- done:
				case <-stop:
					return
				}
				all.Go(func() { done <- r.one(seed) })
				if seed == r.o.Last {
					return
				}
			}
		})
		for done := range slots {
			if !yield(<-done) {
				break
			}
		}
		close(stop)
		all.Wait()
	}
}

func (r *run) draw(seed uint64) (sim.Scenario, error) {
	var w sim.Workload
	if r.o.Workload != nil {
		w = r.o.Workload(seed)
	}
	return sim.Draw(seed, w)
}

// one runs a seed. A panic is the outcome of its seed: the others go on.
func (r *run) one(seed uint64) (o outcome) {
	defer func() {
		if v := recover(); v != nil {
			o = outcome{Outcome: sim.Outcome{Seed: seed, Err: fmt.Errorf("panic: %v\n%s", v, debug.Stack())}}
		}
	}()
	s, err := r.draw(seed)
	if err != nil {
		return outcome{err: err}
	}
	if r.o.Story {
		s.Story = func(at time.Duration, where, what string) {
			fmt.Fprintf(r.o.Out, "%12.6fs  %-9s  %s\n", at.Seconds(), where, what)
		}
	}
	out := outcome{Outcome: sim.Run(seed, s)}
	if out.Err != nil {
		out.plan = sim.Shrink(seed, func() (sim.Scenario, error) { return r.draw(seed) }, out.Outcome, shrinkRuns)
	}
	return out
}

// tell adds a seed to the summary and prints it.
func (r *run) tell(out outcome) {
	s := &r.sum
	s.Seeds++
	s.Events += out.Events
	s.Virtual += out.Virtual.Seconds()
	s.Checkpoints += out.Checkpoints
	s.Restarts += out.Restarts
	s.Leaders += out.Leaders
	for kind, n := range out.Faults { // sums
		s.Faults[kind] += n
	}
	s.Seen.Add(out.Seen)
	l := line{Seed: out.Seed, Hash: fmt.Sprintf("%016x", out.Hash), Events: out.Events, Virtual: out.Virtual.Seconds(), Faults: out.Faults, Result: "ok"}
	if out.Err == nil {
		s.OK++
	} else {
		s.Broken = append(s.Broken, out.Seed)
		l.Result, l.Error = out.Broken(), out.Err.Error()
		for _, f := range out.plan {
			l.Plan = append(l.Plan, f.String())
		}
	}
	if r.o.JSON {
		r.print(l)
		return
	}
	if out.Err != nil {
		fmt.Fprintf(r.o.Out, "seed %d: %s\n  faults that are enough: %s\n  again with: %s --seed %d --trace\n",
			out.Seed, l.Error, cmp.Or(strings.Join(l.Plan, "; "), "none"), r.o.Replay, out.Seed)
	}
	if now := time.Now(); now.Sub(r.told) >= 10*time.Second && r.o.Last-r.o.First > 100 {
		r.told = now
		fmt.Fprintf(r.o.Out, "%d of %d seeds, %d broken, %.0f s\n", s.Seeds, r.o.Last-r.o.First+1, len(s.Broken), now.Sub(r.began).Seconds())
	}
}

func (r *run) print(v any) {
	data, err := json.Marshal(v)
	if err != nil {
		panic("invariant: campaign: " + err.Error()) // numbers and strings only
	}
	fmt.Fprintf(r.o.Out, "%s\n", data)
}

// end prints the summary.
func (r *run) end() bool {
	s := &r.sum
	s.Wall = time.Since(r.began).Seconds()
	ok := len(s.Broken) == 0
	if r.o.Cover > 0 && s.Seeds >= r.o.Cover {
		s.Missing = append(s.Missing, s.Seen.Missing()...)
		ok = ok && len(s.Missing) == 0
	}
	if r.o.JSON {
		r.print(s)
		return ok
	}
	fmt.Fprintf(r.o.Out, "%d seeds: %d ok, %d broken; %d events in %.0f virtual seconds, %.1f s; %d checkpoints, %d restarts of tasks, %d leaders\n",
		s.Seeds, s.OK, len(s.Broken), s.Events, s.Virtual, s.Wall, s.Checkpoints, s.Restarts, s.Leaders)
	if s.Seeds > 1 {
		for _, name := range slices.Sorted(maps.Keys(s.Seen)) {
			fmt.Fprintf(r.o.Out, "  %-24s %d\n", name, s.Seen[name])
		}
	}
	for _, name := range s.Missing {
		fmt.Fprintf(r.o.Out, "never met: %s\n", name)
	}
	return ok
}
