package snapshot

import "testing"

func TestALongChainBeginsAnew(t *testing.T) {
	var c Chain
	layers := 1
	for id := uint64(1); ; id++ {
		onto := c.Onto(id-1, 5)
		if onto == 0 && id > 1 {
			break
		}
		if onto != 0 {
			layers++
		}
		c.Took(id, onto)
		c.Concluded(id, id)
	}
	if layers != 5 {
		t.Errorf("%d layers, want 5", layers)
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
	c.Took(1, 0)
	onto(0, 0) // whether 1 is complete is not known
	c.Concluded(1, 1)
	onto(1, 1)
	onto(0, 0) // its manifest cannot be read
	c.Took(2, 1)
	onto(1, 1) // whatever becomes of 2
	c.Took(3, 1)
	c.Concluded(2, 2)
	onto(2, 1) // 3 may be complete, and does not lie on 2
	c.Took(4, 1)
	c.Concluded(4, 4)
	onto(4, 4)
	c.Took(5, 0)
	onto(4, 0) // 5 may be complete, and lies on nothing
	c.Concluded(5, 4)
	onto(4, 4)
}
