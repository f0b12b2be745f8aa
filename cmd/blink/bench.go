package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"time"

	"blink/bench/nexmark"
	"blink/examples/nexmark/job"
)

const benchUsage = `usage: blink bench WHAT [flags]

  nexmark    the queries of the Nexmark benchmark
`

// measure runs a benchmark.
func measure(args []string, stdout, stderr io.Writer) int {
	if len(args) == 0 {
		fmt.Fprint(stderr, benchUsage)
		return exitUsage
	}
	switch what, rest := args[0], args[1:]; what {
	case "nexmark":
		return measureNexmark(rest, stdout, stderr)
	case "help", "-h", "-help", "--help":
		fmt.Fprint(stdout, benchUsage)
		return exitOK
	default:
		return refuse(stderr, "bench: unknown benchmark %q", what)
	}
}

// measureNexmark measures queries one after the other. The status is exitFailed when one has
// a wrong digest or cannot be run; the others are measured all the same.
func measureNexmark(args []string, stdout, stderr io.Writer) int {
	set := flag.NewFlagSet("bench nexmark", flag.ContinueOnError)
	set.SetOutput(io.Discard)
	var o nexmark.Options
	queries := set.String("query", "all", "`names` of queries with commas between them, or all: "+strings.Join(job.Queries(), " "))
	set.Uint64Var(&o.Events, "events", 1_000_000, "`number` of events")
	set.IntVar(&o.Parallelism, "parallelism", 1, "`number` of tasks of each operator")
	set.DurationVar(&o.CheckpointEvery, "checkpoint-interval", 0, "`time` between two checkpoints; 0: none but the last")
	set.BoolVar(&o.Full, "full-digest", false, "compute the full digest as well; not for timed runs")
	inJSON := set.Bool("json", false, "print one JSON object a line for each query")
	set.Func("inject", "a drill, repeatable: `panic=ID[/SUBTASK]@RECORDS` or panic=jobmaster@CHECKPOINT", func(v string) error {
		o.Inject = append(o.Inject, v)
		return nil
	})
	switch err := set.Parse(args); {
	case err == flag.ErrHelp:
		fmt.Fprintln(stdout, "usage: blink bench nexmark [flags]")
		set.SetOutput(stdout)
		set.PrintDefaults()
		return exitOK
	case err != nil:
		return refuse(stderr, "bench nexmark: %v", err)
	case set.NArg() > 0:
		return refuse(stderr, "bench nexmark takes no arguments, got %q", set.Args())
	case o.Events == 0:
		return refuse(stderr, "bench nexmark: --events 0: at least 1")
	case o.Parallelism < 1:
		return refuse(stderr, "bench nexmark: --parallelism %d: at least 1", o.Parallelism)
	case o.CheckpointEvery < 0:
		return refuse(stderr, "bench nexmark: --checkpoint-interval %v: at least 0", o.CheckpointEvery)
	}
	names := strings.Split(*queries, ",")
	if *queries == "all" {
		names = job.Queries()
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	table := nexmarkTable{out: stdout, json: *inJSON}
	status := exitOK
	for _, o.Query = range names {
		show := newBar(stderr, o.Query)
		o.Progress, o.Note = show.progress, show.note
		r, err := nexmark.Run(ctx, o)
		show.end()
		if err != nil {
			fmt.Fprintf(stderr, "blink: bench nexmark: %v\n", err)
			status = exitFailed
			continue
		}
		if err := table.add(r); err != nil {
			fmt.Fprintf(stderr, "blink: bench nexmark: %v\n", err)
			return exitFailed
		}
	}
	return status
}

// nexmarkTable prints results as they come.
type nexmarkTable struct {
	out    io.Writer
	json   bool
	headed bool
}

func (t *nexmarkTable) add(r nexmark.Result) error {
	if t.json {
		return json.NewEncoder(t.out).Encode(r)
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

// bar shows on a terminal how far a measurement is; elsewhere it shows notes only.
type bar struct {
	to       io.Writer
	what     string
	terminal bool
	shown    bool
	start    time.Time
}

func newBar(to io.Writer, what string) *bar {
	f, ok := to.(*os.File)
	terminal := false
	if ok {
		info, err := f.Stat()
		terminal = err == nil && info.Mode()&os.ModeCharDevice != 0
	}
	return &bar{to: to, what: what, terminal: terminal, start: time.Now()}
}

const eraseLine, barWidth = "\r\x1b[K", 30

func (b *bar) progress(stage string, done, of uint64) {
	if !b.terminal {
		return
	}
	b.shown = true
	full := int(done * barWidth / of)
	fmt.Fprintf(b.to, "%s%-4s %-9s [%s%s] %3d %%  %v", eraseLine, b.what, stage, strings.Repeat("=", full), strings.Repeat(" ", barWidth-full),
		done*100/of, time.Since(b.start).Round(time.Second))
}

func (b *bar) note(text string) { fmt.Fprintf(b.to, "%s: %s\n", b.what, text) }

func (b *bar) end() {
	if b.shown {
		fmt.Fprint(b.to, eraseLine)
	}
}
