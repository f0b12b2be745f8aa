package taskexec

import (
	"errors"
	"fmt"
	"slices"

	"blink/graph"
	"blink/internal/invariant"
	"blink/operator"
)

// chain is the operators of one task, put together: a tree whose root takes the task's
// input and whose leaves are sinks and links to other tasks.
type chain struct {
	ids    []string // operator ids; parents before children, like ops
	ops    []any
	index  []int // of ops[i] in the job's operators
	parent []int // position in ops of the operator that feeds ops[i]; -1 for the head
	marks  []int64
	at     int // where an advance that was held goes on; see advance
	links  []*outLink
}

// build makes the operators of task id, children before parents, since an operator is made
// in front of its outlets.
func build(program *operator.Program, plan *graph.Plan, id graph.TaskID, o chainOptions) (*chain, error) {
	v := &plan.Vertices[id.Vertex]
	c := &chain{}
	b := builder{program: program, plan: plan, vertex: v, o: o, made: map[int]any{}}
	for _, l := range v.Out {
		link, err := b.link(plan.Links[l], id)
		if err != nil {
			return nil, err
		}
		c.links = append(c.links, link)
	}
	b.links = c.links
	for _, op := range slices.Backward(v.Operators) {
		b.made[op] = b.program.Factories[op].New(outlets{&b, op})
	}
	for _, op := range v.Operators {
		d := &program.Job.Operators[op]
		parent := -1
		for _, e := range d.In {
			parent = max(parent, slices.Index(c.index, e.From))
		}
		c.ids = append(c.ids, d.ID)
		c.ops = append(c.ops, b.made[op])
		c.index = append(c.index, op)
		c.parent = append(c.parent, parent)
		c.marks = append(c.marks, operator.NoTime)
	}
	c.lend(program.Job)
	for _, l := range c.links {
		l.clock = c.clock(l.FromOp)
	}
	return c, nil
}

// clock is the last operator up to the one with index op that knows by itself when it is idle;
// nil if none does.
func (c *chain) clock(op int) operator.Idler {
	for i := slices.Index(c.index, op); i >= 0; i = c.parent[i] {
		if o, ok := c.ops[i].(operator.Idler); ok {
			return o
		}
	}
	return nil
}

// lend tells the operators that may change what they are handed.
func (c *chain) lend(job *graph.Job) {
	for i, op := range c.ops {
		if in, ok := op.(operator.InPlacer); ok && c.lent(job, i) {
			in.InPlace()
		}
	}
}

// lent says whether nobody looks at the records of ops[i] after it: it is the only one that is
// handed them, and so on up to who made them. What comes from other tasks is lent: buffers
// are filled anew.
func (c *chain) lent(job *graph.Job, i int) bool {
	up, in := c.parent[i], job.Operators[c.index[i]].In
	if up < 0 {
		return true
	}
	if len(in) > 1 || consumers(job, in[0]) > 1 {
		return false
	}
	l, ok := c.ops[up].(operator.Lender)
	if !ok {
		return false
	}
	return l.Lends() == operator.Lends || l.Lends() == operator.Passes && c.lent(job, up)
}

// consumers is how many operators take the output that in comes from.
func consumers(job *graph.Job, in graph.Edge) (n int) {
	for _, o := range job.Operators {
		for _, e := range o.In {
			if e.From == in.From && e.Tag == in.Tag {
				n++
			}
		}
	}
	return n
}

// chainOptions is what a chain needs beside the job.
type chainOptions struct {
	batchRecords int
	batchBytes   int
	full, dirty  func(l *outLink, channel int)
	drill        func(operator string) func() // called before each input record of the operator; nil: none
}

type builder struct {
	program *operator.Program
	plan    *graph.Plan
	vertex  *graph.Vertex
	o       chainOptions
	made    map[int]any // operator index → operator
	links   []*outLink
}

// link makes the sending end of l in task id.
func (b *builder) link(l graph.Link, id graph.TaskID) (*outLink, error) {
	f := &b.program.Factories[l.FromOp]
	port := f.Main
	if l.Tag != "" {
		port = f.Sides[l.Tag]
	}
	if port == nil {
		return nil, fmt.Errorf("operator %q has no port for its output %q", b.program.Job.Operators[l.FromOp].ID, l.Tag)
	}
	out := &outLink{Link: l}
	n := l.ToTasks
	if l.Ship == graph.Forward {
		n = 1
	}
	out.channels = make([]outChannel, n)
	out.port = port.Output(operator.OutputOptions{
		Ship: l.Ship, Hash: hashOf(b.program.Factories[l.ToOp].Hash, l.Edge),
		Channels: n, First: id.Subtask % n, MaxParallelism: b.program.Job.MaxParallelism,
		BatchRecords: b.o.batchRecords, BatchBytes: b.o.batchBytes,
		Full:  func(ch int) { b.o.full(out, ch) },
		Dirty: func(ch int) { b.o.dirty(out, ch) },
	})
	return out, nil
}

