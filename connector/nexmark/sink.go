package nexmark

import (
	"context"
	"time"

	"blink/operator"
)

// DigestTo is a sink that keeps of its records their digest only. add counts a record: the
// method AddTo of a row, such as (*Trade).AddTo. The rows are added to empty, which is
// Digest{} or WithFull(). What a task has added up between two checkpoints is handed to the
// ledger when the later one is complete, so that the sum is exact whatever fails.
func DigestTo[T any](to Ledger, empty Digest, add func(*T, *Digest)) operator.SinkOf[T] {
	open := func(_ context.Context, info operator.WriterInfo) (operator.Writer[T, Tally], error) {
		return &digester[T]{add: add, sum: empty, empty: empty, info: info}, nil
	}
	return operator.NewSink("Nexmark digest", open, adder{to})
}

// Tally is what one task has written up to a checkpoint since the one before it.
type Tally struct {
	Checkpoint uint64
	Subtask    int
	Attempt    operator.Attempt
	Digest     Digest
}

// TallyID tells tallies of one sink apart.
type TallyID struct {
	Checkpoint uint64
	Subtask    int
	Attempt    operator.Attempt
}

// ID of the tally.
func (t *Tally) ID() TallyID { return TallyID{t.Checkpoint, t.Subtask, t.Attempt} }

// Ledger keeps the tallies of complete checkpoints. Add is told each of them at least once,
// by whichever task, and counts it once, by its ID; it is kept when Add returns. Safe for
// concurrent use.
type Ledger interface {
	Add(ctx context.Context, fs operator.FS, t Tally) error
}

// digester is operator.Writer.
type digester[T any] struct {
	add        func(*T, *Digest)
	sum, empty Digest
	info       operator.WriterInfo
}

// Write is called for each row, so it does nothing else.
func (w *digester[T]) Write(rec *T, _ time.Time) error {
	w.add(rec, &w.sum)
	return nil
}

// Flush has nothing to make room for.
func (w *digester[T]) Flush(context.Context) error { return nil }

// Prepare gives the sum away. The tally is stored in the checkpoint, which makes it durable.
func (w *digester[T]) Prepare(_ context.Context, checkpoint uint64) ([]Tally, error) {
	if w.sum == w.empty {
		return nil, nil
	}
	t := Tally{checkpoint, w.info.Subtask, w.info.Attempt, w.sum}
	w.sum = w.empty
	return []Tally{t}, nil
}

// Close has nothing to give back.
func (w *digester[T]) Close() error { return nil }

// adder is operator.Committer.
type adder struct{ to Ledger }

// Commit hands the tallies on, also those that another task has prepared before a rescale.
func (a adder) Commit(ctx context.Context, info operator.WriterInfo, _ uint64, prepared []Tally) error {
	for _, t := range prepared {
		if err := a.to.Add(ctx, info.FS, t); err != nil {
			return err
		}
	}
	return nil
}
