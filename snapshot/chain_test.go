package snapshot

import "testing"

func TestALongChainBeginsAnew(t *testing.T) {
	var c Chain
	layers, first := 1, uint64(5) // its turn
	for id := first; ; id++ {
		onto := c.Onto(id, id-1, 5)
		if onto == 0 && id > first {
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

// A part whose turn was that of a checkpoint that is skipped is whole when it is at the bound.
func TestAPartThatMissesItsTurnIsBoundedAllTheSame(t *testing.T) {
	var c Chain
	c.Took(4, 0)
	for _, id := range []uint64{6, 7, 8, 9, 11} {
		c.Concluded(id-1, c.taken[len(c.taken)-1].checkpoint)
		onto := c.Onto(id, c.taken[len(c.taken)-1].checkpoint, 5)
		if whole := onto == 0; whole != (id == 11) {
			t.Errorf("checkpoint %d goes onto %d", id, onto)
		}
		c.Took(id, onto)
	}
}

// Parts begin whole in one checkpoint; in later ones few are, whichever of them are large: all,
// or those of one operator, whose numbers are at equal distances.
func TestPartsAreWholeInTurn(t *testing.T) {
	for _, step := range []int{1, 2, 3, 5, 7} {
		for _, n := range []int{1, 10, 64, 200, 1000} {
			chains := make([]Chain, n)
			for i := range chains {
				chains[i].Number = 17 + i*step
			}
			for id := uint64(7); id < 7+3*MaxLayers; id++ {
				wholes := 0
				for i := range chains {
					c := &chains[i]
					onto := c.Onto(id, id-1, MaxLayers)
					if onto == 0 {
						wholes++
					}
					c.Took(id, onto)
					c.Concluded(id, id)
				}
				if most := n/MaxLayers + 1 + n/100 + 1; id > 7 && wholes > most {
					t.Errorf("checkpoint %d: %d of %d parts, %d apart, are whole; want %d at most", id, wholes, n, step, most)
				}
			}
			for _, c := range chains {
				if last := c.taken[len(c.taken)-1]; last.layers > MaxLayers {
					t.Errorf("a part has %d layers", last.layers)
				}
			}
		}
	}
}

// A task hears late: what it may go onto must be a layer of all that may be complete by now.
func TestADeltaGoesOntoWhatIsThereForSure(t *testing.T) {
	var c Chain
	onto := func(complete, want uint64) {
		t.Helper()
		if got := c.Onto(1, complete, 10); got != want {
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

// A part takes a while to be written. Meanwhile the end of a later checkpoint than that which it
// goes onto may be heard of.
func TestWhatAPartIsBeingWrittenOntoStays(t *testing.T) {
	const limit = 8
	var c Chain // whole at multiples of 8
	c.Took(1, c.Onto(1, 0, limit))
	c.Concluded(1, 1)
	c.Took(2, c.Onto(2, 1, limit))
	onto := c.Onto(3, 1, limit)
	if onto != 1 {
		t.Fatalf("the third goes onto %d, want 1", onto)
	}
	c.Concluded(2, 2)
	c.Took(3, onto)
	if c.Concluded(3, 3); c.Onto(4, 3, limit) != 3 {
		t.Error("the next one does not go onto the third")
	}
}
