package taskexec

import (
	"context"
	"fmt"
	"slices"
	"time"

	"blink/internal/mutate"
	"blink/snapshot"
)

// snapshotState is how far a task is with its checkpoints. One is taken at a time, while what
// earlier ones have frozen is on its way to the store:
//
//	aligned ──barrier──► preparing ──► frozen ──drained──► written ──acknowledged, concluded──►
//
// The chain rests while sinks prepare, and for a stop checkpoint until it is drained.
type snapshotState struct {
	stopAt uint64           // the newest stop checkpoint that was triggered
	rests  uint64           // the checkpoint for which the chain rests; 0: it does not
	since  time.Time        // when it came to rest
	frozen *frozen          // what is being encoded; nil: nothing is
	writes []*write         // of checkpoints that are not concluded
	chains []snapshot.Chain // what was written before, by operator
	onto   uint64           // the checkpoint that deltas may go onto; 0: none
}

// triggered begins a checkpoint; the aligner says when the snapshot is due. A task that
// rests behind an earlier one goes on. One checkpoint is taken at a time: a snapshot of an
// earlier one that is not encoded by now is given up.
func (t *task) triggered(m startCheckpoint) {
	if t.snap.frozen != nil && m.id > t.snap.frozen.checkpoint {
		t.thaw()
	}
	if t.phase == stopped && m.id > t.restsAt {
		t.phase = t.resting
		t.press.Rested(t.c.Now().Sub(t.snap.since))
		t.tell()
	}
	if m.stop {
		t.snap.stopAt = max(t.snap.stopAt, m.id)
	}
	t.in.align.trigger(m.id)
}

// concluded learns which checkpoints are decided: an aborted one is aligned no longer and its
// snapshot is not needed, a complete one lets sinks commit.
func (t *task) concluded(m concluded) {
	t.in.align.conclude(m.concluded)
	if t.snap.frozen != nil && m.concluded >= t.snap.frozen.checkpoint {
		t.thaw()
	}
	t.snap.onto = m.onto
	for i := range t.snap.chains {
		t.snap.chains[i].Concluded(m.concluded, m.completed)
	}
	t.sinks.completed = max(t.sinks.completed, m.completed)
	t.snap.writes = slices.DeleteFunc(t.snap.writes, func(w *write) bool {
		if w.checkpoint > m.concluded {
			return false
		}
		w.concluded, w.aborted = true, w.checkpoint > m.completed
		w.stop()
		if w.aborted && !w.flying {
			t.discard(w.key)
		}
		return true
	})
	t.sinkWork()
}

// checkpoint takes the snapshot of checkpoint id: the barrier goes on at once, sinks
// prepare off the actor while the chain rests, then the state is frozen, and encoded and
// written while records flow again.
func (t *task) checkpoint(id uint64) error {
	t.thaw() // of an earlier one: it was aborted
	t.in.align.conclude(id)
	t.chain.checkEmpty()
	t.out.barrier(id)
	t.snap.rests, t.snap.since = id, t.c.Now()
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
	f, err := t.freeze(id)
	if err != nil {
		return err
	}
	t.snap.frozen = f
	if !f.stop {
		t.goOn()
	}
	return t.drain() // what is small is done at once
}

// goOn ends the rest of the chain, if it rests.
func (t *task) goOn() {
	if t.snap.rests != 0 {
		t.snap.rests = 0
		t.press.Rested(t.c.Now().Sub(t.snap.since))
	}
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
	object
	parts     []snapshot.Part // nil when they are encoded
	life      context.Context
	stop      context.CancelFunc
	flying    bool
	concluded bool
	aborted   bool
}

// object is the form in which a snapshot is stored.
type object struct {
	key    string
	data   []byte
	handle handle
}

// encode makes the object of the parts; on no task's turn, for it takes as long as they are large.
func (o object) encode(parts []snapshot.Part) (object, error) {
	if o.data != nil {
		return o, nil // it is written again
	}
	var err error
	if o.data, err = snapshot.EncodeParts(parts); err == nil {
		o.handle = snapshot.HandleOf(o.key, o.data)
	}
	return o, err
}

// persist writes the parts and acknowledges when they are durable. A write that goes on
// failing declines the checkpoint; the task lives on.
func (t *task) persist(id uint64, parts []snapshot.Part) {
	d := t.spec.deploy
	w := &write{
		ack:    ack{checkpoint: id, task: d.task, attempt: d.attempt, parts: snapshot.Summarize(parts)},
		object: object{key: t.snapshotKey(id)}, parts: parts,
	}
	if mutate.On(mutate.AckBeforeDurable) {
		w.object, _ = w.encode(parts) // what cannot be encoded is declined below
		t.acknowledge(w)
	}
	w.life, w.stop = context.WithCancel(t.life)
	t.snap.writes = append(t.snap.writes, w)
	t.put(w, 1)
}

// put is not repeated when the checkpoint is concluded: then nobody waits for it.
func (t *task) put(w *write, try int) {
	store, o, parts := t.spec.config.Store, w.object, w.parts
	w.flying, w.parts = true, nil
	t.work("write snapshot", func(context.Context) (any, error) {
		o, err := o.encode(parts)
		if err != nil {
			return o, err
		}
		return o, store.Put(w.life, o.key, o.data)
	}, func(v any, err error) error {
		w.flying = false
		if o, ok := v.(object); ok {
			w.object = o
		}
		switch {
		case w.concluded:
			if w.aborted {
				t.discard(w.key)
			}
			return nil
		case err != nil && w.data != nil && try < persistTries:
			t.later(fmt.Sprint("persist ", w.checkpoint), persistBackOff<<try, func() {
				if !w.concluded {
					t.put(w, try+1)
				}
			})
			return nil
		case err != nil:
			w.declined = fmt.Sprintf("write %s: %v", w.key, err)
		}
		w.data = nil
		t.acknowledge(w)
		return nil
	})
}

func (t *task) acknowledge(w *write) {
	w.ack.handle = w.object.handle
	t.c.Tell(t.c.Parent(), w.ack)
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
