package operator

// table holds an E for each key: rows in the order in which they came, and an index that
// finds them, with open addressing. An entry of the index is the lower half of the hash above
// the number of the row plus one; 0 is free. At most three quarters are taken, and it grows
// without a look at the rows.
//
//	key ──index──► row: hash │ generation │ key │ E
//
// Rows keep their number, and so what is frozen is found again whatever is written meanwhile:
// see frozen.go. They live in pages, of which the first one grows.
type table[K comparable, E any] struct {
	index []uint64
	keys  int // entries of the index
	pages [][]row[K, E]
	used  int32 // rows that were ever taken
	free  []int32

	gen    uint32             // the current generation; 0: the table was never frozen
	log    []write            // of the generations behind the first, ascending
	frozen *frozenTable[K, E] // what is not drained of a snapshot
}

// row is free when its hash is 0.
type row[K comparable, E any] struct {
	hash    uint64
	gen     uint32 // of the last write
	drained uint32 // the generation in which it was last drained or saved
	key     K
	of      E
}

// write is the first one to a row in a generation.
type write struct {
	gen uint32
	row int32
}

const (
	none      = -1 // no row
	smallPage = 16
	pageRows  = 512
	smallest  = 16 // index
)

func entryOf(hash uint64, n int32) uint64 { return hash<<32 | uint64(n+1) }

// rowOf is the number of an entry's row, none if the entry is free.
func rowOf(entry uint64) int32 { return int32(uint32(entry)) - 1 }

// row is the row with a number, valid until the next one is taken.
func (t *table[K, E]) row(n int32) *row[K, E] {
	return &t.pages[uint32(n)/pageRows][uint32(n)%pageRows]
}

// ref is what is held of key, to be changed, a zero E if there was none. It is valid until the
// next call of ref. hash is not 0.
func (t *table[K, E]) ref(hash uint64, key *K) *E {
	if t.keys*4 >= len(t.index)*3 {
		t.room()
	}
	mask := uint64(len(t.index) - 1)
	for at := hash & mask; ; at = (at + 1) & mask {
		e := t.index[at]
		if e == 0 {
			n := t.take(hash, key)
			t.index[at] = entryOf(hash, n)
			t.keys++
			return &t.row(n).of
		}
		if uint32(e>>32) != uint32(hash) {
			continue
		}
		if r := t.row(rowOf(e)); r.hash == hash && r.key == *key {
			if r.gen != t.gen {
				t.touch(rowOf(e), r)
			}
			return &r.of
		}
	}
}

// find is what is held of key, nil if there is nothing. Who changes it tells touch before.
func (t *table[K, E]) find(hash uint64, key *K) *E {
	if t.keys == 0 {
		return nil
	}
	_, r := t.search(hash, key)
	if r == nil {
		return nil
	}
	return &r.of
}

// search gives the place of key in the index, with its row, or the free place that would be its
// own. The index is not empty.
func (t *table[K, E]) search(hash uint64, key *K) (at uint64, r *row[K, E]) {
	mask := uint64(len(t.index) - 1)
	for at = hash & mask; ; at = (at + 1) & mask {
		e := t.index[at]
		if e == 0 {
			return at, nil
		}
		if uint32(e>>32) == uint32(hash) {
			if r := t.row(rowOf(e)); r.hash == hash && r.key == *key {
				return at, r
			}
		}
	}
}

// room makes sure that the index has room for one more key.
func (t *table[K, E]) room() {
	if t.keys*4 < len(t.index)*3 {
		return
	}
	old := t.index
	t.index = make([]uint64, max(smallest, 2*len(old)))
	mask := uint64(len(t.index) - 1)
	for _, e := range old {
		if e == 0 {
			continue
		}
		i := e >> 32 & mask
		for t.index[i] != 0 {
			i = (i + 1) & mask
		}
		t.index[i] = e
	}
}

// take gives key a row that no entry leads to yet.
func (t *table[K, E]) take(hash uint64, key *K) int32 {
	n := t.used
	if last := len(t.free); last > 0 {
		n = t.free[last-1]
		t.free = t.free[:last-1]
	} else {
		t.grow()
		t.used++
	}
	r := t.row(n)
	r.hash, r.key = hash, *key
	if r.gen != t.gen {
		t.written(n, r)
	}
	return n
}

