package nexmark

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"blink/connector/nexmark"
	"blink/examples/nexmark/job"
	"blink/operator"
)

func measured(t *testing.T, o Options) Result {
	t.Helper()
	r, err := Run(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// windowed are the queries whose rows come as event time passes: with windows, with sessions and
// with auctions that expire.
var windowed = []string{"q4", "q5", "q7", "q8", "q9", "q11"}

// many events are 30 s of event time: windows of 10 s close twice before the end of the input, and
// sessions do.
const (
	some = 60_000
	many = 300_000
)

func TestEveryQueryHasTheDigestOfItsLoop(t *testing.T) {
	for _, q := range job.Queries() {
		for _, p := range []int{1, 2, 5} {
			t.Run(fmt.Sprintf("%s, p = %d", q, p), func(t *testing.T) {
				o := Options{Query: q, Events: some, Parallelism: p, CheckpointEvery: 50 * time.Millisecond, Full: true}
				if slices.Contains(windowed, q) {
					o.Events = many
				}
				r := measured(t, o)
				if r.Rows == 0 || r.Full == "" || r.CPUSeconds <= 0 || r.GeneratorCPUSeconds <= 0 || r.LoopCPUSeconds <= 0 || r.WallSeconds <= 0 {
					t.Errorf("%+v", r)
				}
			})
		}
	}
}

// few are queries without windows to fill, or that keep something for nearly every event:
// they show what they have to at fewer events. q15's only row comes at the end.
var few = []string{"q15", "q16", "q17", "q18", "q19", "q20"}

// TestPanicsLeaveTheDigestsAsTheyAre lets the sink fail in the middle: of every query, and with
// two tasks of each operator where event time comes from both.
func TestPanicsLeaveTheDigestsAsTheyAre(t *testing.T) {
	for p, queries := range map[int][]string{1: job.Queries(), 2: windowed} {
		for _, q := range queries {
			t.Run(fmt.Sprintf("%s, p = %d", q, p), func(t *testing.T) {
				o := Options{Query: q, Events: many, Parallelism: p, CheckpointEvery: 5 * time.Millisecond, Full: true,
					Inject: []string{"panic=digest@50%", "panic=digest@30%"}}
				if slices.Contains(few, q) {
					o.Events = some
				}
				r := measured(t, o)
				for r.Resumed == 0 && o.Events < 20_000_000 { // faster than a checkpoint: no panic had one to go back to
					o.Events *= 4
					r = measured(t, o)
				}
				// Two tasks may fail at once, and restart together.
				if r.Restarts == 0 || r.Restarts > int64(len(o.Inject)) || r.Checkpoints == 0 || r.Resumed == 0 || r.Resumed > r.Restarts {
					t.Errorf("%d restarts, of which %d resumed, %d checkpoints", r.Restarts, r.Resumed, r.Checkpoints)
				}
			})
		}
	}
}

func TestSharesOfTheRowsBecomeNumbers(t *testing.T) {
	have := dueAt([]string{"panic=digest@50%", "panic=digest/1@5", "panic=jobmaster@2", "panic=digest@1%"}, 60, 2)
	if want := []string{"panic=digest@15", "panic=digest/1@5", "panic=jobmaster@2", "panic=digest@1"}; !slices.Equal(have, want) {
		t.Errorf("have %v, want %v", have, want)
	}
	for _, wrong := range []string{"panic=digest@0%", "panic=digest@100%", "panic=digest@x%", "panic=digest/1@50%", "panic=winners@50%", "%"} {
		if checkShares([]string{"panic=digest@5", wrong}) == nil {
			t.Errorf("%s is taken", wrong)
		}
	}
}

func TestAWrongDigestIsAnError(t *testing.T) {
	o := Options{Query: "q2", Events: 1_000_000, Parallelism: 1}
	for _, c := range []struct {
		have, want nexmark.Digest
		says       string
	}{
		{nexmark.Digest{Rows: 1}, nexmark.Digest{Rows: 2}, "of the plain loop"},
		{nexmark.Digest{Rows: 1}, nexmark.Digest{Rows: 1}, "6932 rows, cheap 587396fa7cda9734"},
	} {
		if err := o.compare(c.have, c.want); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%v and %v: %v", c.have, c.want, err)
		}
	}
}

func TestOnlyDigestsThatDependOnTheOrderMayDiffer(t *testing.T) {
	for _, c := range []struct {
		query       string
		parallelism int
		have        nexmark.Digest // of a loop with two rows
		ok          bool
	}{
		{"q17", 1, nexmark.Digest{Rows: 2, Cheap: 1}, false},
		{"q17", 2, nexmark.Digest{Rows: 2, Cheap: 1}, true},
		{"q17", 2, nexmark.Digest{Rows: 3}, false}, // it has a row for each bid, in whatever order
		{"q19", 1, nexmark.Digest{Rows: 3}, false},
		{"q19", 2, nexmark.Digest{Rows: 3}, true},
		{"q12", 1, nexmark.Digest{Rows: 3}, true},
	} {
		o := Options{Query: c.query, Parallelism: c.parallelism}
		if err := o.compare(c.have, nexmark.Digest{Rows: 2}); (err == nil) != c.ok {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

func TestATallyCountsOnce(t *testing.T) {
	l := newLedger(nexmark.Digest{})
	add := func(checkpoint uint64, subtask int, attempt uint32) {
		t.Helper()
		tally := nexmark.Tally{Checkpoint: checkpoint, Subtask: subtask, Attempt: operator.Attempt{Epoch: 1, N: attempt}, Digest: nexmark.Digest{Rows: 1}}
		if err := l.Add(context.Background(), nil, tally); err != nil {
			t.Fatal(err)
		}
	}
	add(1, 0, 1)
	add(1, 0, 1)
	if l.sum.Rows != 1 {
		t.Errorf("the same tally twice gives %d rows", l.sum.Rows)
	}
	add(2, 0, 1)
	add(2, 1, 1)
	add(2, 1, 2)
	if l.sum.Rows != 4 {
		t.Errorf("four tallies give %d rows", l.sum.Rows)
	}
}
