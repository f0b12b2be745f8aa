package graph

import (
	"cmp"
	"slices"
)

// Compare orders tasks by vertex, then subtask.
func (t TaskID) Compare(o TaskID) int {
	return cmp.Or(cmp.Compare(t.Vertex, o.Vertex), cmp.Compare(t.Subtask, o.Subtask))
}

// Regions are the pipelined regions of the plan: the smallest sets of tasks that no
// pipelined channel leaves. Tasks stand in order, and regions in the order of their first
// task.
func (p *Plan) Regions() [][]TaskID {
	first := make([]int, len(p.Vertices)) // index of each vertex's first task
	tasks := p.Tasks()
	for i, t := range slices.Backward(tasks) {
		first[t.Vertex] = i
	}
	index := func(t TaskID) int { return first[t.Vertex] + t.Subtask }
	root := make([]int, len(tasks)) // union-find; the root of a set is its least member
	for i := range root {
		root[i] = i
	}
	find := func(i int) int {
		for root[i] != i {
			root[i] = root[root[i]]
			i = root[i]
		}
		return i
	}
	for _, l := range p.Links {
		if l.Blocking {
			continue
		}
		for i := range l.FromTasks {
			for _, to := range l.Receivers(i) {
				a, b := find(index(TaskID{l.From, i})), find(index(to))
				root[max(a, b)] = min(a, b)
			}
		}
	}
	at := map[int]int{}
	var regions [][]TaskID
	for i, t := range tasks {
		r := find(i)
		if _, ok := at[r]; !ok {
			at[r] = len(regions)
			regions = append(regions, nil)
		}
		regions[at[r]] = append(regions[at[r]], t)
	}
	return regions
}
