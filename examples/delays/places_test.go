package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
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
			"--out "+out, filepath.Join(out, "windows.csv"), ".windows.csv.parts", "Put them back, or begin anew with another state dir")
	}
	restore(t, out, away)
	run(t, "--state-dir", state, "--out", out)
	exact(t, out, january(t))
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
