package main

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// The interval is far longer than the run: the checkpoint that the next run goes on from is
// the one that the interrupt, at a random moment, asked for.
func TestInterruptStopsAtALastCheckpoint(t *testing.T) {
	dir := t.TempDir()
	state, out := filepath.Join(dir, "state"), filepath.Join(dir, "out")
	command := []string{"run", "--state-dir", state, "--out", out, "--checkpoint-interval", "1h", "--rate", "5000"}
	for stop := 1; stop <= 2; stop++ {
		p := start(t, program(command...))
		more := rand.N(50)
		p.until(func() bool {
			if epoch, _ := led(t, state); epoch == stop {
				more--
			}
			return more < 0
		})
		p.signal(os.Interrupt)
		p.ends(130, "stopping; once more to stop at once", "stopped at checkpoint "+strconv.Itoa(stop)+": run the same command again to go on")
		if _, checkpoint := pointed(t, state); checkpoint != stop {
			t.Errorf("after %d interrupts checkpoint %d is the newest", stop, checkpoint)
		}
	}
	n := run(t, "--state-dir", state, "--out", out)
	exact(t, out, january(t))
	if n.Checkpoints != 1 || n.TaskRestarts != 0 {
		t.Errorf("%+v", n)
	}
}

// Nothing can go on from an output without a state dir, so nothing of it may be in the way
// of the same command.
func TestInterruptWithoutAStateDirKeepsNothing(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out")
	p := start(t, program("run", "--out", out, "--rate", "2000"))
	p.until(func() bool {
		_, err := os.Stat(filepath.Join(out, ".windows.csv.parts")) // a task has begun
		return err == nil
	})
	p.signal(os.Interrupt)
	p.ends(130, "stopping; once more to stop at once", "without --state-dir nothing of it is kept")
	run(t, "--out", out)
	exact(t, out, january(t))
}

// The last checkpoint finds no room on the disk, so the first interrupt takes its time.
func TestSecondInterruptEndsTheProcessAtOnce(t *testing.T) {
	state, out := halfDone(t)
	_, before := pointed(t, state)
	p := start(t, onFullDisk(20_000, "run", "--state-dir", state, "--out", out, "--checkpoint-interval", "0", "--rate", "200"))
	p.until(func() bool { epoch, _ := led(t, state); return epoch == 2 })
	p.signal(os.Interrupt)
	p.until(func() bool { return strings.Contains(p.told(), "the state dir cannot be used") })
	p.signal(os.Interrupt)
	p.ends(130, "stopping; once more to stop at once")
	if _, checkpoint := pointed(t, state); checkpoint != before || strings.Contains(p.told(), "stopped at") {
		t.Errorf("it ended in order, at checkpoint %d:\n%s", checkpoint, p.told())
	}
	run(t, "--state-dir", state, "--out", out)
	exact(t, out, january(t))
}
