package graph

import (
	"fmt"
	"strings"
)

// String is the plan as people read it: vertices with their operators, how records get
// there, states, regions, and what is unwise.
func (p *Plan) String() string {
	var b strings.Builder
	j := p.Job
	fmt.Fprintf(&b, "job %s: %s, %s, parallelism %d, %s\n", j.Name, count(len(p.Vertices), "vertex", "vertices"), count(len(p.Tasks()), "task", "tasks"), j.Parallelism, count(j.MaxParallelism, "key group", "key groups"))
	for _, param := range j.Params {
		fmt.Fprintf(&b, "  --%s=%s\n", param.Name, param.Value)
	}
	for i := range p.Vertices {
		p.vertexText(&b, &p.Vertices[i])
	}
	regions := p.Regions()
	fmt.Fprintf(&b, "regions: %d\n", len(regions))
	for i, r := range regions {
		fmt.Fprintf(&b, "  %d: %s of %s\n", i, count(len(r), "task", "tasks"), verticesOf(r))
	}
	for _, w := range p.warnings() {
		fmt.Fprintf(&b, "warning: %s\n", w)
	}
	return b.String()
}

func (p *Plan) vertexText(b *strings.Builder, v *Vertex) {
	fmt.Fprintf(b, "vertex %d ×%d", v.ID, v.Parallelism)
	if v.Slot != "" {
		fmt.Fprintf(b, " slot %s", v.Slot)
	}
	for _, id := range v.In {
		l := p.Links[id]
		fmt.Fprintf(b, " ← %d %s", l.From, l.text(p.Job.Operators[l.ToOp].In[l.Edge].Key))
	}
	b.WriteString("\n")
	for _, i := range v.Operators {
		o := &p.Job.Operators[i]
		fmt.Fprintf(b, "  %-12s %s (%s)\n", "["+o.ID+"]", o.title(), o.At)
		for _, s := range o.State {
			fmt.Fprintf(b, "      state %s\n", s)
		}
	}
}

// text is how the records of a link are shipped.
func (l Link) text(key string) string {
	s := l.Ship.String()
	if l.Ship == Hash {
		s += "(" + key + ")"
	}
	if l.Tag != "" {
		s += " side " + l.Tag
	}
	if l.Blocking {
		s += " blocking"
	}
	return s
}

func (s Ship) String() string { return [...]string{"forward", "hash", "rebalance", "broadcast"}[s] }

func (o *Operator) title() string {
	s := o.Verb
	if o.What != "" {
		s += " " + o.What
	}
	if o.Name != "" {
		s = fmt.Sprintf("%q %s", o.Name, s)
	}
	if o.Out != "" {
		s += " → " + o.Out
	}
	return s
}

func (s State) String() string {
	t := s.Name + " " + s.Kind
	if s.Type != "" {
		t += " " + s.Type
	}
	if s.TTL > 0 {
		t += " ttl " + s.TTL.String()
	}
	return t
}

func verticesOf(region []TaskID) string {
	var s string
	n, last := 0, VertexID(-1)
	for _, t := range region {
		if t.Vertex != last {
			s += fmt.Sprintf(" %d", t.Vertex)
			n, last = n+1, t.Vertex
		}
	}
	if n == 1 {
		return "vertex" + s
	}
	return "vertices" + s
}

func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// warnings are what a careful person would change.
func (p *Plan) warnings() []string {
	var ws []string
	read := map[int]bool{}
	for _, o := range p.Job.Operators {
		for _, e := range o.In {
			read[e.From] = true
		}
	}
	for i := range p.Job.Operators {
		o := &p.Job.Operators[i]
		if o.keeps() && !o.Named {
			ws = append(ws, fmt.Sprintf("%s: operator [%s] has state and no ID: a changed job cannot find it again", o.At, o.ID))
		}
		if !read[i] && !o.Sink {
			ws = append(ws, fmt.Sprintf("%s: nothing reads what operator [%s] emits", o.At, o.ID))
		}
	}
	return ws
}

// keeps says whether a checkpoint holds more of the operator than what it has counted:
// states, positions, transactions, or how far event time has come.
func (o *Operator) keeps() bool {
	return len(o.State) > 0 || o.Source || o.Sink || o.Verb == "eventtime"
}
