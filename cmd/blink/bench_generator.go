package main

import (
	"fmt"

	"blink/bench/nexmark"
)

// benchGenerator measures the generator of the Nexmark events, the unit of all costs. The
// status is exitFailed when it is too slow to be one.
func benchGenerator(c console, args []string) int {
	set := c.flags()
	events := set.Uint64("events", 20_000_000, "`number` of events")
	runs := set.Int("runs", 5, "`times` that each way is measured; the medians count")
	inJSON := set.Bool("json", false, "print one JSON object")
	if status, done := c.parse(set, args); done {
		return status
	}
	switch {
	case *events == 0:
		return c.refuse("--events 0: at least 1")
	case *runs < 1:
		return c.refuse("--runs %d: at least 1", *runs)
	}
	show := newBar(c.errors, "all")
	g := nexmark.MeasureGenerator(*events, *runs, func(done, of uint64) { show.progress("generator", done, of) })
	show.end()
	t := table[nexmark.Generator]{console: c, json: *inJSON, line: generatorLine}
	if err := t.add(g, nil); err != nil {
		return c.fail(err)
	}
	if g.Share() < nexmark.LeastShare {
		return c.fail(fmt.Errorf("the generator makes %.0f %% of the events per CPU-second that its arithmetic makes: at least %.0f %%, or costs in its units say nothing",
			100*g.Share(), 100*nexmark.LeastShare))
	}
	return exitOK
}

func generatorLine(g nexmark.Generator) string {
	ns := 1e9 / float64(g.Events)
	return fmt.Sprintf("into the engine's batches %.2f ns an event, into one event %.2f ns: %.0f %% of the events per CPU-second\n",
		g.Batches*ns, g.Place*ns, 100*g.Share())
}
