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
// only the same windows can read again.
type entries[E any] struct {
	window Window
	codec  *codec.Codec[E]
}

func entriesOf[E any](w Window) (entries[E], error) {
	c, err := codec.For[E]()
	return entries[E]{w, c}, err
}

// panesState is the name and the kind of the only state of windows.
const panesState = "panes"

// state declares it. kept is the type that users know.
func (s entries[E]) state(kept string) graph.State {
	return graph.State{Name: panesState, Kind: panesState, Type: kept, Schema: s.schema()}
}

func (s entries[E]) schema() string { return "window " + s.window.String() + "\n" + s.codec.Schema() }

func (s entries[E]) states() []snapshot.StateSchema {
	return []snapshot.StateSchema{{Name: panesState, Kind: panesState, Schema: s.schema()}}
}

// freeze copies all entries, which come with the hashes of their keys. The data of
// a group is how far event time has come, then its entries. The first group of the task is
// always there, to carry the former.
func (s entries[E]) freeze(pl *place, mark int64, all iter.Seq2[uint64, E]) (Frozen, error) {
	p := snapshot.Part{Operator: pl.id, States: s.states()}
	first := pl.task.Groups.From
	groups := make([][]E, pl.task.Groups.To-first)
	for h, e := range all {
		g := graph.KeyGroup(h, pl.task.MaxParallelism) - first
		groups[g] = append(groups[g], e)
	}
	for i, es := range groups {
		if len(es) == 0 && i > 0 {
			continue
		}
		data, err := s.codec.Append(appendMark(nil, mark), es)
		if err != nil {
			return nil, err
		}
		p.Groups = append(p.Groups, snapshot.Group{Number: first + i, Data: data})
	}
	return Copied(p), nil
}

func (s entries[E]) digest(mark int64, all iter.Seq2[uint64, E]) (Digest, error) {
	d := Digest{Mark: mark}
	var data []byte
	for _, e := range all {
		var err error
		if data, err = s.codec.AppendOne(data[:0], &e); err != nil {
			return d, err
		}
		d.State += hash.Bytes(data)
	}
	return d, nil
}

// restore hands over the entries of parts, each with the mark that they were stored with,
// and returns the latest mark.
func (s entries[E]) restore(parts []snapshot.Part, take func(mark int64, e *E)) (latest int64, err error) {
	latest = NoTime
	for _, p := range parts {
		stored, err := s.reader(p.States)
		if err != nil {
			return latest, err
		}
		for _, g := range p.Groups {
			mark, data, err := cutMark(g.Data)
			if err != nil {
				return latest, fmt.Errorf("key group %d: %w", g.Number, err)
			}
			es, err := stored.Decode(nil, data)
			if err != nil {
				return latest, fmt.Errorf("key group %d: %w", g.Number, err)
			}
			latest = max(latest, mark)
			for i := range es {
				take(mark, &es[i])
			}
		}
	}
	return latest, nil
}

// reader is the codec of entries that were stored with these states.
func (s entries[E]) reader(stored []snapshot.StateSchema) (*codec.Codec[E], error) {
	if _, err := fits(s.states(), stored); err != nil || len(stored) == 0 {
		return s.codec, err
	}
	_, form, _ := strings.Cut(stored[0].Schema, "\n")
	return s.codec.Reads(form)
}
