package cluster

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"blink/connector/files"
	"blink/graph"
	"blink/operator"
)

// bench is a binary with one small job, whose runner the test plays.
type bench struct {
	t       *testing.T
	b       *binary
	out     bytes.Buffer
	err     bytes.Buffer
	signals chan os.Signal
	aborted bool

	change func(*graph.Job)                                // of the job's graph; nil: none
	runs   int                                             // how often the job was run
	play   func(o runOptions, out string) outcome          // nil: it finishes
	during func(ctx context.Context, stop <-chan struct{}) // while it runs
}

func newBench(t *testing.T) *bench {
	s := &bench{t: t, signals: make(chan os.Signal, 2)}
	s.b = &binary{
		programs: []job{{"small", s.build}}, run: s.run,
		show:   func(to io.Writer, r Result) error { _, err := fmt.Fprintf(to, "in %s\n", r.Params["in"]); return err },
		stdout: &s.out, stderr: &s.err, signals: s.signals, abort: func() { s.aborted = true },
		simulate: func(program, simOptions) (bool, error) { return true, nil },
	}
	return s
}

func (s *bench) build(given map[string]string) (*operator.Program, error) {
	value := func(name, def string) string {
		if v, ok := given[name]; ok {
			return v
		}
		return def
	}
	in, out := value("in", "in.txt"), value("out", "")
	if _, err := time.ParseDuration(value("bound", "1h0m0s")); err != nil {
		return nil, fmt.Errorf("parameter bound: %w", err)
	}
	lines := files.Lines(in)
	j := &graph.Job{
		Name: "small", Parallelism: 1, MaxParallelism: 128,
		Params: []graph.Param{
			{Name: "in", Value: in, Default: "in.txt", Usage: "what to read"},
			{Name: "out", Value: out, Usage: "where to write"},
			{Name: "bound", Value: value("bound", "1h0m0s"), Default: "1h0m0s", Usage: "how late"},
		},
		Operators: []graph.Operator{
			{Index: 0, Verb: "read", ID: "read", Source: true, Bounded: true, Out: "line", State: []graph.State{{Name: "splits", Kind: "splits", Schema: "s"}}},
			{Index: 1, Verb: "count", ID: "count", Out: "pair", In: []graph.Edge{{Ship: graph.Hash, Key: "string"}}, State: []graph.State{{Name: "n", Kind: "value", Schema: "int64"}}},
			{Index: 2, Verb: "write", ID: "write", Sink: true, Target: graph.Target{Kind: "file", Name: path.Join(out, "x.csv")}, In: []graph.Edge{{From: 1}}},
		},
	}
	if s.change != nil {
		s.change(j)
	}
	return &operator.Program{Job: j, Factories: []operator.Factory{{Splits: lines.Splits}, {}, {}}}, nil
}

func (s *bench) run(ctx context.Context, p program, o runOptions, see observer) (outcome, error) {
	s.runs++
	built, err := p.make()
	if err != nil {
		return outcome{}, err
	}
	see.progress(progress{state: "RUNNING"})
	see.note("something to know")
	if s.during != nil {
		s.during(ctx, o.stop)
	}
	output, _ := files.OutputOf(built.Job.Operators[2].Target)
	target := output.Path()
	if s.play != nil {
		return s.play(o, target), nil
	}
	check(s.t, os.WriteFile(target, []byte("value\n1\n"), 0o666))
	return outcome{state: finishedState, checkpoints: 2, checkpoint: 2, counts: []count{
		{"read", metricRead, 1234}, {"count", metricWritten, 1234}, {"count", metricLate, 3}, {"write", metricWritten, 1}, {"count", metricDeadLetter, 4},
	}}, nil
}

// do runs a command line in a folder and returns exit status, standard output and error.
func (s *bench) do(args ...string) (status int, stdout, stderr string) {
	s.t.Helper()
	s.out.Reset()
	s.err.Reset()
	status = s.b.main(args)
	return status, s.out.String(), s.err.String()
}

