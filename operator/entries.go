package operator

import (
	"fmt"
	"iter"
	"strings"

	"blink/graph"
	"blink/internal/codec"
	"blink/internal/hash"
	"blink/snapshot"
)

// entries is how the state of windows is stored: an E for each key and piece of time, which
// only the same windows can read again. The data of a key group is how far event time has
// come, then batches of entries.
type entries[E any] struct {
	codec  *codec.Codec[E]
	states []snapshot.StateSchema // that of the entries
	one    []E
}

func entriesOf[E any](w Window) (entries[E], error) {
	c, err := codec.For[E]()
	if err != nil {
		return entries[E]{}, err
	}
	schema := "window " + w.String() + "\n" + c.Schema()
	return entries[E]{codec: c, states: []snapshot.StateSchema{{Name: panesState, Kind: panesState, Schema: schema}}}, nil
}

// panesState is the name and the kind of the only state of windows.
const panesState = "panes"

// state declares it. kept is the type that users know.
func (s *entries[E]) state(kept string) graph.State {
	return graph.State{Name: panesState, Kind: panesState, Type: kept, Schema: s.states[0].Schema}
}

// append appends a batch of one entry.
func (s *entries[E]) append(dst []byte, e E) ([]byte, error) {
	s.one = append(s.one[:0], e)
	return s.codec.Append(dst, s.one)
}

func (s *entries[E]) digest(mark int64, all iter.Seq[E]) (Digest, error) {
	d := Digest{Mark: mark}
	var data []byte
	for e := range all {
		var err error
		if data, err = s.codec.AppendOne(data[:0], &e); err != nil {
			return d, err
		}
		d.State += hash.Bytes(data)
	}
	return d, nil
}

// restore hands over the entries of parts, each with its key group, the older layers before those
// that go onto them, and returns the latest mark.
func (s *entries[E]) restore(parts []snapshot.Part, take func(e *E, group int) error) (mark int64, err error) {
	mark = NoTime
	var batch []E
	for _, p := range parts {
		stored, err := s.reader(p.States)
		if err != nil {
			return mark, err
		}
		for _, g := range p.Groups {
			was, data, err := cutMark(g.Data)
			if err != nil {
				return mark, fmt.Errorf("key group %d: %w", g.Number, err)
			}
			mark = max(mark, was)
			for len(data) > 0 {
				clear(batch) // nothing of the last one is written to
				if batch, data, err = stored.DecodeSome(batch, data); err != nil {
					return mark, fmt.Errorf("key group %d: %w", g.Number, err)
				}
				for i := range batch {
					if err := take(&batch[i], g.Number); err != nil {
						return mark, fmt.Errorf("key group %d: %w", g.Number, err)
					}
				}
			}
		}
	}
	return mark, nil
}

// reader is the codec of entries that were stored with these states.
func (s *entries[E]) reader(stored []snapshot.StateSchema) (*codec.Codec[E], error) {
	if _, err := fits(s.states, stored); err != nil || len(stored) == 0 {
		return s.codec, err
	}
	_, form, _ := strings.Cut(stored[0].Schema, "\n")
	return s.codec.Reads(form)
}
