package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"blink/examples/delays/data"
	"blink/examples/delays/oracle"
)

// The test binary is the program itself when this variable is set, so that a test can start
// and kill processes.
const asProgram = "DELAYS_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		limitFiles(os.Getenv(fileLimit))
		becomeNobody(os.Getenv(asNobody))
		main()
		return
	}
	os.Exit(m.Run())
}

func program(args ...string) *exec.Cmd {
	c := exec.Command(os.Args[0], args...)
	c.Env = append(os.Environ(), asProgram+"=1")
	return c
}

// counts is what --json prints.
type counts struct {
	RecordsIn     int64            `json:"records_in"`
	RecordsOut    map[string]int64 `json:"records_out"`
	Late          int64            `json:"late"`
	Bad           int64            `json:"bad"`
	Checkpoints   int64            `json:"checkpoints"`
	TaskRestarts  int64            `json:"task_restarts"`
	LeaderChanges int64            `json:"leader_changes"`
	Unfired       []string         `json:"drills_not_fired"`
}

// run runs the program to its end, and returns its counters.
func run(t *testing.T, args ...string) counts {
	t.Helper()
	var out, errs bytes.Buffer
	c := program(append([]string{"run", "--json"}, args...)...)
	c.Stdout, c.Stderr = &out, &errs
	if err := c.Run(); err != nil {
		t.Fatalf("%v: %v\n%s", args, err, errs.String())
	}
	var n counts
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &n); err != nil {
		t.Fatalf("%v: %v\n%s", args, err, out.String())
	}
	return n
}

func refused(t *testing.T, want string, args ...string) {
	t.Helper()
	var errs bytes.Buffer
	c := program(append([]string{"run"}, args...)...)
	c.Stderr = &errs
	if err := c.Run(); err == nil {
		t.Errorf("%v is not refused", args)
	}
	if !strings.Contains(errs.String(), want) {
		t.Errorf("%v: %q is not in %q", args, want, errs.String())
	}
}

