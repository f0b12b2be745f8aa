package state

import (
	"encoding/binary"
	"fmt"

	"blink/graph"
)

// Stored is a state with which groups were written: its place among those that are declared
// now, and its schema then.
type Stored struct {
	Place  int
	Schema string
}

// Reading takes back groups that were written with the states stored, in the order of then;
// those that were declared later are empty. A group that goes onto others is given after
// them, and its head was cut off. It fails if a state cannot be read as it is declared now,
// which snapshot.Places has refused before. The key is as it was.
func (s *Store[K]) Reading(stored []Stored) (restore func(Group) error, err error) {
	readers := make([]reader, len(stored))
	for i, st := range stored {
		if readers[i], err = s.handles[st.Place].reader(st.Schema); err != nil {
			return nil, err
		}
	}
	return func(g Group) error {
		s.reading = true
		defer func() { s.reading = false }()
		if err := s.restore(g, readers); err != nil {
			return fmt.Errorf("key group %d: %w", g.Number, err)
		}
		return nil
	}, nil
}

func (s *Store[K]) restore(g Group, stored []reader) error {
	if !s.owned.Contains(g.Number) {
		return fmt.Errorf("the task has key groups %d to %d", s.owned.From, s.owned.To-1)
	}
	src, err := s.restoreSome(g.Number, g.Data, s.bury)
	if err != nil {
		return err
	}
	src, err = s.restoreSome(g.Number, src, func(src []byte) (_ []byte, err error) {
		s.need()
		for _, read := range stored {
			if src, err = read(src); err != nil {
				return nil, err
			}
		}
		return src, nil
	})
	if err != nil {
		return err
	}
	s.release()
	s.at = nil
	if len(src) > 0 {
		return errStored
	}
	return nil
}

// bury gives back the row of the current key, if it has one.
func (s *Store[K]) bury(src []byte) ([]byte, error) {
	if s.at != nil {
		s.vacate(s.current, s.at)
	}
	return src, nil
}

// restoreSome reads a number, and so many keys, for each of which read is called.
func (s *Store[K]) restoreSome(group int, src []byte, read func(src []byte) (rest []byte, err error)) (rest []byte, err error) {
	if len(src) < 4 {
		return nil, errStored
	}
	n, src := binary.LittleEndian.Uint32(src), src[4:]
	for i := range n {
		var key K
		before := len(src)
		if src, err = s.keys.DecodeOne(&key, src); err != nil {
			return nil, err
		}
		sum := s.hash(key)
		if have := graph.KeyGroup(sum, s.max); have != group {
			return nil, fmt.Errorf("%w: a key of group %d", errStored, have)
		}
		s.SetKey(key, sum)
		if src, err = read(src); err != nil {
			return nil, err
		}
		if len(src) == before && i+1 < n { // of keys without bytes there is one
			return nil, errStored
		}
	}
	return src, nil
}
