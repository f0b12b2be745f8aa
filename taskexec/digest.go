package taskexec

import (
	"fmt"
	"time"

	"blink/graph"
	"blink/operator"
	"blink/snapshot"
)

// Digests stand for the keyed state of one task: by operator id.
type Digests map[string]operator.Digest

// digests are those of the operators as they are now.
func (c *chain) digests() (Digests, error) {
	all := Digests{}
	for i, op := range c.ops {
		d, ok := op.(operator.Digester)
		if !ok {
			continue
		}
		sum, err := d.Digest()
		if err != nil {
			return nil, fmt.Errorf("operator %q: digest: %w", c.ids[i], err)
		}
		all[c.ids[i]] = sum
	}
	return all, nil
}

// DigestRestored makes the operators of a task that have keyed state, restores them from what
// the task fetches of a checkpoint, as a task that starts does, and returns their digests. get
// finds an object of the checkpoint by its key. Nothing else of the task is made, and nothing of
// it is started; time stands still at a moment at which nothing stored has expired.
func DigestRestored(p *operator.Program, plan *graph.Plan, id graph.TaskID, fetches []snapshot.Fetch, get func(key string) []byte) (Digests, error) {
	c, err := build(p, plan, id, chainOptions{batchRecords: 1})
	if err != nil {
		return nil, err
	}
	view := operator.Task{
		Vertex: id.Vertex, Subtask: id.Subtask, Parallelism: plan.Vertices[id.Vertex].Parallelism,
		MaxParallelism: plan.Job.MaxParallelism, Pressure: &operator.Pressure{}, Splits: operator.NewSplitClocks(1),
		Now: func() time.Time { return time.Unix(0, 0) }, WakeAt: func(int64) {},
		Count: func(string, string, int64) {}, Report: func(string, string) {},
	}
	view.Groups = graph.GroupRange(view.MaxParallelism, view.Parallelism, view.Subtask)
	for i, op := range c.ops {
		if _, keyed := op.(operator.Digester); !keyed {
			continue
		}
		var parts []snapshot.Part
		for _, f := range fetches {
			if f.Operator != c.ids[i] {
				continue
			}
			part, err := snapshot.CutPart(get(f.Handle.Key), f.Operator, f.Groups, f.Items)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", f.Handle.Key, err)
			}
			parts = append(parts, part)
		}
		if err := op.(operator.Opener).Open(&view, c.ids[i]); err != nil {
			return nil, fmt.Errorf("operator %q: open: %w", c.ids[i], err)
		}
		if err := op.(operator.Restorer).Restore(parts); err != nil {
			return nil, fmt.Errorf("operator %q: restore: %w", c.ids[i], err)
		}
	}
	return c.digests()
}
