package taskexec

import (
	"context"
	"errors"
	"fmt"
	"time"

	"blink/graph"
	"blink/operator"
	"blink/snapshot"
	"blink/snapshot/store"
	"blink/taskexec/exchange"
)

// open puts the task together, then reads and restores its share of the checkpoint, then
// lets the operators start; after that it runs.
func (t *task) open() error {
	s := &t.spec
	t.view = operator.Task{
		Job: s.config.Job, Vertex: s.deploy.task.Vertex, Subtask: s.deploy.task.Subtask,
		Parallelism:    s.plan.Vertices[s.deploy.task.Vertex].Parallelism,
		MaxParallelism: s.plan.Job.MaxParallelism,
		Attempt:        operator.Attempt{Epoch: s.deploy.epoch, N: s.deploy.attempt}, Restored: s.deploy.restore,
		Now: t.clock, WakeAt: t.wakeAfter, Count: t.counters.add, Report: t.report, Where: t.where,
		Pressure: &t.press, Splits: operator.NewSplitClocks(1), FS: s.config.FS,
	}
	t.view.Groups = graph.GroupRange(t.view.MaxParallelism, t.view.Parallelism, t.view.Subtask)
	if err := t.assemble(); err != nil {
		return err
	}
	for i, op := range t.chain.ops {
		if o, ok := op.(operator.Opener); ok {
			if err := o.Open(&t.view, t.chain.ids[i]); err != nil {
				return fmt.Errorf("operator %q: open: %w", t.chain.ids[i], err)
			}
		}
	}
	t.work("read checkpoint", t.fetchParts, func(v any, err error) error {
		if err != nil {
			return err
		}
		return t.restore(v.([]snapshot.Part))
	})
	return nil
}

func (t *task) where(id string) string {
	for i, op := range t.chain.ids {
		if op == id {
			return t.spec.program.Job.Operators[t.chain.index[i]].At
		}
	}
	return ""
}

func (t *task) clock() time.Time { return t.c.Now() }

// maxWarnings bounds the lines about bad data that one task shows; the counters know all.
const maxWarnings = 20

func (t *task) report(op, message string) {
	if t.warned++; t.warned > maxWarnings {
		return
	}
	t.c.Log().Warn().Str("operator", op).Msg(message)
}

// chainsOf are the chains of a task's parts, one for each operator, before any is taken. Parts
// are numbered through the job.
func chainsOf(plan *graph.Plan, task graph.TaskID) []snapshot.Chain {
	number := 0
	for _, v := range plan.Vertices[:task.Vertex] {
		number += v.Parallelism * len(v.Operators)
	}
	chains := make([]snapshot.Chain, len(plan.Vertices[task.Vertex].Operators))
	for i := range chains {
		chains[i].Number = number + task.Subtask*len(chains) + i
	}
	return chains
}

// assemble builds the chain and the channels on both sides of it.
func (t *task) assemble() error {
	s := &t.spec
	o := chainOptions{
		batchRecords: s.config.BatchRecords, batchBytes: s.config.BatchBytes,
		full:  t.out.full,
		dirty: t.out.touched,
		drill: t.drill(),
	}
	c, err := build(s.program, s.plan, s.deploy.task, o)
	if err != nil {
		return err
	}
	t.chain, t.snap.chains = c, chainsOf(s.plan, s.deploy.task)
	t.out.links, t.out.pressure, t.out.send = c.links, &t.press, t.send
	t.sinks.ops = c.sinks()
	t.sinks.committed = s.deploy.restore
	t.sinks.completed = s.deploy.restore
	t.connectOutputs()
	t.connectInputs(o)
	if src, ok := c.ops[0].(operator.Source); ok {
		t.src = &sourceState{op: src, mark: operator.NoTime}
		if s.config.Rate > 0 {
			t.src.rate = s.config.Rate / float64(max(1, s.deploy.sources))
			t.view.MaxFetch = mostFetched(t.src.rate)
		}
	}
	return nil
}

// drill returns the panics asked for in this task, by operator: one counts the records of all
// inputs of its operator.
func (t *task) drill() func(operator string) func() {
	ask := t.spec.config.Drill
	if ask == nil {
		return nil
	}
	made := map[string]func(){}
	return func(op string) func() {
		if _, ok := made[op]; !ok {
			made[op] = ask(op, t.spec.deploy.task.Subtask)
		}
		return made[op]
	}
}

func (t *task) address(link, from, to int) exchange.Address {
	return exchange.Address{Link: link, From: from, To: to, Epoch: t.spec.deploy.epoch, Attempt: t.spec.deploy.attempt}
}

func (t *task) connectOutputs() {
	self := t.spec.deploy.task
	for _, l := range t.chain.links {
		port := t.portOf(l.Link)
		l.schema, l.mark = port.SchemaHash(), operator.NoTime
		l.edge = t.edge(l.Link)
		for i := range l.channels {
			to := graph.TaskID{Vertex: l.To, Subtask: i}
			if l.Ship == graph.Forward {
				to.Subtask = self.Subtask
			}
			ch := &l.channels[i]
			ch.to, ch.ref, ch.addr = to, t.spec.ref(to), t.address(l.ID, self.Subtask, to.Subtask)
		}
	}
}

// edge is a link in words.
func (t *task) edge(l graph.Link) string {
	operators := t.spec.program.Job.Operators
	return fmt.Sprintf("from operator %q to operator %q, of records of type %s", operators[l.FromOp].ID, operators[l.ToOp].ID, t.portOf(l).TypeName())
}

