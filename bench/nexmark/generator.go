package nexmark

import (
	"slices"

	"blink/bench/usage"
	"blink/connector/nexmark"
)

// Generator is what the generator costs for so many events, in CPU seconds: Batches as the
// source of a job makes them, Place the same arithmetic into one event that is used again.
type Generator struct {
	Events  uint64  `json:"events"`
	Batches float64 `json:"batches_cpu_seconds"`
	Place   float64 `json:"place_cpu_seconds"`
}

// Share is the events per CPU-second in batches, in units of those in one place. The unit of
// the engine's costs counts only while it is at least LeastShare: a slow generator would make
// the engine look cheap.
func (g Generator) Share() float64 { return g.Place / g.Batches }

// LeastShare is the least Share with which the generator is honest.
const LeastShare = 0.9

// MeasureGenerator measures both in turn, several times, and takes the medians.
func MeasureGenerator(events uint64, times int, progress func(done, of uint64)) Generator {
	g := nexmark.NewGenerator()
	batches, place := make([]float64, times), make([]float64, times)
	for i := range times {
		progress(uint64(i), uint64(times))
		m := usage.Begin()
		g.Fill(events)
		batches[i] = m.End().CPU
		m = usage.Begin()
		g.Make(events)
		place[i] = m.End().CPU
	}
	return Generator{events, median(batches), median(place)}
}

// median of at least one number. It sorts them.
func median(of []float64) float64 {
	slices.Sort(of)
	return of[len(of)/2]
}
