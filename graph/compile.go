package graph

import (
	"errors"
	"fmt"
	"slices"
)

// Compile chains the operators of a job into vertices. An operator joins the vertex of its
// producer when their edge is a pipelined Forward one between equal parallelism, it has no
// other input, and it asks neither for a new chain nor for another slot sharing group; else
// it begins a vertex. So a vertex is a tree, in the group of its head. A Forward edge between
// unequal parallelism becomes Rebalance. Compile refuses a job whose operators or edges
// contradict each other.
func Compile(j *Job) (*Plan, error) {
	if err := check(j); err != nil {
		return nil, err
	}
	p := &Plan{Job: j}
	home := make([]VertexID, len(j.Operators))
	for i := range j.Operators {
		o := &j.Operators[i]
		if v := p.chain(home, o); v != nil {
			home[i] = v.ID
			v.Operators = append(v.Operators, i)
			continue
		}
		home[i] = VertexID(len(p.Vertices))
		p.Vertices = append(p.Vertices, Vertex{ID: home[i], Operators: []int{i}, Parallelism: j.parallelism(o), Slot: o.Slot})
		for e := range o.In {
			p.link(home, o, e)
		}
	}
	return p, nil
}

// chain is the vertex of o's producer if o joins it, else nil.
func (p *Plan) chain(home []VertexID, o *Operator) *Vertex {
	if len(o.In) != 1 || o.NewChain || o.In[0].Ship != Forward {
		return nil
	}
	from := &p.Job.Operators[o.In[0].From]
	v := &p.Vertices[home[from.Index]]
	if from.Blocking || v.Parallelism != p.Job.parallelism(o) || o.Slot != "" && o.Slot != v.Slot {
		return nil
	}
	return v
}

func (j *Job) parallelism(o *Operator) int {
	if o.Parallelism > 0 {
		return o.Parallelism
	}
	return j.Parallelism
}

// link adds input edge e of o, the head of the newest vertex.
func (p *Plan) link(home []VertexID, o *Operator, e int) {
	in := o.In[e]
	from, to := &p.Vertices[home[in.From]], &p.Vertices[home[o.Index]]
	l := Link{
		ID: len(p.Links), From: from.ID, To: to.ID, FromOp: in.From, ToOp: o.Index, Edge: e,
		Tag: in.Tag, Ship: in.Ship, Input: in.Input, Blocking: p.Job.Operators[in.From].Blocking,
		FromTasks: from.Parallelism, ToTasks: to.Parallelism,
	}
	if l.Ship == Forward && l.FromTasks != l.ToTasks {
		l.Ship = Rebalance
	}
	from.Out = append(from.Out, l.ID)
	to.In = append(to.In, l.ID)
	p.Links = append(p.Links, l)
}

