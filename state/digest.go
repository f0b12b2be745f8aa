package state

import (
	"encoding/binary"
	"unsafe"

	"blink/internal/hash"
)

// Digest sums up what the store holds: the same number for the same keys with the same state
// and timers, in whatever order they came, and the sum of two stores' digests for a store with
// what both hold. So a test can compare the state of a task with what was restored from its
// snapshot, also into other tasks. It is written apart from Freeze, to show what that leaves out.
func (s *Store[K]) Digest() (sum uint64, err error) {
	var key []byte
	err = s.each(func(_ uint32, row unsafe.Pointer) error {
		if key, err = s.keys.AppendOne(key[:0], s.keyOf(row)); err != nil {
			return err
		}
		for place, h := range s.handles {
			if !h.has(row) {
				continue
			}
			n, err := h.digest(row, hash.Uint64(hash.Bytes(key)+uint64(place)))
			if err != nil {
				return err
			}
			sum += n
		}
		return nil
	})
	return sum, err
}

// entryDigest is that of something that is kept under what seed stands for, and was last
// written at that time.
func entryDigest(seed uint64, written int64, stored []byte) uint64 {
	head := binary.LittleEndian.AppendUint64(nil, seed)
	head = binary.LittleEndian.AppendUint64(head, uint64(written))
	return hash.Bytes(append(head, stored...))
}

func (v *Value[V]) digest(row unsafe.Pointer, seed uint64) (uint64, error) {
	b, err := v.codec.AppendOne(nil, v.of(row))
	return entryDigest(seed, v.cell.stamp(row), b), err
}

func (l *List[V]) digest(row unsafe.Pointer, seed uint64) (uint64, error) {
	b, err := l.codec.Append(nil, l.elements(row))
	return entryDigest(seed, l.cell.stamp(row), b), err
}

func (m *Map[MK, V]) digest(row unsafe.Pointer, seed uint64) (sum uint64, err error) {
	all := m.slots(m.of(row))
	for i := range all { // sums: any order will do
		e := &all[i]
		if !e.live() {
			continue
		}
		b, err := m.keys.AppendOne(nil, &e.key)
		if err != nil {
			return 0, err
		}
		if b, err = m.values.AppendOne(b, &e.value); err != nil {
			return 0, err
		}
		sum += entryDigest(seed, m.cell.stamp(row), b)
	}
	return sum, nil
}

func (t *Timer) digest(row unsafe.Pointer, seed uint64) (uint64, error) {
	return entryDigest(seed, t.of(row).at, nil), nil
}
