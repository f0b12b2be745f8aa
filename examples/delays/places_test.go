package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"blink/examples/delays/data"
)

// Files stand where folders should be, which stops also the superuser.
func TestPlacesThatCannotBeWrittenAreNamed(t *testing.T) {
	dir := t.TempDir()
	file, state := filepath.Join(dir, "file"), filepath.Join(dir, "state")
	write(t, file, nil)
	for _, c := range []struct {
		args []string
		told string
	}{
		{[]string{"--out", file}, "--out: "},
		{[]string{"--out", filepath.Join(file, "out")}, "--out: "},
		{[]string{"--out", file, "--state-dir", state}, "--out: "},
		{[]string{"--state-dir", file}, "state dir: "},
		{[]string{"--state-dir", filepath.Join(file, "state")}, "state dir: "},
	} {
		start(t, program(append([]string{"run"}, c.args...)...)).ends(1, c.told, file, "not a directory")
	}
	if found := content(t, dir); len(found) != 1 {
		t.Errorf("left behind: %d files, want the one that was there", len(found))
	}
	if _, err := os.Stat(state); err == nil {
		t.Error("a state dir is left of a run that did not begin")
	}
	start(t, program("run", "--fly")).ends(2, "fly", "-h for help")
	start(t, program("run", "--parallelism", "many")).ends(2, `"many"`, "-h for help")
	start(t, program("run", "--out-of-orderness", "soon")).ends(1, "out-of-orderness", "soon")
	start(t, program("run", "--out-of-orderness", "-1h")).ends(1, "parameter --out-of-orderness=-1h: want a duration of at least 0")
}

// A folder that everybody may only read stops everybody but the superuser, whom the program
// ceases to be.
func TestFolderThatIsOnlyToBeReadIsRefusedAtOnce(t *testing.T) {
	dir := t.TempDir()
	out := filepath.Join(dir, "out")
	if err := os.Mkdir(out, 0o555); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Dir(dir), 0o711); err != nil { // others may pass
		t.Fatal(err)
	}
	c := program("run", "--out", out)
	c.Env = append(c.Env, asNobody+"=1")
	p := start(t, c)
	p.ends(1, "--out "+out+": permission denied: make it writable, or name another folder")
	if told := p.told(); strings.Contains(told, "restart") {
		t.Errorf("it began:\n%s", told)
	}
}

// While a run was away somebody has put a file in the place of a folder that it needs; when
// that is mended, the same command goes on.
func TestFileInThePlaceOfAFolderIsNamed(t *testing.T) {
	state, out := halfDone(t)
	parts := filepath.Join(out, ".windows.csv.parts")
	for folder, told := range map[string]string{
		parts:                            "write " + filepath.Join(out, "windows.csv"),
		filepath.Join(state, "objects"):  "object store: ",
		filepath.Join(state, "leader"):   "state dir: ",
		filepath.Join(state, "job.json"): "state dir: ",
	} {
		saved := folder + ".saved"
		if folder == parts {
			saved = filepath.Join(state, "parts.saved") // a name that is not the job's own is refused
		}
		swap(t, folder, saved)
		start(t, program("run", "--state-dir", state, "--out", out, "--restart", "1,10ms")).ends(1, told, folder)
		remove(t, folder)
		if err := os.Rename(saved, folder); err != nil {
			t.Fatal(err)
		}
	}
	run(t, "--state-dir", state, "--out", out)
	exact(t, out, january(t))
}

