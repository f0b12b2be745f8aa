package cluster

import (
	"context"
	"fmt"
	"time"

	"blink"
	"blink/graph"
	"blink/operator"
)

// RunOptions say how Run runs a job.
type RunOptions struct {
	// Params are parameters of the job, by name; others have their defaults.
	Params map[string]string
	// Parallelism is the number of tasks of each operator; 0: the job's own.
	Parallelism int
	// CheckpointEvery is the time between two checkpoints; 0: none but the last.
	CheckpointEvery time.Duration
	// Inject are drills, as the flag --inject of a job's binary takes them.
	Inject []string
	// Progress is told each ProgressEvery how many records the sources have read. May be nil.
	Progress func(records int64)
	// Note is told what happens that people want to know, a line each: a restart, bad data.
	// It may be called from anywhere; nil: nobody wants to know.
	Note func(text string)
}

// RunResult is what was counted while a job ran.
type RunResult struct {
	Records     int64 // read by the sources, exactly once
	Checkpoints int64 // completed
	Restarts    int64 // of regions
	Resumed     int64 // of these, the ones that went on from a complete checkpoint
	Unfired     []string
}

// Run runs a job to its end inside of a program that is not the job's own binary, such as a
// benchmark: on a cluster in this process, whose checkpoints are kept in memory. A job that
// fails is an error, with the reason. When ctx ends, everything is let go.
func Run(ctx context.Context, p blink.Program, o RunOptions) (RunResult, error) {
	in, err := o.prepare(p)
	if err != nil {
		return RunResult{}, err
	}
	out, err := runEmbedded(ctx, in.program, runOptions{restart: defaultRestart, drills: in.drills}, o.observer())
	if err != nil {
		return RunResult{}, err
	}
	if out.state != finishedState {
		return RunResult{}, fmt.Errorf("job %s failed: %s", p.Name, out.reason)
	}
	return RunResult{
		Records: newCounters(in.built.Job, out, 0).RecordsIn, Checkpoints: out.checkpoints,
		Restarts: int64(out.restarts.Regions), Resumed: int64(out.restarts.Resumed), Unfired: in.drills.silent(),
	}, nil
}

// Check finds what Run would refuse before it runs anything.
func (o RunOptions) Check(p blink.Program) error {
	_, err := o.prepare(p)
	return err
}

// prepared is a job that can be run.
type prepared struct {
	program program
	built   *operator.Program
	drills  *drills
}

func (o RunOptions) prepare(p blink.Program) (in prepared, err error) {
	in.program = program{p.Name, func() (*operator.Program, error) {
		built, err := p.Describe(o.Params)
		if err != nil {
			return nil, err
		}
		built.Job.CheckpointEvery = o.CheckpointEvery
		flags := runFlags{parallelism: o.Parallelism}
		return built, flags.apply(built.Job)
	}}
	if in.built, err = in.program.make(); err != nil {
		return in, err
	}
	plan, err := graph.Compile(in.built.Job)
	if err != nil {
		return in, err
	}
	in.drills, err = newDrills(o.Inject, plan, "")
	return in, err
}

func (o RunOptions) observer() observer {
	see := observer{progress: func(progress) {}, note: func(string) {}}
	if o.Progress != nil {
		see.progress = func(p progress) { o.Progress(p.records) }
	}
	if o.Note != nil {
		see.note = o.Note
	}
	return see
}
