package jobmaster

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"blink/actors"
	"blink/jobmaster/exec"
	"blink/jobmaster/leader"
	"blink/protos"
	"blink/snapshot"
	"blink/snapshot/store"
)

// do carries out one action of the machine.
func (j *JobMaster) do(a exec.Action) {
	switch a := a.(type) {
	case exec.Hello:
		j.send(a.Node, helloOf(a, j.config.Job, j.lead.Epoch, j.c.Self()))
	case exec.Deploy:
		j.send(a.Node, deployOf(a, j.config.Job, j.lead.Epoch))
	case exec.Cancel:
		j.send(a.Node, &protos.Cancel{Job: j.config.Job, Epoch: j.lead.Epoch, Task: protoTask(a.Task), UpTo: a.UpTo})
	case exec.Trigger:
		j.trigger(a)
	case exec.Finalize:
		j.send(a.Node, &protos.Finalize{Job: j.config.Job, Epoch: j.lead.Epoch, Task: protoTask(a.Task), Attempt: a.Attempt, Checkpoint: a.Checkpoint})
	case exec.Enumerate:
		j.enumerate()
	case exec.StoreSplits:
		j.storeSplits(a, 1)
	case exec.StoreResult:
		j.storeResult(j.resultOf(a.Result), 1)
	case exec.Place:
		j.c.Tell(j.place, a)
	case exec.Release:
		j.c.Tell(j.place, a)
	case exec.Available:
		j.available(a)
	case exec.StoreManifest:
		j.writing++
		j.storeManifest(a.Manifest, 1)
	case exec.AdvancePointer:
		j.advancePointer(a)
	case exec.Collect:
		j.collect(a)
	case exec.Wake:
		if !a.At.Equal(j.wakeAt) {
			j.wakeAt = a.At
			j.c.After("wake", a.At.Sub(j.c.Now()), wake{})
		}
	case exec.Note:
		j.c.Log().Info().Str("job", j.config.Job).Uint64("epoch", j.lead.Epoch).Msg(a.Text)
		j.observe(a.Text)
	case exec.Finish:
		r := j.resultOf(a)
		if j.stored != nil {
			r = *j.stored
		}
		j.end(r)
	case exec.StepDown:
		j.resign(a.Reason)
	default:
		panic(fmt.Sprintf("invariant: jobmaster: unknown action %T", a))
	}
}

func (j *JobMaster) send(node string, m any) {
	j.c.Tell(actors.Ref{Node: node, ID: executorID}, m)
}

// executorID is the name of every TaskExecutor's root actor.
const executorID = "te"

func (j *JobMaster) trigger(a exec.Trigger) {
	if a.Checkpoint != j.triggered {
		j.triggered, j.began = a.Checkpoint, j.c.Now()
	}
	m := &protos.Trigger{Job: j.config.Job, Epoch: j.lead.Epoch, Checkpoint: a.Checkpoint, Stop: a.Stop}
	for _, t := range a.Tasks {
		m.Tasks = append(m.Tasks, &protos.TaskAttempt{Task: protoTask(t.Task), Attempt: t.Attempt})
	}
	j.send(a.Node, m)
	if j.config.OnTrigger != nil {
		j.config.OnTrigger(a.Checkpoint)
	}
}

// enumerate asks every source for its splits.
func (j *JobMaster) enumerate() {
	program, fs := j.program, j.config.FS
	j.c.Go("enumerate splits", func(ctx context.Context) (any, error) {
		splits := []exec.Splits{}
		for i, f := range program.Factories {
			if f.Splits == nil {
				continue
			}
			items, err := f.Splits(ctx, fs)
			if err != nil {
				return nil, fmt.Errorf("operator %q: %w", program.Job.Operators[i].ID, err)
			}
			splits = append(splits, exec.Splits{Operator: program.Job.Operators[i].ID, Items: items})
		}
		return splits, nil
	}, func(v any, err error) {
		if err != nil {
			j.step(exec.EnumerateFailed{Reason: err.Error()})
			return
		}
		j.step(exec.Enumerated{Splits: v.([]exec.Splits)})
	})
}

