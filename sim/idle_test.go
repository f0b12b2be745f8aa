package sim

import (
	"context"
	"fmt"
	"io"
	"testing"
	"time"

	"blink"
	"blink/connector/files"
	"blink/operator"
)

// shift is a split with a record for each second of a minute, or with none. It ends when the job
// has shown what is wanted of it.
type shift struct{ Split, Next int }

func (s shift) ID() string { return fmt.Sprint("shift ", s.Split) }

type shifts int

func (n shifts) Splits(context.Context, blink.FS) ([]shift, error) {
	all := make([]shift, n)
	for i := range all {
		all[i].Split = i
	}
	return all, nil
}

type shiftReader struct {
	shift
	wait func() (over bool)
}

func (r *shiftReader) Next(ctx context.Context, into *blink.Records[int64]) error {
	for r.Split == 0 && r.shift.Next < 60 {
		into.Append(int64(r.shift.Next), time.Time{})
		if r.shift.Next++; into.Full() {
			return nil
		}
	}
	if r.wait() {
		return io.EOF
	}
	return ctx.Err()
}

func (r *shiftReader) Position() shift { return r.shift }

func (r *shiftReader) Close() error { return nil }

// The splits that have nothing to say end only when the windows behind them have fired: whatever
// goes wrong, they are not waited for, before and after a restore.
func TestWindowsFireUnderFaultsThoughSplitsAreSilent(t *testing.T) {
	for seed := uint64(1); seed <= 12; seed++ {
		var control Control
		fired := map[paneRow]bool{}
		w := Workload{Name: "silent", Records: 60, Control: func(c Control) { control = c }}
		w.Program = func() (*operator.Program, error) {
			job := blink.NewJob("silent", nil).Parallelism(1 + int(seed)%4)
			job.Read(blink.NewSource(blink.SourceOptions{Name: "shifts", Bounded: true}, shifts(3), func(_ context.Context, _ blink.FS, s shift) (blink.Reader[int64, shift], error) {
				return &shiftReader{s, func() bool {
					control.Sleep(100 * time.Millisecond)
					return len(fired) == 5*2 // the last windows are open
				}}, nil
			})).ID("shifts").
				EventTime(func(n int64) time.Time { return time.Unix(n, 0) }, blink.Ascending().Idle(50*time.Millisecond)).
				KeyBy(func(n int64) int64 { return n % 2 }).Window(blink.Tumbling(10 * time.Second)).Count().ID("counts").
				Map(func(p blink.Pane[int64, int64]) paneRow {
					row := paneRow{p.Key, p.Start.Unix(), p.Value, 0}
					fired[row] = true
					return row
				}).Write(files.CSV("out/"))
			return job.Program()
		}
		w.Check = func(map[string]string) error {
			for key := range int64(2) {
				for start := int64(0); start < 60; start += 10 {
					if !fired[paneRow{key, start, 5, 0}] {
						return fmt.Errorf("no window of key %d at %d with 5 records", key, start)
					}
				}
			}
			if len(fired) != 6*2 {
				return fmt.Errorf("%d windows, want 12: %v", len(fired), fired)
			}
			return nil
		}
		s, err := Draw(seed, w)
		if err != nil {
			t.Fatal(err)
		}
		if out := Run(seed, s); out.Err != nil {
			t.Errorf("seed %d: %v\n%v", seed, out.Err, out.Plan)
		}
	}
}