// swap moves a file or folder away and leaves its opposite in its place.
func swap(t *testing.T, name, to string) {
	t.Helper()
	info, err := os.Stat(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(name, to); err != nil {
		t.Fatal(err)
	}
	if info.IsDir() {
		write(t, name, nil)
		return
	}
	if err := os.Mkdir(name, 0o777); err != nil {
		t.Fatal(err)
	}
}

// The rows before the newest checkpoint are in the output folder only.
func TestOutputThatIsGoneIsMissed(t *testing.T) {
	state, out := halfDone(t)
	away := out + ".away"
	if err := os.Rename(out, away); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		start(t, program("run", "--state-dir", state, "--out", out)).ends(1,
			"--out "+out, filepath.Join(out, "windows.csv"), ".windows.csv.parts/ledger-00000-*", "Put back what was there, or begin anew with another state dir")
	}
	restore(t, out, away)
	run(t, "--state-dir", state, "--out", out)
	exact(t, out, january(t))
}

// The same while the job runs: what is committed must not be missing in a result.
func TestOutputThatGoesAwayWhileTheJobRunsEndsIt(t *testing.T) {
	for _, gone := range []string{"", ".windows.csv.parts"} {
		dir := t.TempDir()
		state, out := filepath.Join(dir, "state"), filepath.Join(dir, "out")
		p := start(t, program("run", "--state-dir", state, "--out", out, "--checkpoint-interval", "50ms", "--rate", "2000"))
		p.committed(out, "part-*", 2)
		gone := filepath.Join(out, gone)
		away := filepath.Join(dir, "away")
		if err := os.Rename(gone, away); err != nil {
			t.Fatal(err)
		}
		p.ends(1, filepath.Join(out, ".windows.csv.parts"), "ledger-00000-*, the list of the parts of task 0, is gone", "put it back")
		if err := os.RemoveAll(gone); err != nil { // folders without files
			t.Fatal(err)
		}
		if err := os.Rename(away, gone); err != nil {
			t.Fatal(err)
		}
		run(t, "--state-dir", state, "--out", out)
		exact(t, out, january(t))
	}
}

// Somebody's file has taken the name of a result while the run was away. It must not pass
// for the result, nor may the rows be removed that are committed.
func TestForeignFileInThePlaceOfAResultIsRefused(t *testing.T) {
	state, out := halfDone(t)
	before := content(t, out)
	for _, name := range []string{"windows.csv", "bad.csv"} { // bad.csv has no rows
		name := filepath.Join(out, name)
		write(t, name, []byte("mine\n"))
		for range 2 {
			start(t, program("run", "--state-dir", state, "--out", out)).ends(1, "--out "+out, "write "+name+": it exists beside its unfinished parts", "move it away")
		}
		if text := string(read(t, name)); text != "mine\n" {
			t.Errorf("%s is %q", name, text)
		}
		remove(t, name)
		unchanged(t, out, before)
	}
	run(t, "--state-dir", state, "--out", out)
	exact(t, out, january(t))
}

// The same while the run is under way: it fails, and goes on when the name is free again.
func TestForeignFileThatAppearsDuringTheRunIsRefused(t *testing.T) {
	state, out := halfDone(t)
	name := filepath.Join(out, "windows.csv")
	p := start(t, program("run", "--state-dir", state, "--out", out, "--checkpoint-interval", "50ms", "--rate", "20000", "--restart", "1,10ms"))
	p.committed(out, "part-*-2.1.csv", 1)
	write(t, name, []byte("mine\n"))
	p.ends(1, "write "+name+": it exists beside its unfinished parts", "move it away")
	if text := string(read(t, name)); text != "mine\n" {
		t.Errorf("%s is %q", name, text)
	}
	remove(t, name)
	run(t, "--state-dir", state, "--out", out)
	exact(t, out, january(t))
}

func TestOnlyTheNamesOfTheJobMayBeInItsOutput(t *testing.T) {
	state, out := halfDone(t)
	for _, name := range []string{".windows.csv", "windows.csv.parts", ".parts", "mine.csv"} {
		name := filepath.Join(out, name)
		write(t, name, nil)
		start(t, program("run", "--state-dir", state, "--out", out)).ends(1, "it holds "+filepath.Base(name)+", which is not this run's")
		remove(t, name)
	}
}

