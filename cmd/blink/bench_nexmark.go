package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
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
	set.Func("inject", "a drill, repeatable: `panic=ID[/SUBTASK]@RECORDS`, panic=digest@N% of the result's rows, or panic=jobmaster@CHECKPOINT.\nThe result counts restarts (of regions) and how many of them resumed from a complete checkpoint", func(v string) error {
		f.Inject = append(f.Inject, v)
		return nil
	})
}

// check finds what is wrong with the flags that were given, and what they leave open.
func (f *nexmarkFlags) check(set *flag.FlagSet) ([]string, error) {
	given := map[string]bool{}
	set.Visit(func(x *flag.Flag) { given[x.Name] = true })
	names, err := choose("query", f.queries, job.Queries())
	if err != nil {
		return nil, err
	}
	switch {
	case f.Events == 0:
		return nil, errors.New("--events 0: at least 1")
	case f.goals && (given["events"] || given["checkpoint-interval"]):
		return nil, errors.New("--goals: it excludes --events and --checkpoint-interval")
	case f.Parallelism < 1:
		return nil, fmt.Errorf("--parallelism %d: at least 1", f.Parallelism)
	case f.runs < 1:
		return nil, fmt.Errorf("--runs %d: at least 1", f.runs)
	case f.Profile != "" && (len(names) > 1 || f.runs > 1):
		return nil, fmt.Errorf("--cpuprofile %s: it takes one query in one run: name it with --query", f.Profile)
	}
	if err := cmp.Or(checkInterval(f.CheckpointEvery), f.suits(names)); err != nil || f.Profile == "" {
		return names, err
	}
	return names, checkFile("cpuprofile", f.Profile)
}

// suits says what is wrong with the options for every one of the queries. What only some of them
// refuse fails those: an operator to inject a panic in is not in each.
func (f nexmarkFlags) suits(names []string) (err error) {
	for _, f.Query = range names {
		if err = f.Options.Check(); err == nil {
			return nil
		}
	}
	return err
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
	t := table[nexmark.Result]{console: c, json: f.json, line: nexmarkLine,
		head: fmt.Sprintf("%-5s %2s %12s %10s %-16s %8s %8s %8s %8s %8s %9s %5s %5s %7s\n",
			"query", "p", "events", "rows", "cheap", "g ns", "loop ÷ g", "cost ÷ g", "M/cpu-s", "wall s", "allocs/ev", "ckpts", "rest.", "resumed")}
	status := exitOK
	for _, f.Query = range queries {
		if f.goals {
			f.Events, f.CheckpointEvery = nexmark.GoalEvents(f.Query), nexmark.GoalCheckpoints
		}
		for range f.runs {
			r, err := f.measure(ctx, c)
			if err != nil {
				status = c.fail(err)
			} else if err := t.add(r, nil); err != nil {
				return c.fail(err) // nobody would see the others
			}
			if ctx.Err() != nil {
				return status
			}
		}
	}
	return status
}

// measure one query once.
func (f *nexmarkFlags) measure(ctx context.Context, c console) (nexmark.Result, error) {
	show := newBar(c.errors, f.Query)
	defer show.end()
	f.Progress, f.Note = show.progress, show.note
	return nexmark.Run(ctx, f.Options)
}

func nexmarkLine(r nexmark.Result) string {
	events := float64(r.Events)
	return fmt.Sprintf("%-5s %2d %12d %10d %s %8.1f %8.2f %8.2f %8.2f %8.2f %9.4f %5d %5d %7d\n",
		r.Query, r.Parallelism, r.Events, r.Rows, r.Cheap, r.GeneratorCPUSeconds/events*1e9, r.LoopCost(), r.Cost(),
		events/r.CPUSeconds/1e6, r.WallSeconds, r.AllocsPerEvent, r.Checkpoints, r.Restarts, r.Resumed)
}
