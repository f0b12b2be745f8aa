package nexmark

import (
	"context"
	"fmt"
	"os"
	"runtime/debug"
	"slices"
	"strconv"
	"time"

	"blink"
	"blink/bench/usage"
	"blink/cluster"
	"blink/connector/nexmark"
	"blink/examples/nexmark/job"
	"blink/examples/nexmark/oracle"
)

// Options say what Run measures.
type Options struct {
	Query           string
	Events          uint64 // at least 1
	Parallelism     int
	CheckpointEvery time.Duration // 0: none but the last
	Inject          []string      // drills of cluster.RunOptions, or panic=digest@N% of the rows
	Full            bool          // the full digest as well, which costs more than most queries do
	Profile         string        // a file for a CPU profile of the job; "": none
	// Progress is told how far the stage at hand has come. May be nil.
	Progress func(stage string, done, of uint64)
	// Note is told what people want to know. May be nil.
	Note func(text string)
}

// Result is one line of figures. CPU times are for all events.
type Result struct {
	Query             string  `json:"query"`
	Parallelism       int     `json:"parallelism"`
	Events            uint64  `json:"events"`
	CheckpointSeconds float64 `json:"checkpoint_interval_seconds"` // between two; 0: none but the last
	usage.Settings
	Rows                uint64  `json:"rows"`
	Cheap               string  `json:"cheap"`
	Full                string  `json:"full,omitempty"`
	CPUSeconds          float64 `json:"cpu_seconds"`
	GeneratorCPUSeconds float64 `json:"generator_cpu_seconds"`
	LoopCPUSeconds      float64 `json:"loop_cpu_seconds"`
	WallSeconds         float64 `json:"wall_seconds"`
	AllocsPerEvent      float64 `json:"allocs_per_event"`
	Checkpoints         int64   `json:"checkpoints"`
	Restarts            int64   `json:"restarts"` // of regions
	Resumed             int64   `json:"resumed"`  // of the restarts, those from a complete checkpoint
}

// Cost is what the engine costs in units of the bare generator, which is not included.
func (r Result) Cost() float64 { return r.CPUSeconds/r.GeneratorCPUSeconds - 1 }

// LoopCost is Cost of the plain loop.
func (r Result) LoopCost() float64 { return r.LoopCPUSeconds/r.GeneratorCPUSeconds - 1 }

// GCPercent is GOGC of the measurements, unless the environment has one: streaming state is
// small beside the memory of its machine, and a heap four times as large is collected a
// quarter as often.
const GCPercent = 400

// collectSeldom sets GOGC to GCPercent, unless the environment has one, until it is undone.
func collectSeldom() (undo func()) {
	if os.Getenv("GOGC") != "" {
		return func() {}
	}
	before := debug.SetGCPercent(GCPercent)
	return func() { debug.SetGCPercent(before) }
}

// Check finds what Run would refuse before it measures anything.
func (o Options) Check() error {
	if _, err := loopOf(o); err != nil {
		return err
	}
	if err := checkShares(o.Inject); err != nil {
		return err
	}
	o.Inject = dueAt(o.Inject, o.Events, o.Parallelism)
	if err := o.run().Check(o.program(newLedger(o.empty()))); err != nil {
		return fmt.Errorf("%s: %w", o.Query, err)
	}
	return nil
}

// Run measures one query.
func Run(ctx context.Context, o Options) (Result, error) {
	if err := o.Check(); err != nil {
		return Result{}, err
	}
	loop, err := loopOf(o)
	if err != nil {
		return Result{}, err
	}
	defer collectSeldom()()
	r := Result{Query: o.Query, Parallelism: o.Parallelism, Events: o.Events, CheckpointSeconds: o.CheckpointEvery.Seconds(), Settings: usage.SettingsOf()}
	g := nexmark.NewGenerator()

	r.GeneratorCPUSeconds = o.generate(g, o.Events-o.Events/2)
	var want nexmark.Digest
	plainly := func() {
		o.tell("loop", 0)
		want = o.empty()
		plain := usage.Begin()
		loop(oracle.Generated(g, o.Events), &want)
		r.LoopCPUSeconds = plain.End().CPU
	}
	drilled := len(o.Inject) > 0
	if drilled { // drills may count the rows, and nobody times them
		plainly()
		o.Inject = dueAt(o.Inject, want.Rows, o.Parallelism)
	}
	have, err := o.profiled(ctx, &r)
	if err != nil {
		return r, fmt.Errorf("%s: %w", o.Query, err)
	}
	if !drilled {
		plainly()
	}
	r.GeneratorCPUSeconds += o.generate(g, o.Events/2)
	r.Rows, r.Cheap = have.Rows, digits(have.Cheap)
	if o.Full {
		r.Full = digits(have.Full)
	}
	return r, o.compare(have, want)
}