// grow makes sure that the pages have room for one more row.
func (t *table[K, E]) grow() {
	switch n := int(t.used); {
	case n == 0 && len(t.pages) == 0:
		t.pages = append(t.pages, make([]row[K, E], smallPage))
	case n < pageRows && n == len(t.pages[0]):
		first := make([]row[K, E], 2*n)
		copy(first, t.pages[0])
		t.pages[0] = first
	case n == len(t.pages)*pageRows:
		t.pages = append(t.pages, make([]row[K, E], pageRows))
	}
}

// change is called before a row changes, but by those who know that touch need not be.
func (t *table[K, E]) change(n int32) {
	if r := t.row(n); r.gen != t.gen {
		t.touch(n, r)
	}
}

// touch is called before a row of an earlier generation changes.
func (t *table[K, E]) touch(n int32, r *row[K, E]) {
	if t.frozen != nil {
		t.frozen.save(n, r)
	}
	t.written(n, r)
}

// written puts a row into the current generation.
func (t *table[K, E]) written(n int32, r *row[K, E]) {
	r.gen = t.gen
	t.log = append(t.log, write{t.gen, n})
}

// point makes the entry of key lead to row n.
func (t *table[K, E]) point(hash uint64, key *K, n int32) {
	t.room()
	at, r := t.search(hash, key)
	if r == nil {
		t.keys++
	}
	t.index[at] = entryOf(hash, n)
}

// number is the row of key, none if there is none.
func (t *table[K, E]) number(hash uint64, key *K) int32 {
	if t.keys == 0 {
		return none
	}
	at, _ := t.search(hash, key)
	return rowOf(t.index[at])
}

// remove forgets key, if it is there.
func (t *table[K, E]) remove(hash uint64, key *K) {
	if n := t.number(hash, key); n != none {
		t.unlink(hash, key)
		t.release(n)
	}
}

// unlink takes the entry of key out of the index. Those behind it move up, so that no gap is
// in the way of a search.
func (t *table[K, E]) unlink(hash uint64, key *K) {
	i, _ := t.search(hash, key)
	mask := uint64(len(t.index) - 1)
	for j := (i + 1) & mask; t.index[j] != 0; j = (j + 1) & mask {
		if home := t.index[j] >> 32 & mask; (j-home)&mask >= (j-i)&mask {
			t.index[i] = t.index[j]
			i = j
		}
	}
	t.index[i] = 0
	t.keys--
}

// release gives back a row that no entry leads to.
func (t *table[K, E]) release(n int32) {
	t.change(n)
	r := t.row(n)
	*r = row[K, E]{gen: r.gen, drained: r.drained}
	t.free = append(t.free, n)
}

// held is how many rows are taken.
func (t *table[K, E]) held() int { return int(t.used) - len(t.free) }

// all are the rows that are taken, with their numbers.
func (t *table[K, E]) all(yield func(int32, *row[K, E]) bool) {
	for n := range t.used {
		if r := t.row(n); r.hash != 0 && !yield(n, r) {
			return
		}
	}
}

// fit makes a table smaller of which hardly anything is used any more. Rows get other numbers.
func (t *table[K, E]) fit() {
	if t.keys*16 >= int(t.used) || t.used <= smallPage {
		return
	}
	var small table[K, E]
	for _, r := range t.all {
		*small.ref(r.hash, &r.key) = r.of
	}
	*t = small
}

// clear empties the table for other keys. One that was hardly used starts small again.
func (t *table[K, E]) clear() {
	if t.keys*16 < len(t.index) {
		*t = table[K, E]{}
		return
	}
	clear(t.index)
	for i := 0; i*pageRows < int(t.used); i++ {
		page := t.pages[i]
		clear(page[:min(len(page), int(t.used)-i*pageRows)])
	}
	t.keys, t.used, t.free, t.log, t.gen, t.frozen = 0, 0, t.free[:0], nil, 0, nil
}