// committed waits for that many parts of windows.csv.
func (p *process) committed(out, pattern string, n int) {
	p.t.Helper()
	p.until(func() bool {
		found, err := filepath.Glob(filepath.Join(out, ".windows.csv.parts", pattern))
		if err != nil {
			p.t.Fatal(err)
		}
		return len(found) >= n
	})
}

// What is committed is in the output folder only, and a run that goes on counts on it.
func TestLostOrDamagedPartIsMissed(t *testing.T) {
	dir := t.TempDir()
	state, out := filepath.Join(dir, "state"), filepath.Join(dir, "out")
	p := start(t, program("run", "--state-dir", state, "--out", out, "--checkpoint-interval", "50ms", "--rate", "8000"))
	p.committed(out, "part-*", 3)
	p.kill()
	saved, written := copied(t, state), copied(t, out)
	one := func(pattern string) string {
		found, err := filepath.Glob(filepath.Join(out, ".windows.csv.parts", pattern))
		if err != nil || len(found) == 0 {
			t.Fatalf("%s: %q, %v", pattern, found, err)
		}
		return found[0]
	}
	for _, c := range []struct {
		what, pattern string
		do            func(t *testing.T, name string)
		told          string
	}{
		{"lose a part", "part-*", remove, "is gone from " + out + "/.windows.csv.parts: put it back"},
		{"cut a part", "part-*", halve, "has changed, from "},
		{"flip a bit of a part", "part-*", flip, "has changed, and has its size still"},
		{"lose the list", "ledger-*", remove, "neither " + out + "/windows.csv nor the list of its unfinished parts, "},
		{"cut the list", "ledger-*", halve, "is in no list of parts"},
		{"flip a bit of the list", "ledger-*", flip, "it is damaged"},
	} {
		t.Run(c.what, func(t *testing.T) {
			restore(t, state, saved)
			restore(t, out, written)
			name := one(c.pattern)
			data := read(t, name)
			c.do(t, name)
			told := []string{c.told}
			if strings.HasPrefix(c.pattern, "part") {
				told = append(told, filepath.Base(name))
			}
			start(t, program("run", "--state-dir", state, "--out", out, "--restart", "1,10ms")).ends(1, told...)
			if _, err := os.Stat(filepath.Join(out, "windows.csv")); err == nil {
				t.Error("windows.csv is published")
			}
			write(t, name, data)
			run(t, "--state-dir", state, "--out", out)
			exact(t, out, january(t))
		})
	}
}

// The lists of parts go from task to task.
func TestLostPartOfATaskThatNoLongerExistsIsMissed(t *testing.T) {
	dir := t.TempDir()
	state, out := filepath.Join(dir, "state"), filepath.Join(dir, "out")
	const gone = "part-*-0000[1-6]-1.1.csv" // of the tasks but the first, in the first run
	for epoch, parallelism := range []string{"7", "1", "2"} {
		p := start(t, program("run", "--state-dir", state, "--out", out, "--checkpoint-interval", "50ms", "--rate", "4000", "--parallelism", parallelism))
		if epoch == 0 {
			p.committed(out, gone, 2)
		}
		p.committed(out, fmt.Sprintf("part-*-%d.1.csv", epoch+1), 2)
		p.kill()
	}
	found, err := filepath.Glob(filepath.Join(out, ".windows.csv.parts", gone))
	if err != nil {
		t.Fatal(err)
	}
	data := read(t, found[0])
	remove(t, found[0])
	start(t, program("run", "--state-dir", state, "--out", out, "--restart", "1,10ms")).ends(1, filepath.Base(found[0]), "is gone from ")
	write(t, found[0], data)
	run(t, "--state-dir", state, "--out", out)
	exact(t, out, january(t))
}

