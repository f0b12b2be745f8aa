package sim

import (
	"fmt"
	"maps"
	"slices"

	"blink/graph"
	"blink/operator"
	"blink/snapshot"
	"blink/taskexec"
)

// restores checks I6 for a share of the checkpoints: the keyed state of each task at its barrier
// is what fresh operators hold that are restored from the stored snapshots, task by task, and
// all in all in another number of tasks. State is compared by its digest, which is taken apart
// from the snapshot.
type restores struct {
	c     *cluster
	taken func(checkpoint uint64, key string, digests func() (taskexec.Digests, error))
	held  map[string]taskexec.Digests // at the barrier, by the key of the snapshot
	asked struct {
		checkpoint uint64
		chosen     bool
	}
}

// The shares of the checkpoints that are looked at: more where snapshots are encoded while
// records come, which goes wrong in other ways and seldom.
const (
	restored        = 0.1
	restoredDrained = 0.5
)

func newRestores(c *cluster) *restores {
	r := &restores{c: c, held: map[string]taskexec.Digests{}}
	r.taken = func(checkpoint uint64, key string, digests func() (taskexec.Digests, error)) {
		if !r.chosen(checkpoint) {
			return
		}
		d, err := digests()
		if err != nil {
			c.check.fail("I6: %s: %w", key, err)
		}
		r.held[key] = d
	}
	return r
}

// chosen says whether a checkpoint is looked at; all tasks have one answer, and it draws from no
// stream of the run.
func (r *restores) chosen(checkpoint uint64) bool {
	if r.asked.checkpoint != checkpoint {
		share := restored
		if r.c.scenario.DrainBytes > 0 {
			share = restoredDrained
		}
		r.asked.checkpoint, r.asked.chosen = checkpoint, r.c.w.Rand(fmt.Sprint("restore ", checkpoint)).P(share)
	}
	return r.asked.chosen
}

// compare restores a checkpoint that has become complete.
func (r *restores) compare(m *snapshot.Manifest) error {
	if !r.chosen(m.Checkpoint) {
		return nil
	}
	defer clear(r.held)
	had := map[graph.TaskID]taskexec.Digests{}
	for _, t := range m.Tasks {
		d, ok := r.held[t.Handle.Key]
		if !ok {
			return fmt.Errorf("no task has taken %s", t.Handle.Key)
		}
		had[t.Task] = d
	}
	same, err := r.restore(m, r.c.plan)
	if err != nil {
		return err
	}
	for _, t := range r.c.plan.Tasks() {
		if what := differing(had[t], same[t]); what != "" {
			return fmt.Errorf("task %v is not restored as it was: %s", t, what)
		}
	}
	tasks := 1 + r.c.w.Rand(fmt.Sprint("rescale ", m.Checkpoint)).N(5)
	other, err := r.restore(m, rescaled(r.c.plan, tasks))
	if err != nil {
		return err
	}
	if what := differing(together(had), together(other)); what != "" {
		return fmt.Errorf("it is not restored as it was in %d tasks: %s", tasks, what)
	}
	return nil
}

// restore is what the tasks of a plan have when they are restored.
func (r *restores) restore(m *snapshot.Manifest, plan *graph.Plan) (map[graph.TaskID]taskexec.Digests, error) {
	fetches, err := snapshot.PlanRestore(m, plan)
	if err != nil {
		return nil, err
	}
	get := func(key string) []byte { return r.c.objects.objects[key] }
	all := map[graph.TaskID]taskexec.Digests{}
	for _, t := range plan.Tasks() {
		if all[t], err = taskexec.DigestRestored(r.c.program, plan, t, fetches[t], get); err != nil {
			return nil, fmt.Errorf("task %v: %w", t, err)
		}
	}
	return all, nil
}

// rescaled is a plan with that many tasks of each vertex, as far as restoring goes.
func rescaled(p *graph.Plan, tasks int) *graph.Plan {
	other := *p
	other.Vertices = slices.Clone(p.Vertices)
	for i := range other.Vertices {
		other.Vertices[i].Parallelism = min(tasks, p.Job.MaxParallelism)
	}
	return &other
}

// together adds up what the tasks of each operator have.
func together(tasks map[graph.TaskID]taskexec.Digests) taskexec.Digests {
	all := taskexec.Digests{}
	for _, ds := range tasks { // sums: any order will do
		for op, d := range ds {
			sum, ok := all[op]
			if !ok {
				sum.Mark = operator.NoTime
			}
			all[op] = operator.Digest{State: sum.State + d.State, Mark: max(sum.Mark, d.Mark)}
		}
	}
	return all
}

// differing names the first operator whose state differs, "" if none does.
func differing(was, is taskexec.Digests) string {
	for _, op := range slices.Sorted(maps.Keys(was)) {
		if a, b := was[op], is[op]; a != b {
			return fmt.Sprintf("operator %q had %+v and has %+v", op, a, b)
		}
	}
	return ""
}
