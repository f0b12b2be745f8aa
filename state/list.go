package state

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"iter"
	"math"
	"reflect"
	"time"
	"unsafe"

	"blink/graph"
	"blink/internal/codec"
)

// List is a list of V for each key; appending does not read it. See Value.
type List[V any] struct {
	TTL    time.Duration // since the last Append, or Enter that put something in
	cell   cell
	codec  *codec.Codec[V]
	blocks blocks[V]
	read   []V // where lists that are restored are decoded
}

// listCell is what a row has of a list: the number of elements, the block with them, and the
// generation of the last Append or Clear, before which there were so many, all of them the
// first of now. So a snapshot onto one before that generation needs only those that have come.
type listCell struct{ len, block, gen, before uint32 }

const replaced = math.MaxUint32 // before, of a list that was cleared

// Append adds x at the end.
func (l *List[V]) Append(x V) {
	row := l.cell.rows.need()
	if l.cell.expired(row) {
		l.clear(row)
	}
	l.cell.mark(row)
	l.push(row, x)
}

func (l *List[V]) push(row unsafe.Pointer, x V) {
	c := l.of(row)
	if c.gen != l.cell.rows.gen {
		c.gen, c.before = l.cell.rows.gen, c.len
	}
	at := l.grow(c)
	*at = x
	l.detach(at)
}

// detach copies what of an element lies in lent memory.
func (l *List[V]) detach(at *V) {
	if lent := *l.cell.rows.lent; lent.Any() {
		l.codec.Detach(at, nil, lent)
	}
}

// grow adds an element, and returns its place.
func (l *List[V]) grow(c *listCell) *V {
	c.block = l.blocks.room(c.block, int(c.len))
	c.len++
	return &l.blocks.of(c.block, int(c.len))[c.len-1]
}

// Enter is for lists whose elements are in an order, of which the first n are kept: compare is
// negative when a comes before b. It puts x in its place, behind equal ones, and returns that;
// n or more says that x is not among the first. It is not for use within All.
func (l *List[V]) Enter(x V, n int, compare func(a, b V) int) (place int) {
	all := l.get()
	place = len(all)
	for place > 0 && compare(x, all[place-1]) < 0 {
		place--
	}
	if place < n {
		l.enter(x, place, n)
	}
	return place
}

// enter puts x in at a place among the first n.
func (l *List[V]) enter(x V, place, n int) {
	row := l.cell.rows.need()
	if l.cell.expired(row) {
		l.clear(row)
	}
	l.cell.mark(row)
	c := l.of(row)
	if place == int(c.len) {
		l.push(row, x)
		return
	}
	c.gen, c.before = l.cell.rows.gen, replaced
	l.keep(c, n)
	if int(c.len) < n {
		l.grow(c)
	}
	all := l.elements(row)
	copy(all[place+1:], all[place:])
	all[place] = x
	l.detach(&all[place])
}

// keep drops all but the first n elements, at least one.
func (l *List[V]) keep(c *listCell, n int) {
	if int(c.len) <= n {
		return
	}
	block := l.blocks.take(n)
	copy(l.blocks.of(block, n), l.blocks.of(c.block, int(c.len)))
	l.blocks.free(c.block, int(c.len))
	c.block, c.len = block, uint32(n)
}

// All yields the elements in the order in which they were appended, those that are there when
// it begins.
func (l *List[V]) All() iter.Seq[V] {
	return func(yield func(V) bool) {
		all := l.get()
		if len(all) == 0 {
			return
		}
		row := l.cell.rows.at
		c := *l.of(row)
		for i := range int(c.len) {
			if now := *l.of(row); now != c {
				c, all = now, l.elements(row) // appended to, and perhaps moved, or cleared
			}
			if i >= len(all) || !yield(all[i]) {
				return
			}
		}
	}
}

// Len is the number of elements.
func (l *List[V]) Len() int { return len(l.get()) }

func (l *List[V]) get() []V {
	row := l.cell.rows.row()
	if row == nil || !l.cell.has(row) {
		return nil
	}
	return l.elements(row)
}

// elements are those of the row, valid until something is appended.
func (l *List[V]) elements(row unsafe.Pointer) []V {
	c := l.of(row)
	return l.blocks.of(c.block, int(c.len))
}

// Clear forgets all elements.
func (l *List[V]) Clear() {
	if row := l.cell.held(); row != nil {
		l.clear(row)
	}
}

func (l *List[V]) of(row unsafe.Pointer) *listCell {
	return (*listCell)(unsafe.Add(row, l.cell.at))
}

func (l *List[V]) declare(name string) (graph.State, error) {
	s, err := declared[V](name, "list", l.TTL)
	return s, cmp.Or(err, codec.Listable[V]())
}

func (l *List[V]) bind(r *rows) (err error) {
	l.cell.bind(r, l, reflect.TypeFor[listCell](), l.TTL)
	l.codec, err = codec.For[V]()
	return err
}

func (l *List[V]) has(row unsafe.Pointer) bool { return l.cell.has(row) }

func (l *List[V]) clear(row unsafe.Pointer) {
	c := l.of(row)
	l.blocks.free(c.block, int(c.len))
	*c = listCell{gen: l.cell.rows.gen, before: replaced}
	l.cell.unmark(row)
}

func (l *List[V]) append(dst []byte, row unsafe.Pointer, base int64) ([]byte, error) {
	if !l.cell.has(row) {
		return absent(dst), nil
	}
	all := l.elements(row)
	if n, only := l.of(row).since(base); only {
		dst = binary.LittleEndian.AppendUint32(append(dst, grown), n)
		all = all[n:]
	}
	return l.codec.Append(present(dst, l.cell.stamp(row)), all)
}

// grown, and the number of elements that the list had before, u32, begins the stored form of
// one to which those that follow were appended.
const grown = 2

// since is how many elements the list had at the end of generation base, if it is known that
// it only grew since.
func (c *listCell) since(base int64) (n uint32, only bool) {
	switch {
	case base == whole:
		return 0, false
	case int64(c.gen) <= base:
		return c.len, true
	}
	return c.before, int64(c.gen) == base+1 && c.before != replaced
}

func (l *List[V]) reader(schema string) (reader, error) {
	values, err := l.codec.Reads(schema)
	return func(src []byte) ([]byte, error) { return l.decode(values, src) }, err
}

func (l *List[V]) decode(values *codec.Codec[V], src []byte) ([]byte, error) {
	row := l.cell.rows.at
	if len(src) >= 5 && src[0] == grown {
		if n := binary.LittleEndian.Uint32(src[1:]); n != l.of(row).len {
			return nil, fmt.Errorf("%w: a list of %d elements was one of %d", errStored, l.of(row).len, n)
		}
		src = src[5:]
	} else {
		l.clear(row)
	}
	written, ok, src, err := presence(src)
	if err != nil || !ok {
		return src, err
	}
	read, src, err := values.DecodeSome(l.read, src)
	if err != nil {
		return nil, err
	}
	for _, x := range read {
		l.push(row, x)
	}
	clear(read)
	if l.read = read[:0]; l.of(row).len > 0 {
		l.cell.restore(row, written)
	}
	return src, nil
}
