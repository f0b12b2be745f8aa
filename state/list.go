package state

import (
	"iter"
	"reflect"
	"time"
	"unsafe"

	"blink/graph"
	"blink/internal/codec"
)

// List is a list of V for each key; appending does not read it. See Value.
type List[V any] struct {
	TTL    time.Duration // since the last Append
	cell   cell
	codec  *codec.Codec[V]
	blocks blocks[V]
	read   []V // where lists that are restored are decoded
}

// listCell is what a row has of a list: the number of elements, and the block with them.
type listCell struct{ len, block uint32 }

// Append adds x at the end.
func (l *List[V]) Append(x V) {
	row := l.cell.rows.need()
	if l.cell.expired(row) {
		l.clear(row)
	}
	l.cell.mark(row)
	c := l.of(row)
	c.block = l.blocks.room(c.block, int(c.len))
	l.blocks.of(c.block, int(c.len)+1)[c.len] = x
	c.len++
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
	if row := l.cell.rows.row(); row != nil {
		l.clear(row)
	}
}

func (l *List[V]) of(row unsafe.Pointer) *listCell {
	return (*listCell)(unsafe.Add(row, l.cell.at))
}

func (l *List[V]) declare(name string) (graph.State, error) { return declared[V](name, "list", l.TTL) }

func (l *List[V]) bind(r *rows) (err error) {
	l.cell.bind(r, l, reflect.TypeFor[listCell](), l.TTL)
	l.codec, err = codec.For[V]()
	return err
}

func (l *List[V]) has(row unsafe.Pointer) bool { return l.cell.has(row) }

func (l *List[V]) clear(row unsafe.Pointer) {
	c := l.of(row)
	l.blocks.free(c.block, int(c.len))
	*c = listCell{}
	l.cell.unmark(row)
}

func (l *List[V]) append(dst []byte, row unsafe.Pointer) ([]byte, error) {
	if !l.cell.has(row) {
		return absent(dst), nil
	}
	return l.codec.Append(present(dst, l.cell.stamp(row)), l.elements(row))
}

func (l *List[V]) reader(schema string) (reader, error) {
	values, err := l.codec.Reads(schema)
	return func(src []byte) ([]byte, error) {
		written, ok, src, err := presence(src)
		if err != nil || !ok {
			return src, err
		}
		read, src, err := values.DecodeSome(l.read, src)
		if err != nil || len(read) == 0 {
			return src, err
		}
		row := l.cell.rows.at
		c := l.of(row)
		l.clear(row)
		c.block, c.len = l.blocks.take(len(read)), uint32(len(read))
		copy(l.elements(row), read)
		l.cell.restore(row, written)
		clear(read)
		l.read = read[:0]
		return src, nil
	}, err
}
