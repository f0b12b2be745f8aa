package cluster

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"blink"
	"blink/connector/files"
)

// callers are two splits. One has a call for each tenth of ten seconds; both end when told.
type callers struct {
	Silent bool
	Next   int
}

func (v callers) ID() string {
	if v.Silent {
		return "silent"
	}
	return "loud"
}

func (v callers) Splits(context.Context, blink.FS) ([]callers, error) {
	return []callers{{}, {Silent: true}}, nil
}

type callReader struct {
	at   callers
	over chan struct{}
}

func (r *callReader) Next(ctx context.Context, into *blink.Records[int]) error {
	if !r.at.Silent && r.at.Next == 0 {
		for ; r.at.Next < 100; r.at.Next++ {
			into.Append(r.at.Next, time.Time{})
		}
		return nil
	}
	select { // it waits, as one that reads from a connection
	case <-r.over:
		return io.EOF
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (r *callReader) Position() callers { return r.at }

func (r *callReader) Close() error { return nil }

// What is silent in one task holds back the windows of no other, and none of those behind other
// exchanges either: they fire while it is, for it ends only when they have.
func TestWindowsFireThoughASplitIsSilent(t *testing.T) {
	for name, between := range map[string]func(blink.Stream[int]) blink.Stream[int]{
		"behind the source":           func(s blink.Stream[int]) blink.Stream[int] { return s },
		"behind another exchange":     func(s blink.Stream[int]) blink.Stream[int] { return s.Rebalance().Map(func(n int) int { return n }) },
		"beside another such as well": func(s blink.Stream[int]) blink.Stream[int] { return s.Union(s.Filter(func(int) bool { return false })) },
	} {
		t.Run(name, func(t *testing.T) {
			over, fired := make(chan struct{}), make(chan struct{}, 1000)
			job := func(job *blink.Job) {
				out := job.String("out", "", "folder")
				s := job.Read(blink.NewSource(blink.SourceOptions{Name: "callers", Bounded: true}, callers{}, func(_ context.Context, _ blink.FS, v callers) (blink.Reader[int, callers], error) {
					return &callReader{v, over}, nil
				})).EventTime(func(n int) time.Time { return time.UnixMilli(int64(100 * n)) }, blink.Ascending().Idle(time.Millisecond))
				between(s).KeyBy(func(n int) int { return n % 10 }).Window(blink.Tumbling(time.Second)).Count().
					Map(func(p blink.Pane[int, int64]) int64 { fired <- struct{}{}; return p.Value }).
					Write(files.CSV(out + "/counts.csv"))
			}
			go func() {
				for range 9 * 10 { // all but the last windows
					<-fired
				}
				close(over)
			}()
			out := filepath.Join(t.TempDir(), "out")
			var said bytes.Buffer
			b := binary{
				programs: jobs([]blink.Program{blink.Define("callers", job)}), run: runEmbedded,
				stdout: &said, stderr: io.Discard, signals: make(chan os.Signal), abort: func() {},
			}
			if status := b.main([]string{"run", "--out", out, "--parallelism", "2"}); status != exitOK {
				t.Fatalf("status %d: %s", status, said.String())
			}
			text, err := os.ReadFile(filepath.Join(out, "counts.csv"))
			check(t, err)
			if rows := strings.Fields(string(text))[1:]; !slices.Equal(rows, slices.Repeat([]string{"1"}, 100)) {
				t.Errorf("got %q, want each of 100 once", rows)
			}
		})
	}
}
