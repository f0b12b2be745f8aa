package sim

import (
	"testing"
	"time"

	"blink/jobmaster"
	"blink/jobmaster/leader"
	"blink/jobmaster/leader/leadertest"
	"blink/sim/world"
	"blink/snapshot/store"
	"blink/snapshot/store/storetest"
)

// inTurn makes a service's calls one at a time: the suites run on several goroutines, which
// a world never does.
func inTurn() call {
	turn := make(chan struct{}, 1)
	return func(_ string, f func() error) error {
		turn <- struct{}{}
		defer func() { <-turn }()
		return f()
	}
}

func TestTheSimulatedObjectStoreConforms(t *testing.T) {
	storetest.Run(t, func(*testing.T) store.Store { return storeClient{newObjectStore(), inTurn()} })
}

// What was said before the newest demand, by an earlier leader or the same, takes nothing away.
func TestTheSimulatedResourceManagerHearsTheNewestDemand(t *testing.T) {
	c, err := newCluster(1, &Scenario{Workload: idle(1), Candidates: 1, Slots: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer c.w.Close()
	r := resourceClient{c.resources, inTurn()}
	for _, d := range []jobmaster.Demand{
		{Epoch: 1, Version: 1, Slots: 1}, {Epoch: 2, Version: 7, Slots: 3}, {Epoch: 1, Version: 2}, {Epoch: 2, Version: 6},
	} {
		if err := r.Declare(t.Context(), jobName, d); err != nil {
			t.Fatal(err)
		}
	}
	if c.resources.demand != 3 {
		t.Errorf("the demand is %d slots", c.resources.demand)
	}
}

// Chance decides when a session expires that is not renewed.
func TestTheSimulatedLeaderServiceConforms(t *testing.T) {
	seed := uint64(0)
	fresh := func(*testing.T) leadertest.Timed {
		seed++
		now := time.Unix(0, 0)
		lockDelay := 200 * time.Millisecond
		s := newLeaderService(func() time.Time { return now }, world.NewRand(seed), lockDelay)
		return leadertest.Timed{
			Service: leaderClient{s, inTurn()}, Pass: func(d time.Duration) { now = now.Add(d) },
			TTL: sessionTTL, Ends: 2 * sessionTTL, LockDelay: lockDelay,
		}
	}
	leadertest.Run(t, sessionTTL, func(t *testing.T) leader.Service { return fresh(t).Service })
	for range 20 {
		leadertest.RunTimed(t, fresh)
	}
}