// want runs a command line and looks for texts in what it printed.
func (s *bench) want(status int, texts []string, args ...string) string {
	s.t.Helper()
	have, stdout, stderr := s.do(args...)
	all := stdout + stderr
	if have != status {
		s.t.Errorf("%v: exit status %d, want %d: %s", args, have, status, all)
	}
	for _, text := range texts {
		if !strings.Contains(all, text) {
			s.t.Errorf("%v: %q is missing in\n%s", args, text, all)
		}
	}
	return all
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// place makes a folder with an input and returns both.
func place(t *testing.T) (dir, in string) {
	t.Helper()
	dir = t.TempDir()
	in = filepath.ToSlash(filepath.Join(dir, "in.txt"))
	check(t, os.WriteFile(in, []byte("a\nb\n"), 0o666))
	return dir, in
}

func TestFinishedJobShowsItsResultAndWhereItIs(t *testing.T) {
	dir, in := place(t)
	s := newBench(t)
	out := filepath.Join(dir, "out")
	s.want(exitOK, []string{"in " + in, "The result is in " + out, "x.csv", "1 rows", "1,234 records read, 3 late, 4 bad"}, "--in", in, "--out", out)
	if s.runs != 1 {
		t.Errorf("it ran %d times", s.runs)
	}
}

func TestSecondsHaveThreeDecimals(t *testing.T) {
	for took, want := range map[time.Duration]string{
		5_612_600 * time.Microsecond: "5.613", 400 * time.Microsecond: "0", 90 * time.Second: "90", 1_234_567 * time.Millisecond: "1234.567",
	} {
		if text, err := json.Marshal(seconds(took)); err != nil || string(text) != want {
			t.Errorf("%v is %s, want %s (%v)", took, text, want, err)
		}
	}
}

func TestJSONIsTheOnlyLineOnStandardOutput(t *testing.T) {
	dir, in := place(t)
	s := newBench(t)
	status, stdout, _ := s.do("run", "--in", in, "--out", dir+"/out", "--json", "--inject", "panic=count/0@5")
	var c counters
	if err := json.Unmarshal([]byte(stdout), &c); err != nil || status != exitOK || strings.Count(stdout, "\n") != 1 {
		t.Fatalf("status %d, %v: %s", status, err, stdout)
	}
	if c.RecordsIn != 1234 || c.RecordsOut["x.csv"] != 1 || c.Late != 3 || c.Bad != 4 || c.Checkpoints != 2 || !slices.Equal(c.Unfired, []string{"panic=count/0@5"}) {
		t.Errorf("%+v", c)
	}
}

func TestWithoutOutAFreshFolderIsMade(t *testing.T) {
	_, in := place(t)
	t.Setenv("TMPDIR", t.TempDir())
	s := newBench(t)
	for range 2 {
		s.want(exitOK, []string{"The result is in " + os.TempDir()}, "--in", in)
	}
	s.play = func(runOptions, string) outcome { return outcome{state: failedState, reason: "why"} }
	s.want(exitFailed, []string{"the job failed: why"}, "--in", in)
	if left, _ := os.ReadDir(os.TempDir()); len(left) != 2 {
		t.Errorf("%d folders are left, want the two with results", len(left))
	}
}

func TestFolderThatHoldsAnythingIsRefused(t *testing.T) {
	dir, in := place(t)
	s := newBench(t)
	out := filepath.Join(dir, "out")
	s.want(exitOK, nil, "--in", in, "--out", out)
	s.want(exitFailed, []string{"--out " + out, "holds x.csv"}, "--in", in, "--out", out)
	if s.runs != 1 {
		t.Errorf("it ran %d times", s.runs)
	}
}

func TestJobGoesOnFromItsStateDir(t *testing.T) {
	dir, in := place(t)
	s := newBench(t)
	state := filepath.Join(dir, "state")
	s.play = func(o runOptions, out string) outcome {
		check(t, os.Mkdir(filepath.Join(path.Dir(out), ".x.csv.parts"), 0o777))
		return outcome{state: failedState, reason: "the disk is full", checkpoint: 7}
	}
	s.want(exitFailed, []string{"the disk is full", "the same command goes on from checkpoint 7"}, "--in", in, "--state-dir", state)
	s.play = nil
	first := s.want(exitOK, []string{"The result is in " + filepath.Join(state, "out")},
		"--in", in, "--state-dir", state, "--parallelism", "3", "--rate", "10", "--checkpoint-interval", "1s", "--restart", "3,1s")
	again := s.want(exitOK, []string{"has finished before", "1,234 records read"}, "--in", in, "--state-dir", state)
	if s.runs != 2 {
		t.Errorf("it ran %d times, want 2", s.runs)
	}
	if !strings.Contains(again, "in "+in) || !strings.Contains(first, "in "+in) {
		t.Errorf("the result is not shown again: %s", again)
	}
}

// Where running again does not help, nobody is told to try.
func TestAJobThatIsStuckGetsOtherAdvice(t *testing.T) {
	dir, in := place(t)
	s := newBench(t)
	s.play = func(o runOptions, _ string) outcome {
		if o.allowFallback {
			return outcome{state: stoppedState, checkpoint: 6}
		}
		return outcome{state: failedState, reason: "checkpoint 7 is damaged: allow it", stuck: true, checkpoint: 7}
	}
	said := s.want(exitFailed, []string{"checkpoint 7 is damaged: allow it"}, "--in", in, "--state-dir", dir+"/state")
	if strings.Contains(said, "the same command") {
		t.Errorf("it says: %s", said)
	}
	s.want(exitInterrupted, []string{"stopped at checkpoint 6"}, "--in", in, "--state-dir", dir+"/state", "--allow-fallback")
}

func TestWhatWouldChangeTheResultIsRefusedByName(t *testing.T) {
	dir, in := place(t)
	other := filepath.Join(dir, "other.txt")
	check(t, os.WriteFile(other, []byte("a\nb\n"), 0o666))
	state := filepath.Join(dir, "state")
	s := newBench(t)
	s.play = func(runOptions, string) outcome { return outcome{state: failedState} }
	s.want(exitFailed, nil, "--in", in, "--state-dir", state)
	s.runs = 0

	s.want(exitFailed, []string{"state dir " + state, "--in was " + in + " and is " + other}, "--in", other, "--state-dir", state)
	s.want(exitFailed, []string{"--bound was 1h0m0s and is 2h"}, "--in", in, "--state-dir", state, "--bound", "2h")
	s.want(exitFailed, []string{"--out was " + filepath.Join(state, "out")}, "--in", in, "--state-dir", state, "--out", dir+"/elsewhere")

	check(t, os.WriteFile(in, []byte("a\nc\n"), 0o666))
	s.want(exitFailed, []string{"input " + in + " has changed"}, "--in", in, "--state-dir", state)
	check(t, os.Remove(in))
	s.want(exitFailed, []string{in, "does not exist"}, "--in", in, "--state-dir", state)
	check(t, os.WriteFile(in, []byte("a\nb\n"), 0o666))

	for text, change := range map[string]func(*graph.Job){
		`operator "count" has state here and is not in the program`: func(j *graph.Job) { j.Operators[1].ID = "sum" },
		`operator "count": the key was [string] and is [int] now`:   func(j *graph.Job) { j.Operators[1].In[0].Key = "int" },
		`128 key groups and has 64 now`:                             func(j *graph.Job) { j.MaxParallelism = 64 },
		`belongs to job small, and this is large`:                   func(j *graph.Job) { j.Name = "large" },
	} {
		s.change = change
		s.want(exitFailed, []string{text}, "--in", in, "--state-dir", state)
	}
	s.change = nil
	if s.runs != 0 {
		t.Errorf("a refused job ran %d times", s.runs)
	}
	s.want(exitFailed, nil, "--in", in, "--state-dir", state, "--bound", "60m")
	if s.runs != 1 {
		t.Error("a bound that only reads differently was refused")
	}
}

// The checkpoint says whether they can be taken over; it may be of a later program than the
// one with which the job began.
func TestChangedStatesAreLeftToTheCheckpoint(t *testing.T) {
	dir, in := place(t)
	s := newBench(t)
	s.play = func(runOptions, string) outcome { return outcome{state: failedState} }
	s.want(exitFailed, nil, "--in", in, "--state-dir", dir+"/state")
	s.change = func(j *graph.Job) { j.Operators[1].State[0].Schema = "string" }
	s.want(exitFailed, nil, "--in", in, "--state-dir", dir+"/state")
	if s.runs != 2 {
		t.Errorf("it ran %d times, want 2", s.runs)
	}
	// A split of another type has other bytes, a changed input of the same type is refused.
	check(t, os.WriteFile(in, []byte("a\nc\n"), 0o666))
	s.want(exitFailed, []string{"input " + in + " has changed"}, "--in", in, "--state-dir", dir+"/state")
	s.change = func(j *graph.Job) { j.Operators[0].State[0].Schema = "t" }
	s.want(exitFailed, nil, "--in", in, "--state-dir", dir+"/state")
	if s.runs != 3 {
		t.Errorf("it ran %d times, want 3", s.runs)
	}
}

func TestFilesOfOthersInTheRememberedFolderAreRefused(t *testing.T) {
	dir, in := place(t)
	s := newBench(t)
	s.play = func(runOptions, string) outcome { return outcome{state: failedState} }
	s.want(exitFailed, nil, "--in", in, "--state-dir", dir+"/state")
	check(t, os.WriteFile(filepath.Join(dir, "state/out/notes.txt"), nil, 0o666))
	s.want(exitFailed, []string{"it holds notes.txt"}, "--in", in, "--state-dir", dir+"/state")
}

func TestStateDirServesOneProcess(t *testing.T) {
	dir, in := place(t)
	first, second := newBench(t), newBench(t)
	first.during = func(context.Context, <-chan struct{}) {
		second.want(exitFailed, []string{"state dir", "another process is using it"}, "--in", in, "--state-dir", dir+"/state")
	}
	first.want(exitOK, nil, "--in", in, "--state-dir", dir+"/state")
	if second.runs != 0 {
		t.Error("both ran")
	}
}

func TestFolderThatIsNoStateDirIsRefused(t *testing.T) {
	dir, in := place(t)
	s := newBench(t)
	s.want(exitFailed, []string{"it holds in.txt but no job.json"}, "--in", in, "--state-dir", dir)
	check(t, os.Mkdir(dir+"/state", 0o777))
	check(t, os.WriteFile(dir+"/state/job.json", []byte("{"), 0o666))
	s.want(exitFailed, []string{"job.json is damaged"}, "--in", in, "--state-dir", dir+"/state")
	check(t, os.WriteFile(dir+"/state/job.json", []byte(`{"Format":9}`), 0o666))
	s.want(exitFailed, []string{"format 9"}, "--in", in, "--state-dir", dir+"/state")
}

// It ends behind the making of its output folder, before job.json has its name.
func TestRunThatEndsAsItBeginsGoesOnFromItsStateDir(t *testing.T) {
	for _, out := range []string{"", "state/x/y", "elsewhere"} {
		dir, in := place(t)
		s := newBench(t)
		command := []string{"--in", in, "--state-dir", dir + "/state"}
		if out != "" {
			command = append(command, "--out", filepath.Join(dir, out))
		}
		inTheWay := dir + "/state/job.json.new"
		check(t, os.MkdirAll(inTheWay, 0o777))
		s.want(exitFailed, []string{"job.json.new: is a directory"}, command...)
		check(t, os.Remove(inTheWay))
		s.want(exitOK, []string{"1 rows"}, command...)
	}
}

// A folder that holds a file of somebody's, be it far down, is no empty one.
func TestFolderWithAFileFarDownIsNoStateDir(t *testing.T) {
	dir, in := place(t)
	check(t, os.MkdirAll(dir+"/state/a/b", 0o777))
	check(t, os.WriteFile(dir+"/state/a/b/c", nil, 0o666))
	newBench(t).want(exitFailed, []string{"it holds a but no job.json"}, "--in", in, "--state-dir", dir+"/state")
}

func TestOutputInsideWhatTheStateDirKeepsIsRefused(t *testing.T) {
	dir, in := place(t)
	check(t, os.MkdirAll(dir+"/state/objects", 0o777))
	check(t, os.Symlink(dir+"/state/objects", dir+"/link"))
	s := newBench(t)
	for out, name := range map[string]string{
		"state/objects": "objects", "state/objects/x/y": "objects", "state/leader": "leader", "state/job.json": "job.json",
		"state/job.json.new": "job.json.new", "state/drills": "drills", "state/drills.new": "drills.new", "state/lock/x": "lock", "link/x": "objects",
	} {
		out = filepath.Join(dir, out)
		s.want(exitFailed, []string{"--out " + out, "the state dir " + dir + "/state keeps " + name + " for itself", "name another folder"}, "--in", in, "--state-dir", dir+"/state", "--out", out)
	}
	if s.runs > 0 {
		t.Errorf("it ran %d times", s.runs)
	}
	s.want(exitOK, nil, "--in", in, "--state-dir", dir+"/state", "--out", dir+"/state/objects.csv")
}

func TestRefusedRunLeavesNothingBehind(t *testing.T) {
	dir, in := place(t)
	s := newBench(t)
	s.want(exitFailed, []string{"none.txt"}, "--in", dir+"/none.txt", "--state-dir", dir+"/state", "--out", dir+"/out")
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		t.Errorf("left behind beside %s: %v, %v", in, entries, err)
	}
}

