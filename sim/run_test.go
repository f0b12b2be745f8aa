package sim

import "testing"

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

// What breaks without any fault shrinks to no fault.
func TestShrinkKeepsOnlyTheFaultsThatBreak(t *testing.T) {
	noise := []Fault{{At: 300e6, Kind: SlowStore, For: 1e9}, {At: 400e6, Kind: LossyNetwork, For: 1e9}}
	scenario := func() (Scenario, error) {
		s := draw(t, 2)
		check := s.Workload.Check
		cancelled := Fault{At: 1e9, Kind: CancelJob}
		s.Faults = append([]Fault{noise[0], cancelled}, noise[1])
		s.Workload.Rescale = nil
		s.Workload.Check = func(files map[string]string) error {
			delete(files, "out/0.csv")
			return check(files)
		}
		return s, nil
	}
	s, _ := scenario()
	out := Run(2, s)
	if out.Broken() != "I1" {
		t.Fatalf("broke %q: %v", out.Broken(), out.Err)
	}
	if plan := Shrink(2, scenario, out, 100); len(plan) != 0 {
		t.Errorf("no fault is needed, and %v is left", plan)
	}
}
