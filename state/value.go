package state

import (
	"encoding/binary"
	"errors"
	"reflect"
	"time"
	"unsafe"

	"blink/graph"
	"blink/internal/codec"
)

// Value is one V for each key. The zero Value is ready in a processor's prototype; its
// methods work in a task, of the record or timer at hand, and panic elsewhere.
type Value[V any] struct {
	TTL   time.Duration // since the last write; 0 keeps it for ever
	cell  cell
	codec *codec.Codec[V]
	loan  loan[V]
}

// loan is what is known of a place that was given out.
type loan[V any] struct {
	out bool
	was V            // what it held
	in  codec.Memory // where strings of the record at hand may lie
}

// Get returns the value, the zero V if there is none.
func (v *Value[V]) Get() V {
	x, _ := v.Load()
	return x
}

// Load returns the value and whether there is one.
func (v *Value[V]) Load() (x V, ok bool) {
	row := v.cell.rows.row()
	if row == nil || !v.cell.on(row) || v.cell.expired(row) {
		return x, false
	}
	return *v.of(row), true
}

// Find is Ref of a value that is there; nil if there is none. It counts as a write.
func (v *Value[V]) Find() *V {
	r := v.cell.rows
	row := r.row()
	if row == nil || !v.cell.on(row) || v.cell.expired(row) {
		return nil
	}
	if r.change(r.current, row); v.cell.ttl > 0 {
		v.cell.touch(row)
	}
	at := v.of(row)
	if r.lent.Any() {
		v.lend(at)
	}
	return at
}

// lend is told of a place that is given out while there is lent memory.
func (v *Value[V]) lend(at *V) {
	if r := v.cell.rows; v.codec.Shares() && !v.loan.out {
		v.loan = loan[V]{true, *at, *r.lent}
		r.loans = append(r.loans, v)
	}
}

func (v *Value[V]) deep() bool { return v.codec.Shares() && !v.codec.Flat() }

func (v *Value[V]) detach(row unsafe.Pointer) {
	if row != nil {
		v.codec.Detach(v.of(row), &v.loan.was, v.loan.in)
	}
	v.loan = loan[V]{}
}

// Set stores x.
func (v *Value[V]) Set(x V) { *v.Ref() = x }

// Ref returns the value's place, to change it there; a zero V if there was none. It is valid
// until the call of Process or OnTimer returns.
func (v *Value[V]) Ref() *V {
	row := v.cell.rows.need()
	at := v.of(row)
	if v.cell.expired(row) {
		var zero V
		*at = zero
	}
	v.cell.mark(row)
	if v.cell.rows.lent.Any() {
		v.lend(at)
	}
	return at
}

// Clear forgets the value.
func (v *Value[V]) Clear() {
	if row := v.cell.held(); row != nil {
		v.clear(row)
	}
}

func (v *Value[V]) of(row unsafe.Pointer) *V { return (*V)(unsafe.Add(row, v.cell.at)) }

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

func typeName[T any]() string { return reflect.TypeFor[T]().String() }

func (v *Value[V]) bind(r *rows) (err error) {
	v.cell.bind(r, v, reflect.TypeFor[V](), v.TTL)
	v.codec, err = codec.For[V]()
	return err
}

func (v *Value[V]) has(row unsafe.Pointer) bool { return v.cell.has(row) }

func (v *Value[V]) clear(row unsafe.Pointer) {
	var zero V
	*v.of(row) = zero
	v.cell.unmark(row)
}

func (v *Value[V]) append(dst []byte, row unsafe.Pointer, _ int64) ([]byte, error) {
	if !v.cell.has(row) {
		return absent(dst), nil
	}
	return v.codec.AppendOne(present(dst, v.cell.stamp(row)), v.of(row))
}

func (v *Value[V]) reader(schema string) (reader, error) {
	values, err := v.codec.Reads(schema)
	return func(src []byte) ([]byte, error) {
		written, ok, src, err := presence(src)
		row := v.cell.rows.at
		if err != nil || !ok {
			v.clear(row)
			return src, err
		}
		v.cell.restore(row, written)
		return values.DecodeOne(v.of(row), src)
	}, err
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
