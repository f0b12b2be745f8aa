package state

// index finds the rows of one key group, with open addressing. An entry is the lower half of
// the hash above the number of the row plus one; 0 is free. The lower bits of the hash are
// also the entry's place, so that the index grows without a look at any row, and only by the
// entries of its group.
type index struct {
	slots []uint64
	taken int
}

const firstSlots = 8

func entryOf(hash uint64, row uint32) uint64 { return hash<<32 | uint64(row+1) }

func rowOf(entry uint64) uint32 { return uint32(entry) - 1 }

// full says that at most a quarter of the slots are free, with one more taken.
func (x *index) full() bool { return (x.taken+1)*4 > len(x.slots)*3 }

// add puts in a row that is not there. The index is not full.
func (x *index) add(hash uint64, row uint32) {
	x.place(entryOf(hash, row))
	x.taken++
}

func (x *index) place(entry uint64) {
	mask := uint64(len(x.slots) - 1)
	i := entry >> 32 & mask
	for x.slots[i] != 0 {
		i = (i + 1) & mask
	}
	x.slots[i] = entry
}

// remove takes out a row, and moves up the entries behind it that stand away from their place.
func (x *index) remove(hash uint64, row uint32) {
	mask := uint64(len(x.slots) - 1)
	i := hash & mask
	for x.slots[i] != entryOf(hash, row) {
		i = (i + 1) & mask
	}
	x.taken--
	for at := i; ; {
		at = (at + 1) & mask
		e := x.slots[at]
		if e == 0 {
			x.slots[i] = 0
			return
		}
		if (at-e>>32)&mask >= (at-i)&mask {
			x.slots[i] = e
			i = at
		}
	}
}

// grow makes room for twice as many.
func (x *index) grow() {
	old := x.slots
	x.slots = make([]uint64, max(2*len(old), firstSlots))
	for _, e := range old {
		if e != 0 {
			x.place(e)
		}
	}
}
