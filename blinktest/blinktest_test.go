package blinktest_test

import (
	"fmt"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"blink"
	"blink/blinktest"
	"blink/connector/files"
)

type hit struct {
	Page string
	N    int64
}

type total struct {
	Page  string
	Start time.Duration
	N     int64
}

// totals is the job under test: hits by page and minute.
func totals(hits blink.Stream[hit]) blink.Stream[total] {
	return hits.KeyBy(func(h hit) string { return h.Page }).
		Window(blink.Tumbling(time.Minute)).Aggregate(&sum{}).ID("totals").
		Map(func(p blink.Pane[string, int64]) total {
			return total{p.Key, p.Start.Sub(time.Unix(0, 0)), p.Value}
		})
}

type sum struct{ N int64 }

func (s *sum) Add(h hit)     { s.N += h.N }
func (s *sum) Merge(o sum)   { s.N += o.N }
func (s *sum) Result() int64 { return s.N }

func script() *blinktest.Script[hit] {
	return new(blinktest.Script[hit]).
		At(10*time.Second, hit{"a", 1}, hit{"b", 10}).
		At(70*time.Second, hit{"a", 2}).
		Checkpoint().Crash("totals", 0).
		At(20*time.Second, hit{"a", 4}).
		Watermark(time.Minute).
		At(30*time.Second, hit{"a", 100}). // late: its window has closed
		Wait(3*time.Second).Checkpoint().
		At(80*time.Second, hit{"b", 20})
}

