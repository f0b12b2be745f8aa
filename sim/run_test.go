package sim

import (
	"testing"
)

func TestRandomJobsSurviveFaults(t *testing.T) {
	for seed := uint64(1); seed <= 15; seed++ {
		s, err := Draw(seed, Workload{})
		if err != nil {
			t.Fatal(err)
		}
		if out := Run(seed, s); out.Err != nil {
			t.Errorf("seed %d: %v\n%v", seed, out.Err, out.Plan)
		}
	}
}
