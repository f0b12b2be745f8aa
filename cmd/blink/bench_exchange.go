package main

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"strings"

	"blink/bench/exchange"
	"blink/taskexec"
)

// exchangeFlags are the command line of blink bench exchange.
type exchangeFlags struct {
	exchange.Options
	cases      string
	runs       int
	json, peer bool
}

func (f *exchangeFlags) register(set *flag.FlagSet) {
	set.StringVar(&f.cases, "case", "all", "`names` of cases with commas between them, or all: "+strings.Join(exchange.Cases(), " "))
	set.Int64Var(&f.Records, "records", 20_000_000, "`number` of records; a tenth of it in cases with large ones or at a fixed rate")
	set.IntVar(&f.Parallelism, "parallelism", 1, "`number` of tasks on each side")
	set.Float64Var(&f.Rate, "rate", 200_000, "`records` a second of the case paced")
	set.IntVar(&f.Credits, "credits", 0, "`batches` in flight on a channel; 0: the default")
	set.IntVar(&f.BatchBytes, "batch-bytes", 0, "`size` of a batch, about; 0: the default")
	set.IntVar(&f.Processors, "processors", 0, "`number` of Go's processors of each process; 0: one for each task on its side; GOMAXPROCS stands above it")
	set.StringVar(&f.Profile, "cpuprofile", "", "`files` for CPU profiles of the two processes: NAME.near and NAME.far; with one case")
	set.IntVar(&f.runs, "runs", 1, "`times` that each case is measured")
	set.BoolVar(&f.json, "json", false, "print one JSON object a line for each case")
	set.BoolVar(&f.peer, "peer", false, "be the other process: for this verb itself")
}

// check finds what is wrong with the flags, and the cases that they name.
func (f *exchangeFlags) check() ([]string, error) {
	names, err := choose("case", f.cases, exchange.Cases())
	if err = cmp.Or(err, checkTasks("parallelism", f.Parallelism)); err != nil {
		return nil, err
	}
	switch {
	case f.Records < 10*int64(f.Parallelism):
		return nil, fmt.Errorf("--records %d: at least ten for each of %d tasks", f.Records, f.Parallelism)
	case !(f.Rate > 0):
		return nil, fmt.Errorf("--rate %v: more than 0", f.Rate)
	case f.Credits < 0 || f.Credits > taskexec.MostCredits:
		return nil, fmt.Errorf("--credits %d: 1 to %d, or 0 for the default", f.Credits, taskexec.MostCredits)
	case f.BatchBytes < 0 || f.BatchBytes > taskexec.MostBatchBytes:
		return nil, fmt.Errorf("--batch-bytes %d: 1 to %d, or 0 for the default", f.BatchBytes, taskexec.MostBatchBytes)
	case f.Processors < 0:
		return nil, fmt.Errorf("--processors %d: at least 1, or 0 for the default", f.Processors)
	case f.runs < 1:
		return nil, fmt.Errorf("--runs %d: at least 1", f.runs)
	case f.Profile != "" && (len(names) > 1 || f.runs > 1):
		return nil, fmt.Errorf("--cpuprofile %s: it takes one case in one run: name it with --case", f.Profile)
	}
	if f.Profile != "" {
		err = cmp.Or(checkFile("cpuprofile", f.Profile+".near"), checkFile("cpuprofile", f.Profile+".far"))
	}
	return names, err
}

// benchExchange measures cases one after the other, each with another process of this binary.
func benchExchange(c console, args []string) int {
	set, f := c.flags(), exchangeFlags{}
	f.register(set)
	if status, done := c.parse(set, args); done {
		return status
	}
	if f.peer {
		if err := exchange.Peer(os.Stdin, c.out); err != nil {
			return c.fail(err)
		}
		return exitOK
	}
	names, err := f.check()
	if err != nil {
		return c.refuse("%v", err)
	}
	self, err := os.Executable()
	if err != nil {
		return c.fail(err)
	}
	f.Peer = func(ctx context.Context) *exec.Cmd {
		p := exec.CommandContext(ctx, self, "bench", "exchange", "-peer")
		p.Stderr = c.errors
		return p
	}
	ctx, stop := interruptible()
	defer stop()
	t := table[exchange.Result]{console: c, json: f.json, line: exchangeLine,
		head: fmt.Sprintf("%-6s %2s %10s %6s %8s %9s %9s %9s %8s %8s %8s %9s %8s %8s\n",
			"case", "p", "records", "bytes", "frame", "M/cpu-s", "ns sender", "receiver", "MB/cpu-s", "raw TCP", "of raw", "alloc/rec", "p50 ms", "p99 ms")}
	all := f.Records
	for _, f.Case = range names {
		if f.Records = all; f.Case == exchange.Kilo || f.Case == exchange.Paced {
			f.Records = all / 10
		}
		for range f.runs {
			if err := t.add(exchange.Run(ctx, f.Options)); err != nil {
				return c.fail(err)
			}
		}
	}
	return exitOK
}

func exchangeLine(r exchange.Result) string {
	n := float64(r.Records) / 1e9
	return fmt.Sprintf("%-6s %2d %10d %6d %8d %9.2f %9.1f %9.1f %8.0f %8.0f %7.0f%% %9.4f %8.2f %8.2f\n",
		r.Case, r.Parallelism, r.Records, r.RecordBytes, r.FrameBytes, r.RecordsPerCPU, r.NearSeconds/n, r.FarSeconds/n,
		r.BytesPerCPU, r.RawPerCPU, 100*r.OfRaw(), r.Allocs, r.LateMedian, r.LateP99)
}
