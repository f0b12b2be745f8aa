package sim

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"blink"
	"blink/connector/files"
	"blink/operator"
)

// numbered gives its numbers, a few at a time, and ends when the job has shown what is wanted.
type numbered struct {
	drop
	end  int64
	wait func() (over bool)
}

func (r *numbered) Next(ctx context.Context, into *blink.Records[int64]) error {
	for n := 0; n < factsPerBatch && r.N < r.end; n++ {
		into.Append(r.drop.Split*r.end+r.N, time.Time{})
		r.N++
	}
	if r.N < r.end || !r.wait() {
		return ctx.Err()
	}
	return io.EOF
}

func (r *numbered) Position() drop { return r.drop }

// hold keeps numbers for a while by the clock.
type hold struct {
	kept  blink.List[int64]
	until blink.Timer
	shown func(int64)
}

func (h *hold) Process(c *blink.Ctx[int64], n int64, _ *blink.Out[int64]) error {
	h.kept.Append(n)
	if _, pending := h.until.Pending(); !pending {
		h.until.Set(c.Now().Add(time.Duration(1+n%50) * 10 * time.Millisecond))
	}
	return nil
}

func (h *hold) OnTimer(c *blink.Ctx[int64], _ *blink.Timer, out *blink.Out[int64]) error {
	if h.kept.Len() == 0 {
		return fmt.Errorf("invariant: a timer of key %d fired twice or without reason", c.Key())
	}
	for n := range h.kept.All() {
		out.Emit(n)
		h.shown(n)
	}
	h.kept.Clear()
	return nil
}

// clockJob holds numbers back by the clock. When a timer fires, and what it then finds, depends on
// how fast everything is; that every number comes out once does not. The input ends when a
// checkpoint is complete that knows of all: what is pending at the end is dropped.
func clockJob(parallelism int) Workload {
	const splits, each = 3, 40
	var control Control
	tasks := parallelism
	shown, after := map[int64]bool{}, uint64(0)
	w := Workload{Name: "clock", Records: splits * each, Control: func(c Control) { control = c }}
	w.Rescale = func() { tasks = 1 + tasks%4 }
	w.Program = func() (*operator.Program, error) {
		job := blink.NewJob("clock", nil).Parallelism(tasks)
		job.Read(blink.NewSource(blink.SourceOptions{Name: "numbers", Bounded: true}, drops(splits), func(_ context.Context, _ blink.FS, d drop) (blink.Reader[int64, drop], error) {
			return &numbered{d, each, func() bool {
				control.Sleep(100 * time.Millisecond)
				return len(shown) == splits*each && control.Completed() > after
			}}, nil
		})).ID("numbers").
			KeyBy(func(n int64) int64 { return n % 7 }).
			Process(&hold{until: blink.Timer{Processing: true}, shown: func(n int64) {
				if shown[n] = true; len(shown) == splits*each {
					after = control.Triggered()
				}
			}}).ID("hold").
			Map(func(n int64) factRow { return factRow{ID: n} }).Write(files.CSV("out/all.csv")).ID("out")
		return job.Program()
	}
	w.Check = func(all map[string]string) error {
		var want []string
		for n := range splits * each {
			want = append(want, fmt.Sprint(n, ",0,0"))
		}
		_, rows, _ := strings.Cut(all["out/all.csv"], "\n")
		got := strings.Fields(rows)
		slices.Sort(got)
		slices.Sort(want)
		if d := differ(got, want); d != "" {
			return fmt.Errorf("out/all.csv: %s", d)
		}
		return nil
	}
	return w
}

func TestTimersOfTheClockSurviveFaults(t *testing.T) {
	for seed := uint64(1); seed <= 20; seed++ {
		s, err := Draw(seed, clockJob(1+int(seed)%4))
		if err != nil {
			t.Fatal(err)
		}
		if out := Run(seed, s); out.Err != nil {
			t.Errorf("seed %d: %v\n%v", seed, out.Err, out.Plan)
		}
	}
}
