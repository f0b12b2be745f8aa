package operator

import (
	"blink/internal/codec"
	"blink/internal/rowindex"
)

// table holds an E for each key: rows in the order in which they came, and an index that
// finds them.
//
//	key ──index──► row: hash │ generation │ key │ E
//
// Rows keep their number, and so what is frozen is found again whatever is written meanwhile:
// see frozen.go. They live in pages, of which the first one grows. What needs no type of key
// is in index and versions, so that it is compiled once; they are not embedded, or else their
// methods would be compiled for each type after all.
type table[K comparable, E any] struct {
	index    rowindex.Index
	versions versions
	pages    [][]row[K, E]

	keyCodec *codec.Codec[K] // of keys whose strings may lie in lent memory; nil: none do
	lent     *codec.Memory
}

// row is free when its hash is 0.
type row[K comparable, E any] struct {
	head
	key K
	of  E
}

// none is the number of no row.
const none = -1

const (
	smallPage = 16
	pageRows  = 512
)

// row is the row with a number, valid until the next one is taken.
func (t *table[K, E]) row(n int32) *row[K, E] {
	return &t.pages[uint32(n)/pageRows][uint32(n)%pageRows]
}

// ref is what is held of key, to be changed, a zero E if there was none. It is valid until the
// next call of ref. hash is not 0.
func (t *table[K, E]) ref(hash uint64, key *K) *E {
	x := &t.index
	if x.Full() {
		x.Grow()
	}
	at := x.Seek(hash, hash)
	for ; x.Slots[at] != 0; at = x.Seek(hash, at+1) {
		n := rowOf(x.Slots[at])
		if r := t.row(n); r.hash == hash && r.key == *key {
			if r.gen != t.versions.gen {
				t.versions.touch(n, &r.head)
			}
			return &r.of
		}
	}
	n := t.take(hash, key)
	x.Put(at, hash, uint32(n))
	return &t.row(n).of
}

// rowOf is the number of an entry's row.
func rowOf(entry uint64) int32 { return int32(rowindex.Row(entry)) }

// number is the row of key, none if there is none. Who changes it tells change before.
func (t *table[K, E]) number(hash uint64, key *K) int32 {
	x := &t.index
	if x.Len == 0 {
		return none
	}
	for at := x.Seek(hash, hash); x.Slots[at] != 0; at = x.Seek(hash, at+1) {
		n := rowOf(x.Slots[at])
		if r := t.row(n); r.hash == hash && r.key == *key {
			return n
		}
	}
	return none
}

// find is what is held of key, nil if there is nothing.
func (t *table[K, E]) find(hash uint64, key *K) *E {
	n := t.number(hash, key)
	if n == none {
		return nil
	}
	return &t.row(n).of
}

// take gives key a row that no entry leads to yet.
func (t *table[K, E]) take(hash uint64, key *K) int32 {
	n, fresh := t.versions.vacant()
	if fresh {
		t.grow()
	}
	r := t.row(n)
	if r.hash, r.key = hash, *key; t.lent != nil && t.lent.Any() {
		t.keyCodec.Detach(&r.key, nil, *t.lent)
	}
	if r.gen != t.versions.gen {
		t.versions.written(n, &r.head)
	}
	return n
}

// grow makes sure that the pages have room for the rows that are used.
func (t *table[K, E]) grow() {
	switch last := int(t.versions.used) - 1; {
	case len(t.pages) == 0:
		t.pages = append(t.pages, make([]row[K, E], smallPage))
	case last < pageRows && last == len(t.pages[0]):
		first := make([]row[K, E], 2*last)
		copy(first, t.pages[0])
		t.pages[0] = first
	case last == len(t.pages)*pageRows:
		t.pages = append(t.pages, make([]row[K, E], pageRows))
	}
}

// change is called before a row changes, but by those who know that it need not be.
func (t *table[K, E]) change(n int32) {
	if r := t.row(n); r.gen != t.versions.gen {
		t.versions.touch(n, &r.head)
	}
}

// release gives back a row that no entry leads to any more.
func (t *table[K, E]) release(n int32) {
	t.change(n)
	r := t.row(n)
	*r = row[K, E]{head: head{gen: r.gen, drained: r.drained}}
	t.versions.free = append(t.versions.free, n)
}

// forget takes a key and its row out.
func (t *table[K, E]) forget(hash uint64, n int32) {
	t.index.Remove(hash, uint32(n))
	t.release(n)
}

// all are the rows that are taken, with their numbers.
func (t *table[K, E]) all(yield func(int32, *row[K, E]) bool) {
	for n := range t.versions.used {
		if r := t.row(n); r.hash != 0 && !yield(n, r) {
			return
		}
	}
}

// fit makes a table smaller of which hardly anything is used any more. Rows get other numbers.
func (t *table[K, E]) fit() {
	if t.index.Len*16 >= int(t.versions.used) || t.versions.used <= smallPage {
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
	if t.index.Len*16 < len(t.index.Slots) {
		t.index.Slots, t.pages = nil, nil
	}
	clear(t.index.Slots)
	for i := 0; i < len(t.pages) && i*pageRows < int(t.versions.used); i++ {
		page := t.pages[i]
		clear(page[:min(len(page), int(t.versions.used)-i*pageRows)])
	}
	t.index.Len, t.versions = 0, versions{free: t.versions.free[:0]}
}
