package state

import "testing"

// No test depends on a timing: these look at the measurement.
func TestEveryCaseIsMeasured(t *testing.T) {
	for _, c := range Cases() {
		r, err := Run(c.Name, 2000, 20_000)
		if err != nil {
			t.Errorf("%s: %v", c.Name, err)
		}
		plain := r.Plain > 0 || c.Name == "delta"
		if r.Case != c.Name || r.Keys != 2000 || r.Time <= 0 || !plain || r.Peak <= 0 || r.Bytes <= 0 || (r.Access > 0) != (c.Name == "timers") {
			t.Errorf("%+v", r)
		}
	}
	for _, c := range Cases() { // they end, however few
		for _, keys := range []int{c.Least, c.Least + 1} {
			if r, err := Run(c.Name, keys, Operations(keys)/100); err != nil || r.Time <= 0 {
				t.Errorf("%s with %d keys: %+v, %v", c.Name, keys, r, err)
			}
		}
		if _, err := Run(c.Name, c.Least-1, 1); err == nil {
			t.Errorf("%s was measured with %d keys", c.Name, c.Least-1)
		}
	}
	if _, err := Run("nothing", 1, 1); err == nil {
		t.Error("an unknown case was measured")
	}
}

func TestKeysThatAreThereAndTheirTimersAllocateNothing(t *testing.T) {
	for _, name := range []string{"upsert", "strings", "list", "timers"} {
		r, err := Run(name, 1000, 200_000)
		if err != nil || r.Allocs > 0.01 {
			t.Errorf("%+v, %v", r, err)
		}
	}
}
