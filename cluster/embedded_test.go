package cluster

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"blink"
	"blink/connector/files"
	"blink/graph"
	"blink/jobmaster"
)

// Files of a bounded job appear at its end only; a folder's parts can be read before.
func TestOnlyWhatNobodyHasSeenCanBeTakenBack(t *testing.T) {
	for target, want := range map[string]bool{"out/x.csv": true, "out/": false, "out/rows/": false} {
		job := blink.NewJob("job", nil)
		job.Read(blink.Values(1, 2)).Write(files.CSV(target))
		built, err := job.Program()
		check(t, err)
		plan, err := graph.Compile(built.Job)
		check(t, err)
		if got := withdrawable(plan); got != want {
			t.Errorf("%s: %v", target, got)
		}
	}
}

// The demand is declared again and again: an executor is started when there is none.
func TestAFailedExecutorIsReplaced(t *testing.T) {
	var started []string
	alive := false
	r := &localResources{alive: func() bool { return alive }, start: func(slots int, incarnation uint64) error {
		started = append(started, fmt.Sprint(slots, "@", incarnation))
		alive = true
		return nil
	}}
	for range 2 {
		for range 3 {
			check(t, r.Declare(context.Background(), "job", jobmaster.Demand{Epoch: 1, Slots: 4}))
		}
		alive = false
	}
	check(t, r.Declare(context.Background(), "job", jobmaster.Demand{Epoch: 1}))
	if want := []string{"4@1", "4@2"}; !slices.Equal(started, want) {
		t.Errorf("started %q, want %q", started, want)
	}
}

// tallies counts the numbers of its files by the last digit and second: line n of all is at
// n hundredths.
func tallies(job *blink.Job) {
	in, out := job.String("in", "", "files"), job.String("out", "", "folder")
	visit := func(l files.Line) (int64, error) { return strconv.ParseInt(l.Text, 10, 64) }
	job.Read(files.Lines(in)).ID("lines").
		Try(visit, blink.Fail).ID("parse").
		EventTime(func(n int64) time.Time { return time.UnixMilli(10 * n) }, blink.BoundedOutOfOrder(time.Hour)).
		KeyBy(func(n int64) int64 { return n % 10 }).
		Window(blink.Tumbling(time.Second)).
		Count().ID("count").
		Write(files.CSV(out + "/tallies.csv")).ID("write")
}

// The race detector of .ci/run watches this package: everything is real here, with tasks that
// fail, a JobMaster that dies, and checkpoints on disk.
func TestAJobWithFailuresIsExactInOneProcess(t *testing.T) {
	const splits, each = 7, 1000
	dir := t.TempDir()
	for i := range splits {
		var text bytes.Buffer
		for n := i; n < splits*each; n += splits {
			fmt.Fprintln(&text, n)
		}
		check(t, os.WriteFile(filepath.Join(dir, fmt.Sprintf("in-%d.txt", i)), text.Bytes(), 0o666))
	}
	var want []string
	for second := range splits * each / 100 {
		for digit := range 10 {
			start := time.Unix(int64(second), 0).UTC()
			want = append(want, fmt.Sprintf("%d,%s,%s,10,false", digit, start.Format(time.RFC3339), start.Add(time.Second).Format(time.RFC3339)))
		}
	}
	slices.Sort(want)
	var stdout, stderr bytes.Buffer
	b := binary{
		programs: jobs([]blink.Program{blink.Define("tallies", tallies)}), run: runEmbedded,
		stdout: &stdout, stderr: &stderr, signals: make(chan os.Signal), abort: func() {},
	}
	out := filepath.Join(dir, "out")
	status := b.main([]string{"run", "--json", "--in", filepath.Join(dir, "in-*.txt"), "--out", out, "--state-dir", filepath.Join(dir, "state"),
		"--parallelism", "7", "--checkpoint-interval", "20ms", "--rate", "7000", "--restart", "10,10ms",
		"--inject", "panic=count@100", "--inject", "panic=parse/3@200", "--inject", "panic=write@1", "--inject", "panic=jobmaster@3"})
	var c counters
	if err := json.Unmarshal(stdout.Bytes(), &c); status != exitOK || err != nil {
		t.Fatalf("status %d, %v:\n%s%s", status, err, stdout.String(), stderr.String())
	}
	text, err := os.ReadFile(filepath.Join(out, "tallies.csv"))
	check(t, err)
	rows := strings.Split(strings.TrimSpace(string(text)), "\n")[1:]
	slices.Sort(rows)
	if !slices.Equal(rows, want) {
		t.Errorf("%d rows that are not the %d wanted, such as %s", len(rows), len(want), rows[0])
	}
	if c.RecordsIn != splits*each || c.TaskRestarts == 0 || c.LeaderChanges != 1 || c.Checkpoints == 0 || c.Unfired != nil {
		t.Errorf("%+v\n%s", c, stderr.String())
	}
}

// A folder sink stages in the folder that it fills.
func TestAnInterruptedRunWithoutAStateDirIsInNobodysWay(t *testing.T) {
	copies := func(job *blink.Job) {
		in, out := job.String("in", "", "files"), job.String("out", "", "folder")
		job.Read(files.Lines(in)).ID("lines").Write(files.CSV(out + "/rows/")).ID("write")
	}
	dir := t.TempDir()
	in, out := filepath.Join(dir, "in.txt"), filepath.Join(dir, "out")
	check(t, os.WriteFile(in, bytes.Repeat([]byte("a line\n"), 100_000), 0o666))
	command := []string{"run", "--in", in, "--out", out, "--checkpoint-interval", "0"}
	run := func(signals chan os.Signal, more ...string) (status int, said string) {
		var out bytes.Buffer
		b := binary{
			programs: jobs([]blink.Program{blink.Define("copies", copies)}), run: runEmbedded,
			stdout: &out, stderr: io.Discard, signals: signals, abort: func() {},
		}
		return b.main(append(slices.Clone(command), more...)), out.String()
	}
	signals := make(chan os.Signal, 1)
	go func() {
		for { // until a task has begun to write
			if names, err := os.ReadDir(filepath.Join(out, "rows", ".parts")); err == nil && len(names) > 0 {
				signals <- os.Interrupt
				return
			}
			runtime.Gosched()
		}
	}()
	if status, said := run(signals, "--rate", "1000"); status != exitInterrupted || !strings.Contains(said, "nothing of it is kept") {
		t.Fatalf("status %d: %s", status, said)
	}
	if status, said := run(make(chan os.Signal)); status != exitOK {
		t.Errorf("status %d: %s", status, said)
	}
}
