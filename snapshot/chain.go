package snapshot

import "slices"

// MaxLayers is how many layers a part may have: at the bound the next one is whole. It bounds
// the manifests, and the objects that a restore reads.
const MaxLayers = 64

// Chain is what one operator of a task has written in this attempt, as far as it matters for
// what the next part may go onto. Without anything taken it is that of an attempt that begins,
// of the part with that number.
//
// All parts of an attempt begin whole in the same checkpoint, and would come to the bound of
// their layers in the same one too. So each has its turn to be whole, once in as many
// checkpoints as there may be layers, by its number: most checkpoints then write few parts whole.
//
// A delta goes onto the newest complete checkpoint that the task has heard of. Between that one
// and the next there may be snapshots whose end has not been heard of: their checkpoint was
// aborted, and then nothing of it is left, or it is complete, and then its layers are those that
// are kept. So what a delta goes onto must be a layer of all of them, and the next part must be
// whole if one of them was.
//
// Invariant: what later parts go onto is there, unless they are whole.
type Chain struct {
	Number   int // among the parts of the job
	taken    []taken
	promised uint64 // what the part that is being written goes onto; 0: nothing
}

// taken is a part that was written.
type taken struct {
	checkpoint uint64
	onto       uint64 // 0: it is whole
	layers     int
}

// Onto is what the part of a checkpoint may go onto; 0: it must be whole. complete is the newest
// complete checkpoint whose manifest can be read, as far as the task knows; limit is how many
// layers there may be. What is not 0 never goes back, and stays until Took or the next call.
func (c *Chain) Onto(checkpoint, complete uint64, limit int) uint64 {
	c.promised = c.onto(checkpoint, complete, limit)
	return c.promised
}

func (c *Chain) onto(checkpoint, complete uint64, limit int) uint64 {
	i := c.find(complete)
	if i < 0 || checkpoint%uint64(limit) == c.turn(limit) {
		return 0
	}
	onto := complete
	for _, later := range c.taken[i+1:] {
		onto = min(onto, later.onto)
	}
	if onto == 0 {
		return 0
	}
	if c.taken[c.find(onto)].layers >= limit {
		return 0
	}
	return onto
}

// turn is when the part is whole, from 0 to below limit. Multiples of the golden ratio keep the
// turns of parts apart, whichever of the parts are the large ones: those of one operator have
// numbers at equal distances.
func (c *Chain) turn(limit int) uint64 {
	const golden = 0x9E3779B9 // of 1<<32
	return uint64(uint32(c.Number)*golden) * uint64(limit) >> 32
}

// Took is told of a part that is to be part of a checkpoint.
func (c *Chain) Took(checkpoint, onto uint64) {
	t := taken{checkpoint: checkpoint, onto: onto, layers: 1}
	if onto != 0 {
		t.layers += c.taken[c.find(onto)].layers
	}
	c.taken = append(c.taken, t)
	c.promised = 0
}

// Concluded is told that every checkpoint up to concluded is complete or aborted, and that
// complete is the newest complete one.
func (c *Chain) Concluded(concluded, complete uint64) {
	c.taken = slices.DeleteFunc(c.taken, func(t taken) bool { return t.checkpoint > complete && t.checkpoint <= concluded })
	keep := uint64(0)
	for _, t := range c.taken {
		switch {
		case t.checkpoint <= complete:
			keep = t.checkpoint
		case t.onto != 0:
			keep = min(keep, t.onto)
		}
	}
	if c.promised != 0 {
		keep = min(keep, c.promised)
	}
	c.taken = slices.DeleteFunc(c.taken, func(t taken) bool { return t.checkpoint < keep })
}

func (c *Chain) find(checkpoint uint64) int {
	return slices.IndexFunc(c.taken, func(t taken) bool { return t.checkpoint == checkpoint })
}