func january(t *testing.T) oracle.Result {
	t.Helper()
	r, err := oracle.Compute(
		oracle.File{Name: data.FlightsName, Data: bytes.NewReader(data.Flights)},
		oracle.File{Name: data.WeatherName, Data: bytes.NewReader(data.Weather)})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// rows reads an output: its header line apart, its rows in ascending order.
func rows(t *testing.T, name string) (header string, sorted []string) {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	header, rest, _ := strings.Cut(string(text), "\n")
	if rest != "" {
		sorted = strings.Split(strings.TrimSuffix(rest, "\n"), "\n")
	}
	slices.Sort(sorted)
	return header, sorted
}

func exact(t *testing.T, out string, want oracle.Result) {
	t.Helper()
	for name, w := range map[string][]string{"windows.csv": want.Windows, "rain.csv": want.Rain} {
		if _, got := rows(t, filepath.Join(out, name)); !slices.Equal(got, w) {
			t.Errorf("%s: %d rows that are not the oracle's %d", name, len(got), len(w))
		}
	}
	for name, header := range map[string]string{"bad.csv": "file,line,reason,text", "late.csv": "year,month,day"} {
		h, got := rows(t, filepath.Join(out, name))
		if !strings.HasPrefix(h, header) || len(got) > 0 {
			t.Errorf("%s: header %q and %d rows", name, h, len(got))
		}
	}
}

func TestJanuaryIsExactAtAnyParallelism(t *testing.T) {
	want := january(t)
	for _, p := range []int{1, 2, 7} {
		out := filepath.Join(t.TempDir(), "out")
		n := run(t, "--out", out, "--parallelism", strconv.Itoa(p))
		exact(t, out, want)
		if n.TaskRestarts != 0 || n.LeaderChanges != 0 {
			t.Errorf("parallelism %d: %+v", p, n)
		}
	}
}

func TestFivePanicsLeaveTheOutputExact(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out")
	n := run(t, "--out", out, "--parallelism", "2", "--checkpoint-interval", "20ms", "--rate", "40000", "--restart", "10,10ms",
		"--inject", "panic=windows@300", "--inject", "panic=windows@2500", "--inject", "panic=match@5000",
		"--inject", "panic=rain@1000", "--inject", "panic=match@1500")
	exact(t, out, january(t))
	if n.TaskRestarts == 0 || len(n.Unfired) > 0 {
		t.Errorf("%+v", n)
	}
}

func TestANewJobMasterRestartsNoTask(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out")
	n := run(t, "--out", out, "--parallelism", "2", "--checkpoint-interval", "50ms", "--rate", "40000", "--inject", "panic=jobmaster@2")
	exact(t, out, january(t))
	if n.TaskRestarts != 0 || n.LeaderChanges != 1 || len(n.Unfired) > 0 {
		t.Errorf("%+v", n)
	}
}

// TestKilledProcessesGoOn kills the process (kill −9) at random moments: six times when it has
// completed another checkpoint, and as often as it has just begun, at first with nothing at
// all. The parallelism changes on the way. Then it is killed when it nears its end or
// publishes the result, each time from the same state on.
func TestKilledProcessesGoOn(t *testing.T) {
	dir := t.TempDir()
	state, out := filepath.Join(dir, "state"), filepath.Join(dir, "out")
	begin := func(parallelism int, rate string) *process {
		return start(t, program("run", "--state-dir", state, "--out", out, "--checkpoint-interval", "50ms", "--rate", rate,
			"--parallelism", strconv.Itoa(parallelism)))
	}
	for _, parallelism := range []int{1, 3, 2, 7, 1, 4} {
		p, moment := begin(5, "2000"), rand.N(60*time.Millisecond)
		p.lives(moment)
		p.kill()
		t.Logf("killed %v behind the start", moment)

		before := newest(t, state)
		p, moment = begin(parallelism, "2000"), rand.N(150*time.Millisecond)
		p.until(func() bool { return newest(t, state) > before })
		p.lives(moment)
		p.kill()
		t.Logf("killed %v behind a checkpoint: %d was the newest, %d is", moment, before, newest(t, state))
	}

	want := january(t)
	ends := func(parallelism string) {
		t.Helper()
		n := run(t, "--state-dir", state, "--out", out, "--parallelism", parallelism)
		exact(t, out, want)
		if n.RecordsIn != 29_230 || n.RecordsOut["windows.csv"] != 7_027 || n.RecordsOut["rain.csv"] != 96 || n.Late != 0 || n.Bad != 0 {
			t.Errorf("%+v", n)
		}
	}
	saved, written := copied(t, state), copied(t, out)
	again := func() {
		restore(t, state, saved)
		restore(t, out, written)
	}
	began := time.Now()
	begin(2, "40000").ends(0)
	took := time.Since(began)
	for range 3 {
		again()
		p, moment := begin(2, "40000"), took-rand.N(took/5)
		p.lives(moment)
		p.kill()
		t.Logf("killed %v behind the start of a run of %v", moment, took)
		ends("3")

		again()
		p, moment = begin(2, "40000"), rand.N(40*time.Millisecond)
		p.until(func() bool { return publishes(t, out) })
		p.lives(moment)
		p.kill()
		t.Logf("killed %v behind the first file of the result", moment)
		ends("1")
	}
	ends("2") // nothing is left to do
	refused(t, "out-of-orderness", "--state-dir", state, "--out", out, "--out-of-orderness", "1h")
}

// publishes says whether something of the result is there.
func publishes(t *testing.T, out string) bool {
	t.Helper()
	for _, pattern := range []string{"*.csv", ".*.parts/joined-*"} {
		found, err := filepath.Glob(filepath.Join(out, pattern))
		if err != nil {
			t.Fatal(err)
		}
		if len(found) > 0 {
			return true
		}
	}
	return false
}

// process is the program while it runs.
type process struct {
	t     *testing.T
	c     *exec.Cmd
	out   string // the files that its standard output and error go to
	errs  string
	ended chan error
}

func start(t *testing.T, c *exec.Cmd) *process {
	t.Helper()
	dir := t.TempDir()
	p := &process{t, c, filepath.Join(dir, "stdout"), filepath.Join(dir, "stderr"), make(chan error, 1)}
	for name, to := range map[string]*io.Writer{p.out: &c.Stdout, p.errs: &c.Stderr} {
		f, err := os.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		*to = f
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { p.ended <- c.Wait() }()
	t.Cleanup(func() { _ = c.Process.Kill() }) // it has ended, unless the test failed
	return p
}

// told is what it has said so far, on the standard output and then on the standard error.
func (p *process) told() string {
	p.t.Helper()
	var all []byte
	for _, name := range []string{p.out, p.errs} {
		text, err := os.ReadFile(name)
		if err != nil {
			p.t.Fatal(err)
		}
		all = append(all, text...)
	}
	return string(all)
}

// until waits for something that the process does, and looks every millisecond.
func (p *process) until(happened func() bool) {
	p.t.Helper()
	for !happened() {
		select {
		case err := <-p.ended:
			p.t.Fatalf("it ended by itself: %v\n%s", err, p.told())
		case <-time.After(time.Millisecond):
		}
	}
}

func (p *process) signal(s os.Signal) {
	p.t.Helper()
	if err := p.c.Process.Signal(s); err != nil {
		p.t.Fatal(err)
	}
}

// lives lets it live that long, unless it ends before.
func (p *process) lives(d time.Duration) {
	select {
	case err := <-p.ended:
		p.ended <- err
	case <-time.After(d):
	}
}

// kill is kill −9, of what has not ended by itself.
func (p *process) kill() {
	p.t.Helper()
	if err := p.c.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		p.t.Fatal(err)
	}
	<-p.ended
}

// ends waits for the end, which must have that exit status, and looks for texts in what it
// has said.
func (p *process) ends(status int, texts ...string) {
	p.t.Helper()
	<-p.ended // the status is in ProcessState
	told := p.told()
	if have := p.c.ProcessState.ExitCode(); have != status {
		p.t.Errorf("exit status %d, want %d:\n%s", have, status, told)
	}
	for _, text := range texts {
		if !strings.Contains(told, text) {
			p.t.Errorf("%q is missing in\n%s", text, told)
		}
	}
}

// newest is the newest complete checkpoint in a state dir, 0 if there is none.
func newest(t *testing.T, state string) int {
	t.Helper()
	if _, key := led(t, state); key == "" {
		return 0
	}
	_, checkpoint := pointed(t, state)
	return checkpoint
}

// led is what the leader service keeps in a state dir: how many JobMasters have led, and
// what the pointer names. Both are zero before the first.
func led(t *testing.T, state string) (epoch int, pointer string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(state, "leader", "pointer"))
	if errors.Is(err, fs.ErrNotExist) {
		return 0, ""
	}
	var jobs map[string]struct {
		Epoch   int
		Pointer string
	}
	if err := errors.Join(err, json.Unmarshal(text, &jobs)); err != nil {
		t.Fatal(err)
	}
	return jobs["delays"].Epoch, jobs["delays"].Pointer
}

