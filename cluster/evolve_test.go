package cluster

import (
	"bytes"
	"context"
	"fmt"
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

// The job of these tests counts visits by key. It is stopped with a checkpoint and run again
// from its state dir by a program whose types have changed.

// visitSplit is a source's split, and wideVisitSplit what it becomes.
type visitSplit struct {
	Name string
	Next int32
}

type wideVisitSplit struct {
	Note string
	From *int64 `blink:"From,was=Next"`
	Name string
}

func (s visitSplit) ID() string     { return s.Name }
func (s wideVisitSplit) ID() string { return s.Name }

const (
	visitKeys = 7
	visitAll  = 200
	visitHalf = 120 // where the first program waits
)

// visitReader gives the numbers from next up to end, and then waits for the end of the task,
// unless all is read.
type visitReader[S any] struct {
	next, end int64
	at        func(next int64) S
	waiting   chan<- struct{}
}

func (r *visitReader[S]) Next(ctx context.Context, into *blink.Records[int64]) error {
	if r.next == visitAll {
		return io.EOF
	}
	if r.next == r.end {
		select {
		case r.waiting <- struct{}{}:
		default:
		}
		<-ctx.Done()
		return ctx.Err()
	}
	for n := r.next + 10; r.next < n; r.next++ {
		into.Append(r.next, time.Unix(r.next, 0))
	}
	return nil
}

func (r *visitReader[S]) Position() S { return r.at(r.next) }

func (r *visitReader[S]) Close() error { return nil }

type visitSplits[S any] struct{ all []S }

func (s visitSplits[S]) Splits(context.Context, blink.FS) ([]S, error) { return s.all, nil }

func visitKey(n int64) string { return fmt.Sprint("k", n%visitKeys) }

// visitRow is what the job writes; it must not tell which program has written it.
type visitRow struct {
	Key               string
	Visits, Sum, Last int64
	Since             string
	Tags              int64
}

// The state of the first program, of one that it can become, and of one that it cannot.
type (
	seen struct {
		Visits uint16
		Last   visitAt
		Since  time.Time
		Sum    int32
		Tags   []string
		Notes  map[string]*visitAt
	}
	visitAt struct{ N int32 }

	seenSince struct {
		Since time.Time
		Sum   float64
		Extra map[string]int
		Total *int64 `blink:"Total,was=Visits"`
		Last  *wideVisitAt
		Tags  []string
	}
	wideVisitAt struct {
		Label string
		N     int64
	}

	seenSinceText struct{ Since string }
)

type counting struct{ State blink.Value[seen] }

func (c *counting) Process(ctx *blink.Ctx[string], n int64, out *blink.Out[visitRow]) error {
	s := c.State.Ref()
	if s.Visits++; s.Visits == 1 {
		s.Since = time.Unix(n, 0).UTC()
	}
	s.Sum, s.Last, s.Notes = s.Sum+int32(n), visitAt{int32(n)}, map[string]*visitAt{"x": {1}, "": nil}
	s.Tags = append(s.Tags, "t")
	out.Emit(visitRow{ctx.Key(), int64(s.Visits), int64(s.Sum), int64(s.Last.N), s.Since.Format(time.TimeOnly), int64(len(s.Tags))})
	return nil
}

type countingOn struct {
	State blink.Value[seenSince]
	More  blink.List[string]
}

func (c *countingOn) Process(ctx *blink.Ctx[string], n int64, out *blink.Out[visitRow]) error {
	s := c.State.Ref()
	if s.Total == nil {
		s.Total, s.Since = new(int64), time.Unix(n, 0).UTC()
	}
	if len(s.Extra) > 0 || s.Last != nil && s.Last.Label != "" {
		return fmt.Errorf("a new field is not zero: %+v", s)
	}
	*s.Total, s.Sum, s.Last, s.Tags = *s.Total+1, s.Sum+float64(n), &wideVisitAt{N: n}, append(s.Tags, "t")
	out.Emit(visitRow{ctx.Key(), *s.Total, int64(s.Sum), s.Last.N, s.Since.Format(time.TimeOnly), int64(len(s.Tags))})
	return nil
}

type countingText struct{ State blink.Value[seenSinceText] }

func (c *countingText) Process(*blink.Ctx[string], int64, *blink.Out[visitRow]) error { return nil }

// sums are panes that are open when the job is stopped.
type (
	narrowSum struct{ N int16 }
	wideSum   struct {
		Calls int64
		Count *int64 `blink:"Count,was=N"`
	}
)

func (s *narrowSum) Add(int64)         { s.N++ }
func (s *narrowSum) Merge(o narrowSum) { s.N += o.N }
func (s *narrowSum) Result() int64     { return int64(s.N) }

func (s *wideSum) Add(int64) {
	if s.Calls++; s.Count == nil {
		s.Count = new(int64)
	}
	*s.Count++
}
func (s *wideSum) Merge(o wideSum) { s.Calls, *s.Count = s.Calls+o.Calls, *s.Count+*o.Count }
func (s *wideSum) Result() int64   { return *s.Count }

type paneRow struct {
	Key  string
	From string
	N    int64
}

func paneRowOf(p blink.Pane[string, int64]) paneRow {
	return paneRow{p.Key, p.Start.UTC().Format(time.TimeOnly), p.Value}
}

// visits is a binary with the three programs under one name.
type visits struct {
	t       *testing.T
	version int
	waiting chan struct{}
	dir     string
}

func (v *visits) build(job *blink.Job) {
	job.CheckpointEvery(20 * time.Millisecond)
	out := job.String("out", "", "where to write")
	o := blink.SourceOptions{Name: "visits", Bounded: true}
	var in blink.Stream[int64]
	if v.version == 1 {
		open := func(_ context.Context, _ blink.FS, s visitSplit) (blink.Reader[int64, visitSplit], error) {
			at := func(n int64) visitSplit { return visitSplit{s.Name, int32(n)} }
			return &visitReader[visitSplit]{int64(s.Next), visitHalf, at, v.waiting}, nil
		}
		in = job.Read(blink.NewSource(o, visitSplits[visitSplit]{[]visitSplit{{Name: "all"}}}, open)).ID("visits")
	} else {
		open := func(_ context.Context, _ blink.FS, s wideVisitSplit) (blink.Reader[int64, wideVisitSplit], error) {
			at := func(n int64) wideVisitSplit { return wideVisitSplit{"", &n, s.Name} }
			return &visitReader[wideVisitSplit]{*s.From, visitAll, at, v.waiting}, nil
		}
		in = job.Read(blink.NewSource(o, visitSplits[wideVisitSplit]{[]wideVisitSplit{{Name: "all", From: new(int64)}}}, open)).ID("visits")
	}
	keyed := in.EventTime(func(n int64) time.Time { return time.Unix(n, 0) }, blink.Ascending()).KeyBy(visitKey)
	rows := map[int]func() blink.Stream[visitRow]{
		1: func() blink.Stream[visitRow] { return keyed.Process(&counting{}) },
		2: func() blink.Stream[visitRow] { return keyed.Process(&countingOn{}) },
		3: func() blink.Stream[visitRow] { return keyed.Process(&countingText{}) },
	}[v.version]()
	rows.ID("counts").Write(files.CSV(filepath.ToSlash(filepath.Join(out, "visits.csv"))))
	panes := keyed.Window(blink.Tumbling(time.Minute))
	sums := func() blink.Stream[blink.Pane[string, int64]] { return panes.Aggregate(&narrowSum{}) }
	if v.version == 2 {
		sums = func() blink.Stream[blink.Pane[string, int64]] { return panes.Aggregate(&wideSum{}) }
	}
	sums().ID("panes").Map(paneRowOf).Write(files.CSV(filepath.ToSlash(filepath.Join(out, "panes.csv"))))
}

// run runs the program of a version on the state dir; the first is stopped where it waits.
func (v *visits) run(version int) (status int, said string) {
	v.t.Helper()
	v.version, v.waiting = version, make(chan struct{}, 1)
	signals := make(chan os.Signal, 2)
	var out, errs bytes.Buffer
	b := &binary{
		programs: jobs([]blink.Program{blink.Define("visits", v.build)}), run: runEmbedded,
		stdout: &out, stderr: &errs, signals: signals, abort: func() {},
	}
	done := make(chan int)
	go func() { done <- b.main([]string{"run", "--state-dir", filepath.Join(v.dir, "state")}) }()
	waiting := v.waiting
	for {
		select {
		case status := <-done:
			return status, out.String() + errs.String()
		case <-waiting:
			signals <- os.Interrupt
			waiting = nil // a second one would end the process
		}
	}
}

// rows reads an output without its header, sorted.
func (v *visits) rows(name string) []string {
	v.t.Helper()
	data, err := os.ReadFile(filepath.Join(v.dir, "state/out", name))
	check(v.t, err)
	lines := strings.Split(strings.TrimSpace(string(data)), "\n")[1:]
	slices.Sort(lines)
	return lines
}

// wantedVisits are the rows of a job that nobody stopped.
func wantedVisits() (rows, panes []string) {
	var sums, counts, since [visitKeys]int
	windows := map[string]int{}
	for n := range visitAll {
		k := n % visitKeys
		if counts[k]++; counts[k] == 1 {
			since[k] = n
		}
		sums[k] += n
		rows = append(rows, fmt.Sprintf("k%d,%d,%d,%d,00:00:%02d,%d", k, counts[k], sums[k], n, since[k], counts[k]))
		windows[fmt.Sprintf("k%d,00:%02d:00", k, n/60)]++
	}
	for w, n := range windows {
		panes = append(panes, fmt.Sprintf("%s,%d", w, n))
	}
	slices.Sort(rows)
	slices.Sort(panes)
	return rows, panes
}

func TestAStoppedJobGoesOnWithChangedTypes(t *testing.T) {
	v := &visits{t: t, dir: t.TempDir()}
	if status, said := v.run(1); status != exitInterrupted {
		t.Fatalf("exit status %d: %s", status, said)
	}
	status, said := v.run(3)
	want := `operator "counts", state "State": field Since was time.Time in checkpoint `
	if status != exitFailed || !strings.Contains(said, want) || !strings.Contains(said, " and is string now: rename it, or migrate") || strings.Contains(said, "the same command") {
		t.Errorf("exit status %d, want %q: %s", status, want, said)
	}
	if status, said := v.run(2); status != exitOK {
		t.Fatalf("exit status %d: %s", status, said)
	}
	rows, panes := wantedVisits()
	if got := v.rows("visits.csv"); !slices.Equal(got, rows) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(rows, "\n"))
	}
	if got := v.rows("panes.csv"); !slices.Equal(got, panes) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(panes, "\n"))
	}
}
