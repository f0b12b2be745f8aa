package sim

import (
	"context"
	"errors"
	"io"
	"testing"
	"time"

	"blink"
	"blink/connector/files"
	"blink/operator"
)

func draw(t *testing.T, seed uint64) Scenario {
	t.Helper()
	s, err := Draw(seed, Workload{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestRandomJobsSurviveFaults(t *testing.T) {
	for seed := uint64(1); seed <= 60; seed++ {
		if out := Run(seed, draw(t, seed)); out.Err != nil {
			t.Errorf("seed %d: %v\n%v", seed, out.Err, out.Plan)
		}
	}
}

func TestASeedHasOneHash(t *testing.T) {
	for seed := uint64(100); seed < 110; seed++ {
		a, b := Run(seed, draw(t, seed)), Run(seed, draw(t, seed))
		if a.Hash != b.Hash || a.Events != b.Events {
			t.Errorf("seed %d: %d events with hash %016x, then %d with %016x", seed, a.Events, a.Hash, b.Events, b.Hash)
		}
	}
}

// A job that is wrong when it was run again with another parallelism: every fault but the
// stop is noise.
func TestShrinkKeepsOnlyTheFaultsThatBreak(t *testing.T) {
	const second = time.Second
	scenario := func() (Scenario, error) {
		s := draw(t, 2)
		s.Faults = []Fault{
			{At: second, Kind: SlowStore, For: second}, {At: 3 * second, Kind: StopJob, For: second}, {At: 2 * second, Kind: LossyNetwork, For: second},
		}
		rescaled, rescale, check := false, s.Workload.Rescale, s.Workload.Check
		s.Workload.Rescale = func() { rescale(); rescaled = true }
		s.Workload.Check = func(files map[string]string) error {
			if rescaled {
				return errors.New("it was rescaled")
			}
			return check(files)
		}
		return s, nil
	}
	s, err := scenario()
	if err != nil {
		t.Fatal(err)
	}
	out := Run(2, s)
	if out.Broken() != "I1" {
		t.Fatalf("broke %q: %v", out.Broken(), out.Err)
	}
	if plan := Shrink(2, scenario, out, 100); len(plan) != 1 || plan[0].Kind != StopJob {
		t.Errorf("%v is left", plan)
	}
}

// few is a drop of fifty numbers, as many at once as it may.
type few struct{ drop }

func (f *few) Next(_ context.Context, into *blink.Records[int64]) error {
	for ; !into.Full(); f.N++ {
		if f.N == 50 {
			return io.EOF
		}
		into.Append(f.N, time.Time{})
	}
	return nil
}

// A hundred records at ten a second take ten seconds, however many tasks read them, and they
// do not come all at once.
func TestARateIsThatOfASourceOverItsTasks(t *testing.T) {
	for _, c := range []struct{ splits, tasks int }{{2, 1}, {2, 2}, {2, 3}} {
		took, seen := rated(t, 10, c.splits, c.tasks)
		if took < 9*time.Second || took > 12*time.Second {
			t.Errorf("%d splits in %d tasks took %v", c.splits, c.tasks, took)
		}
		for i, at := range seen {
			if due := time.Duration(i) * time.Second / 10; at-seen[0] < due-time.Second || at-seen[0] > due+2*time.Second {
				t.Errorf("%d splits in %d tasks: record %d comes %v behind the first", c.splits, c.tasks, i, at-seen[0])
				break
			}
		}
	}
}

// rated runs a job with a source of a rate, and says how long it took and when each record came.
func rated(t *testing.T, rate float64, splits, tasks int) (took time.Duration, seen []time.Duration) {
	t.Helper()
	var control Control
	w := Workload{Name: "rated", Control: func(c Control) { control = c }, Check: func(map[string]string) error { return nil }}
	w.Program = func() (*operator.Program, error) {
		o := blink.SourceOptions{Name: "few", Bounded: true}
		source := blink.NewSource(o, drops(splits), func(_ context.Context, _ blink.FS, d drop) (blink.Reader[int64, drop], error) {
			return &few{d}, nil
		})
		job := blink.NewJob("rated", nil).Parallelism(tasks)
		job.Read(source).ID("few").Map(func(n int64) factRow {
			seen = append(seen, control.Now())
			return factRow{ID: n}
		}).Write(files.CSV("out/"))
		return job.Program()
	}
	s := Calm(w)
	s.Rate = rate
	out := Run(1, s)
	if out.Err != nil || out.Records != 50*splits || len(seen) != 50*splits {
		t.Fatalf("%d records, %d seen: %v", out.Records, len(seen), out.Err)
	}
	return out.Virtual, seen
}
