package operator

// index finds rows by the hashes of their keys, with open addressing. An entry is the lower
// half of the hash above the number of the row plus one; 0 is free. At most three quarters are
// taken, and it grows without a look at the rows.
type index struct {
	slots []uint64
	keys  int // entries
}

// none is the number of no row.
const none = -1

const smallIndex = 16

func entryOf(hash uint64, n int32) uint64 { return hash<<32 | uint64(n+1) }

// rowOf is the number of an entry's row, none if the entry is free.
func rowOf(entry uint64) int32 { return int32(uint32(entry)) - 1 }

// full says that there is no room for one more entry.
func (x *index) full() bool { return x.keys*4 >= len(x.slots)*3 }

func (x *index) widen() {
	old := x.slots
	x.slots = make([]uint64, max(smallIndex, 2*len(old)))
	for _, e := range old {
		if e != 0 {
			x.slots[x.place(e, 0)] = e
		}
	}
}

// place is where an entry stands, or would stand if it is put instead of a free one.
func (x *index) place(e, or uint64) uint64 {
	mask := uint64(len(x.slots) - 1)
	i := e >> 32 & mask
	for x.slots[i] != e && x.slots[i] != or {
		i = (i + 1) & mask
	}
	return i
}

// put makes a free place lead to a row.
func (x *index) put(i, hash uint64, n int32) {
	x.slots[i] = entryOf(hash, n)
	x.keys++
}

// add adds an entry for a key that has none.
func (x *index) add(hash uint64, n int32) {
	if x.full() {
		x.widen()
	}
	x.put(x.place(entryOf(hash, n), 0), hash, n)
}

// move makes the entry that leads to one row lead to another.
func (x *index) move(hash uint64, from, to int32) {
	e := entryOf(hash, from)
	x.slots[x.place(e, e)] = entryOf(hash, to)
}

// remove takes an entry out. Those behind it move up, so that no gap is in the way of a search.
func (x *index) remove(hash uint64, n int32) {
	e := entryOf(hash, n)
	mask := uint64(len(x.slots) - 1)
	i := x.place(e, e)
	for j := (i + 1) & mask; x.slots[j] != 0; j = (j + 1) & mask {
		if home := x.slots[j] >> 32 & mask; (j-home)&mask >= (j-i)&mask {
			x.slots[i] = x.slots[j]
			i = j
		}
	}
	x.slots[i] = 0
	x.keys--
}