func TestFirstInterruptStopsInOrderAndTheSecondAtOnce(t *testing.T) {
	dir, in := place(t)
	s := newBench(t)
	s.during = func(ctx context.Context, stop <-chan struct{}) {
		s.signals <- os.Interrupt
		<-stop
		if ctx.Err() != nil {
			t.Error("everything was let go at once")
		}
	}
	s.play = func(runOptions, string) outcome { return outcome{state: stoppedState, checkpoint: 4} }
	s.want(exitInterrupted, []string{"stopped at checkpoint 4: run the same command again"}, "--in", in, "--state-dir", dir+"/state")
	if s.aborted {
		t.Error("the first interrupt ended the process")
	}
	s.during = func(ctx context.Context, stop <-chan struct{}) {
		s.signals <- os.Interrupt
		s.signals <- os.Interrupt
		<-ctx.Done()
	}
	s.want(exitInterrupted, []string{"nothing of it is kept"}, "--in", in, "--out", dir+"/out")
	if !s.aborted {
		t.Error("the second interrupt did not end the process")
	}
}

func TestMistakesInTheCommandLineAreNamed(t *testing.T) {
	_, in := place(t)
	s := newBench(t)
	for _, c := range []struct {
		text string
		args []string
	}{
		{"-nope", []string{"run", "--nope"}},
		{`unknown verb "walk"`, []string{"walk"}},
		{`unexpected argument "x"`, []string{"run", "x"}},
		{"--parallelism -1", []string{"--parallelism", "-1"}},
		{"--parallelism 129: job small has 128 key groups", []string{"--in", in, "--parallelism", "129"}},
		{`"two"`, []string{"--parallelism", "two"}},
		{"--checkpoint-interval 100µs: at least 1ms", []string{"--checkpoint-interval", "100us"}},
		{"--buffer-timeout 0s: more than 0", []string{"--buffer-timeout", "0"}},
		{"--buffer-timeout -1ms", []string{"--buffer-timeout", "-1ms"}},
		{"--rate -1", []string{"--rate", "-1"}},
		{"--rate NaN", []string{"--rate", "NaN"}},
		{"--state-dir is empty", []string{"--state-dir", ""}},
		{"not a number of attempts", []string{"--restart", "many"}},
		{"not a time above 0", []string{"--restart", "1,0s"}},
		{"is shorter than the first", []string{"--restart", "1,2s,1s"}},
		{"does not begin with panic=", []string{"--inject", "crash"}},
		{"does not say when", []string{"--inject", "panic=count"}},
		{`"0" is not a number above 0`, []string{"--inject", "panic=count@0"}},
		{`no operator has the id "sum"; there are count, write`, []string{"--inject", "panic=sum@1"}},
		{`"read" is a source, which has no input records to count; there are count, write`, []string{"--inject", "panic=read/0@1"}},
		{`operator "count" has 1 tasks, the last is count/0`, []string{"--inject", "panic=count/1@1"}},
		{"want A-B", []string{"sim", "--seeds", "7-3"}},
		{"exclude each other", []string{"sim", "--seeds", "1-3", "--seed", "2"}},
		{"name it with --seed", []string{"sim", "--trace"}},
		{"takes no arguments", []string{"version", "x"}},
	} {
		s.want(exitUsage, []string{c.text, "-h for help"}, c.args...)
		if _, stdout, _ := s.do(c.args...); stdout != "" {
			t.Errorf("%v: there is on stdout\n%s", c.args, stdout)
		}
	}
	if s.runs != 0 {
		t.Errorf("it ran %d times", s.runs)
	}
	s.want(exitFailed, []string{"parameter bound"}, "--bound", "soon")
}

