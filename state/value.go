package state

import (
	"encoding/binary"
	"errors"
	"iter"
	"time"

	"blink/graph"
	"blink/internal/codec"
)

// Value is one V for each key. The zero Value is ready in a processor's prototype; its
// methods work in a task, of the record or timer at hand, and panic elsewhere.
type Value[V any] struct {
	TTL   time.Duration // since the last write; 0 keeps it for ever
	rows  *rows
	codec *codec.Codec[V]
	cells []valueCell[V]
}

type valueCell[V any] struct {
	v       V
	have    bool
	written int64
}

// Get returns the value, the zero V if there is none.
func (v *Value[V]) Get() V {
	x, _ := v.Load()
	return x
}

// Load returns the value and whether there is one.
func (v *Value[V]) Load() (x V, ok bool) {
	row := v.rows.row()
	if row == none || !v.live(row) {
		return x, false
	}
	return v.cells[row].v, true
}

// Set stores x.
func (v *Value[V]) Set(x V) { *v.Ref() = x }

// Ref returns the value's place, to change it there; a zero V if there was none. It is valid
// until the call of Process or OnTimer returns.
func (v *Value[V]) Ref() *V {
	row := v.rows.need()
	c := &v.cells[row]
	if !v.live(row) {
		var zero V
		c.v = zero
	}
	c.have, c.written = true, v.rows.stamp(v.TTL)
	return &c.v
}

// Clear forgets the value.
func (v *Value[V]) Clear() {
	if row := v.rows.row(); row != none {
		v.clear(row)
	}
}

func (v *Value[V]) live(row int32) bool {
	c := &v.cells[row]
	return c.have && !v.rows.expired(c.written, v.TTL)
}

func (v *Value[V]) declare(name string) (graph.State, error) {
	return declared[V](name, "value", v.TTL)
}

func declared[V any](name, kind string, ttl time.Duration) (graph.State, error) {
	s := graph.State{Name: name, Kind: kind, Type: typeName[V](), TTL: ttl}
	c, err := codec.For[V]()
	if err == nil {
		s.Schema = c.Schema()
	}
	return s, errors.Join(err, ttlCheck(ttl))
}

func (v *Value[V]) bind(r *rows, _ int) (err error) {
	v.rows = r
	v.codec, err = codec.For[V]()
	return err
}

func (v *Value[V]) grow(n int) { v.cells = append(v.cells, make([]valueCell[V], n-len(v.cells))...) }

func (v *Value[V]) has(row int32) bool { return v.live(row) }

func (v *Value[V]) clear(row int32) { v.cells[row] = valueCell[V]{} }

func (v *Value[V]) append(dst []byte, row int32) ([]byte, error) {
	if !v.live(row) {
		return absent(dst), nil
	}
	c := &v.cells[row]
	return v.codec.AppendOne(present(dst, c.written), &c.v)
}

func (v *Value[V]) reader(schema string) (reader, error) {
	values, err := v.codec.Reads(schema)
	return func(row int32, src []byte) ([]byte, error) { return v.decode(values, row, src) }, err
}

func (v *Value[V]) decode(values *codec.Codec[V], row int32, src []byte) ([]byte, error) {
	written, ok, src, err := presence(src)
	if err != nil || !ok {
		return src, err
	}
	c := &v.cells[row]
	c.have, c.written = true, v.rows.restored(written, v.TTL)
	return values.DecodeOne(&c.v, src)
}

// List is a list of V for each key; appending does not read it. See Value.
type List[V any] struct {
	TTL   time.Duration // since the last Append
	rows  *rows
	codec *codec.Codec[V]
	cells []listCell[V]
}

type listCell[V any] struct {
	all     []V
	written int64
}

// Append adds x at the end.
func (l *List[V]) Append(x V) {
	row := l.rows.need()
	c := &l.cells[row]
	if l.rows.expired(c.written, l.TTL) {
		clear(c.all)
		c.all = c.all[:0]
	}
	c.all, c.written = append(c.all, x), l.rows.stamp(l.TTL)
}

// All yields the elements in the order in which they were appended.
func (l *List[V]) All() iter.Seq[V] {
	return func(yield func(V) bool) {
		for _, x := range l.get() {
			if !yield(x) {
				return
			}
		}
	}
}

// Len is the number of elements.
func (l *List[V]) Len() int { return len(l.get()) }

func (l *List[V]) get() []V {
	row := l.rows.row()
	if row == none || l.rows.expired(l.cells[row].written, l.TTL) {
		return nil
	}
	return l.cells[row].all
}

// Clear forgets all elements.
func (l *List[V]) Clear() {
	if row := l.rows.row(); row != none {
		l.clear(row)
	}
}

func (l *List[V]) declare(name string) (graph.State, error) { return declared[V](name, "list", l.TTL) }

func (l *List[V]) bind(r *rows, _ int) (err error) {
	l.rows = r
	l.codec, err = codec.For[V]()
	return err
}

func (l *List[V]) grow(n int) { l.cells = append(l.cells, make([]listCell[V], n-len(l.cells))...) }
func (l *List[V]) has(row int32) bool {
	c := &l.cells[row]
	return len(c.all) > 0 && !l.rows.expired(c.written, l.TTL)
}
func (l *List[V]) clear(row int32) { l.cells[row] = listCell[V]{} }

func (l *List[V]) append(dst []byte, row int32) ([]byte, error) {
	c := &l.cells[row]
	if !l.has(row) {
		return absent(dst), nil
	}
	return l.codec.Append(present(dst, c.written), c.all)
}

func (l *List[V]) reader(schema string) (reader, error) {
	values, err := l.codec.Reads(schema)
	return func(row int32, src []byte) ([]byte, error) { return l.decode(values, row, src) }, err
}

func (l *List[V]) decode(values *codec.Codec[V], row int32, src []byte) ([]byte, error) {
	written, ok, src, err := presence(src)
	if err != nil || !ok {
		return src, err
	}
	c := &l.cells[row]
	c.written = l.rows.restored(written, l.TTL)
	c.all, src, err = values.DecodeSome(nil, src)
	return src, err
}

// absent and present begin the stored form of one state of one key: a byte, and the time of
// its last write.
func absent(dst []byte) []byte { return append(dst, 0) }

func present(dst []byte, written int64) []byte {
	return binary.LittleEndian.AppendUint64(append(dst, 1), uint64(written))
}

var errStored = errors.New("malformed keyed state")

func presence(src []byte) (written int64, ok bool, rest []byte, err error) {
	switch {
	case len(src) >= 1 && src[0] == 0:
		return 0, false, src[1:], nil
	case len(src) >= 9 && src[0] == 1:
		return int64(binary.LittleEndian.Uint64(src[1:])), true, src[9:], nil
	}
	return 0, false, nil, errStored
}