func (t *task) connectInputs(o chainOptions) {
	self := t.spec.deploy.task
	for _, id := range t.spec.plan.Vertices[self.Vertex].In {
		l := t.spec.plan.Links[id]
		from, to := 0, l.FromTasks
		if l.Ship == graph.Forward {
			from, to = self.Subtask, self.Subtask+1
		}
		port := t.portOf(l)
		head := (&builder{program: t.spec.program, o: o, made: map[int]any{l.ToOp: t.chain.ops[0]}}).input(l.ToOp, l.Input, port)
		spare := new(operator.Records)
		for i := from; i < to; i++ {
			peer := graph.TaskID{Vertex: l.From, Subtask: i}
			t.in.channels = append(t.in.channels, &inChannel{
				index: len(t.in.channels), link: l, edge: t.edge(l), port: port, head: head, spare: spare,
				from: peer, ref: t.spec.ref(peer), addr: t.address(l.ID, i, self.Subtask), mark: operator.NoTime,
			})
		}
	}
	t.in.mark = operator.NoTime
	t.in.credits = t.spec.config.creditsOf(len(t.in.channels))
	t.in.align = newAligner(len(t.in.channels))
	t.in.align.conclude(t.spec.deploy.restore)
}

// portOf is the producer's port, which both ends of a link use.
func (t *task) portOf(l graph.Link) operator.Port {
	f := &t.spec.program.Factories[l.FromOp]
	if l.Tag != "" {
		return f.Sides[l.Tag]
	}
	return f.Main
}

// fetchParts reads this task's share of the checkpoint: whole objects, one after the other, cut
// to the key groups and items that are ours. An object that is missing is damage as well: nothing
// that a complete checkpoint names is deleted while tasks may be restored from it.
func (t *task) fetchParts(ctx context.Context) (any, error) {
	var parts []snapshot.Part
	var at string
	var data []byte // of the object at
	for _, f := range t.spec.deploy.fetches {
		if f.handle.Key != at {
			var err error
			if data, err = t.object(ctx, f.handle); err != nil {
				return nil, err
			}
			at = f.handle.Key
		}
		part, err := snapshot.CutPart(data, f.operator, f.groups, f.items)
		if err != nil {
			return nil, fmt.Errorf("%w %d: %s: %w", errCorrupt, t.spec.deploy.restore, f.handle.Key, err)
		}
		parts = append(parts, part)
	}
	for _, i := range t.spec.deploy.initial {
		parts = append(parts, snapshot.Part{Operator: i.operator, Items: i.items})
	}
	return parts, nil
}

// object reads an object of the checkpoint.
func (t *task) object(ctx context.Context, h handle) ([]byte, error) {
	data, err := t.spec.config.Store.Get(ctx, h.Key)
	if errors.Is(err, store.ErrNotFound) {
		return nil, fmt.Errorf("%w %d: %w", errCorrupt, t.spec.deploy.restore, err)
	}
	if err != nil {
		return nil, fmt.Errorf("read %s of checkpoint %d: %w", h.Key, t.spec.deploy.restore, err)
	}
	if err := h.Check(data); err != nil {
		return nil, fmt.Errorf("%w %d: %w", errCorrupt, t.spec.deploy.restore, err)
	}
	return data, nil
}

// errCorrupt is a failure that another attempt cannot mend: the JobMaster may fall back to an
// older checkpoint.
var errCorrupt = errors.New("corrupt checkpoint")

// restore hands the parts to their operators.
func (t *task) restore(parts []snapshot.Part) error {
	for i, op := range t.chain.ops {
		id := t.chain.ids[i]
		var own []snapshot.Part
		for _, p := range parts {
			if p.Operator != id {
				continue
			}
			rest, err := t.counters.restore(id, p.Items)
			if err != nil {
				return err
			}
			p.Items = rest
			if len(p.Items)+len(p.Groups)+len(p.States) > 0 {
				own = append(own, p)
			}
		}
		r, ok := op.(operator.Restorer)
		if !ok || len(own) == 0 {
			continue
		}
		if err := r.Restore(own); err != nil {
			return fmt.Errorf("operator %q: restore checkpoint %d: %w", id, t.spec.deploy.restore, err)
		}
	}
	t.work("start", t.startOperators, func(_ any, err error) error {
		if err != nil {
			return err
		}
		t.phase = running
		t.now.advancing = true
		t.openChannels()
		t.sinkWork()
		t.tell()
		return nil
	})
	return nil
}

func (t *task) startOperators(ctx context.Context) (any, error) {
	for i, op := range t.chain.ops {
		if s, ok := op.(operator.Starter); ok {
			if err := t.chain.named(i, "start", s.Start(ctx)); err != nil {
				return nil, err
			}
		}
	}
	return nil, nil
}

// reopen repeats the opening of channels from which nothing has come: the sender may not
// have been there.
type reopen struct{}

const reopenEvery = 20 * time.Millisecond

// openChannels tells the senders that this task is ready and what it grants them.
func (t *task) openChannels() {
	again := false
	for _, ch := range t.in.channels {
		if ch.heard {
			continue
		}
		again = true
		o := exchange.Open{Address: ch.addr, Credits: t.in.credits, Schema: ch.port.SchemaHash()}
		if t.local(ch.ref) {
			t.c.Tell(ch.ref, o)
			continue
		}
		t.sendFrame(ch.ref, exchange.AppendOpen(exchange.Buffer(), o))
	}
	if again {
		t.c.After("reopen", t.reopenAfter(), reopen{})
	}
}

// reopenAfter backs off, up to a second, since a silent sender may have nothing to send.
func (t *task) reopenAfter() time.Duration {
	t.reopened++
	return min(reopenEvery<<min(t.reopened, 6), time.Second)
}
