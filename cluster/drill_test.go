package cluster

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"blink/graph"
)

func planOf(t *testing.T, parallelism int) *graph.Plan {
	t.Helper()
	built, err := newBench(t).build(nil)
	check(t, err)
	built.Job.Parallelism = parallelism
	plan, err := graph.Compile(built.Job)
	check(t, err)
	return plan
}

// reads lets a task read records until a drill panics, and returns how many it read before.
func reads(d *drills, operator string, subtask, n int) (before int) {
	f := d.of(operator, subtask)
	if f == nil {
		return n
	}
	defer func() { _ = recover() }()
	for range n {
		f()
		before++
	}
	return before
}

func TestDrillFiresOnceInTheFirstTaskThatGetsThere(t *testing.T) {
	d, err := newDrills([]string{"panic=count@5"}, planOf(t, 2), "")
	check(t, err)
	for i, c := range []struct{ subtask, read, want int }{{0, 4, 4}, {1, 9, 4}, {1, 9, 9}, {0, 9, 9}} {
		if n := reads(d, "count", c.subtask, c.read); n != c.want {
			t.Errorf("step %d: %d records before the panic, want %d", i, n, c.want)
		}
	}
	if d.of("read", 0) != nil || d.silent() != nil {
		t.Error("a drill where there is none")
	}
}

func TestDrillOfASubtaskLeavesTheOthersAlone(t *testing.T) {
	d, err := newDrills([]string{"panic=count/1@5"}, planOf(t, 2), "")
	check(t, err)
	if reads(d, "count", 0, 9) != 9 || reads(d, "count", 1, 9) != 4 {
		t.Error("the wrong task panicked")
	}
}

func TestEqualDrillsFireOnceEach(t *testing.T) {
	d, err := newDrills([]string{"panic=count@5", "panic=count@5"}, planOf(t, 1), "")
	check(t, err)
	for _, want := range []int{4, 4, 9} {
		if n := reads(d, "count", 0, 9); n != want {
			t.Errorf("%d records before the panic, want %d", n, want)
		}
	}
}

func TestStateDirRemembersWhatHasFired(t *testing.T) {
	file := filepath.Join(t.TempDir(), "drills")
	given := []string{"panic=count@5", "panic=jobmaster@2", "panic=count@1000"}
	d, err := newDrills(given, planOf(t, 1), file)
	check(t, err)
	reads(d, "count", 0, 9)
	if d.jobMasterDies(1) || !d.jobMasterDies(2) || d.jobMasterDies(2) {
		t.Error("the JobMaster dies in the wrong checkpoint, or twice")
	}
	d, err = newDrills(given, planOf(t, 1), file)
	check(t, err)
	if n := reads(d, "count", 0, 9); n != 9 || d.jobMasterDies(2) {
		t.Error("a drill fired again")
	}
	if silent := d.silent(); !slices.Equal(silent, given[2:]) {
		t.Errorf("silent: %v", silent)
	}
}

func TestDrillThatCannotBeWrittenDownDoesNotFire(t *testing.T) {
	dir := t.TempDir()
	d, err := newDrills([]string{"panic=count@5"}, planOf(t, 1), filepath.Join(dir, "none", "drills"))
	check(t, err)
	if n := reads(d, "count", 0, 9); n != 9 {
		t.Errorf("it fired after %d records", n)
	}
}

func TestDrillFiresOnceAmongTasksAtOnce(t *testing.T) {
	d, err := newDrills([]string{"panic=count@5"}, planOf(t, 8), filepath.Join(t.TempDir(), "drills"))
	check(t, err)
	var all sync.WaitGroup
	fired := make([]bool, 8)
	for i := range fired {
		all.Go(func() { fired[i] = reads(d, "count", i, 9) < 9 })
	}
	all.Wait()
	if n := len(slices.DeleteFunc(fired, func(f bool) bool { return !f })); n != 1 {
		t.Errorf("%d tasks panicked", n)
	}
	data, err := os.ReadFile(d.file)
	if err != nil || string(data) != "panic=count@5 1\n" {
		t.Errorf("%q, %v", data, err)
	}
}

func TestIDWithSlashesAndAtSignsIsADrillsTarget(t *testing.T) {
	for text, want := range map[string]drill{
		"panic=a/b@c/3@7":   {operator: "a/b@c", subtask: 3, at: 7},
		"panic=a/b@7":       {operator: "a/b", subtask: -1, at: 7},
		"panic=jobmaster@2": {jobMaster: true, subtask: -1, at: 2},
	} {
		have, err := parseDrill(text)
		want.text = text
		if err != nil || have != want {
			t.Errorf("%s: %+v, %v", text, have, err)
		}
	}
}

// It may fire again after a crash if nobody knows that it has.
func TestDrillThatCannotBeWrittenDownDoesNotFireAndSaysSo(t *testing.T) {
	d, err := newDrills([]string{"panic=count@5"}, planOf(t, 1), "")
	check(t, err)
	d.file = filepath.Join(t.TempDir(), "gone", "drills")
	if n := reads(d, "count", 0, 9); n != 9 {
		t.Errorf("it panicked after %d records", n)
	}
	if silent := d.silent(); len(silent) != 1 || !strings.Contains(silent[0], "panic=count@5 (cannot be written down: ") {
		t.Errorf("silent: %q", silent)
	}
}
