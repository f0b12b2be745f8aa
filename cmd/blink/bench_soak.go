package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"blink/bench/nexmark"
)

// benchSoak runs a query for a while and looks at the memory. The status is exitFailed when it
// grows.
func benchSoak(c console, args []string) int {
	set := c.flags()
	var o nexmark.SoakOptions
	set.StringVar(&o.Query, "query", "q5", "`name` of the query, of those whose state is bounded: "+strings.Join(nexmark.SoakQueries(), " "))
	set.DurationVar(&o.Duration, "duration", 10*time.Minute, "`time` to run for, at least")
	set.IntVar(&o.Parallelism, "parallelism", 1, "`number` of tasks of each operator")
	set.DurationVar(&o.CheckpointEvery, "checkpoint-interval", 100*time.Millisecond, "`time` between two checkpoints; 0: none")
	set.DurationVar(&o.Every, "look", 0, "`time` between two looks at the memory; 0: a sixtieth of the duration")
	inJSON := set.Bool("json", false, "print one JSON object a line for each look")
	if status, done := c.parse(set, args); done {
		return status
	}
	switch {
	case !slices.Contains(nexmark.SoakQueries(), o.Query):
		return c.refuse("--query %s: not one of %s", o.Query, strings.Join(nexmark.SoakQueries(), " "))
	case o.Parallelism < 1:
		return c.refuse("--parallelism %d: at least 1", o.Parallelism)
	case o.Every < 0:
		return c.refuse("--look %v: at least 0", o.Every)
	case o.Every == 0:
		o.Every = o.Duration / 60
	}
	if err := checkInterval(o.CheckpointEvery); err != nil {
		return c.refuse("%v", err)
	}
	if err := o.Check(); err != nil {
		return c.refuse("%v", err)
	}
	t := table[nexmark.Memory]{console: c, json: *inJSON, line: memoryLine}
	o.Note, o.Look = newBar(c.errors, o.Query).note, func(m nexmark.Memory) error { return t.add(m, nil) }
	ctx, stop := interruptible()
	defer stop()
	if _, err := nexmark.Soak(ctx, o); err != nil {
		return c.fail(err)
	}
	return exitOK
}

func memoryLine(m nexmark.Memory) string {
	const mb = 1 << 20
	return fmt.Sprintf("%8.1f s %14d events   live %6d MB   heap %6d MB   rss %6d MB\n", m.Seconds, m.Events, m.Live/mb, m.Heap/mb, m.RSS/mb)
}
