package state

import (
	"bytes"
	"encoding/binary"
	"errors"
	"iter"
	"math"
	"reflect"
	"slices"
	"strings"
	"time"
	"unsafe"

	"blink/graph"
	"blink/internal/codec"
	"blink/internal/hash"
)

// Map is a map for each key. See Value.
type Map[MK comparable, V any] struct {
	TTL    time.Duration // of the whole map, since the last Set
	cell   cell
	keys   *codec.Codec[MK]
	values *codec.Codec[V]
	hash   func(MK) uint64
	blocks blocks[slot[MK, V]]
	was    V           // a value that is replaced
	sorted []keyedSlot // what is stored next
	bytes  []byte      // its keys
}

// mapCell is what a row has of a map: the block of its slots, the entries in them, and the
// generation of the last Clear. A snapshot onto one behind which nothing was cleared needs only
// the slots that were written.
type mapCell struct {
	block, slots uint32
	taken        uint32 // slots that are not empty
	len          uint32 // of those, live ones
	cleared      uint32
}

// fewDead is how many more dead slots than entries a map may have when it must grow; behind that
// the next snapshot has it whole.
const fewDead = 8

func (m *Map[MK, V]) slots(c *mapCell) slots[MK, V] { return m.blocks.of(c.block, int(c.slots)) }

// at is the entry under a key of the current row, nil if there is none.
func (m *Map[MK, V]) at(k MK) *slot[MK, V] {
	row := m.cell.rows.row()
	if row == nil || !m.cell.has(row) {
		return nil
	}
	if s := m.slots(m.of(row)).find(k, m.hash); s != nil && s.live() {
		return s
	}
	return nil
}

// Get returns the value under k and whether there is one.
func (m *Map[MK, V]) Get(k MK) (v V, ok bool) {
	if s := m.at(k); s != nil {
		return s.value, true
	}
	return v, false
}

// Set stores v under k.
func (m *Map[MK, V]) Set(k MK, v V) {
	row := m.cell.rows.need()
	if m.cell.expired(row) {
		m.clear(row)
	}
	m.put(row, k, v)
	m.cell.mark(row)
}

// put is Set in a row.
func (m *Map[MK, V]) put(row unsafe.Pointer, k MK, v V) {
	s, r := m.slotOf(m.of(row), k), m.cell.rows
	s.write(r.gen)
	if !r.lent.Any() {
		s.value = v
		return
	}
	var none V
	m.was, s.value = s.value, v
	m.values.Detach(&s.value, &m.was, *r.lent)
	m.was = none
}

func (m *Map[MK, V]) deep() bool { return m.values.Shares() && !m.values.Flat() }

// slotOf is the live slot of a key, made if there is none.
func (m *Map[MK, V]) slotOf(c *mapCell, k MK) *slot[MK, V] {
	r := m.cell.rows
	s := m.slots(c).find(k, m.hash)
	switch {
	case s == nil:
		s = m.take(c, k)
		if s.key = k; r.lent.Any() {
			m.keys.Detach(&s.key, nil, *r.lent)
		}
		s.gen, s.state = r.gen, fresh
	case s.live():
		return s
	case s.gen <= r.base:
		s.gen, s.state = r.gen, fresh
	default:
		s.state = known
	}
	c.len++
	return s
}

// take gives a slot to a key that has none.
func (m *Map[MK, V]) take(c *mapCell, k MK) *slot[MK, V] {
	s := m.slots(c).place(k, m.hash, m.cell.rows.base)
	if s != nil && s.state == dead {
		return s
	}
	if !spacious(int(c.taken)+1, int(c.slots)) {
		m.resize(c, 1+int(c.len)/4)
		s = m.slots(c).place(k, m.hash, m.cell.rows.base)
	}
	c.taken++
	return s
}

// resize gives a map as many slots as it needs for its entries and some more, without those of
// dead ones that nobody needs. It moves all of them in one call, as encoding the map does, so a
// map of millions of entries under one key stops its task for as long as that takes. Until the
// next call as many entries come, or go, as are a quarter of those that it moved: so each of
// them pays for the moving of a few.
func (m *Map[MK, V]) resize(c *mapCell, more int) {
	old, base, kept := m.slots(c), m.cell.rows.base, int(c.len)
	for i := range old {
		if s := &old[i]; s.state == dead && s.gen > base {
			kept++
		}
	}
	if kept > 2*int(c.len)+fewDead {
		kept, base, c.cleared = int(c.len), math.MaxUint32, m.cell.rows.gen
	}
	n := 1
	for !spacious(kept+more, n) {
		n *= 2
	}
	block := m.blocks.take(n)
	all := slots[MK, V](m.blocks.of(block, n))
	for i := range old {
		if s := &old[i]; s.live() || s.state == dead && s.gen > base {
			*all.place(s.key, m.hash, 0) = *s
		}
	}
	m.blocks.free(c.block, int(c.slots))
	c.block, c.slots, c.taken = block, uint32(n), uint32(kept)
}

// Delete forgets what is under k.
func (m *Map[MK, V]) Delete(k MK) {
	if s := m.at(k); s != nil {
		m.kill(m.cell.rows.need(), s)
	}
}

// kill forgets an entry of a row.
func (m *Map[MK, V]) kill(row unsafe.Pointer, s *slot[MK, V]) {
	c := m.of(row)
	s.kill(m.cell.rows.gen)
	if c.len--; c.len == 0 {
		m.clear(row)
	} else if c.slots > 2*fewSlots && c.len < c.slots/8 {
		m.resize(c, int(c.len))
	}
}

// Len is the number of entries.
func (m *Map[MK, V]) Len() int {
	row := m.cell.rows.row()
	if row == nil || !m.cell.has(row) {
		return 0
	}
	return int(m.of(row).len)
}

