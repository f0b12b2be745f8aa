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
	"unsafe"

	"blink/graph"
	"blink/internal/codec"
)

// Map is a map for each key. See Value.
type Map[MK comparable, V any] struct {
	TTL    time.Duration // of the whole map, since the last Set
	cell   cell
	keys   *codec.Codec[MK]
	values *codec.Codec[V]
}

// Get returns the value under k and whether there is one.
func (m *Map[MK, V]) Get(k MK) (v V, ok bool) {
	v, ok = m.get()[k]
	return v, ok
}

// Set stores v under k.
func (m *Map[MK, V]) Set(k MK, v V) {
	row := m.cell.rows.need()
	all := m.of(row)
	if *all == nil || m.cell.expired(row) {
		*all = map[MK]V{}
	}
	if m.cell.rows.lent.Any() {
		m.keep(*all, k, v)
	} else {
		(*all)[k] = v
	}
	m.cell.mark(row)
}

// keep is for entries whose strings may be lent.
func (m *Map[MK, V]) keep(all map[MK]V, k MK, v V) {
	lent := *m.cell.rows.lent
	m.keys.Detach(&k, nil, lent)
	m.values.Detach(&v, nil, lent)
	all[k] = v
}

// Delete forgets what is under k.
func (m *Map[MK, V]) Delete(k MK) {
	all := m.get()
	if _, in := all[k]; !in {
		return
	}
	row := m.cell.rows.need()
	if delete(all, k); len(all) == 0 {
		m.clear(row)
	}
}

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
	row := m.cell.rows.row()
	if row == nil || !m.cell.has(row) {
		return nil
	}
	return *m.of(row)
}

// Clear forgets all entries.
func (m *Map[MK, V]) Clear() {
	if row := m.cell.held(); row != nil {
		m.clear(row)
	}
}

func (m *Map[MK, V]) of(row unsafe.Pointer) *map[MK]V {
	return (*map[MK]V)(unsafe.Add(row, m.cell.at))
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

func (m *Map[MK, V]) bind(r *rows) (err error) {
	m.cell.bind(r, m, reflect.TypeFor[map[MK]V](), m.TTL)
	if m.keys, err = codec.For[MK](); err != nil {
		return err
	}
	m.values, err = codec.For[V]()
	return err
}

func (m *Map[MK, V]) has(row unsafe.Pointer) bool { return m.cell.has(row) }

func (m *Map[MK, V]) clear(row unsafe.Pointer) {
	*m.of(row) = nil
	m.cell.unmark(row)
}

func (m *Map[MK, V]) append(dst []byte, row unsafe.Pointer, _ int64) ([]byte, error) {
	if !m.cell.has(row) {
		return absent(dst), nil
	}
	all := *m.of(row)
	dst = binary.LittleEndian.AppendUint32(present(dst, m.cell.stamp(row)), uint32(len(all)))
	for _, k := range m.sorted(all) {
		v := all[k.key]
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
	return func(src []byte) ([]byte, error) { return m.decode(values, src) }, err
}

func (m *Map[MK, V]) decode(values *codec.Codec[V], src []byte) ([]byte, error) {
	written, ok, src, err := presence(src)
	row := m.cell.rows.at
	m.clear(row)
	if err != nil || !ok {
		return src, err
	}
	if len(src) < 4 {
		return nil, errStored
	}
	n, src := binary.LittleEndian.Uint32(src), src[4:]
	all := map[MK]V{}
	for range n {
		var k MK
		var v V
		if src, err = m.keys.DecodeOne(&k, src); err != nil {
			return nil, err
		}
		if src, err = values.DecodeOne(&v, src); err != nil {
			return nil, err
		}
		if all[k] = v; len(src) == 0 && uint32(len(all)) < n {
			return nil, errStored
		}
	}
	if len(all) > 0 {
		*m.of(row) = all
		m.cell.restore(row, written)
	}
	return src, nil
}
