package cluster

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"blink/jobmaster"
)

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
