package main

import (
	"errors"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
)

// A disk that is full for large files is made without mounting one: the program may write no
// file longer than this variable says. Small ones find room still, as they do on a full disk.
const fileLimit = "DELAYS_TEST_FILE_LIMIT"

func limitFiles(bytes string) {
	if bytes == "" {
		return
	}
	n, err := strconv.ParseUint(bytes, 10, 63)
	if err == nil {
		signal.Ignore(syscall.SIGXFSZ) // else it would end the process
		err = syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: n, Max: n})
	}
	if err != nil {
		panic(err)
	}
}

// The program ceases to be the superuser when this variable is set.
const asNobody = "DELAYS_TEST_AS_NOBODY"

func becomeNobody(asked string) {
	const nobody = 65534
	if asked == "" || os.Getuid() != 0 {
		return
	}
	if err := errors.Join(syscall.Setgid(nobody), syscall.Setuid(nobody)); err != nil {
		panic(err)
	}
}

// onFullDisk is the program where no file has room for so many bytes.
func onFullDisk(bytes int, args ...string) *exec.Cmd {
	c := program(args...)
	c.Env = append(c.Env, fileLimit+"="+strconv.Itoa(bytes))
	return c
}

// tooLarge is how the system puts it.
var tooLarge = syscall.EFBIG.Error()

// halfDone is a state dir and an output folder of a run that was killed behind some
// checkpoints.
func halfDone(t *testing.T) (state, out string) {
	t.Helper()
	dir := t.TempDir()
	state, out = filepath.Join(dir, "state"), filepath.Join(dir, "out")
	p := start(t, program("run", "--state-dir", state, "--out", out, "--checkpoint-interval", "50ms", "--rate", "2000"))
	p.until(func() bool { return newest(t, state) > 5 })
	p.kill()
	return state, out
}

// The snapshots find no room, and nobody makes any: the run must not wait for ever, and the
// last checkpoint is what the next one goes on from.
func TestFullStateDirEndsTheRunAndNothingIsLost(t *testing.T) {
	state, out := halfDone(t)
	_, before := pointed(t, state)
	p := start(t, onFullDisk(20_000, "run", "--state-dir", state, "--out", out, "--checkpoint-interval", "50ms", "--rate", "50"))
	p.ends(1,
		"the state dir cannot be used: put chk/", filepath.Join(state, "objects", "chk"), tooLarge, "trying again",
		"the state dir could not be used for 5s", "make room", "the same command goes on from checkpoint "+strconv.Itoa(before))
	n := run(t, "--state-dir", state, "--out", out)
	exact(t, out, january(t))
	if n.TaskRestarts != 0 {
		t.Errorf("%+v", n)
	}
}

func TestFullOutputFolderFailsTheJobAndNothingIsLost(t *testing.T) {
	state, out := halfDone(t)
	for _, c := range []struct {
		what, file string
		bytes      int
		args       []string
	}{
		{"a part", ".windows.csv.parts/writing-00000-", 200_000, []string{"--checkpoint-interval", "0"}},
		{"the joined file", ".windows.csv.parts/joined-", 390_000, []string{"--checkpoint-interval", "20ms", "--rate", "20000"}},
	} {
		args := append([]string{"run", "--state-dir", state, "--out", out, "--restart", "1,10ms"}, c.args...)
		start(t, onFullDisk(c.bytes, args...)).ends(1, "write "+out+"/windows.csv", c.file, tooLarge, "ulimit -f", "the same command goes on from checkpoint ")
		if _, err := os.Stat(filepath.Join(out, "windows.csv")); err == nil {
			t.Errorf("%s has no room, and windows.csv is there", c.what)
		}
	}
	run(t, "--state-dir", state, "--out", out)
	exact(t, out, january(t))
}

// Before anything begins there is nothing to go on from, and nothing may be left in the way.
func TestStateDirThatIsFullAtOnceIsLeftAsIfItHadNotBegun(t *testing.T) {
	dir := t.TempDir()
	state, out := filepath.Join(dir, "state"), filepath.Join(dir, "out")
	start(t, onFullDisk(3000, "run", "--state-dir", state, "--out", out)).ends(1, "state dir: write "+filepath.Join(state, "job.json"), tooLarge)
	run(t, "--state-dir", state, "--out", out)
	exact(t, out, january(t))
}
