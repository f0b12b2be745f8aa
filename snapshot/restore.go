package snapshot

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"

	"blink/graph"
)

// Fetch is a piece of a checkpoint that a task reads when it is restored.
type Fetch struct {
	Handle   Handle
	Operator string
	Groups   graph.Range // of keyed state
	Items    []string
}

// PlanRestore says what each task of plan reads of a checkpoint: by task, in the order of the
// manifest, object by object, older layers before newer ones. Keyed state follows its key
// groups. The items of an operator go back to the task that stored them, so that a region may
// be restored while others go on reading theirs; when the parallelism has changed, they are
// dealt to the tasks in turn, in order of name.
// It refuses a checkpoint of another number of key groups, one with state of an operator that
// the plan lacks, and states that Places refuses; every difference is named.
func PlanRestore(m *Manifest, plan *graph.Plan) (map[graph.TaskID][]Fetch, error) {
	vertices := map[string]*graph.Vertex{}
	for i := range plan.Vertices {
		for _, op := range plan.Vertices[i].Operators {
			vertices[plan.Job.Operators[op].ID] = &plan.Vertices[i]
		}
	}
	if err := compatible(m, plan, vertices); err != nil {
		return nil, err
	}
	tasks := map[graph.VertexID]int{} // of the checkpoint, by vertex
	for _, e := range m.Tasks {
		tasks[e.Task.Vertex]++
	}
	deal := dealItems(m, vertices)
	fetches := map[graph.TaskID][]Fetch{}
	for i := range m.Tasks {
		e := &m.Tasks[i]
		olderLayers(m, e, vertices, fetches)
		for _, p := range e.Parts {
			v := vertices[p.Operator]
			if v == nil {
				continue // the operator is gone and kept nothing but counters
			}
			items := map[int][]string{} // by the subtask that gets something
			for g := e.Groups.From; g < e.Groups.To; {
				i := graph.TaskOf(g, m.MaxParallelism, v.Parallelism)
				items[i] = nil
				g = graph.GroupRange(m.MaxParallelism, v.Parallelism, i).To
			}
			for _, it := range p.Items {
				i := e.Task.Subtask
				if tasks[e.Task.Vertex] != v.Parallelism {
					i = deal[p.Operator][it]
				}
				items[i] = append(items[i], it)
			}
			for _, i := range slices.Sorted(maps.Keys(items)) {
				t := graph.TaskID{Vertex: v.ID, Subtask: i}
				own := graph.GroupRange(m.MaxParallelism, v.Parallelism, i)
				fetches[t] = append(fetches[t], Fetch{Handle: e.Handle, Operator: p.Operator, Groups: e.Groups.Intersect(own), Items: items[i]})
			}
		}
	}
	return fetches, nil
}

// olderLayers adds what is read of the layers below the newest of a task: keyed state only.
func olderLayers(m *Manifest, e *TaskEntry, vertices map[string]*graph.Vertex, fetches map[graph.TaskID][]Fetch) {
	for i, h := range e.Below {
		for k := range e.Parts {
			p := &e.Parts[k]
			v := vertices[p.Operator]
			if v == nil || !e.needs(p, i) {
				continue
			}
			for g := e.Groups.From; g < e.Groups.To; {
				t := graph.TaskID{Vertex: v.ID, Subtask: graph.TaskOf(g, m.MaxParallelism, v.Parallelism)}
				own := graph.GroupRange(m.MaxParallelism, v.Parallelism, t.Subtask)
				fetches[t] = append(fetches[t], Fetch{Handle: h, Operator: p.Operator, Groups: e.Groups.Intersect(own)})
				g = own.To
			}
		}
	}
}

// dealItems gives every item of every operator to a subtask.
func dealItems(m *Manifest, vertices map[string]*graph.Vertex) map[string]map[string]int {
	names := map[string][]string{}
	for _, e := range m.Tasks {
		for _, p := range e.Parts {
			if vertices[p.Operator] != nil {
				names[p.Operator] = append(names[p.Operator], p.Items...)
			}
		}
	}
	deal := map[string]map[string]int{}
	for op, all := range names {
		slices.Sort(all)
		deal[op] = map[string]int{}
		for i, name := range all {
			deal[op][name] = i % vertices[op].Parallelism
		}
	}
	return deal
}

// compatible refuses a checkpoint that the plan cannot take over, naming every reason.
func compatible(m *Manifest, plan *graph.Plan, vertices map[string]*graph.Vertex) error {
	var errs []error
	if m.MaxParallelism != plan.Job.MaxParallelism {
		errs = append(errs, fmt.Errorf("checkpoint %d has %d key groups and the job %d: MaxParallelism is fixed for the life of the state", m.Checkpoint, m.MaxParallelism, plan.Job.MaxParallelism))
	}
	seen := map[string]bool{}
	for _, e := range m.Tasks {
		for _, p := range e.Parts {
			if seen[p.Operator] {
				continue
			}
			seen[p.Operator] = true
			if vertices[p.Operator] == nil {
				if stateful(m, p.Operator) {
					errs = append(errs, fmt.Errorf("checkpoint %d holds state of operator %q, which the job lacks: give an operator that ID", m.Checkpoint, p.Operator))
				}
				continue
			}
			errs = append(errs, sameStates(m.Checkpoint, p, plan)...)
		}
	}
	slices.SortFunc(errs, func(a, b error) int { return cmp.Compare(a.Error(), b.Error()) })
	return errors.Join(errs...)
}

// stateful says whether any task stored states of the operator, or items that are more than
// what it has counted.
func stateful(m *Manifest, operator string) bool {
	kept := func(item string) bool { return !IsCounter(item) }
	for _, e := range m.Tasks {
		for _, p := range e.Parts {
			if p.Operator == operator && (len(p.States) > 0 || slices.ContainsFunc(p.Items, kept)) {
				return true
			}
		}
	}
	return false
}

// sameStates compares the stored forms of an operator's states with the declared ones.
func sameStates(checkpoint uint64, p PartEntry, plan *graph.Plan) []error {
	i := slices.IndexFunc(plan.Job.Operators, func(o graph.Operator) bool { return o.ID == p.Operator })
	var declared []StateSchema
	for _, s := range plan.Job.Operators[i].State {
		declared = append(declared, SchemaOf(s))
	}
	_, errs := Places(p.States, declared, fmt.Sprint("in checkpoint ", checkpoint))
	for k, err := range errs {
		errs[k] = fmt.Errorf("operator %q, %w", p.Operator, err)
	}
	return errs
}
