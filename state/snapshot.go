package state

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"

	"blink/graph"
	"blink/internal/mutate"
)

// Group is the stored state of one key group.
type Group struct {
	Number int
	Data   []byte
}

// Snapshot returns the state by key group, ascending, without empty groups. The data of a
// group is the number of its keys, u32, and for each key, in the order of their encoded
// form: the key, then every state in the order of declaration. It shares nothing with the
// store.
func (s *Store[K]) Snapshot() ([]Group, error) {
	s.sweep()
	all, err := s.encodeKeys()
	if err != nil {
		return nil, err
	}
	var groups []Group
	for i := 0; i < len(all); {
		n := i
		for n < len(all) && all[n].group == all[i].group {
			n++
		}
		g := Group{Number: all[i].group, Data: binary.LittleEndian.AppendUint32(nil, uint32(n-i))}
		for _, k := range all[i:n] {
			g.Data = append(g.Data, k.bytes...)
			for _, h := range s.handles {
				if g.Data, err = h.append(g.Data, k.row); err != nil {
					return nil, err
				}
			}
		}
		groups = append(groups, g)
		i = n
	}
	return groups, nil
}

type encodedKey struct {
	group int
	bytes []byte
	row   int32
}

func (s *Store[K]) encodeKeys() ([]encodedKey, error) {
	var all []encodedKey
	for i := range s.slots {
		x := &s.slots[i]
		if x.hash == 0 || x.row == none || x.row == 1 && mutate.On(mutate.DropKey) {
			continue
		}
		b, err := s.keys.AppendOne(nil, &x.key)
		if err != nil {
			return nil, err
		}
		all = append(all, encodedKey{graph.KeyGroup(x.hash, s.max), b, x.row})
	}
	slices.SortFunc(all, func(a, b encodedKey) int {
		if a.group != b.group {
			return a.group - b.group
		}
		return bytes.Compare(a.bytes, b.bytes)
	})
	return all, nil
}

// Stored is a state with which groups were written: its place among those that are declared
// now, and its schema then.
type Stored struct {
	Place  int
	Schema string
}

// Reading takes back groups that were written with the states stored, in the order of then;
// those that were declared later are empty. It fails if a state cannot be read as it is
// declared now, which snapshot.Places has refused before. The key is as it was.
func (s *Store[K]) Reading(stored []Stored) (restore func(Group) error, err error) {
	readers := make([]reader, len(stored))
	for i, st := range stored {
		if readers[i], err = s.handles[st.Place].reader(st.Schema); err != nil {
			return nil, err
		}
	}
	return func(g Group) error { return s.restore(g, readers) }, nil
}

func (s *Store[K]) restore(g Group, stored []reader) error {
	if len(g.Data) < 4 {
		return fmt.Errorf("key group %d: %w", g.Number, errStored)
	}
	n, src := binary.LittleEndian.Uint32(g.Data), g.Data[4:]
	for range n {
		var err error
		if src, err = s.restoreKey(g.Number, src, stored); err != nil {
			return fmt.Errorf("key group %d: %w", g.Number, err)
		}
	}
	s.release()
	s.current = none
	if len(src) > 0 {
		return fmt.Errorf("key group %d: %w", g.Number, errStored)
	}
	return nil
}

func (s *Store[K]) restoreKey(group int, src []byte, stored []reader) ([]byte, error) {
	var key K
	src, err := s.keys.DecodeOne(&key, src)
	if err != nil {
		return nil, err
	}
	s.SetKey(key, s.hash(key))
	if have := graph.KeyGroup(s.sum, s.max); have != group {
		return nil, fmt.Errorf("%w: a key of group %d", errStored, have)
	}
	row := s.need()
	for _, read := range stored {
		if src, err = read(row, src); err != nil {
			return nil, err
		}
	}
	return src, nil
}
