package main

import (
	"errors"
	"fmt"
	"os"

	"blink/bench/nexmark"
)

// benchReport makes a table in Markdown, and a plot, of what bench nexmark --json has printed.
func benchReport(c console, args []string) int {
	set := c.flags()
	from := set.String("from", "", "`file` with the lines of blink bench nexmark --json, of any number of runs")
	svg := set.String("svg", "", "`file` for a plot")
	if status, done := c.parse(set, args); done {
		return status
	}
	if *from == "" {
		return c.refuse("--from is missing: it names a file with the lines of blink bench nexmark --json")
	}
	if err := report(c, *from, *svg); err != nil {
		return c.fail(err)
	}
	return exitOK
}

func report(c console, from, svg string) error {
	in, err := os.Open(from)
	if err != nil {
		return fmt.Errorf("--from: %w", err)
	}
	defer func() { _ = in.Close() }() // it was only read
	r, err := nexmark.ReadReport(in)
	if err != nil {
		return fmt.Errorf("--from %s: %w", from, err)
	}
	if _, err := fmt.Fprint(c.out, r.Table()); err != nil || svg == "" {
		return err
	}
	out, err := os.Create(svg)
	if err != nil {
		return fmt.Errorf("--svg: %w", err)
	}
	return errors.Join(r.Plot(out), out.Close())
}
