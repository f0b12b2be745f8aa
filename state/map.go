package state

import (
	"bytes"
	"encoding/binary"
	"errors"
	"iter"
	"reflect"
	"slices"
	"strings"
	"time"

	"blink/graph"
	"blink/internal/codec"
)

// Map is a map for each key. See Value.
type Map[MK comparable, V any] struct {
	TTL    time.Duration // of the whole map, since the last Set
	rows   *rows
	keys   *codec.Codec[MK]
	values *codec.Codec[V]
	cells  []mapCell[MK, V]
}

type mapCell[MK comparable, V any] struct {
	m       map[MK]V
	written int64
}

// Get returns the value under k and whether there is one.
func (m *Map[MK, V]) Get(k MK) (v V, ok bool) {
	v, ok = m.get()[k]
	return v, ok
}

// Set stores v under k.
func (m *Map[MK, V]) Set(k MK, v V) {
	row := m.rows.need()
	c := &m.cells[row]
	if c.m == nil || m.rows.expired(c.written, m.TTL) {
		c.m = map[MK]V{}
	}
	c.m[k], c.written = v, m.rows.stamp(m.TTL)
}

// Delete forgets what is under k.
func (m *Map[MK, V]) Delete(k MK) { delete(m.get(), k) }

// Len is the number of entries.
func (m *Map[MK, V]) Len() int { return len(m.get()) }

// All yields the entries in the order of their keys' stored form, those that are there when
// it begins.
func (m *Map[MK, V]) All() iter.Seq2[MK, V] {
	return func(yield func(MK, V) bool) {
		all := m.get()
		for _, e := range m.sorted(all) {
			if v, ok := all[e.key]; ok && !yield(e.key, v) {
				return
			}
		}
	}
}

type mapKey[MK comparable] struct {
	key   MK
	bytes []byte
}

// sorted lists the keys in the order of their bytes. A key has a stored form: it was
// refused otherwise.
func (m *Map[MK, V]) sorted(all map[MK]V) []mapKey[MK] {
	keys := make([]mapKey[MK], 0, len(all))
	for k := range all {
		b, err := m.keys.AppendOne(nil, &k)
		if err != nil {
			panic(err)
		}
		keys = append(keys, mapKey[MK]{k, b})
	}
	slices.SortFunc(keys, func(a, b mapKey[MK]) int { return bytes.Compare(a.bytes, b.bytes) })
	return keys
}

func (m *Map[MK, V]) get() map[MK]V {
	row := m.rows.row()
	if row == none || m.rows.expired(m.cells[row].written, m.TTL) {
		return nil
	}
	return m.cells[row].m
}

// Clear forgets all entries.
func (m *Map[MK, V]) Clear() {
	if row := m.rows.row(); row != none {
		m.clear(row)
	}
}

func (m *Map[MK, V]) declare(name string) (graph.State, error) {
	s, err := declared[V](name, "map", m.TTL)
	s.Type = typeName[MK]() + "→" + s.Type
	keys, keyErr := codec.For[MK]()
	if keyErr == nil {
		s.Schema = keys.Schema() + mapArrow + s.Schema
	}
	return s, errors.Join(codec.Keyable[MK](), keyErr, err)
}

// mapArrow stands between the schemas of keys and values; snapshot.Places looks for it, too.
const mapArrow = "\n→\n"

func (m *Map[MK, V]) bind(r *rows, _ int) (err error) {
	m.rows = r
	if m.keys, err = codec.For[MK](); err != nil {
		return err
	}
	m.values, err = codec.For[V]()
	return err
}

func (m *Map[MK, V]) grow(n int) {
	m.cells = append(m.cells, make([]mapCell[MK, V], n-len(m.cells))...)
}
func (m *Map[MK, V]) has(row int32) bool {
	c := &m.cells[row]
	return len(c.m) > 0 && !m.rows.expired(c.written, m.TTL)
}
func (m *Map[MK, V]) clear(row int32) { m.cells[row] = mapCell[MK, V]{} }

func (m *Map[MK, V]) append(dst []byte, row int32) ([]byte, error) {
	c := &m.cells[row]
	if !m.has(row) {
		return absent(dst), nil
	}
	dst = binary.LittleEndian.AppendUint32(present(dst, c.written), uint32(len(c.m)))
	for _, k := range m.sorted(c.m) {
		v := c.m[k.key]
		var err error
		if dst, err = m.values.AppendOne(append(dst, k.bytes...), &v); err != nil {
			return nil, err
		}
	}
	return dst, nil
}

func (m *Map[MK, V]) reader(schema string) (reader, error) {
	_, schema, _ = strings.Cut(schema, mapArrow)
	values, err := m.values.Reads(schema)
	return func(row int32, src []byte) ([]byte, error) { return m.decode(values, row, src) }, err
}

func (m *Map[MK, V]) decode(values *codec.Codec[V], row int32, src []byte) ([]byte, error) {
	written, ok, src, err := presence(src)
	if err != nil || !ok {
		return src, err
	}
	if len(src) < 4 {
		return nil, errStored
	}
	n, src := binary.LittleEndian.Uint32(src), src[4:]
	c := &m.cells[row]
	c.m, c.written = map[MK]V{}, m.rows.restored(written, m.TTL)
	for range n {
		var k MK
		var v V
		if src, err = m.keys.DecodeOne(&k, src); err != nil {
			return nil, err
		}
		if src, err = values.DecodeOne(&v, src); err != nil {
			return nil, err
		}
		if c.m[k] = v; len(src) == 0 && uint32(len(c.m)) < n {
			return nil, errStored
		}
	}
	return src, nil
}

func typeName[T any]() string { return reflect.TypeFor[T]().String() }