// pointed is the manifest of the newest complete checkpoint, which one with a manifest need
// not be. The pointer of a run that has ended names its result, and that names the manifest.
func pointed(t *testing.T, state string) (manifest string, checkpoint int) {
	t.Helper()
	_, key := led(t, state)
	if strings.HasPrefix(key, "result-") {
		data, err := os.ReadFile(filepath.Join(state, "objects", key))
		if err != nil {
			t.Fatal(err)
		}
		var result struct{ Checkpoint string }
		if err := json.Unmarshal(data, &result); err != nil {
			t.Fatal(err)
		}
		key = result.Checkpoint
	}
	checkpoint, err := strconv.Atoi(filepath.Base(filepath.Dir(key)))
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(state, "objects", filepath.FromSlash(key)), checkpoint
}

func TestBadRowsGoToTheirFileAndTheJobGoesOn(t *testing.T) {
	dir := t.TempDir()
	unzipped, err := gzip.NewReader(bytes.NewReader(data.Flights))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(unzipped)
	if err != nil {
		t.Fatal(err)
	}
	flights := filepath.Join(dir, "flights.csv")
	if err := os.WriteFile(flights, append(text, "not,a,flight\n"...), 0o666); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(dir, "out")
	n := run(t, "--out", out, "--flights", flights)
	_, bad := rows(t, filepath.Join(out, "bad.csv"))
	if len(bad) != 1 || n.Bad != 1 || !strings.HasPrefix(bad[0], flights+",27006,") {
		t.Errorf("%d bad: %q", n.Bad, bad)
	}
	if _, got := rows(t, filepath.Join(out, "windows.csv")); !slices.Equal(got, january(t).Windows) {
		t.Error("windows.csv differs from the oracle's")
	}
}

func TestLateFlightsAreWrittenAndCounted(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out")
	n := run(t, "--out", out, "--out-of-orderness", "1h")
	_, late := rows(t, filepath.Join(out, "late.csv"))
	if len(late) == 0 || n.Late != int64(len(late)) {
		t.Errorf("%d late rows, %d counted", len(late), n.Late)
	}
	if _, got := rows(t, filepath.Join(out, "rain.csv")); !slices.Equal(got, january(t).Rain) {
		t.Error("late flights are missing from rain.csv")
	}
}

func TestMistakesAreRefusedByName(t *testing.T) {
	dir := t.TempDir()
	noColumn := filepath.Join(dir, "weather.csv")
	if err := os.WriteFile(noColumn, []byte("origin,time_hour\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	refused(t, "missing.csv", "--flights", filepath.Join(dir, "missing.csv"))
	refused(t, "weather*.csv: stat", "--weather", filepath.Join(dir, "weather*.csv"), "--out", filepath.Join(dir, "a"))
	refused(t, "precip", "--weather", noColumn, "--out", filepath.Join(dir, "a"))
	refused(t, "fly", "--fly")
	refused(t, "weather.csv", "--out", dir)
	refused(t, "nobody", "--inject", "panic=nobody@3", "--out", filepath.Join(dir, "b"))
}

func TestTheJobSurvivesFaultsInTheSimulator(t *testing.T) {
	out, err := program("sim", "--seeds", "1-6").CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
