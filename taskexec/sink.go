package taskexec

import (
	"context"
	"fmt"
	"time"

	"blink/internal/mutate"
	"blink/operator"
)

// sinkState is the blocking work that the sinks of a task have to do. One piece runs at a
// time, so calls on one writer never overlap.
type sinkState struct {
	ops        []operator.SinkOperator
	busy       bool
	prepare    uint64 // checkpoint to prepare for; 0 is none
	completed  uint64 // checkpoint to commit up to
	committed  uint64
	finalizing uint64 // checkpoint whose result is to be published
	finalized  uint64
	failures   int  // of commits in a row
	waiting    bool // for the back-off of a failed commit
}

const (
	commitBackOff    = 50 * time.Millisecond
	maxCommitBackOff = 5 * time.Second
	maxCommitTries   = 20
)

// sinkWork starts the next piece of blocking work, if none runs: a flush that the chain
// waits for, the preparation of a checkpoint, a commit, the publication.
func (t *task) sinkWork() {
	s := &t.sinks
	if s.busy || t.phase == opening || t.phase == closing {
		return
	}
	if len(s.ops) == 0 {
		s.committed = s.completed
	}
	for _, op := range s.ops {
		if op.Full() {
			t.sinkCall("flush", op.Flush, func(err error) error {
				if err == nil {
					op.Offer()
				}
				return err
			})
			return
		}
	}
	switch id := s.prepare; {
	case id != 0:
		t.sinkCall("prepare", t.everySink(id, operator.SinkOperator.Prepare), func(err error) error {
			if err != nil {
				return fmt.Errorf("checkpoint %d: %w", id, err)
			}
			s.prepare = 0
			if mutate.On(mutate.CommitBeforePointer) {
				s.completed = max(s.completed, id)
			}
			return t.prepared(id)
		})
	case s.completed > s.committed && !s.waiting:
		t.commit(s.completed)
	case s.finalizing > s.finalized && s.finalizing <= s.committed:
		t.finalize(s.finalizing)
	}
}

// sinkCall runs one piece off the actor; then is a turn, after which the next piece starts.
func (t *task) sinkCall(what string, f func(ctx context.Context) error, then func(err error) error) {
	t.sinks.busy = true
	t.work(what, func(ctx context.Context) (any, error) { return nil, f(ctx) }, func(_ any, err error) error {
		t.sinks.busy = false
		if err := then(err); err != nil {
			return err
		}
		t.sinkWork()
		t.tell()
		return nil
	})
}

func (t *task) everySink(id uint64, call func(op operator.SinkOperator, ctx context.Context, id uint64) error) func(context.Context) error {
	ops := t.sinks.ops
	return func(ctx context.Context) error {
		for _, op := range ops {
			if err := call(op, ctx, id); err != nil {
				return err
			}
		}
		return nil
	}
}

// commit makes visible what was prepared up to checkpoint id. It is repeated with back-off, and
// the first failure in a row is told; when it goes on failing the task fails, and commits again
// when it is restored.
func (t *task) commit(id uint64) {
	s := &t.sinks
	t.sinkCall("commit", t.everySink(id, operator.SinkOperator.Commit), func(err error) error {
		if err == nil {
			s.committed, s.failures = max(s.committed, id), 0
			return nil
		}
		if s.failures++; s.failures == maxCommitTries {
			return fmt.Errorf("commit checkpoint %d, tried %d times: %w", id, maxCommitTries, err)
		}
		if s.failures == 1 {
			t.c.Log().Warn().Err(err).Msg("commit failed: trying again")
		}
		s.waiting = true
		t.later("commit", min(commitBackOff<<s.failures, maxCommitBackOff), func() { s.waiting = false })
		return nil
	})
}

// finalize publishes the result of a bounded job.
func (t *task) finalize(id uint64) {
	t.sinkCall("finalize", t.everySink(id, operator.SinkOperator.Finalize), func(err error) error {
		if err != nil {
			return fmt.Errorf("publish the result: %w", err)
		}
		t.sinks.finalized = id
		return nil
	})
}
