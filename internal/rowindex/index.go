package rowindex

// Index is open addressing: an entry is the lower half of a hash above the number of a row plus
// one; 0 is free. The lower bits of the hash are also the entry's place, so the index grows
// without a look at any row. At most three quarters are taken. The zero Index is empty, and has
// no place to seek in.
type Index struct {
	Slots []uint64 // a power of two of them
	Len   int      // entries
}

const firstSlots = 8

func entryOf(hash uint64, row uint32) uint64 { return hash<<32 | uint64(row+1) }

// Row is the row that an entry leads to.
func Row(entry uint64) uint32 { return uint32(entry) - 1 }

// Seek is the place of the first entry with the lower half of a hash from a place on, or of the
// free slot behind all of them. A search begins at the hash itself.
func (x *Index) Seek(hash, from uint64) (at uint64) {
	mask := uint64(len(x.Slots) - 1)
	for at = from & mask; x.Slots[at] != 0 && uint32(x.Slots[at]>>32) != uint32(hash); at = (at + 1) & mask {
	}
	return at
}

// Full says that there is no room for one more.
func (x *Index) Full() bool { return x.Len*4 >= len(x.Slots)*3 }

// Grow makes room for twice as many.
func (x *Index) Grow() {
	old := x.Slots
	x.Slots = make([]uint64, max(2*len(old), firstSlots))
	for _, e := range old {
		if e != 0 {
			x.Slots[x.place(e>>32, 0)] = e
		}
	}
}

// place is where the search for a hash meets an entry.
func (x *Index) place(hash, entry uint64) uint64 {
	mask := uint64(len(x.Slots) - 1)
	i := hash & mask
	for x.Slots[i] != entry {
		i = (i + 1) & mask
	}
	return i
}

// Add adds a row that is not there.
func (x *Index) Add(hash uint64, row uint32) {
	if x.Full() {
		x.Grow()
	}
	x.Put(x.place(hash, 0), hash, row)
}

// Put is Add at the free place at which Seek has ended, of an index that is not full.
func (x *Index) Put(at, hash uint64, row uint32) {
	x.Slots[at] = entryOf(hash, row)
	x.Len++
}

// Move makes the entry that leads to one row lead to another.
func (x *Index) Move(hash uint64, from, to uint32) {
	x.Slots[x.place(hash, entryOf(hash, from))] = entryOf(hash, to)
}

// Remove takes a row out, and moves up the entries behind it that stand away from their place.
func (x *Index) Remove(hash uint64, row uint32) {
	mask := uint64(len(x.Slots) - 1)
	i := x.place(hash, entryOf(hash, row))
	for at := (i + 1) & mask; x.Slots[at] != 0; at = (at + 1) & mask {
		if home := x.Slots[at] >> 32; (at-home)&mask >= (at-i)&mask {
			x.Slots[i] = x.Slots[at]
			i = at
		}
	}
	x.Slots[i] = 0
	x.Len--
}
