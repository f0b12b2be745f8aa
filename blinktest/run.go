package blinktest

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"blink"
	"blink/graph"
	"blink/operator"
	"blink/sim"
)

// Given is what Run is given beside the job: a *Script, a *Sink or an option.
type Given interface{ join(r *run) }

type option func(r *run)

func (o option) join(r *run) { o(r) }

// Seeds runs the job under faults n times; 20 at first. 0 leaves the calm run only.
func Seeds(n int) Given { return option(func(r *run) { r.first, r.last = 1, uint64(max(0, n)) }) }

// Seed runs one seed, from 1 on, and logs the story of its run.
func Seed(seed uint64) Given {
	return option(func(r *run) { r.first, r.last, r.tell = seed, seed, true })
}

// Parallelism is Job.Parallelism; 1 at first.
func Parallelism(n int) Given { return option(func(r *run) { r.parallelism = n }) }

// run is one call of Run.
type run struct {
	t           testing.TB
	build       func(*blink.Job)
	first, last uint64
	tell        bool
	parallelism int
	scripts     []scripted
	sinks       []collected
}

// scripted is a *Script of any type.
type scripted interface {
	begin(sim.Control)
	crashes() []crash
	shortest() time.Duration
	span() time.Duration
}

// collected is a *Sink of any type.
type collected interface {
	begin(sim.Control)
	keep()
	compare() error
}

// Run simulates the job that build describes, as the package's comment says, and fails the
// test when it does not run or its output changes. Every Script and Sink of the job must be
// given. build runs many times, and must describe the same job each time; like the functions
// of the job it must not touch the test's own variables. Run does not run seeds in parallel;
// tests may call it in parallel.
func Run(t testing.TB, build func(*blink.Job), given ...Given) {
	t.Helper()
	r := &run{t: t, build: build, first: 1, last: 20, parallelism: 1}
	for _, g := range given {
		g.join(r)
	}
	if err := r.check(); err != nil {
		t.Fatal(err)
	}
	calm := r.simulate(0, sim.Calm(r.workload()))
	if calm.Err != nil {
		t.Fatalf("the job fails without any fault: %v", calm.Err)
	}
	for _, s := range r.sinks {
		s.keep()
	}
	for seed := r.first; seed <= r.last && seed > 0; seed++ {
		w := r.workload()
		w.Records = calm.Records
		s, err := sim.Draw(seed, w)
		if err != nil {
			t.Fatal(err)
		}
		if out := r.simulate(seed, s); out.Err != nil {
			t.Errorf("seed %d: %v\nthe faults: %v\nagain, with its story: blinktest.Seed(%d)", seed, out.Err, out.Plan, seed)
		}
	}
}

// check refuses what no run can mend.
func (r *run) check() error {
	if r.tell && r.first == 0 {
		return errors.New("Seed(0): seeds count from 1; Seeds(0) leaves the run without faults only")
	}
	p, err := r.program()
	if err != nil {
		return err
	}
	plan, err := graph.Compile(p.Job)
	if err != nil {
		return err
	}
	scripts, sinks := 0, 0
	tasks := map[string]int{} // by the ID of the operator
	for _, v := range plan.Vertices {
		for _, i := range v.Operators {
			op := p.Job.Operators[i]
			tasks[op.ID] = v.Parallelism
			switch op.What {
			case scriptName:
				scripts++
			case sinkName:
				sinks++
			}
		}
	}
	if scripts > len(r.scripts) || sinks > len(r.sinks) {
		return errors.New("a Script or a Sink of the job was not given to Run, or stands in it twice: one Script is for one Read, one Sink for one Write")
	}
	if sinks == 0 {
		return errors.New("the job writes to no Sink of this package: there is nothing to compare")
	}
	for _, s := range r.scripts {
		if d := s.shortest(); d < 0 {
			return fmt.Errorf("Wait(%v): time does not go back", d)
		}
		for _, c := range s.crashes() {
			if n, ok := tasks[c.operator]; !ok || c.subtask < 0 || c.subtask >= n {
				return fmt.Errorf("Crash(%q, %d): the job has no such task", c.operator, c.subtask)
			}
		}
	}
	return nil
}

func (r *run) program() (*operator.Program, error) {
	job := blink.NewJob(r.t.Name(), nil).Parallelism(r.parallelism)
	r.build(job)
	return job.Program()
}

func (r *run) workload() sim.Workload {
	return sim.Workload{
		Name: r.t.Name(), Program: r.program,
		Control: func(c sim.Control) {
			for _, s := range r.scripts {
				s.begin(c)
			}
			for _, s := range r.sinks {
				s.begin(c)
			}
		},
		Check: func(map[string]string) error {
			var errs []error
			for _, s := range r.sinks {
				errs = append(errs, s.compare())
			}
			return errors.Join(errs...)
		},
	}
}

// calmRestarts is how many failed regions fail the calm run, more for each scripted crash:
// one hits several regions.
const calmRestarts = 10

// simulate runs a scenario, with time for what the scripts do.
func (r *run) simulate(seed uint64, s sim.Scenario) sim.Outcome {
	r.t.Helper()
	if len(s.Faults) == 0 {
		s.Restarts = calmRestarts
		s.CheckpointEvery = time.Second
	}
	for _, script := range r.scripts {
		s.Horizon += script.span()
		if s.Restarts > 0 {
			s.Restarts += calmRestarts * len(script.crashes())
		}
	}
	if r.tell && seed > 0 {
		s.Story = func(at time.Duration, where, what string) {
			r.t.Logf("%12.6fs  %-9s  %s", at.Seconds(), where, what)
		}
	}
	return sim.Run(seed, s)
}