func TestOutputOfAnotherProcessIsRefused(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out")
	var all []*process
	for range 6 {
		all = append(all, start(t, program("run", "--out", out, "--rate", "20000")))
	}
	finished := 0
	for _, p := range all {
		<-p.ended
		if p.c.ProcessState.ExitCode() == 0 {
			finished++
			continue
		}
		if told := p.told(); !strings.Contains(told, "another process is using it") && !strings.Contains(told, "which is not this run's") {
			t.Errorf("it is refused for another reason:\n%s", told)
		}
	}
	if finished != 1 {
		t.Errorf("%d of %d have finished, want one", finished, len(all))
	}
	exact(t, out, january(t))
}

func TestOutputOfAProcessThatWasKilledIsFree(t *testing.T) {
	state, out := halfDone(t)
	p := start(t, program("run", "--state-dir", state, "--out", out, "--rate", "100"))
	p.until(func() bool { epoch, _ := led(t, state); return epoch == 2 })
	start(t, program("run", "--state-dir", filepath.Join(t.TempDir(), "other"), "--out", out)).ends(1, "--out "+out, "another process is using it")
	p.kill()
	run(t, "--state-dir", state, "--out", out)
	exact(t, out, january(t))
}

// A result needs no inputs, and what is gone of it is told.
func TestResultIsShownWithoutItsInputs(t *testing.T) {
	dir := t.TempDir()
	state, out, flights := filepath.Join(dir, "state"), filepath.Join(dir, "out"), filepath.Join(dir, "flights.csv.gz")
	write(t, flights, data.Flights)
	command := []string{"run", "--state-dir", state, "--out", out, "--flights", flights}
	start(t, program(command...)).ends(0, "7,027 rows")
	write(t, flights, data.Flights[:len(data.Flights)/2])
	start(t, program(command...)).ends(1, flights)
	remove(t, flights)
	start(t, program(command...)).ends(0, "it has finished before", "7,027 rows")
	remove(t, filepath.Join(out, "windows.csv"))
	for _, again := range [][]string{command, {"run", "--state-dir", state, "--flights", flights}} {
		p := start(t, program(again...))
		p.ends(0, "7,027 rows", filepath.Join(out, "windows.csv")+" is gone")
		if strings.Contains(p.told(), "rain.csv is gone") {
			t.Errorf("rain.csv is there:\n%s", p.told())
		}
	}
}

func TestStateDirOfAnotherJobIsRefused(t *testing.T) {
	state, out := halfDone(t)
	name := filepath.Join(state, "job.json")
	write(t, name, []byte(strings.Replace(string(read(t, name)), `"Job": "delays"`, `"Job": "arrivals"`, 1)))
	before, kept := content(t, out), content(t, state)
	start(t, program("run", "--state-dir", state, "--out", out)).ends(1, "state dir "+state, "it belongs to job arrivals, and this is delays", "use another state dir")
	unchanged(t, out, before)
	unchanged(t, state, kept)
}

// Something stands in the way of every part that is to be made visible: the run says so, and
// goes on by itself when it is taken away.
func TestCommitThatIsHinderedIsToldAndTriedAgain(t *testing.T) {
	state, out := halfDone(t)
	_, before := pointed(t, state)
	p := start(t, program("run", "--state-dir", state, "--out", out, "--checkpoint-interval", "50ms", "--rate", "20000"))
	now := before
	p.until(func() bool {
		_, now = pointed(t, state)
		return now > before
	})
	var inTheWay []string
	for id := now + 1; id < now+200; id++ {
		part := filepath.Join(out, ".windows.csv.parts", fmt.Sprintf("part-%010d-00000-2.1.csv", id))
		if os.Mkdir(part, 0o777) == nil { // else it is there already
			inTheWay = append(inTheWay, part)
		}
	}
	p.until(func() bool { return strings.Contains(p.told(), ": trying again") })
	for _, part := range inTheWay {
		remove(t, part)
	}
	p.ends(0, `operator "write-windows"`, "commit checkpoint ", filepath.Join(out, ".windows.csv.parts", "part-"), " 0 tasks restarted")
	exact(t, out, january(t))
}
