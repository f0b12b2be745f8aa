package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"blink/internal/version"
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// Exit statuses of every verb.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
)

const usage = `usage: blink VERB

  bench      measure what the engine costs
  sim        run random jobs on simulated clusters, with faults
  version    print the version of this build
`

// run executes the verb that args name and returns the exit status.
func run(args []string, stdout, stderr io.Writer) int {
	if len(args) == 0 {
		fmt.Fprint(stderr, usage)
		return exitUsage
	}
	switch verb, rest := args[0], args[1:]; verb {
	case "bench":
		return measure(rest, stdout, stderr)
	case "sim":
		return simulate(rest, nil, stdout, stderr)
	case "version":
		return printVersion(rest, stdout, stderr)
	case "help", "-h", "-help", "--help":
		fmt.Fprint(stdout, usage)
		return exitOK
	default:
		return refuse(stderr, "unknown verb %q", verb)
	}
}

// printVersion prints one line: which build this is.
func printVersion(args []string, stdout, stderr io.Writer) int {
	if len(args) > 0 {
		return refuse(stderr, "version takes no arguments, got %q", args)
	}
	fmt.Fprintf(stdout, "blink %s\n", version.Text())
	return exitOK
}

// refuse reports a mistake in the command line, followed by the usage.
func refuse(stderr io.Writer, format string, args ...any) int {
	fmt.Fprintf(stderr, "blink: %s\n%s", strings.TrimSpace(fmt.Sprintf(format, args...)), usage)
	return exitUsage
}