func check(j *Job) error {
	var errs []error
	refuse := func(bad bool, format string, args ...any) {
		if bad {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	refuse(j.Parallelism < 1, "job %q: parallelism %d: at least 1", j.Name, j.Parallelism)
	refuse(j.MaxParallelism < 1 || j.MaxParallelism > MaxKeyGroups, "job %q: max parallelism %d: from 1 to %d", j.Name, j.MaxParallelism, MaxKeyGroups)
	refuse(j.above(j.Parallelism), "job %q: parallelism %d is above its max parallelism %d", j.Name, j.Parallelism, j.MaxParallelism)
	refuse(j.CheckpointEvery < 0 || j.CheckpointEvery > 0 && j.CheckpointEvery < MinCheckpointInterval,
		"job %q: checkpoint interval of %v: at least %v, or 0 for none", j.Name, j.CheckpointEvery, MinCheckpointInterval)
	refuse(len(j.Operators) == 0, "job %q reads nothing", j.Name)
	ids, targets := map[string]int{}, map[Target]int{}
	for i := range j.Operators {
		o := &j.Operators[i]
		refuse(o.Index != i, "operator %q has index %d at place %d", o.ID, o.Index, i)
		refuse(o.ID == "", "operator %d (%s) has no id", i, o.At)
		if other, taken := ids[o.ID]; taken {
			refuse(true, "%s: ID %q is taken by the operator at %s", o.At, o.ID, j.Operators[other].At)
		}
		ids[o.ID] = i
		if other, taken := targets[o.Target.place()]; taken && o.Target != (Target{}) {
			refuse(true, "%s: operator %q writes to %s, as the operator at %s does: two sinks cannot share it", o.At, o.ID, o.Target.Name, j.Operators[other].At)
		}
		targets[o.Target.place()] = i
		refuse(o.Parallelism < 0, "%s: operator %q: parallelism %d: at least 1, or 0 for the job's", o.At, o.ID, o.Parallelism)
		refuse(j.above(o.Parallelism), "%s: operator %q: parallelism %d is above the job's max parallelism %d", o.At, o.ID, o.Parallelism, j.MaxParallelism)
		refuse(o.Source != (len(o.In) == 0), "%s: operator %q: only a source has no input", o.At, o.ID)
		for _, e := range o.In {
			refuse(e.From < 0 || e.From >= i, "%s: operator %q: an input comes from operator %d", o.At, o.ID, e.From)
		}
	}
	return errors.Join(errs...)
}

// above says that there would be tasks without a key group.
func (j *Job) above(parallelism int) bool {
	return j.MaxParallelism > 0 && parallelism > j.MaxParallelism
}

// Tasks lists all tasks of the plan, by vertex, then subtask.
func (p *Plan) Tasks() []TaskID {
	var ts []TaskID
	for _, v := range p.Vertices {
		for i := range v.Parallelism {
			ts = append(ts, TaskID{v.ID, i})
		}
	}
	return ts
}

// Senders lists the tasks that send to subtask i of the consumer over l, in the order of
// their subtasks; Receivers those to which subtask i of the producer sends.
func (l *Link) Senders(i int) []TaskID { return l.peers(l.From, l.FromTasks, i) }

// Receivers is explained at Senders.
func (l *Link) Receivers(i int) []TaskID { return l.peers(l.To, l.ToTasks, i) }

func (l *Link) peers(v VertexID, n, i int) []TaskID {
	if l.Ship == Forward {
		return []TaskID{{v, i}}
	}
	ts := make([]TaskID, n)
	for k := range ts {
		ts[k] = TaskID{v, k}
	}
	return ts
}

// Sinks lists the vertices that hold a sink, ascending.
func (p *Plan) Sinks() []VertexID {
	var vs []VertexID
	for _, v := range p.Vertices {
		if slices.ContainsFunc(v.Operators, func(i int) bool { return p.Job.Operators[i].Sink }) {
			vs = append(vs, v.ID)
		}
	}
	return vs
}

// Slots is the number of slots that the plan needs: for each slot sharing group the largest
// parallelism in it.
func (p *Plan) Slots() int {
	n := 0
	for _, s := range p.SlotGroups() {
		n += s.Slots
	}
	return n
}

// SlotGroup is a set of vertices that share slots: slot i runs subtask i of each.
type SlotGroup struct {
	Name     string
	Slots    int
	Vertices []VertexID
}

// SlotGroups lists the slot sharing groups by name.
func (p *Plan) SlotGroups() []SlotGroup {
	var gs []SlotGroup
	for _, v := range p.Vertices {
		i := slices.IndexFunc(gs, func(g SlotGroup) bool { return g.Name == v.Slot })
		if i < 0 {
			i = len(gs)
			gs = append(gs, SlotGroup{Name: v.Slot})
		}
		gs[i].Slots = max(gs[i].Slots, v.Parallelism)
		gs[i].Vertices = append(gs[i].Vertices, v.ID)
	}
	slices.SortFunc(gs, func(a, b SlotGroup) int {
		if a.Name < b.Name {
			return -1
		}
		return 1
	})
	return gs
}
