package cluster

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"blink"
	"blink/connector/files"
	"blink/graph"
	"blink/jobmaster"
)

// Files of a bounded job appear at its end only; a folder's parts can be read before.
func TestOnlyWhatNobodyHasSeenCanBeTakenBack(t *testing.T) {
	for target, want := range map[string]bool{"out/x.csv": true, "out/": false, "out/rows/": false} {
		job := blink.NewJob("job", nil)
		job.Read(blink.Values(1, 2)).Write(files.CSV(target))
		built, err := job.Program()
		check(t, err)
		plan, err := graph.Compile(built.Job)
		check(t, err)
		if got := withdrawable(plan); got != want {
			t.Errorf("%s: %v", target, got)
		}
	}
}

// The demand is declared again and again: an executor is started when there is none.
func TestAFailedExecutorIsReplaced(t *testing.T) {
	var started []string
	alive := false
	r := &localResources{alive: func() bool { return alive }, start: func(slots int, incarnation uint64) error {
		started = append(started, fmt.Sprint(slots, "@", incarnation))
		alive = true
		return nil
	}}
	for range 2 {
		for range 3 {
			check(t, r.Declare(context.Background(), "job", jobmaster.Demand{Epoch: 1, Slots: 4}))
		}
		alive = false
	}
	check(t, r.Declare(context.Background(), "job", jobmaster.Demand{Epoch: 1}))
	if want := []string{"4@1", "4@2"}; !slices.Equal(started, want) {
		t.Errorf("started %q, want %q", started, want)
	}
}
