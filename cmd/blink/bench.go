package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"time"

	"blink/graph"
	"blink/internal/process"
)

// benchmark is something that blink bench measures. To add one, measure it in a package below
// bench, write a file bench_NAME.go here with the flags and the table, and name it in
// benchmarks.
type benchmark struct {
	name, about string
	run         func(c console, args []string) int
}

// benchmarks are all of them, in the order in which they are listed.
func benchmarks() []benchmark {
	return []benchmark{
		{"nexmark", "the queries of the Nexmark benchmark, beside plain loops", benchNexmark},
		{"report", "a table and a plot of what nexmark --json has printed", benchReport},
		{"generator", "the generator of its events, the unit of the costs", benchGenerator},
		{"soak", "whether memory grows while a query runs for long", benchSoak},
		{"exchange", "records from one process to another, beside plain TCP", benchExchange},
		{"codec", "encoding and decoding of records, type by type, beside a plain copy", benchCodec},
		{"state", "keyed state: writes, timers, snapshots and memory, beside plain Go", benchState},
		{"latency", "how long a busy task keeps barriers and timers waiting", benchLatency},
	}
}

// measure runs a benchmark.
func measure(args []string, stdout, stderr io.Writer) int {
	c := console{"bench", stdout, stderr}
	if len(args) == 0 {
		fmt.Fprint(stderr, benchUsage())
		return exitUsage
	}
	switch what := args[0]; what {
	case "help", "-h", "-help", "--help":
		fmt.Fprint(stdout, benchUsage())
		return exitOK
	default:
		for _, b := range benchmarks() {
			if b.name == what {
				c.verb += " " + what
				process.Fit()
				return b.run(c, args[1:])
			}
		}
		return c.refuse("unknown benchmark %q\n%s", what, benchUsage())
	}
}

func benchUsage() string {
	text := "usage: blink bench WHAT [flags], or blink bench WHAT -h for its flags\n\n"
	for _, b := range benchmarks() {
		text += fmt.Sprintf("  %-10s %s\n", b.name, b.about)
	}
	return text
}

// console is where a verb writes to.
type console struct {
	verb        string // as the user has written it
	out, errors io.Writer
}

// flags is an empty set of flags of the verb.
func (c console) flags() *flag.FlagSet {
	set := flag.NewFlagSet(c.verb, flag.ContinueOnError)
	set.SetOutput(io.Discard)
	return set
}

// parse reads the command line, which has flags only. When it says done, the verb ends with
// this status: help was asked for, or something is wrong.
func (c console) parse(set *flag.FlagSet, args []string) (status int, done bool) {
	switch err := set.Parse(args); {
	case err == flag.ErrHelp:
		fmt.Fprintf(c.out, "usage: blink %s [flags]\n\n", c.verb)
		set.SetOutput(c.out)
		set.PrintDefaults()
		return exitOK, true
	case err != nil:
		return c.refuse("%v: blink %s -h lists the flags and what they take", err, c.verb), true
	case set.NArg() > 0:
		return c.refuse("it takes no arguments, got %q", set.Args()), true
	}
	return exitOK, false
}

// choose takes names with commas between them, or all, as a flag has them.
func choose(flag, text string, known []string) ([]string, error) {
	if text == "all" {
		return known, nil
	}
	names := strings.Split(text, ",")
	for _, name := range names {
		if !slices.Contains(known, name) {
			return nil, fmt.Errorf("--%s %s: there is no %s %q: there are %s", flag, text, flag, name, strings.Join(known, " "))
		}
	}
	return names, nil
}

// checkInterval refuses a time between two checkpoints that no job takes.
func checkInterval(d time.Duration) error {
	if d < 0 || d > 0 && d < graph.MinCheckpointInterval {
		return fmt.Errorf("--checkpoint-interval %v: at least %v, or 0 for none", d, graph.MinCheckpointInterval)
	}
	return nil
}

// checkFile makes a file that is written when all has been measured, so that it is known by then that
// it can be.
func checkFile(flag, name string) error {
	f, err := os.Create(name)
	if err == nil {
		err = f.Close()
	}
	if err != nil {
		return fmt.Errorf("--%s: %w", flag, err)
	}
	return nil
}

// checkTasks refuses a number of tasks that no job takes which has as many key groups as usual.
func checkTasks(flag string, tasks int) error {
	if tasks < 1 || tasks > graph.UsualKeyGroups {
		return fmt.Errorf("--%s %d: from 1 to %d", flag, tasks, graph.UsualKeyGroups)
	}
	return nil
}

// refuse reports a mistake in the command line.
func (c console) refuse(format string, args ...any) int {
	fmt.Fprintf(c.errors, "blink: %s: %s\n", c.verb, fmt.Sprintf(format, args...))
	return exitUsage
}

// fail reports that the work went wrong.
func (c console) fail(err error) int {
	fmt.Fprintf(c.errors, "blink: %s: %v\n", c.verb, err)
	return exitFailed
}

// interruptible is a context that ends when the user asks for it.
func interruptible() (context.Context, context.CancelFunc) {
	return signal.NotifyContext(context.Background(), os.Interrupt)
}