const (
	storeTries      = 4
	resultTries     = 3
	collectTries    = 10
	storeBackOff    = 50 * time.Millisecond
	maxStoreBackOff = 2 * time.Second
)

// storeSplits makes the splits durable. What an earlier leader stored stands: it may have
// been read from.
func (j *JobMaster) storeSplits(a exec.StoreSplits, try int) {
	var parts []snapshot.Part
	for _, s := range a.Splits {
		parts = append(parts, snapshot.Part{Operator: s.Operator, Items: s.Items})
	}
	data, err := snapshot.EncodeParts(parts)
	if err != nil {
		j.step(exec.EnumerateFailed{Reason: err.Error()})
		return
	}
	data = snapshot.Seal(data)
	config := j.config
	j.c.Go("store splits", func(ctx context.Context) (any, error) {
		return nil, config.Store.PutNew(ctx, splitsKey, data)
	}, func(_ any, err error) {
		switch {
		case err == nil:
			j.step(exec.SplitsStored{})
		case errors.Is(err, store.ErrExists):
			j.resign("another leader has stored other splits")
		default:
			j.again("store splits", try, err, func() { j.storeSplits(a, try+1) })
		}
	})
}

// again runs f as a turn after a back-off that grows with try. It takes the place of what
// waits under the same name.
func (j *JobMaster) again(what string, try int, err error, f func()) {
	j.c.Log().Warn().Err(err).Int("try", try).Msg(what)
	j.c.After(what, min(storeBackOff<<min(try, 10), maxStoreBackOff), retry{f})
}

// retry is a turn that was put off.
type retry struct{ f func() }

func (j *JobMaster) storeManifest(m *snapshot.Manifest, try int) {
	key, data, objects := m.Key(), m.Encode(), j.config.Store
	j.c.Go("store manifest", func(ctx context.Context) (any, error) {
		return nil, objects.Put(ctx, key, data)
	}, func(_ any, err error) {
		if err != nil && try < storeTries {
			j.again("store "+key, try, err, func() { j.storeManifest(m, try+1) })
			return
		}
		j.writing--
		if err != nil {
			j.step(exec.StoreFailed{Checkpoint: m.Checkpoint, Reason: err.Error()})
		} else {
			j.size = sizeOf(m)
			j.step(exec.ManifestStored{Checkpoint: m.Checkpoint})
		}
		j.sweep(1)
	})
}

// sizeOf is how many bytes the tasks have written for a checkpoint.
func sizeOf(m *snapshot.Manifest) (size int64) {
	for _, t := range m.Tasks {
		size += t.Handle.Size
	}
	return size
}

func (j *JobMaster) advancePointer(a exec.AdvancePointer) {
	s, job, session, was := j.config.Leader, j.config.Job, j.lead.Session, j.pointer
	j.c.Go("advance the pointer", func(ctx context.Context) (any, error) {
		return nil, s.Advance(ctx, job, session, was, a.Key)
	}, func(_ any, err error) {
		switch {
		case err == nil:
			j.forget(was)
			j.pointer, j.manifest = a.Key, a.Key
			j.status.Checkpoints++
			j.status.Bytes = j.size
			j.status.Duration = j.c.Now().Sub(j.began)
			j.step(exec.PointerAdvanced{Checkpoint: a.Checkpoint})
		case errors.Is(err, leader.ErrFenced) || errors.Is(err, leader.ErrSession):
			j.step(exec.Fenced{})
		default:
			j.c.Log().Warn().Err(err).Uint64("checkpoint", a.Checkpoint).Msg("advance the pointer")
			j.step(exec.AdvanceFailed{Checkpoint: a.Checkpoint})
		}
	})
}

// forget deletes the result of an earlier run, if the pointer named one, and if it can: it is
// small.
func (j *JobMaster) forget(key string) {
	if !strings.HasPrefix(key, resultPrefix) {
		return
	}
	objects := j.config.Store
	j.c.Go("delete the result of an earlier run", func(ctx context.Context) (any, error) {
		return nil, objects.Delete(ctx, key)
	}, func(_ any, err error) {
		if err != nil {
			j.c.Log().Warn().Err(err).Msg(key + " of an earlier run is left over")
		}
	})
}