func hashOf(hashes []any, edge int) any {
	if edge < len(hashes) {
		return hashes[edge]
	}
	return nil
}

// input is the collector of input i of operator op, behind a drill if one is set.
func (b *builder) input(op, i int, port operator.Port) any {
	in := b.made[op].(operator.Node).Input(i)
	if b.o.drill != nil {
		if f := b.o.drill(b.program.Job.Operators[op].ID); f != nil {
			return port.Tap(in, f)
		}
	}
	return in
}

// outlets gives the operator with index op its consumers in the chain and its links.
type outlets struct {
	b  *builder
	op int
}

func (o outlets) Main() any { return o.to("", o.b.program.Factories[o.op].Main) }

func (o outlets) Side(tag string) any { return o.to(tag, o.b.program.Factories[o.op].Sides[tag]) }

func (o outlets) to(tag string, port operator.Port) any {
	var to []any
	for _, child := range o.b.vertex.Operators {
		for _, e := range o.b.program.Job.Operators[child].In {
			if e.From == o.op && e.Tag == tag && o.b.made[child] != nil {
				to = append(to, o.b.input(child, e.Input, port))
			}
		}
	}
	for _, l := range o.b.links {
		if l.FromOp == o.op && l.Tag == tag {
			to = append(to, l.port.Input(0))
		}
	}
	if len(to) == 1 {
		return to[0]
	}
	return port.Tee(to)
}

// advance moves event time through the chain: every operator in turn, parents before
// children, then the links. It returns false when pressure stopped it; the next call, with
// the same in, goes on behind the operators that are done.
func (c *chain) advance(in int64, p *operator.Pressure) bool {
	for ; c.at < len(c.ops); c.at++ {
		w := in
		if up := c.parent[c.at]; up >= 0 {
			w = c.marks[up]
		}
		if a, ok := c.ops[c.at].(operator.Advancer); ok {
			if p.Held() {
				return false
			}
			out, done := a.Advance(w)
			if !done {
				return false
			}
			w = out
		}
		c.marks[c.at] = max(c.marks[c.at], w)
	}
	c.at = 0
	return true
}

// wake calls the operators that may have asked for it. It returns false when pressure or an
// operator stopped it; the next call begins with the first of them again, which may have asked
// anew.
func (c *chain) wake(now int64, p *operator.Pressure) bool {
	for _, op := range c.ops {
		if w, ok := op.(operator.Waker); ok {
			if p.Held() || !w.Wake(now) {
				return false
			}
		}
	}
	return true
}

// checkEmpty checks, at a barrier, that nothing lies between operators.
func (c *chain) checkEmpty() {
	for i, op := range c.ops {
		if g, ok := op.(operator.Gatherer); ok {
			invariant.Check(g.Empty(), "operator %q holds records at a barrier", c.ids[i])
		}
	}
}

// mark is the watermark behind the operator with index op.
func (c *chain) mark(op int) int64 { return c.marks[slices.Index(c.index, op)] }

// close closes every operator, parents before children. The chain of a task that was not put
// together has none.
func (c *chain) close() error {
	if c == nil {
		return nil
	}
	var errs []error
	for i, op := range c.ops {
		if o, ok := op.(operator.Closer); ok {
			errs = append(errs, c.named(i, "close", guarded(o.Close)))
		}
	}
	return errors.Join(errs...)
}

// named gives an error of an operator the name of that one, if it does not have it.
func (c *chain) named(i int, doing string, err error) error {
	var named *operator.UserError
	if err == nil || errors.As(err, &named) {
		return err
	}
	return fmt.Errorf("operator %q: %s: %w", c.ids[i], doing, err)
}

// sinks lists the operators that write outside.
func (c *chain) sinks() []operator.SinkOperator {
	var s []operator.SinkOperator
	for _, op := range c.ops {
		if w, ok := op.(operator.SinkOperator); ok {
			s = append(s, w)
		}
	}
	return s
}
