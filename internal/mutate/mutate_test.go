package mutate

import (
	"fmt"
	"testing"
)

func TestEachMutationHasANameOfItsOwn(t *testing.T) {
	seen := map[string]Name{None.String(): None}
	for _, n := range All() {
		if n.String() == "" {
			t.Errorf("mutation %d has no name", uint8(n))
		}
		if other, twice := seen[n.String()]; twice {
			t.Errorf("mutations %d and %d are both called %q", uint8(other), uint8(n), n)
		}
		seen[n.String()] = n
	}
	if len(seen) != count {
		t.Errorf("All and None make %d mutations, want %d", len(seen), count)
	}
	if got := Name(count).String(); got != fmt.Sprintf("mutation %d", count) {
		t.Errorf("an unknown mutation prints as %q", got)
	}
}
