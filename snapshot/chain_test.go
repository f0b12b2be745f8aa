package snapshot

import "testing"

// What a chain holds is bounded by what is read of it, too.
func TestALongOrHeavyChainBeginsAnew(t *testing.T) {
	for _, c := range []struct {
		name              string
		whole, delta, end int // bytes, and how many layers come before the next whole part
	}{
		{"many small deltas", 1000, 1, 5},
		{"deltas as large as the whole", 1000, 1000, 3},
		{"nothing at all", 0, 0, 1},
	} {
		var chain Chain
		layers, size := 1, c.whole
		for id := uint64(1); ; id++ {
			onto := chain.Onto(id-1, 5)
			if onto == 0 && id > 1 {
				break
			}
			if onto != 0 {
				layers, size = layers+1, c.delta
			}
			chain.Took(id, onto, size)
			chain.Concluded(id, id)
		}
		if layers != c.end {
			t.Errorf("%s: %d layers, want %d", c.name, layers, c.end)
		}
	}
}

// A task hears late: what it may go onto must be a layer of all that may be complete by now.
func TestADeltaGoesOntoWhatIsThereForSure(t *testing.T) {
	var c Chain
	onto := func(complete, want uint64) {
		t.Helper()
		if got := c.Onto(complete, 10); got != want {
			t.Errorf("onto %d, want %d", got, want)
		}
	}
	onto(0, 0)
	c.Took(1, 0, 10)
	onto(0, 0) // whether 1 is complete is not known
	c.Concluded(1, 1)
	onto(1, 1)
	onto(0, 0) // its manifest cannot be read
	c.Took(2, 1, 1)
	onto(1, 1) // whatever becomes of 2
	c.Took(3, 1, 1)
	c.Concluded(2, 2)
	onto(2, 1) // 3 may be complete, and does not lie on 2
	c.Took(4, 1, 1)
	c.Concluded(4, 4)
	onto(4, 4)
	c.Took(5, 0, 10)
	onto(4, 0) // 5 may be complete, and lies on nothing
	c.Concluded(5, 4)
	onto(4, 4)
}
