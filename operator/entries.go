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

// restore hands over the entries of parts, each with its key group and how far event time had come
// there, the older layers before those that go onto them.
func (s *entries[E]) restore(parts []snapshot.Part, take func(e *E, group int, mark int64) error) (restoredMarks, error) {
	marks, err := restoredMarksOf(parts)
	if err != nil {
		return marks, err
	}
	var batch []E
	for _, p := range parts {
		stored, err := s.reader(p.States)
		if err != nil {
			return marks, err
		}
		for _, g := range p.Groups {
			_, data, err := cutMark(g.Data)
			for err == nil && len(data) > 0 {
				clear(batch) // nothing of the last one is written to
				batch, data, err = stored.DecodeSome(batch, data)
				for i := 0; i < len(batch) && err == nil; i++ {
					err = take(&batch[i], g.Number, marks.of(g.Number))
				}
			}
			if err != nil {
				return marks, fmt.Errorf("key group %d: %w", g.Number, err)
			}
		}
	}
	return marks, nil
}

// restoredMarks are how far event time had come where the key groups of a task were stored. It
// is not the same everywhere if they come from several tasks, and one of those did not wait for a
// channel that was idle, and another one did. Event time goes on where it had come furthest; what
// was due by then, and has not fired where it was behind, fires before anything else.
type restoredMarks struct {
	earliest, latest int64
	groups           map[int]int64 // nil: it is the same everywhere
}

func restoredMarksOf(parts []snapshot.Part) (restoredMarks, error) {
	m := restoredMarks{EndTime, NoTime, map[int]int64{}}
	for _, p := range parts {
		for _, g := range p.Groups {
			mark, _, err := cutMark(g.Data)
			if err != nil {
				return m, fmt.Errorf("key group %d: %w", g.Number, err)
			}
			if was, ok := m.groups[g.Number]; !ok || mark > was { // of layers the newest counts
				m.groups[g.Number] = mark
			}
		}
	}
	for _, mark := range m.groups { // any order will do
		m.earliest, m.latest = min(m.earliest, mark), max(m.latest, mark)
	}
	if m.earliest >= m.latest {
		m.earliest, m.groups = m.latest, nil
	}
	return m, nil
}

// ahead is what event time has to catch up with; NoTime if there is nothing.
func (m *restoredMarks) ahead() int64 {
	if m.groups == nil {
		return NoTime
	}
	return m.latest
}

// of is how far it had come where a group was stored.
func (m *restoredMarks) of(group int) int64 {
	if m.groups == nil {
		return m.latest
	}
	return m.groups[group]
}

// reader is the codec of entries that were stored with these states.
func (s *entries[E]) reader(stored []snapshot.StateSchema) (*codec.Codec[E], error) {
	if _, err := fits(s.states, stored); err != nil || len(stored) == 0 {
		return s.codec, err
	}
	_, form, _ := strings.Cut(stored[0].Schema, "\n")
	return s.codec.Reads(form)
}
