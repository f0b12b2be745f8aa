package nexmark

import (
	"context"
	"testing"
	"time"

	"blink/operator"
)

// pages is Ledger in a test.
type pages struct {
	told []Tally
	all  map[TallyID]Digest
}

func (p *pages) Add(_ context.Context, _ operator.FS, t Tally) error {
	p.told = append(p.told, t)
	p.all[t.ID()] = t.Digest
	return nil
}

func (p *pages) sum() (d Digest) {
	for _, t := range p.all {
		d.Merge(t)
	}
	return d
}

// writes is one attempt of a sink's task.
func writes(t *testing.T, subtask int, attempt uint32) *digester[Pick] {
	t.Helper()
	return &digester[Pick]{add: (*Pick).AddTo, info: operator.WriterInfo{Subtask: subtask, Attempt: operator.Attempt{Epoch: 1, N: attempt}}}
}

func (w *digester[T]) prepared(t *testing.T, checkpoint uint64, rows ...T) []Tally {
	t.Helper()
	for i := range rows {
		if err := w.Write(&rows[i], time.Time{}); err != nil {
			t.Fatal(err)
		}
	}
	all, err := w.Prepare(context.Background(), checkpoint)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestADigestIsExactWhateverIsRepeated goes through a failure and a rescale: checkpoint 2 is
// complete and its commit is repeated by another task; what came behind it is written again.
func TestADigestIsExactWhateverIsRepeated(t *testing.T) {
	to := &pages{all: map[TallyID]Digest{}}
	commit := func(subtask int, all ...Tally) {
		t.Helper()
		if err := (adder{to}).Commit(context.Background(), operator.WriterInfo{Subtask: subtask}, 0, all); err != nil {
			t.Fatal(err)
		}
	}
	a, b := writes(t, 0, 1), writes(t, 1, 1)
	a1, b1 := a.prepared(t, 1, Pick{1, 1}), b.prepared(t, 1, Pick{2, 2}, Pick{3, 3})
	commit(0, a1...)
	commit(1, b1...)
	a2, b2 := a.prepared(t, 2, Pick{4, 4}), b.prepared(t, 2, Pick{5, 5})
	commit(0, a2...)
	if lost := b.prepared(t, 3, Pick{6, 6}); len(lost) != 1 {
		t.Fatalf("%d tallies", len(lost))
	}
	// The job fails, and goes on from checkpoint 2 with one task.
	commit(0, append(a2, b2...)...)
	c := writes(t, 0, 2)
	commit(0, c.prepared(t, 3, Pick{6, 6}, Pick{7, 7})...)
	commit(0, c.prepared(t, 4)...)

	var want Digest
	for i := range int64(7) {
		(&Pick{i + 1, i + 1}).AddTo(&want)
	}
	if have := to.sum(); have != want {
		t.Errorf("have %+v, want %+v", have, want)
	}
	if n := len(to.told); n != 6 {
		t.Errorf("%d tallies were told, of which one twice, and an empty one is none", n)
	}
}
