package taskexec

import (
	"fmt"
	"slices"

	"blink/internal/invariant"
	"blink/operator"
	"blink/snapshot"
)

// drainBytes is how many bytes of a snapshot are encoded between two quanta: a small share of
// quantumTime, so that a busy task stays open to messages and its records keep most of the time.
const drainBytes = 32 << 10

// frozen is the state of a task at a barrier, on its way into a snapshot.
type frozen struct {
	checkpoint uint64
	stop       bool // the chain rests until it is drained, and then stops
	operators  []frozenOperator
	drained    int // operators that are
}

type frozenOperator struct {
	id    string
	onto  uint64          // that its part may go onto
	state operator.Frozen // nil: it keeps none
	items []snapshot.Item // its counters
}

// freeze takes the state of every operator, with its counters, at the barrier of checkpoint id.
func (t *task) freeze(id uint64) (*frozen, error) {
	f := &frozen{checkpoint: id, stop: t.snap.stopAt == id}
	for i, op := range t.chain.ops {
		o := frozenOperator{id: t.chain.ids[i]}
		if s, ok := op.(operator.Snapshotter); ok {
			var err error
			o.onto = t.snap.chains[i].Onto(id, t.snap.onto, t.spec.config.Layers)
			if o.state, err = s.Snapshot(operator.SnapshotOptions{Checkpoint: id, Onto: o.onto}); err != nil {
				f.drop()
				return nil, fmt.Errorf("operator %q: snapshot: %w", o.id, err)
			}
		}
		o.items = t.counters.items(o.id, t.spec.deploy.task)
		f.operators = append(f.operators, o)
	}
	return f, nil
}

// drain encodes some of what is frozen; done says that nothing is left.
func (f *frozen) drain(budget int) (done bool, err error) {
	for ; f.drained < len(f.operators); f.drained++ {
		o := &f.operators[f.drained]
		if o.state == nil {
			continue
		}
		done, err := o.state.Drain(budget)
		if err != nil {
			return false, fmt.Errorf("operator %q: snapshot: %w", o.id, err)
		}
		if !done {
			return false, nil
		}
	}
	return true, nil
}

// parts are what was drained. A part of an operator that keeps state is there also when it is
// empty: later ones may go onto it.
func (f *frozen) parts() []snapshot.Part {
	var parts []snapshot.Part
	for _, o := range f.operators {
		part := snapshot.Part{}
		if o.state != nil {
			part = o.state.Part()
			invariant.Check(part.Onto == 0 || part.Onto == o.onto, "operator %q: a part onto checkpoint %d was not asked for", o.id, part.Onto)
		}
		part.Operator = o.id
		part.Items = append(part.Items, o.items...)
		if o.state != nil || len(part.Items) > 0 {
			parts = append(parts, part)
		}
	}
	return parts
}

// drop gives it up.
func (f *frozen) drop() {
	for _, o := range f.operators {
		if o.state != nil {
			o.state.Drop()
		}
	}
}

// drain goes on with the snapshot that is being encoded; it needs no credit and no input, so a
// checkpoint makes progress whatever the task waits for. When nothing is left the snapshot is
// written.
func (t *task) drain() error {
	f := t.snap.frozen
	done, err := f.drain(t.spec.config.DrainBytes)
	if err != nil || !done {
		return err
	}
	t.snap.frozen, t.snap.rests = nil, 0
	if f.stop && t.phase != ended { // that one is at rest as it is
		t.resting, t.restsAt, t.phase = t.phase, f.checkpoint, stopped
	}
	parts := f.parts()
	for _, p := range parts {
		t.snap.chains[slices.Index(t.chain.ids, p.Operator)].Took(f.checkpoint, p.Onto)
	}
	t.persist(f.checkpoint, parts)
	return nil
}

// thaw gives up the snapshot that is being encoded, of a checkpoint that nobody waits for: the
// chain does not rest for it.
func (t *task) thaw() {
	if t.snap.frozen == nil {
		return
	}
	t.snap.frozen.drop()
	t.snap.frozen = nil
	t.goOn()
}