// resultPrefix is what the keys of results begin with. The pointer names the result of a job
// that has ended, and the result its newest checkpoint.
const resultPrefix = "result-"

func (j *JobMaster) resultOf(f exec.Finish) Result {
	return Result{Run: j.config.Run, State: f.State, Reason: f.Reason, Stuck: f.Stuck, Checkpoint: j.manifest, Counters: j.m.Counters()}
}

// storeResult is repeated until it is durable, or another leader acts; resultTries times at most
// unless the job has finished, for then all that it has written is published.
func (j *JobMaster) storeResult(r Result, try int) {
	config, session, was := j.config, j.lead.Session, j.pointer
	key := fmt.Sprintf("%s%d", resultPrefix, j.lead.Epoch)
	j.c.Go("store the result", func(ctx context.Context) (any, error) {
		data, err := json.Marshal(r)
		if err == nil {
			err = config.Store.Put(ctx, key, data)
		}
		if err == nil {
			err = config.Leader.Advance(ctx, config.Job, session, was, key)
		}
		return nil, err
	}, func(_ any, err error) {
		switch {
		case err == nil:
			j.forget(was)
			j.stored, j.pointer = &r, key
			j.step(exec.ResultStored{})
		case errors.Is(err, leader.ErrFenced) || errors.Is(err, leader.ErrSession):
			j.step(exec.Fenced{})
		case try >= resultTries && r.State != exec.JobFinished:
			j.step(exec.ResultNotStored{Reason: err.Error()})
		default:
			j.again("store the result", try, err, func() { j.storeResult(r, try+1) })
		}
	})
}

// collect deletes what no retained checkpoint needs. A newer Collect takes the place of one
// that waits.
func (j *JobMaster) collect(a exec.Collect) {
	j.garbage = &a
	j.sweep(1)
}

// sweep does the Collect that waits, when no other one runs and no manifest is being written
// that it would miss. It is repeated when something could not be deleted, up to collectTries
// times; what is left then is garbage of the next collection too.
func (j *JobMaster) sweep(try int) {
	if j.garbage == nil || j.sweeping || j.writing > 0 {
		return
	}
	a, objects, epoch := *j.garbage, j.config.Store, j.lead.Epoch
	j.garbage, j.sweeping = nil, true
	j.c.Go("list garbage", func(ctx context.Context) (any, error) {
		keys, err := objects.List(ctx, snapshot.CheckpointsPrefix)
		return snapshot.Garbage(keys, a.Keep, a.Newest, epoch), err
	}, func(v any, err error) {
		if err != nil {
			j.swept(a, try, err)
			return
		}
		j.deleteAll(v.([]string), func(err error) { j.swept(a, try, err) })
	})
}

// deleters bounds the deletions under way: a store takes them side by side, and one after the
// other they would fall behind the checkpoints of a large job.
const deleters = 16

// deleteAll deletes objects, and then calls back.
func (j *JobMaster) deleteAll(keys []string, then func(error)) {
	share := max(32, (len(keys)+deleters-1)/deleters) // a few are not worth the trouble
	shares := slices.Collect(slices.Chunk(keys, share))
	if len(shares) == 0 {
		then(nil)
		return
	}
	objects, left, errs := j.config.Store, len(shares), []error(nil)
	for _, share := range shares {
		j.c.Go("collect garbage", func(ctx context.Context) (any, error) {
			var errs []error
			for _, k := range share {
				errs = append(errs, objects.Delete(ctx, k))
			}
			return nil, errors.Join(errs...)
		}, func(_ any, err error) {
			errs = append(errs, err)
			if left--; left == 0 {
				then(errors.Join(errs...))
			}
		})
	}
}

// swept goes on behind a collection.
func (j *JobMaster) swept(a exec.Collect, try int, err error) {
	j.sweeping = false
	switch {
	case j.garbage != nil:
		j.sweep(1)
	case err != nil && try < collectTries:
		j.garbage = &a
		j.again("collect garbage", try, err, func() { j.sweep(try + 1) })
	default:
		if err != nil {
			j.c.Log().Warn().Err(err).Msg("objects of old checkpoints are left over")
		}
		j.step(exec.Collected{})
	}
}
