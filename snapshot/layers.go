package snapshot

import (
	"fmt"
	"slices"

	"blink/graph"
	"blink/internal/mutate"
)

// Layers are the objects of a task, the oldest first.
func (t *TaskEntry) Layers() []Handle { return append(slices.Clip(t.Below), t.Handle) }

// needs says whether part p is read from layer i of Layers.
func (t *TaskEntry) needs(p *PartEntry, i int) bool { return i > len(t.Below)-p.Layers }

// Entry is that of a task, nil if the manifest has none.
func (m *Manifest) Entry(task graph.TaskID) *TaskEntry {
	i, ok := slices.BinarySearchFunc(m.Tasks, task, func(t TaskEntry, id graph.TaskID) int { return t.Task.Compare(id) })
	if !ok {
		return nil
	}
	return &m.Tasks[i]
}

// Stack puts the parts that a task has written as newest, the Handle of the entry, on the layers
// that they go onto. below is the task's entry in the newest complete checkpoint, nil if it has
// none. What it lists of older layers are layers of below: so nothing that it needs has been
// deleted, by whatever leader, as long as the manifest of below is retained.
//
// It fails when a part is a delta onto what below does not hold of the same attempt.
func Stack(newest TaskEntry, parts []PartSummary, below *TaskEntry) (TaskEntry, error) {
	first, last := 0, -1 // layers of below that stay
	for _, p := range parts {
		entry := PartEntry{Operator: p.Operator, Layers: 1, Items: p.Items, States: p.States}
		if p.Onto != 0 {
			oldest, onto, err := below.span(p, newest.Handle.Key)
			if err != nil {
				return newest, err
			}
			if last < 0 {
				first, last = oldest, onto
			}
			if first = min(first, oldest); onto != last {
				return newest, fmt.Errorf("%s holds deltas onto several checkpoints", newest.Handle.Key)
			}
			entry.Layers += onto - oldest + 1
		}
		newest.Parts = append(newest.Parts, entry)
	}
	if last >= 0 {
		newest.Below = slices.Clone(below.Layers()[first : last+1])
	}
	if mutate.On(mutate.DropLayer) && len(newest.Below) > 0 {
		newest.drop()
	}
	return newest, nil
}

// drop leaves out the layer below the newest, for a mutation.
func (t *TaskEntry) drop() {
	t.Below = t.Below[:len(t.Below)-1]
	for i := range t.Parts {
		t.Parts[i].Layers = max(1, t.Parts[i].Layers-1)
	}
}

// span finds the layers of a part that a delta goes onto.
func (t *TaskEntry) span(p PartSummary, key string) (oldest, onto int, err error) {
	refused := func(why string) (int, int, error) {
		return 0, 0, fmt.Errorf("%s holds a delta of operator %q onto checkpoint %d, %s", key, p.Operator, p.Onto, why)
	}
	if t == nil {
		return refused("and the newest complete checkpoint does not have the task")
	}
	base, _ := keyIn(p.Onto, key)
	onto = slices.IndexFunc(t.Layers(), func(h Handle) bool { return h.Key == base })
	part := slices.IndexFunc(t.Parts, func(q PartEntry) bool { return q.Operator == p.Operator })
	if onto < 0 || part < 0 {
		return refused("of which the newest complete checkpoint holds nothing")
	}
	if oldest = 1 + len(t.Below) - t.Parts[part].Layers; oldest > onto {
		return refused("which the newest complete checkpoint has replaced")
	}
	return oldest, onto, nil
}
