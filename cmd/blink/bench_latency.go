package main

import (
	"fmt"
	"time"

	"blink/bench/latency"
	"blink/graph"
)

// benchLatency measures one job.
func benchLatency(c console, args []string) int {
	set := c.flags()
	var o latency.Options
	set.IntVar(&o.Channels, "channels", 4, "`number` of channels into the busy task")
	set.DurationVar(&o.Cost, "cost", 2*time.Microsecond, "`time` that the sink spends on a record")
	set.Int64Var(&o.Records, "records", 2_000_000, "`number` of records")
	set.DurationVar(&o.CheckpointEvery, "checkpoint-interval", 50*time.Millisecond, "`time` between two checkpoints")
	inJSON := set.Bool("json", false, "print one JSON object")
	if status, done := c.parse(set, args); done {
		return status
	}
	if err := checkTasks("channels", o.Channels); err != nil {
		return c.refuse("%v", err)
	}
	switch {
	case o.Cost <= 0:
		return c.refuse("--cost %v: more than 0", o.Cost)
	case o.Records < int64(o.Channels):
		return c.refuse("--records %d: at least one for each of %d channels", o.Records, o.Channels)
	case o.CheckpointEvery < graph.MinCheckpointInterval:
		return c.refuse("--checkpoint-interval %v: at least %v", o.CheckpointEvery, graph.MinCheckpointInterval)
	}
	ctx, stop := interruptible()
	defer stop()
	t := table[latency.Result]{console: c, json: *inJSON, line: latencyLines,
		head: fmt.Sprintf("%-22s %6s %9s %9s %9s\n", "ms", "count", "median", "90 %", "most")}
	if err := t.add(latency.Run(ctx, o)); err != nil {
		return c.fail(err)
	}
	return exitOK
}

func latencyLines(r latency.Result) string {
	return fmt.Sprintf("%-22s %6d %9.2f %9.2f %9.2f\n%-22s %6d %9.2f %9.2f %9.2f\n",
		"a barrier's alignment", r.Barriers, r.BarrierMedian, r.BarrierP90, r.BarrierMax,
		"a timer's delay", r.Timers, r.TimerMedian, r.TimerP90, r.TimerMax)
}
