package cluster

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"

	"blink"
	"blink/internal/process"
)

// Main is the whole main of a job's binary; it does not return. The verbs are those of -h;
// without one the job runs. With more than one program the name of one comes first.
func Main(programs ...blink.Program) { Show(nil).Main(programs...) }

// Show writes the result of a job that has finished, for people; it is called once, and what
// it wrote is kept in the state dir.
type Show func(to io.Writer, r Result) error

// Result says where a finished job's output is.
type Result struct {
	Program string
	// Params are the job's parameters as they were used, by name.
	Params map[string]string
}

// Main is the package's Main for programs whose result s shows:
//
//	func main() { cluster.Show(job.Result).Main(blink.Define("delays", job.Build)) }
func (s Show) Main(programs ...blink.Program) {
	process.Fit()
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	b := binary{
		programs: jobs(programs), show: s, run: runEmbedded, simulate: runSimulated,
		stdout: os.Stdout, stderr: os.Stderr, terminal: isTerminal(os.Stderr),
		signals: signals, abort: func() { os.Exit(exitInterrupted) }, called: calledAs(),
	}
	os.Exit(b.main(os.Args[1:]))
}

// calledAs is the command with which this binary can be run again. What "go run" has built is
// gone by then.
func calledAs() string {
	info, ok := debug.ReadBuildInfo()
	if ok && strings.Contains(filepath.ToSlash(os.Args[0]), "/go-build") {
		return "go run " + info.Path
	}
	return os.Args[0]
}

// Exit statuses.
const (
	exitOK          = 0
	exitFailed      = 1
	exitUsage       = 2
	exitInterrupted = 130 // as shells report SIGINT
)

// binary is a job's binary with its surroundings.
type binary struct {
	programs []job
	called   string // how a person runs this binary
	show     Show
	run      runner
	simulate simulator

	stdout, stderr io.Writer
	terminal       bool // stderr is one
	signals        <-chan os.Signal
	abort          func() // ends the process
}

// runner is runEmbedded, or a test's.
type runner func(ctx context.Context, p program, o runOptions, see observer) (outcome, error)

// usageError is a mistake in the command line: exit status 2.
type usageError struct{ error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// verb is a subcommand.
type verb struct {
	name, what string
	do         func(b *binary, p job, args []string) (status int, err error)
}

func verbs() []verb {
	return []verb{
		{"run", "run the job in this process; the default", (*binary).runVerb},
		{"plan", "print the job's graph", (*binary).planVerb},
		{"sim", "run the job on a simulated cluster, under faults", (*binary).simVerb},
		{"version", "print the version of this build", (*binary).versionVerb},
	}
}

// main executes a command line and returns the exit status.
func (b *binary) main(args []string) int {
	status, err := b.dispatch(args)
	var wrong usageError
	switch {
	case errors.Is(err, flag.ErrHelp):
		return exitOK
	case errors.As(err, &wrong):
		fmt.Fprintf(b.stderr, "%s: %v\nRun it with -h for help.\n", b.name(), err)
		return exitUsage
	case err != nil:
		fmt.Fprintf(b.stderr, "%s: %v\n", b.name(), err)
		return exitFailed
	}
	return status
}

func (b *binary) dispatch(args []string) (int, error) {
	p, args, err := b.choose(args)
	if err != nil {
		return 0, err
	}
	name := "run"
	if len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		name, args = args[0], args[1:]
	} else if len(args) > 0 && isHelp(args[0]) {
		b.usage(p)
		return 0, flag.ErrHelp
	}
	if name == "help" {
		b.usage(p)
		return 0, flag.ErrHelp
	}
	all := verbs()
	i := slices.IndexFunc(all, func(v verb) bool { return v.name == name })
	if i < 0 {
		return 0, usagef("unknown verb %q: there are %s", name, verbNames(all))
	}
	return all[i].do(b, p, args)
}

// choose finds the program, whose name comes first when there are several.
func (b *binary) choose(args []string) (job, []string, error) {
	if len(b.programs) == 1 {
		return b.programs[0], args, nil
	}
	var names []string
	for _, p := range b.programs {
		if slices.Contains(names, p.name) {
			return job{}, nil, fmt.Errorf("this binary has two programs called %s: give one another name", p.name)
		}
		names = append(names, p.name)
	}
	for _, p := range b.programs {
		if len(args) > 0 && args[0] == p.name {
			return p, args[1:], nil
		}
	}
	if len(names) == 0 {
		return job{}, nil, usagef("this binary has no program: give cluster.Main one")
	}
	return job{}, nil, usagef("name a program first: %s", strings.Join(names, ", "))
}

func (b *binary) name() string {
	if len(b.programs) == 1 {
		return b.programs[0].name
	}
	return "blink"
}

func isHelp(arg string) bool {
	return arg == "-h" || arg == "-help" || arg == "--help" || arg == "--h"
}

func verbNames(all []verb) string {
	var names []string
	for _, v := range all {
		names = append(names, v.name)
	}
	return strings.Join(names, ", ")
}

// usage prints the verbs, then the flags of run, which stands for a missing verb.
func (b *binary) usage(p job) {
	fmt.Fprintf(b.stdout, "usage: %s [VERB] [flags]\n\n", p.name)
	for _, v := range verbs() {
		fmt.Fprintf(b.stdout, "  %-10s %s\n", v.name, v.what)
	}
	fmt.Fprintln(b.stdout)
	var o runFlags
	if set, _, err := b.flags("run", p, o.register); err == nil {
		set.Usage()
	}
}

// isTerminal says whether a person is looking.
func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
