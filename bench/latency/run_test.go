package latency

import (
	"context"
	"testing"
	"time"
)

// TestRunSeesBarriersAndTimers looks at the measurement, not at the figures: no test depends on
// a timing.
func TestRunSeesBarriersAndTimers(t *testing.T) {
	r, err := Run(context.Background(), Options{Channels: 3, Cost: 2 * time.Microsecond, Records: 150_000, CheckpointEvery: 10 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	if r.BarrierMedian <= 0 || r.BarrierMax < r.BarrierP90 || r.BarrierP90 < r.BarrierMedian || r.Timers < 3 || r.TimerMax < r.TimerMedian {
		t.Errorf("%+v", r)
	}
	if _, err := Run(context.Background(), Options{Channels: 0, Cost: 1, Records: 1, CheckpointEvery: 1}); err == nil {
		t.Error("no channels, and no error")
	}
}

func TestQuantiles(t *testing.T) {
	var all []time.Duration
	for i := range 101 {
		all = append(all, time.Duration(100-i)*time.Millisecond)
	}
	if median, p90, top := quantiles(all); median != 50 || p90 != 90 || top != 100 {
		t.Errorf("median %v, p90 %v, maximum %v", median, p90, top)
	}
}
