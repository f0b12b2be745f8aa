package operator

// table holds the accumulators of one slice by key, with open addressing: hash, key and
// accumulator stand in one slot, and at most three quarters of the slots are taken.
type table[K comparable, A any] struct {
	slots []slot[K, A]
	taken int
}

// slot is free when its hash is 0.
type slot[K comparable, A any] struct {
	hash uint64
	key  K
	acc  A
}

const smallTable = 16

// ref is the accumulator of key, a new one if there is none yet. It is valid until the next
// call of ref. hash is not 0.
func (t *table[K, A]) ref(hash uint64, key *K) *A {
	if t.taken*4 >= len(t.slots)*3 {
		t.grow()
	}
	mask := uint64(len(t.slots) - 1)
	for i := hash & mask; ; i = (i + 1) & mask {
		s := &t.slots[i]
		if s.hash == hash && s.key == *key {
			return &s.acc
		}
		if s.hash == 0 {
			s.hash, s.key = hash, *key
			t.taken++
			return &s.acc
		}
	}
}

// find is the accumulator of key, nil if there is none.
func (t *table[K, A]) find(hash uint64, key *K) *A {
	if len(t.slots) == 0 {
		return nil
	}
	mask := uint64(len(t.slots) - 1)
	for i := hash & mask; t.slots[i].hash != 0; i = (i + 1) & mask {
		if s := &t.slots[i]; s.hash == hash && s.key == *key {
			return &s.acc
		}
	}
	return nil
}

func (t *table[K, A]) grow() { t.resize(max(smallTable, 2*len(t.slots))) }

// fit makes a table smaller of which hardly anything is used any more.
func (t *table[K, A]) fit() {
	if t.taken*16 < len(t.slots) && len(t.slots) > smallTable {
		t.resize(len(t.slots) / 4)
	}
}

func (t *table[K, A]) resize(n int) {
	old := t.slots
	t.slots = make([]slot[K, A], n)
	mask := uint64(len(t.slots) - 1)
	for i := range old {
		if old[i].hash == 0 {
			continue
		}
		at := old[i].hash & mask
		for t.slots[at].hash != 0 {
			at = (at + 1) & mask
		}
		t.slots[at] = old[i]
	}
}

// remove forgets key, if it is there: those behind it move up, so that no gap is in the way
// of a search.
func (t *table[K, A]) remove(hash uint64, key *K) {
	if len(t.slots) == 0 {
		return
	}
	mask := uint64(len(t.slots) - 1)
	i := hash & mask
	for t.slots[i].hash != hash || t.slots[i].key != *key {
		if t.slots[i].hash == 0 {
			return
		}
		i = (i + 1) & mask
	}
	for j := (i + 1) & mask; t.slots[j].hash != 0; j = (j + 1) & mask {
		if home := t.slots[j].hash & mask; (j-home)&mask >= (j-i)&mask {
			t.slots[i] = t.slots[j]
			i = j
		}
	}
	t.slots[i] = slot[K, A]{}
	t.taken--
}

// clear empties the table for the next slice. One that was hardly used starts small again.
func (t *table[K, A]) clear() {
	if t.taken*16 < len(t.slots) {
		t.slots = nil
	}
	clear(t.slots)
	t.taken = 0
}
