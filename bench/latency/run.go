package latency

import (
	"context"
	"fmt"
	"slices"
	"time"

	"blink"
	"blink/cluster"
)

// Options say what Run measures.
type Options struct {
	Channels        int           // source tasks, each with a channel to the busy one; at least 1
	Cost            time.Duration // that the sink spends on a record
	Records         int64         // of all sources
	CheckpointEvery time.Duration
}

// Result is one line of figures. Times are in milliseconds.
type Result struct {
	Channels        int     `json:"channels"`
	RecordCostMicro float64 `json:"record_cost_us"`
	Records         int64   `json:"records"`
	WallSeconds     float64 `json:"wall_seconds"`
	// From the first source that lets a barrier go until the sink has it from all channels.
	Barriers      int     `json:"barriers"`
	BarrierMedian float64 `json:"barrier_median_ms"`
	BarrierP90    float64 `json:"barrier_p90_ms"`
	BarrierMax    float64 `json:"barrier_max_ms"`
	// How late timers of processing time fire in the task of the sink.
	Timers      int     `json:"timers"`
	TimerMedian float64 `json:"timer_median_ms"`
	TimerP90    float64 `json:"timer_p90_ms"`
	TimerMax    float64 `json:"timer_max_ms"`
}

// Run measures one job on an embedded cluster.
func Run(ctx context.Context, o Options) (Result, error) {
	if o.Channels < 1 || o.Records < 1 || o.Cost <= 0 || o.CheckpointEvery <= 0 {
		return Result{}, fmt.Errorf("latency: %+v: all must be positive", o)
	}
	w, start := &watch{}, time.Now()
	_, err := cluster.Run(ctx, blink.Define("latency", w.build(o)), cluster.RunOptions{CheckpointEvery: o.CheckpointEvery})
	if err != nil {
		return Result{}, fmt.Errorf("latency: %w", err)
	}
	r := Result{Channels: o.Channels, RecordCostMicro: float64(o.Cost) / 1e3, Records: o.Records, WallSeconds: time.Since(start).Seconds()}
	if r.Barriers, r.Timers = len(w.barriers), len(w.timers); r.Barriers == 0 || r.Timers == 0 {
		return r, fmt.Errorf("latency: %d records were written before a barrier and a timer came: take more", o.Records)
	}
	r.BarrierMedian, r.BarrierP90, r.BarrierMax = quantiles(w.barriers)
	r.TimerMedian, r.TimerP90, r.TimerMax = quantiles(w.timers)
	return r, nil
}

// quantiles in milliseconds: the median, the 90th percentile and the maximum.
func quantiles(all []time.Duration) (median, p90, top float64) {
	slices.Sort(all)
	at := func(q float64) float64 { return float64(all[int(q*float64(len(all)-1))]) / 1e6 }
	return at(0.5), at(0.9), at(1)
}
