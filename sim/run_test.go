package sim

import (
	"errors"
	"testing"
	"time"
)

func draw(t *testing.T, seed uint64) Scenario {
	t.Helper()
	s, err := Draw(seed, Workload{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestRandomJobsSurviveFaults(t *testing.T) {
	for seed := uint64(1); seed <= 60; seed++ {
		if out := Run(seed, draw(t, seed)); out.Err != nil {
			t.Errorf("seed %d: %v\n%v", seed, out.Err, out.Plan)
		}
	}
}

func TestASeedHasOneHash(t *testing.T) {
	for seed := uint64(100); seed < 110; seed++ {
		a, b := Run(seed, draw(t, seed)), Run(seed, draw(t, seed))
		if a.Hash != b.Hash || a.Events != b.Events {
			t.Errorf("seed %d: %d events with hash %016x, then %d with %016x", seed, a.Events, a.Hash, b.Events, b.Hash)
		}
	}
}

// A job that is wrong when it was run again with another parallelism: every fault but the
// stop is noise.
func TestShrinkKeepsOnlyTheFaultsThatBreak(t *testing.T) {
	const second = time.Second
	scenario := func() (Scenario, error) {
		s := draw(t, 2)
		s.Faults = []Fault{
			{At: second, Kind: SlowStore, For: second}, {At: 3 * second, Kind: StopJob, For: second}, {At: 2 * second, Kind: LossyNetwork, For: second},
		}
		rescaled, rescale, check := false, s.Workload.Rescale, s.Workload.Check
		s.Workload.Rescale = func() { rescale(); rescaled = true }
		s.Workload.Check = func(files map[string]string) error {
			if rescaled {
				return errors.New("it was rescaled")
			}
			return check(files)
		}
		return s, nil
	}
	s, err := scenario()
	if err != nil {
		t.Fatal(err)
	}
	out := Run(2, s)
	if out.Broken() != "I1" {
		t.Fatalf("broke %q: %v", out.Broken(), out.Err)
	}
	if plan := Shrink(2, scenario, out, 100); len(plan) != 1 || plan[0].Kind != StopJob {
		t.Errorf("%v is left", plan)
	}
}
