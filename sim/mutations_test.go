//go:build mutate

package sim

import (
	"testing"

	"blink/internal/mutate"
)

// mutationSeeds bounds how many seeds may pass before a checker notices that a guard is
// gone.
const mutationSeeds = 1000

// objectors are the invariants that must be seen broken, where it is known which: others may
// break before.
var objectors = map[mutate.Name]string{mutate.DropKey: "I6", mutate.DropTimer: "I6", mutate.WriteFrozen: "I6"}

// TestMutations removes one guard at a time and runs seeds until a checker objects.
func TestMutations(t *testing.T) {
	for _, name := range mutate.All() {
		t.Run(name.String(), func(t *testing.T) {
			mutate.Set(name)
			defer mutate.Set(mutate.None)
			for seed := uint64(1); seed <= mutationSeeds; seed++ {
				s, err := Draw(seed, Workload{})
				if err != nil {
					t.Fatal(err)
				}
				out := Run(seed, s)
				if who := objectors[name]; out.Err != nil && (who == "" || who == out.Broken()) {
					t.Logf("seed %d: %v", seed, out.Err)
					return
				}
			}
			t.Errorf("%d seeds, and nobody has noticed", mutationSeeds)
		})
	}
}