func TestAJobGivesItsOutputUnderEverySeed(t *testing.T) {
	src, out := script(), new(blinktest.Sink[total])
	blinktest.Run(t, func(job *blink.Job) {
		totals(job.Read(src.Source())).Write(out.To())
	}, src, out, blinktest.Seeds(40), blinktest.Parallelism(3))
	got := out.Records()
	slices.SortFunc(got, func(a, b total) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
	want := []total{{"a", 0, 5}, {"a", time.Minute, 2}, {"b", 0, 10}, {"b", time.Minute, 20}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

// peak is a record with a pointer.
type peak struct {
	Page string
	Max  *int64
}

// peaks emits the hits that are not below those before them.
func peaks(hits blink.Stream[hit]) blink.Stream[peak] {
	return hits.KeyBy(func(h hit) string { return h.Page }).
		Scan(func(most *int64, h hit, out *blink.Out[peak]) {
			*most = max(*most, h.N)
			out.Emit(peak{h.Page, most})
		}).ID("peaks")
}

func TestRecordsWithEqualContentAreEqual(t *testing.T) {
	src, out := new(blinktest.Script[hit]).At(0, hit{"a", 2}, hit{"a", 1}, hit{"b", 3}), new(blinktest.Sink[peak])
	blinktest.Run(t, func(job *blink.Job) {
		peaks(job.Read(src.Source())).Write(out.To())
	}, src, out, blinktest.Seeds(3))
}

// forgetful keeps a count where no snapshot has it.
func forgetful(job *blink.Job, src *blinktest.Script[hit], out *blinktest.Sink[int64]) {
	seen := int64(0)
	job.Read(src.Source()).Map(func(hit) int64 { seen++; return seen }).ID("forgets").Write(out.To())
}

func TestAJobThatForgetsIsCaught(t *testing.T) {
	src, out := new(blinktest.Script[hit]), new(blinktest.Sink[int64])
	for i := range 200 {
		if src.At(time.Duration(i), hit{}); i%20 == 0 {
			src.Wait(time.Second) // for something to happen
		}
	}
	said := failing(t, func(tb testing.TB) {
		blinktest.Run(tb, func(job *blink.Job) { forgetful(job, src, out) }, src, out, blinktest.Seeds(20))
	})
	if !strings.Contains(said, "the output differs from that without faults") || !strings.Contains(said, "blinktest.Seed(") {
		t.Errorf("said %q", said)
	}
}

func TestAScriptedCrashHitsItsTask(t *testing.T) {
	src, out := new(blinktest.Script[hit]).At(0, hit{}, hit{}).Checkpoint().Crash("forgets", 0).At(1, hit{}), new(blinktest.Sink[int64])
	blinktest.Run(t, func(job *blink.Job) { forgetful(job, src, out) }, src, out, blinktest.Seeds(0))
	if got := fmt.Sprint(out.Records()); got != "[1 2 1]" {
		t.Errorf("%s: the third record met a process that had seen others", got)
	}
}

func TestACrashMayHitEveryTaskOfTheJobsParallelism(t *testing.T) {
	src := new(blinktest.Script[hit]).At(0, hit{"a", 1}).Checkpoint().Crash("totals", 1).At(1, hit{"a", 2})
	out := new(blinktest.Sink[total])
	blinktest.Run(t, func(job *blink.Job) {
		totals(job.Read(src.Source())).Write(out.To())
	}, src, out, blinktest.Parallelism(3), blinktest.Seeds(1))
	if got := fmt.Sprint(out.Records()); got != "[{a 0s 3}]" {
		t.Errorf("wrote %s", got)
	}
}

func TestWhatCannotRunIsSaidAtOnce(t *testing.T) {
	src, out := new(blinktest.Script[hit]).At(0, hit{}).Crash("totals", 7), new(blinktest.Sink[total])
	job := func(job *blink.Job) { totals(job.Read(src.Source())).Write(out.To()) }
	panics := func(job *blink.Job) {
		job.Read(src.Source()).Map(func(hit) total { panic("no totals today") }).ID("totals").Parallelism(8).Write(out.To())
	}
	for want, run := range map[string]func(testing.TB){
		"was not given": func(tb testing.TB) { blinktest.Run(tb, job, src) },
		"one Script is for one Read": func(tb testing.TB) {
			blinktest.Run(tb, func(job *blink.Job) {
				totals(job.Read(src.Source()).Union(job.Read(src.Source()).ID("again"))).Write(out.To())
			}, src, out)
		},
		"Wait(-1h0m0s): time": func(tb testing.TB) {
			back := new(blinktest.Script[hit]).At(0, hit{}).Wait(-time.Hour)
			blinktest.Run(tb, func(job *blink.Job) { totals(job.Read(back.Source())).Write(out.To()) }, back, out)
		},
		`Crash("totals", 7)`:   func(tb testing.TB) { blinktest.Run(tb, job, src, out) },
		"Seed(0): seeds count": func(tb testing.TB) { blinktest.Run(tb, job, src, out, blinktest.Seed(0)) },
		"nothing to compare": func(tb testing.TB) {
			blinktest.Run(tb, func(job *blink.Job) { job.Read(blink.Values(1)).Write(files.CSV("x.csv")) })
		},
		"panic: no totals today":  func(tb testing.TB) { blinktest.Run(tb, panics, src, out) },
		"parallelism -1: at leas": func(tb testing.TB) { blinktest.Run(tb, job, src, out, blinktest.Parallelism(-1)) },
	} {
		if said := failing(t, run); !strings.Contains(said, want) {
			t.Errorf("said %q, want %q", said, want)
		}
	}
}

// failing runs a test that must fail, and returns what it says.
func failing(t *testing.T, test func(testing.TB)) string {
	t.Helper()
	tb := &recorder{TB: t}
	done := make(chan bool)
	go func() { // Fatal ends it
		defer close(done)
		test(tb)
	}()
	<-done
	if len(tb.said) == 0 {
		t.Error("the test did not fail")
	}
	return strings.Join(tb.said, "\n")
}

// recorder is a test that fails without consequence.
type recorder struct {
	testing.TB
	said []string
}

func (r *recorder) Errorf(format string, args ...any) {
	r.said = append(r.said, fmt.Sprintf(format, args...))
}

func (r *recorder) Fatal(args ...any) {
	r.said = append(r.said, fmt.Sprint(args...))
	runtime.Goexit()
}

func (r *recorder) Fatalf(format string, args ...any) { r.Fatal(fmt.Sprintf(format, args...)) }

func TestUpdateIsSeenByNoOtherStream(t *testing.T) {
	src, out := new(blinktest.Script[hit]).At(time.Second, hit{"a", 1}, hit{"a", 2}).Checkpoint().At(2*time.Second, hit{"a", 3}), new(blinktest.Sink[hit])
	blinktest.Run(t, func(job *blink.Job) {
		hits := job.Read(src.Source())
		changed := hits.Filter(func(hit) bool { return true }).Update(func(h *hit) { h.N += 10 })
		again := changed.Update(func(h *hit) { h.N += 10 })
		hits.Union(changed, again).Write(out.To())
	}, src, out)
	var got []int64
	for _, h := range out.Records() {
		got = append(got, h.N)
	}
	slices.Sort(got)
	if want := []int64{1, 2, 3, 11, 12, 13, 21, 22, 23}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