func TestHelpTellsVerbsFlagsAndParameters(t *testing.T) {
	s := newBench(t)
	for _, args := range [][]string{{"-h"}, {"help"}, {"--help"}} {
		s.want(exitOK, []string{"plan", "--state-dir folder", "--in value", "what to read (default in.txt)"}, args...)
	}
	s.want(exitOK, []string{"Flags of sim", "--seeds seed", "Parameters of small"}, "sim", "-h")
}

func TestSeveralProgramsAreChosenByName(t *testing.T) {
	_, in := place(t)
	s := newBench(t)
	t.Setenv("TMPDIR", t.TempDir())
	s.b.programs = append(s.b.programs, job{"other", s.build})
	s.want(exitOK, nil, "small", "run", "--in", in)
	s.want(exitUsage, []string{"name a program first: small, other"}, "run")
	s.b.programs = append(s.b.programs, job{"small", s.build})
	s.want(exitFailed, []string{"two programs called small", "another name"}, "small", "run", "--in", in)
}

func TestParameterMayNotHaveTheNameOfAFlag(t *testing.T) {
	s := newBench(t)
	s.change = func(j *graph.Job) { j.Params[2].Name = "rate" }
	s.want(exitFailed, []string{`parameter "rate" has the name of a flag`}, "run")
}

