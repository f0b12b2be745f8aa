package state

// slots are the entries of one map, in a block of a power of two of them. As long as they are
// few they stand next to each other from the first one on and are looked through; more stand by
// the hash of their key, with open addressing, and fill at most three quarters.
//
//	few   [a][b][c][ ]
//	more  [ ][c][a][ ][ ][b]…
//
// The slot of an entry that is deleted stays, as dead: it says so to the next snapshot onto an
// earlier one. When nobody needs it any more it is taken by another key.
type slots[MK comparable, V any] []slot[MK, V]

type slot[MK comparable, V any] struct {
	key   MK
	value V
	gen   uint32 // of the last write; of a dead one 0 if no snapshot has it
	state slotState
}

type slotState uint8

const (
	empty slotState = iota
	dead
	fresh // there since generation gen
	known // there for longer, or again
)

// fewSlots is how many are looked through.
const fewSlots = 8

func (s *slot[MK, V]) live() bool { return s.state >= fresh }

// write notes that the slot's entry is written in a generation.
func (s *slot[MK, V]) write(gen uint32) {
	if s.state != fresh || s.gen != gen {
		s.state, s.gen = known, gen
	}
}

// kill deletes the entry in a generation. What came in that one is in no snapshot.
func (s *slot[MK, V]) kill(gen uint32) {
	var none V
	if s.state == fresh && s.gen == gen {
		gen = 0
	}
	s.value, s.gen, s.state = none, gen, dead
}

// find is the slot of a key, also if it is dead; nil if there is none.
func (all slots[MK, V]) find(k MK, hash func(MK) uint64) *slot[MK, V] {
	if len(all) <= fewSlots {
		for i := range all {
			if s := &all[i]; s.key == k && s.state != empty {
				return s
			}
		}
		return nil
	}
	mask := uint64(len(all) - 1)
	for i := hash(k) & mask; all[i].state != empty; i = (i + 1) & mask {
		if s := &all[i]; s.key == k {
			return s
		}
	}
	return nil
}

// place is a slot for a key that has none: one that is dead since generation base or before, or
// an empty one; nil if there is none.
func (all slots[MK, V]) place(k MK, hash func(MK) uint64, base uint32) *slot[MK, V] {
	mask, i := uint64(len(all)-1), uint64(0)
	if len(all) > fewSlots {
		i = hash(k) & mask
	}
	for range all {
		if s := &all[i]; s.state == empty || s.state == dead && s.gen <= base {
			return s
		}
		i = (i + 1) & mask
	}
	return nil
}

// spacious says whether n of so many slots may be taken.
func spacious(n, slots int) bool {
	if slots <= fewSlots {
		return n <= slots
	}
	return n*4 <= slots*3
}