// All yields the entries in the order of their keys' stored form, those that are there when
// it begins.
func (m *Map[MK, V]) All() iter.Seq2[MK, V] {
	return func(yield func(MK, V) bool) {
		if m.Len() == 0 {
			return
		}
		all := m.slots(m.of(m.cell.rows.at))
		sorted, _ := m.sort(nil, nil, all, whole, (*slot[MK, V]).live)
		keys := make([]MK, len(sorted))
		for i, s := range sorted {
			keys[i] = all[s.slot].key
		}
		for _, k := range keys {
			if v, ok := m.Get(k); ok && !yield(k, v) {
				return
			}
		}
	}
}

// keyedSlot is a slot with the bytes of its key.
type keyedSlot struct {
	slot  uint32
	bytes []byte
}

// sort appends the slots that were written behind a generation and are wanted, in the order of
// their keys' bytes, which it appends to keys. A key has a stored form: it was refused otherwise.
func (m *Map[MK, V]) sort(to []keyedSlot, keys []byte, all slots[MK, V], base int64, wanted func(*slot[MK, V]) bool) ([]keyedSlot, []byte) {
	for i := range all {
		s := &all[i]
		if int64(s.gen) <= base || !wanted(s) {
			continue
		}
		from := len(keys)
		var err error
		if keys, err = m.keys.AppendOne(keys, &s.key); err != nil {
			panic(err)
		}
		to = append(to, keyedSlot{uint32(i), keys[from:len(keys):len(keys)]}) // also if keys moves on
	}
	slices.SortFunc(to, func(a, b keyedSlot) int { return bytes.Compare(a.bytes, b.bytes) })
	return to, keys
}

// Clear forgets all entries.
func (m *Map[MK, V]) Clear() {
	if row := m.cell.held(); row != nil {
		m.clear(row)
	}
}

func (m *Map[MK, V]) of(row unsafe.Pointer) *mapCell {
	return (*mapCell)(unsafe.Add(row, m.cell.at))
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
	m.cell.bind(r, m, reflect.TypeFor[mapCell](), m.TTL)
	if m.hash, err = hash.Of[MK](); err != nil {
		return err
	}
	if m.keys, err = codec.For[MK](); err != nil {
		return err
	}
	m.values, err = codec.For[V]()
	return err
}

func (m *Map[MK, V]) has(row unsafe.Pointer) bool { return m.cell.has(row) }

func (m *Map[MK, V]) clear(row unsafe.Pointer) {
	c := m.of(row)
	m.blocks.free(c.block, int(c.slots))
	*c = mapCell{cleared: m.cell.rows.gen}
	m.cell.unmark(row)
}

// The stored form of a map is, behind presence, the number of its entries, u32, and key and value
// of each; or, onto that of an earlier snapshot,
//
//	changed u8 │ presence │ n u32, and the keys that are deleted │ n u32, and the entries that are put
//
// each in the order of the keys' bytes.
const changed = 3

func (m *Map[MK, V]) append(dst []byte, row unsafe.Pointer, base int64) ([]byte, error) {
	if !m.cell.has(row) {
		return absent(dst), nil
	}
	c := m.of(row)
	if int64(c.cleared) > base {
		base = whole
	}
	if base != whole {
		dst = append(dst, changed)
	}
	dst = present(dst, m.cell.stamp(row))
	all := m.slots(c)
	if base != whole {
		m.sorted, m.bytes = m.sort(m.sorted[:0], m.bytes[:0], all, base, func(s *slot[MK, V]) bool { return s.state == dead })
		dst = binary.LittleEndian.AppendUint32(dst, uint32(len(m.sorted)))
		for _, k := range m.sorted {
			dst = append(dst, k.bytes...)
		}
	}
	m.sorted, m.bytes = m.sort(m.sorted[:0], m.bytes[:0], all, base, (*slot[MK, V]).live)
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(m.sorted)))
	for _, k := range m.sorted {
		var err error
		if dst, err = m.values.AppendOne(append(dst, k.bytes...), &all[k.slot].value); err != nil {
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
	row := m.cell.rows.at
	onto := len(src) > 0 && src[0] == changed
	if onto {
		src = src[1:]
	} else {
		m.clear(row)
	}
	written, ok, src, err := presence(src)
	if err != nil || !ok {
		return src, err
	}
	if onto {
		src, err = m.decodeSome(src, func(k MK, src []byte) ([]byte, error) {
			if s := m.at(k); s != nil {
				m.kill(row, s)
			}
			return src, nil
		})
		if err != nil {
			return nil, err
		}
	}
	src, err = m.decodeSome(src, func(k MK, src []byte) ([]byte, error) {
		var v V
		src, err := values.DecodeOne(&v, src)
		if err == nil {
			m.put(row, k, v)
		}
		return src, err
	})
	if err == nil && m.of(row).len > 0 {
		m.cell.restore(row, written)
	}
	return src, err
}

// decodeSome reads a number, and so many keys, for each of which read is called.
func (m *Map[MK, V]) decodeSome(src []byte, read func(k MK, src []byte) ([]byte, error)) ([]byte, error) {
	if len(src) < 4 {
		return nil, errStored
	}
	n, src := binary.LittleEndian.Uint32(src), src[4:]
	for i := range n {
		var k MK
		before := len(src)
		var err error
		if src, err = m.keys.DecodeOne(&k, src); err != nil {
			return nil, err
		}
		if src, err = read(k, src); err != nil {
			return nil, err
		}
		if len(src) == before && i+1 < n { // of keys without bytes there is one
			return nil, errStored
		}
	}
	return src, nil
}