func TestSeedsAreHandedToTheSimulator(t *testing.T) {
	s := newBench(t)
	var have simOptions
	broken := false
	s.b.simulate = func(_ program, o simOptions) (bool, error) { have = o; return !broken, nil }
	s.want(exitOK, nil, "sim", "--seeds", "3-9", "--json")
	if have.first != 3 || have.last != 9 || !have.json {
		t.Errorf("%+v", have)
	}
	broken = true
	s.want(exitFailed, nil, "sim", "--seed", "4", "--trace")
	if have.first != 4 || have.last != 4 || !have.trace {
		t.Errorf("%+v", have)
	}
	s.b.simulate = func(program, simOptions) (bool, error) { return false, errors.New("no such world") }
	s.want(exitFailed, []string{"no such world"}, "sim")
}

func TestASeedIsReplayedByTheCommandThatRanIt(t *testing.T) {
	s := newBench(t)
	s.b.called = "go run ./small"
	var replay string
	s.b.simulate = func(_ program, o simOptions) (bool, error) { replay = o.replay; return true, nil }
	s.want(exitOK, nil, "sim", "--parallelism", "2", "--seeds", "3-9")
	if want := "go run ./small sim --parallelism=2"; replay != want {
		t.Errorf("%q, want %q", replay, want)
	}
	s.b.programs = append(s.b.programs, job{"other", s.build})
	s.want(exitOK, nil, "other", "sim")
	if want := "go run ./small other sim"; replay != want {
		t.Errorf("%q, want %q", replay, want)
	}
}

func TestVersionIsOneLine(t *testing.T) {
	if status, stdout, _ := newBench(t).do("version"); status != exitOK || strings.Count(stdout, "\n") != 1 || !strings.HasPrefix(stdout, "small, on blink ") {
		t.Errorf("%d %q", status, stdout)
	}
}
