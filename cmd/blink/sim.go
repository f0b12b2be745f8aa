package main

import (
	"flag"
	"fmt"
	"io"

	"blink/sim"
	"blink/sim/campaign"
)

// simulate runs the workload of each seed, nil: random ones. The status is exitFailed when a
// seed broke something.
func simulate(args []string, workload func(seed uint64) sim.Workload, stdout, stderr io.Writer) int {
	set := flag.NewFlagSet("sim", flag.ContinueOnError)
	set.SetOutput(io.Discard)
	seeds := set.String("seeds", "1-100", "first and last `seed`, A-B")
	seed := set.String("seed", "", "one `seed`, to replay it")
	o := campaign.Options{Workload: workload, Out: stdout, Replay: "go run ./cmd/blink sim", Cover: campaign.CoverSeeds}
	set.BoolVar(&o.Story, "trace", false, "tell what happens, with --seed")
	set.BoolVar(&o.JSON, "json", false, "print one JSON object a line for each seed, and a summary last")
	err := set.Parse(args)
	switch {
	case err == flag.ErrHelp:
		set.SetOutput(stdout)
		fmt.Fprintln(stdout, "usage: blink sim [--seeds A-B | --seed N [--trace]] [--json]")
		set.PrintDefaults()
		return exitOK
	case err != nil:
		return refuse(stderr, "sim: %v", err)
	case set.NArg() > 0:
		return refuse(stderr, "sim takes no arguments, got %q", set.Args())
	}
	both := 0
	set.Visit(func(f *flag.Flag) {
		if f.Name == "seed" || f.Name == "seeds" {
			both++
		}
	})
	if both == 2 {
		return refuse(stderr, "--seed and --seeds exclude each other")
	}
	if *seed != "" {
		*seeds = *seed + "-" + *seed
	}
	if o.First, o.Last, err = campaign.Seeds(*seeds); err != nil {
		return refuse(stderr, "sim: %v", err)
	}
	if o.Story && (o.First != o.Last || o.JSON) {
		return refuse(stderr, "--trace tells the story of one seed to a person: name it with --seed, without --json")
	}
	ok, err := campaign.Run(o)
	if err != nil {
		fmt.Fprintf(stderr, "blink: sim: %v\n", err)
		return exitFailed
	}
	if !ok {
		return exitFailed
	}
	return exitOK
}
