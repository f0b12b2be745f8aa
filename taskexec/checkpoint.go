package taskexec

import (
	"context"
	"fmt"
	"slices"
	"time"

	"blink/internal/mutate"
	"blink/operator"
	"blink/snapshot"
)

// triggered begins a checkpoint; the aligner says when the snapshot is due. A task that
// rests behind an earlier one goes on.
func (t *task) triggered(m startCheckpoint) {
	if t.phase == stopped && m.id > t.restsAt {
		t.phase = t.resting
		t.tell()
	}
	if m.stop {
		t.now.stopAt = max(t.now.stopAt, m.id)
	}
	t.in.align.trigger(m.id)
}

// concluded learns which checkpoints are decided: an aborted one is aligned no longer and its
// snapshot is not needed, a complete one lets sinks commit.
func (t *task) concluded(m concluded) {
	t.in.align.conclude(m.concluded)
	t.sinks.completed = max(t.sinks.completed, m.completed)
	t.writes = slices.DeleteFunc(t.writes, func(w *write) bool {
		if w.checkpoint > m.concluded {
			return false
		}
		w.concluded, w.aborted = true, w.checkpoint > m.completed
		w.stop()
		if w.aborted && !w.flying {
			t.discard(w.handle.Key)
		}
		return true
	})
	t.sinkWork()
}

// checkpoint takes the snapshot of checkpoint id: the barrier goes on at once, sinks
// prepare off the actor while the chain rests, then the state is copied and written while
// records flow again.
func (t *task) checkpoint(id uint64) error {
	t.in.align.conclude(id)
	t.now.stop = t.now.stopAt == id
	t.out.barrier(id)
	t.now.snapshot = id
	if len(t.sinks.ops) == 0 {
		return t.prepared(id)
	}
	t.sinks.prepare = id
	t.sinkWork()
	return nil
}

// prepared goes on with the snapshot when every sink has prepared.
func (t *task) prepared(id uint64) error {
	if told := t.spec.config.Snapshotting; told != nil {
		told(id, t.snapshotKey(id), t.chain.digests)
	}
	parts, err := t.snapshot()
	if err != nil {
		return err
	}
	t.now.snapshot = 0
	if t.now.stop && t.phase != ended { // that one is at rest as it is
		t.resting, t.restsAt, t.phase = t.phase, id, stopped
	}
	t.persist(id, parts)
	return nil
}

// snapshot copies the state of every operator, with its counters.
func (t *task) snapshot() ([]snapshot.Part, error) {
	var parts []snapshot.Part
	for i, op := range t.chain.ops {
		part := snapshot.Part{}
		if s, ok := op.(operator.Snapshotter); ok {
			var err error
			if part, err = s.Snapshot(); err != nil {
				return nil, fmt.Errorf("operator %q: snapshot: %w", t.chain.ids[i], err)
			}
		}
		part.Operator = t.chain.ids[i]
		part.Items = append(part.Items, t.counters.items(part.Operator, t.spec.deploy.task)...)
		if len(part.Groups)+len(part.Items)+len(part.States) > 0 {
			parts = append(parts, part)
		}
	}
	return parts, nil
}

// snapshotKey is where the snapshot of checkpoint id is stored.
func (t *task) snapshotKey(id uint64) string {
	d := &t.spec.deploy
	return snapshot.TaskKey(id, d.task, d.attempt, d.epoch)
}

const (
	persistTries   = 4
	persistBackOff = 100 * time.Millisecond
)

// write is a snapshot on its way to the store, or there, until its checkpoint is concluded.
type write struct {
	ack
	data      []byte
	life      context.Context
	stop      context.CancelFunc
	flying    bool
	concluded bool
	aborted   bool
}

// persist writes the parts and acknowledges when they are durable. A write that goes on
// failing declines the checkpoint; the task lives on.
func (t *task) persist(id uint64, parts []snapshot.Part) {
	d := t.spec.deploy
	data, err := snapshot.EncodeParts(parts)
	key := t.snapshotKey(id)
	a := ack{checkpoint: id, task: d.task, attempt: d.attempt, parts: snapshot.Summarize(parts)}
	if err != nil {
		a.declined = err.Error()
		t.c.Tell(t.c.Parent(), a)
		return
	}
	a.handle = snapshot.HandleOf(key, data)
	if mutate.On(mutate.AckBeforeDurable) {
		t.c.Tell(t.c.Parent(), a)
	}
	w := &write{ack: a, data: data}
	w.life, w.stop = context.WithCancel(t.life)
	t.writes = append(t.writes, w)
	t.put(w, 1)
}

// put is not repeated when the checkpoint is concluded: then nobody waits for it.
func (t *task) put(w *write, try int) {
	store := t.spec.config.Store
	w.flying = true
	t.work("write snapshot", func(context.Context) (any, error) {
		return nil, store.Put(w.life, w.handle.Key, w.data)
	}, func(_ any, err error) error {
		w.flying = false
		switch {
		case w.concluded:
			if w.aborted {
				t.discard(w.handle.Key)
			}
			return nil
		case err != nil && try < persistTries:
			t.later(fmt.Sprint("persist ", w.checkpoint), persistBackOff<<try, func() {
				if !w.concluded {
					t.put(w, try+1)
				}
			})
			return nil
		case err != nil:
			w.declined = fmt.Sprintf("write %s: %v", w.handle.Key, err)
		}
		w.data = nil
		t.c.Tell(t.c.Parent(), w.ack)
		return nil
	})
}

// discard deletes the snapshot of an aborted checkpoint. What it leaves is swept behind the
// next complete one.
func (t *task) discard(key string) {
	store := t.spec.config.Store
	t.work("delete snapshot", func(ctx context.Context) (any, error) {
		return nil, store.Delete(ctx, key)
	}, func(_ any, err error) error {
		if err != nil {
			t.c.Log().Warn().Err(err).Str("key", key).Msg("the snapshot of an aborted checkpoint is left over")
		}
		return nil
	})
}

// later runs f as a turn of this task after d.
func (t *task) later(key string, d time.Duration, f func()) { t.c.After(key, d, call{f}) }

// call is a turn that was put off.
type call struct{ f func() }
