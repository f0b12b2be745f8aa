package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"

	"blink/bench/exchange"
)

// benchExchange measures cases one after the other, each with another process of this binary.
func benchExchange(c console, args []string) int {
	set := c.flags()
	var o exchange.Options
	cases := set.String("case", "all", "`names` of cases with commas between them, or all: "+strings.Join(exchange.Cases(), " "))
	set.Int64Var(&o.Records, "records", 20_000_000, "`number` of records; a tenth of it in cases with large ones or at a fixed rate")
	set.IntVar(&o.Parallelism, "parallelism", 1, "`number` of tasks on each side")
	set.Float64Var(&o.Rate, "rate", 200_000, "`records` a second of the case paced")
	set.IntVar(&o.Credits, "credits", 0, "`batches` in flight on a channel; 0: the default")
	set.IntVar(&o.BatchBytes, "batch-bytes", 0, "`size` of a batch, about; 0: the default")
	set.StringVar(&o.Profile, "cpuprofile", "", "`files` for CPU profiles of the two processes: NAME.near and NAME.far; with one case")
	runs := set.Int("runs", 1, "`times` that each case is measured")
	inJSON := set.Bool("json", false, "print one JSON object a line for each case")
	peer := set.Bool("peer", false, "be the other process: for this verb itself")
	if status, done := c.parse(set, args); done {
		return status
	}
	if *peer {
		if err := exchange.Peer(os.Stdin, c.out); err != nil {
			return c.fail(err)
		}
		return exitOK
	}
	names, err := choose("case", *cases, exchange.Cases())
	switch {
	case err != nil:
		return c.refuse("%v", err)
	case o.Parallelism < 1:
		return c.refuse("--parallelism %d: at least 1", o.Parallelism)
	case o.Records < 10*int64(o.Parallelism):
		return c.refuse("--records %d: at least ten for each of %d tasks", o.Records, o.Parallelism)
	case o.Rate <= 0:
		return c.refuse("--rate %v: more than 0", o.Rate)
	case o.Credits < 0 || o.BatchBytes < 0:
		return c.refuse("--credits %d, --batch-bytes %d: at least 0", o.Credits, o.BatchBytes)
	case *runs < 1:
		return c.refuse("--runs %d: at least 1", *runs)
	case o.Profile != "" && (len(names) > 1 || *runs > 1):
		return c.refuse("--cpuprofile %s: it takes one case in one run: name it with --case", o.Profile)
	}
	self, err := os.Executable()
	if err != nil {
		return c.fail(err)
	}
	o.Peer = func(ctx context.Context) *exec.Cmd {
		p := exec.CommandContext(ctx, self, "bench", "exchange", "-peer")
		p.Stderr = c.errors
		return p
	}
	ctx, stop := interruptible()
	defer stop()
	t := table[exchange.Result]{console: c, json: *inJSON, line: exchangeLine,
		head: fmt.Sprintf("%-6s %2s %10s %6s %8s %9s %9s %9s %8s %8s %8s %9s %8s %8s\n",
			"case", "p", "records", "bytes", "frame", "M/cpu-s", "ns sender", "receiver", "MB/cpu-s", "raw TCP", "of raw", "alloc/rec", "p50 ms", "p99 ms")}
	all := o.Records
	for _, o.Case = range names {
		if o.Records = all; o.Case == exchange.Kilo || o.Case == exchange.Paced {
			o.Records = all / 10
		}
		for range *runs {
			if err := t.add(exchange.Run(ctx, o)); err != nil {
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
