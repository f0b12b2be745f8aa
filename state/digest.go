package state

import (
	"encoding/binary"

	"blink/internal/hash"
)

// Digest sums up what the store holds: the same number for the same keys with the same state
// and timers, in whatever order they came, and the sum of two stores' digests for a store with
// what both hold. So a test can compare the state of a task with what was restored from its
// snapshot, also into other tasks. It is written apart from Snapshot, to show what that leaves
// out.
func (s *Store[K]) Digest() (sum uint64, err error) {
	var key []byte
	for i := range s.slots {
		x := &s.slots[i]
		if x.hash == 0 || x.row == none {
			continue
		}
		if key, err = s.keys.AppendOne(key[:0], &x.key); err != nil {
			return 0, err
		}
		for place, h := range s.handles {
			if !h.has(x.row) {
				continue
			}
			n, err := h.digest(x.row, hash.Uint64(hash.Bytes(key)+uint64(place)))
			if err != nil {
				return 0, err
			}
			sum += n
		}
	}
	return sum, nil
}

// entryDigest is that of something that is kept under what seed stands for, and was last
// written at that time.
func entryDigest(seed uint64, written int64, stored []byte) uint64 {
	head := binary.LittleEndian.AppendUint64(nil, seed)
	head = binary.LittleEndian.AppendUint64(head, uint64(written))
	return hash.Bytes(append(head, stored...))
}

func (v *Value[V]) digest(row int32, seed uint64) (uint64, error) {
	c := &v.cells[row]
	b, err := v.codec.AppendOne(nil, &c.v)
	return entryDigest(seed, c.written, b), err
}

func (l *List[V]) digest(row int32, seed uint64) (uint64, error) {
	c := &l.cells[row]
	b, err := l.codec.Append(nil, c.all)
	return entryDigest(seed, c.written, b), err
}

func (m *Map[MK, V]) digest(row int32, seed uint64) (sum uint64, err error) {
	c := &m.cells[row]
	for k, v := range c.m { // sums: any order will do
		b, err := m.keys.AppendOne(nil, &k)
		if err != nil {
			return 0, err
		}
		if b, err = m.values.AppendOne(b, &v); err != nil {
			return 0, err
		}
		sum += entryDigest(seed, c.written, b)
	}
	return sum, nil
}

func (t *Timer) digest(row int32, seed uint64) (uint64, error) {
	return entryDigest(seed, t.cells[row].at, nil), nil
}
