package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"slices"
	"strings"

	"blink/bench/nexmark"
	"blink/examples/nexmark/job"
)

// nexmarkFlags are the command line of blink bench nexmark.
type nexmarkFlags struct {
	nexmark.Options
	queries string
	goals   bool
	runs    int
	json    bool
}

func (f *nexmarkFlags) register(set *flag.FlagSet) {
	set.StringVar(&f.queries, "query", "all", "`names` of queries with commas between them, or all: "+strings.Join(job.Queries(), " "))
	set.Uint64Var(&f.Events, "events", 1_000_000, "`number` of events")
	set.BoolVar(&f.goals, "goals", false, "as the goals are defined: as many events as each is set for, a checkpoint each 100 ms")
	set.IntVar(&f.Parallelism, "parallelism", 1, "`number` of tasks of each operator")
	set.DurationVar(&f.CheckpointEvery, "checkpoint-interval", 0, "`time` between two checkpoints; 0: none but the last")
	set.BoolVar(&f.Full, "full-digest", false, "compute the full digest as well; not for timed runs")
	set.IntVar(&f.runs, "runs", 1, "`times` that each query is measured")
	set.StringVar(&f.Profile, "cpuprofile", "", "`file` for a CPU profile of the job; with one query")
	set.BoolVar(&f.json, "json", false, "print one JSON object a line for each query")
	set.Func("inject", "a drill, repeatable: `panic=ID[/SUBTASK]@RECORDS`, panic=digest@N% of the result's rows, or panic=jobmaster@CHECKPOINT", func(v string) error {
		f.Inject = append(f.Inject, v)
		return nil
	})
}

// check finds what is wrong with the flags that were given, and what they leave open.
func (f *nexmarkFlags) check(set *flag.FlagSet) ([]string, error) {
	given := map[string]bool{}
	set.Visit(func(x *flag.Flag) { given[x.Name] = true })
	names := strings.Split(f.queries, ",")
	if f.queries == "all" {
		names = job.Queries()
	}
	for _, name := range names {
		if !slices.Contains(job.Queries(), name) {
			return nil, fmt.Errorf("--query %s: there is no query %q: there are %s", f.queries, name, strings.Join(job.Queries(), " "))
		}
	}
	switch {
	case f.Events == 0:
		return nil, errors.New("--events 0: at least 1")
	case f.goals && (given["events"] || given["checkpoint-interval"]):
		return nil, errors.New("--goals: it excludes --events and --checkpoint-interval")
	case f.Parallelism < 1:
		return nil, fmt.Errorf("--parallelism %d: at least 1", f.Parallelism)
	case f.CheckpointEvery < 0:
		return nil, fmt.Errorf("--checkpoint-interval %v: at least 0", f.CheckpointEvery)
	case f.runs < 1:
		return nil, fmt.Errorf("--runs %d: at least 1", f.runs)
	case f.Profile != "" && (len(names) > 1 || f.runs > 1):
		return nil, fmt.Errorf("--cpuprofile %s: it takes one query in one run: name it with --query", f.Profile)
	}
	if err := nexmark.CheckInject(f.Inject); err != nil {
		return nil, fmt.Errorf("--inject %w", err)
	}
	return names, nil
}

// benchNexmark measures queries one after the other. The status is exitFailed when one has a
// wrong digest or cannot be run; the others are measured all the same.
func benchNexmark(c console, args []string) int {
	set, f := c.flags(), nexmarkFlags{}
	f.register(set)
	if status, done := c.parse(set, args); done {
		return status
	}
	queries, err := f.check(set)
	if err != nil {
		return c.refuse("%v", err)
	}
	ctx, stop := interruptible()
	defer stop()
	table := nexmarkTable{console: c, json: f.json}
	status := exitOK
	for _, f.Query = range queries {
		if f.goals {
			f.Events, f.CheckpointEvery = nexmark.GoalEvents(f.Query), nexmark.GoalCheckpoints
		}
		for range f.runs {
			if err := f.measure(ctx, &table); err != nil {
				status = c.fail(err)
			}
			if ctx.Err() != nil {
				return status
			}
		}
	}
	return status
}

// measure one query once.
func (f *nexmarkFlags) measure(ctx context.Context, table *nexmarkTable) error {
	show := newBar(table.errors, f.Query)
	f.Progress, f.Note = show.progress, show.note
	r, err := nexmark.Run(ctx, f.Options)
	show.end()
	if err != nil {
		return err
	}
	return table.add(r)
}

// nexmarkTable prints results as they come.
type nexmarkTable struct {
	console
	json   bool
	headed bool
}

func (t *nexmarkTable) add(r nexmark.Result) error {
	if t.json {
		return t.console.json(r)
	}
	if !t.headed {
		t.headed = true
		fmt.Fprintf(t.out, "%-5s %2s %12s %10s %-16s %8s %8s %8s %8s %8s %9s %5s %5s\n",
			"query", "p", "events", "rows", "cheap", "g ns", "loop ÷ g", "cost ÷ g", "M/cpu-s", "wall s", "allocs/ev", "ckpts", "rest.")
	}
	events := float64(r.Events)
	_, err := fmt.Fprintf(t.out, "%-5s %2d %12d %10d %s %8.1f %8.2f %8.2f %8.2f %8.2f %9.4f %5d %5d\n",
		r.Query, r.Parallelism, r.Events, r.Rows, r.Cheap, r.GeneratorCPUSeconds/events*1e9, r.LoopCost(), r.Cost(),
		events/r.CPUSeconds/1e6, r.WallSeconds, r.AllocsPerEvent, r.Checkpoints, r.Restarts)
	return err
}
