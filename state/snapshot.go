package state

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"unsafe"

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
	for i := range s.groups {
		s.expire(&s.groups[i])
	}
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
				if g.Data, err = h.append(g.Data, k.at); err != nil {
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
	at    unsafe.Pointer
}

func (s *Store[K]) encodeKeys() (all []encodedKey, err error) {
	err = s.each(func(row uint32, at unsafe.Pointer) error {
		if row == 1 && mutate.On(mutate.DropKey) {
			return nil
		}
		b, err := s.keys.AppendOne(nil, s.keyOf(at))
		all = append(all, encodedKey{graph.KeyGroup((*head)(at).hash, s.max), b, at})
		return err
	})
	slices.SortFunc(all, func(a, b encodedKey) int {
		if a.group != b.group {
			return a.group - b.group
		}
		return bytes.Compare(a.bytes, b.bytes)
	})
	return all, err
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
	switch {
	case !s.owned.Contains(g.Number):
		return fmt.Errorf("key group %d is not one of those of the task, from %d to %d", g.Number, s.owned.From, s.owned.To-1)
	case len(g.Data) < 4:
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
	s.at = nil
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
	sum := s.hash(key)
	if have := graph.KeyGroup(sum, s.max); have != group {
		return nil, fmt.Errorf("%w: a key of group %d", errStored, have)
	}
	s.SetKey(key, sum)
	s.need()
	for _, read := range stored {
		if src, err = read(src); err != nil {
			return nil, err
		}
	}
	return src, nil
}