// generate makes n events for nobody, and says what they cost in CPU seconds. Half of all are
// made before the loop and the job and half behind them, so that a machine that becomes slower
// or faster meanwhile makes the job neither dear nor cheap.
func (o Options) generate(g *nexmark.Generator, n uint64) float64 {
	o.tell("generator", 0)
	m := usage.Begin()
	g.Fill(n)
	return m.End().CPU
}

// profiled runs the job, under the profiler if that was asked for.
func (o Options) profiled(ctx context.Context, r *Result) (have nexmark.Digest, err error) {
	err = usage.Profiled(o.Profile, func() error {
		have, err = o.execute(ctx, r)
		return err
	})
	return have, err
}

// execute runs the job.
func (o Options) execute(ctx context.Context, r *Result) (nexmark.Digest, error) {
	o.tell("job", 0)
	book := newLedger(o.empty())
	measured := usage.Begin()
	done, err := cluster.Run(ctx, o.program(book), o.run())
	used := measured.End()
	if err != nil {
		return nexmark.Digest{}, err
	}
	if len(done.Unfired) > 0 {
		return nexmark.Digest{}, fmt.Errorf("drills that never fired: %v: the result has %d rows, and an attempt counts those behind the checkpoint that it begins with", done.Unfired, book.sum.Rows)
	}
	r.CPUSeconds, r.WallSeconds, r.AllocsPerEvent = used.CPU, used.Wall, float64(used.Allocs)/float64(o.Events)
	r.Checkpoints, r.Restarts, r.Resumed = done.Checkpoints, done.Restarts, done.Resumed
	return book.sum, nil
}

func (o Options) program(book *ledger) blink.Program {
	return blink.Define("nexmark", job.Nexmark{Ledger: book, Empty: o.empty()}.Build)
}

func (o Options) run() cluster.RunOptions {
	return cluster.RunOptions{
		Params:      map[string]string{"query": o.Query, "events": strconv.FormatUint(o.Events, 10), "splits": strconv.Itoa(o.Parallelism)},
		Parallelism: o.Parallelism, CheckpointEvery: o.CheckpointEvery, Inject: o.Inject, Note: o.Note,
		Progress: func(records int64) { o.tell("job", uint64(records)) },
	}
}

func (o Options) empty() nexmark.Digest {
	if o.Full {
		return nexmark.WithFull()
	}
	return nexmark.Digest{}
}

func (o Options) tell(stage string, done uint64) {
	if o.Progress != nil {
		o.Progress(stage, done, o.Events)
	}
}

// loopOf is the plain loop of the query.
func loopOf(o Options) (func(*oracle.Events, *nexmark.Digest), error) {
	if !slices.Contains(job.Queries(), o.Query) {
		return nil, fmt.Errorf("unknown query %q: there are %v", o.Query, job.Queries())
	}
	if o.Query == byTheClock {
		return func(in *oracle.Events, d *nexmark.Digest) {
			oracle.Q12(in, func() nexmark.Millis { return nexmark.Millis(time.Now().UnixMilli()) }, func(r *nexmark.Busy) { r.AddTo(d) })
		}, nil
	}
	for _, q := range oracle.Queries() {
		if q.Name == o.Query {
			return q.Run, nil
		}
	}
	return nil, fmt.Errorf("query %s has no plain loop to be compared with", o.Query)
}

// byTheClock is the query whose rows depend on the clock: no two runs have the same digest.
const byTheClock = "q12"

// ordered are the queries whose rows depend on the order in which bids arrive.
var ordered = []string{"q17", "q18", "q19"}

// running is one of them that has a row for each bid, in whatever order.
const running = "q17"

// compare refuses a digest that is not the loop's, or not the defined one. Where rows depend on
// more than the events, it compares as much as does not.
func (o Options) compare(have, want nexmark.Digest) error {
	inOrder := o.Parallelism == 1 || !slices.Contains(ordered, o.Query)
	switch {
	case o.Query == byTheClock:
		return nil
	case !inOrder && o.Query == running && have.Rows != want.Rows:
		return fmt.Errorf("%s: %d rows, and %d of the plain loop", o.Query, have.Rows, want.Rows)
	case !inOrder:
		return nil
	case have != want:
		return fmt.Errorf("%s: the digest is %s, and %s of the plain loop", o.Query, show(have), show(want))
	}
	known, ok := oracle.Known(o.Query, o.Events)
	if ok && (have.Rows != known.Rows || have.Cheap != known.Cheap || o.Full && have.Full != known.Full) {
		return fmt.Errorf("%s: the digest is %s, and %s by definition", o.Query, show(have), show(known))
	}
	return nil
}

func show(d nexmark.Digest) string {
	return fmt.Sprintf("%d rows, cheap %s, full %s", d.Rows, digits(d.Cheap), digits(d.Full))
}

func digits(v uint64) string { return fmt.Sprintf("%016x", v) }
