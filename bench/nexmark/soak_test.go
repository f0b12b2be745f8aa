package nexmark

import (
	"context"
	"errors"
	"runtime/debug"
	"runtime/metrics"
	"strconv"
	"strings"
	"testing"
	"time"

	"blink/cluster"
)

func memory(live ...uint64) (looks []Memory) {
	for _, m := range live {
		looks = append(looks, Memory{Live: m << 20, RSS: 2 * m << 20})
	}
	return looks
}

func TestGrowthIsToldFromTheBeginningAndFromNoise(t *testing.T) {
	for _, c := range []struct {
		looks []Memory
		want  string
	}{
		{memory(1, 50, 200, 210, 190, 220, 200, 215), ""},
		{memory(1, 50, 200, 210, 220, 230, 240, 260), "the live heap grows: 260 MB in the second half, 210 MB before it"},
		{memory(1, 2, 3), "3 looks at the memory are too few"},
		{append(memory(9, 9, 9, 9, 9, 9, 9), Memory{Live: 9 << 20, RSS: 90 << 20}), "the process grows: 90 MB"},
	} {
		if err := Grows(c.looks); c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%+v: %v, want %q", c.looks, err, c.want)
		}
	}
}

// TestASoakRunsUntilItsTimeIsOver takes events without end.
func TestASoakRunsUntilItsTimeIsOver(t *testing.T) {
	seen := 0
	o := SoakOptions{Query: "q5", Parallelism: 2, CheckpointEvery: 20 * time.Millisecond,
		Duration: leastLooks * cluster.ProgressEvery, Every: time.Millisecond, Look: func(Memory) error { seen++; return nil }}
	if err := o.Check(); err != nil {
		t.Fatal(err)
	}
	looks, err := Soak(context.Background(), o)
	if len(looks) != seen || len(looks) < leastLooks || looks[len(looks)-1].Seconds < o.Duration.Seconds() {
		t.Errorf("%d looks, of which %d were shown: %+v", len(looks), seen, looks)
	}
	if grows := Grows(looks); (err == nil) != (grows == nil) {
		t.Errorf("%v, and the looks: %v", err, grows)
	}
	full := errors.New("the disk is full")
	_, err = Soak(context.Background(), SoakOptions{Query: "q0", Parallelism: 1, Duration: time.Hour, Every: time.Millisecond, Look: func(Memory) error { return full }})
	if !errors.Is(err, full) {
		t.Errorf("a soak whose looks cannot be told: %v", err)
	}
	ctx, stop := context.WithCancel(context.Background())
	stop()
	if _, err := Soak(ctx, SoakOptions{Query: "q0", Parallelism: 1, Duration: time.Hour, Every: time.Hour}); err == nil || !strings.Contains(err.Error(), "q0 ended too early") {
		t.Errorf("a soak that was interrupted: %v", err)
	}
}

func TestASoakLeavesTheCollectorToTheEnvironment(t *testing.T) {
	const set = 150
	for environment, want := range map[string]uint64{"": GCPercent, strconv.Itoa(set): set} {
		t.Setenv("GOGC", environment)
		before, enough := debug.SetGCPercent(set), errors.New("seen")
		sample := []metrics.Sample{{Name: "/gc/gogc:percent"}}
		_, err := Soak(context.Background(), SoakOptions{Query: "q0", Parallelism: 1, Duration: time.Hour, Look: func(Memory) error {
			metrics.Read(sample)
			return enough
		}})
		if have := sample[0].Value.Uint64(); !errors.Is(err, enough) || have != want {
			t.Errorf("GOGC=%s: %d, want %d: %v", environment, have, want, err)
		}
		debug.SetGCPercent(before)
	}
}

func TestTheGeneratorIsMeasuredBothWays(t *testing.T) {
	g := MeasureGenerator(200_000, 3, func(uint64, uint64) {})
	if g.Events != 200_000 || g.Batches <= 0 || g.Place <= 0 || g.Share() <= 0 {
		t.Errorf("%+v", g)
	}
}
