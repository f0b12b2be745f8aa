package files

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"blink/operator"
)

// brittle is a file system that stops working at an operation, as in a crash.
type brittle struct {
	operator.FS
	left int // operations until then; -1: never
	err  error
}

var errCrash = errors.New("crash")

func (b *brittle) step() error {
	if b.left == 0 {
		return b.err
	}
	b.left--
	return nil
}

func (b *brittle) Create(name string) (operator.File, error) {
	if err := b.step(); err != nil {
		return nil, err
	}
	f, err := b.FS.Create(name)
	return &brittleFile{f, b}, err
}

func (b *brittle) Append(name string) (operator.File, error) {
	if err := b.step(); err != nil {
		return nil, err
	}
	f, err := b.FS.Append(name)
	return &brittleFile{f, b}, err
}

func (b *brittle) Rename(from, to string) error {
	if err := b.step(); err != nil {
		return err
	}
	return b.FS.Rename(from, to)
}

func (b *brittle) Remove(name string) error {
	if err := b.step(); err != nil {
		return err
	}
	return b.FS.Remove(name)
}

// SyncDir is a step and no more, like Sync.
func (b *brittle) SyncDir(string) error { return b.step() }

type brittleFile struct {
	operator.File
	b *brittle
}

func (f *brittleFile) Write(p []byte) (int, error) {
	if err := f.b.step(); err != nil {
		n, _ := f.File.Write(p[:len(p)/2])
		return n, err
	}
	return f.File.Write(p)
}

// Sync is a step and no more: what is written survives these crashes.
func (f *brittleFile) Sync() error { return f.b.step() }

// rig plays the runtime around the tasks of a sink: two tasks, a checkpoint after every
// record, and a restart from the newest complete checkpoint after an error.
type rig struct {
	t       *testing.T
	fs      *brittle
	target  string
	tasks   int
	attempt operator.Attempt

	complete uint64      // the newest complete checkpoint
	pending  [][]Written // of its snapshot, by task
}

const rounds = 4 // of each task, one for each checkpoint

// run does all the work from the newest checkpoint on, or returns the crash.
func (r *rig) run() error {
	r.attempt.N++
	stages := make([]*stage, r.tasks)
	for i := range stages {
		stages[i] = &stage{fs: r.fs, target: newTarget(r.target), header: []byte("n\n"),
			task: i, parallelism: r.tasks, attempt: r.attempt, restored: r.complete, resumed: r.complete > 0}
		defer stages[i].close()
		if err := stages[i].begin(); err != nil {
			return err
		}
	}
	if err := r.commit(stages); err != nil {
		return err
	}
	for n := r.complete; n < rounds; n++ {
		if err := r.checkpoint(stages, n+1); err != nil {
			return err
		}
	}
	return stages[0].finalize()
}

func (r *rig) checkpoint(stages []*stage, id uint64) error {
	var pending [][]Written
	for i, s := range stages {
		if err := s.write(fmt.Appendf(nil, "%d\n", id*10+uint64(i))); err != nil {
			return err
		}
		p, ok, err := s.prepare(id)
		if err != nil || !ok {
			return fmt.Errorf("prepare: %v, %w", ok, err)
		}
		pending = append(pending, []Written{p})
	}
	r.complete, r.pending = id, pending
	return r.commit(stages)
}

func (r *rig) commit(stages []*stage) error {
	for i, parts := range r.pending {
		if err := stages[i%len(stages)].commit(parts); err != nil {
			return err
		}
	}
	return nil
}

func TestFileIsExactWhereverItCrashes(t *testing.T) {
	for at := range 400 {
		dir := t.TempDir()
		r := &rig{t: t, fs: &brittle{OS(), at, errCrash}, target: path.Join(filepath.ToSlash(dir), "x.csv"), tasks: 2}
		err := r.run()
		if err == nil {
			if at < 30 {
				t.Fatalf("it takes only %d operations", at)
			}
			return // every place was tried
		}
		if !errors.Is(err, errCrash) {
			t.Fatalf("crash at %d: %v", at, err)
		}
		r.fs.left = -1
		if err := r.run(); err != nil {
			t.Fatalf("after a crash at %d: %v", at, err)
		}
		same(t, sortedLines(t, r.target), []string{"10", "11", "20", "21", "30", "31", "40", "41", "n"})
		same(t, names(t, dir), []string{"x.csv"})
		if t.Failed() {
			t.Fatalf("crash at %d", at)
		}
	}
	t.Fatal("it never ends")
}

func TestFolderIsExactWhereverItCrashes(t *testing.T) {
	for at := range 400 {
		dir := t.TempDir()
		r := &rig{t: t, fs: &brittle{OS(), at, errCrash}, target: filepath.ToSlash(dir) + "/out/", tasks: 2}
		err := r.run()
		done := err == nil
		r.fs.left = -1
		if err := r.run(); err != nil {
			t.Fatalf("after a crash at %d: %v", at, err)
		}
		var rows []string
		for _, n := range names(t, dir+"/out") {
			rows = append(rows, sortedLines(t, dir+"/out/"+n)[0])
			if text := sortedLines(t, dir+"/out/"+n)[1]; text != "n" {
				t.Fatalf("%s has no header but %s", n, text)
			}
		}
		same(t, rows, []string{"10", "11", "20", "21", "30", "31", "40", "41"})
		if done {
			return
		}
	}
	t.Fatal("it never ends")
}

func TestPartsOfTasksThatNoLongerExistAreRemoved(t *testing.T) {
	dir := t.TempDir()
	fsys := &brittle{OS(), 60, errCrash} // with some checkpoint complete
	r := &rig{t: t, fs: fsys, target: filepath.ToSlash(dir) + "/x.csv", tasks: 3}
	if err := r.run(); !errors.Is(err, errCrash) {
		t.Fatal(err)
	}
	if r.complete == 0 {
		t.Fatal("no checkpoint is complete")
	}
	fsys.left, r.tasks = -1, 2
	before := r.complete
	if err := r.run(); err != nil {
		t.Fatal(err)
	}
	for _, line := range sortedLines(t, r.target) {
		if line > fmt.Sprint(before*10+9) && line[1:] == "2" {
			t.Errorf("row %s is of task 2, which wrote it after checkpoint %d", line, before)
		}
	}
}

// What is later than the restored checkpoint is of no complete one, unless the job was sent
// back to an older one: then it would be there twice.
func TestWhatIsLaterThanTheRestoredCheckpointIsRemoved(t *testing.T) {
	dir := filepath.ToSlash(t.TempDir()) + "/out/"
	first := operator.Attempt{Epoch: 1, N: 1}
	olds := make([]*stage, 2)
	for task := range olds {
		olds[task] = &stage{fs: OS(), target: newTarget(dir), header: []byte("n\n"), task: task, parallelism: 2, attempt: first}
		check(t, olds[task].begin())
	}
	for _, old := range olds {
		for checkpoint := range uint64(3) {
			check(t, old.write([]byte("row\n")))
			p, _, err := old.prepare(checkpoint + 1)
			check(t, err)
			if checkpoint < 2 {
				check(t, old.commit([]Written{p}))
			}
		}
		check(t, old.write([]byte("open\n")))
		check(t, old.close())
	}
	young := &stage{fs: OS(), target: newTarget(dir), header: []byte("n\n"), parallelism: 1, attempt: operator.Attempt{Epoch: 2, N: 1}, restored: 1}
	check(t, young.begin())
	l, err := young.target.list(OS())
	check(t, err)
	if want := []Part{{1, 0, first}, {1, 1, first}}; !slices.Equal(l.committed, want) || len(l.staged)+len(l.writing) > 0 {
		t.Errorf("%+v are left, want %v", l, want)
	}
}

func TestNameDoesNotExistBeforeFinalizeAndHasAHeaderWithoutRows(t *testing.T) {
	dir := t.TempDir()
	s := &stage{fs: OS(), target: newTarget(filepath.ToSlash(dir) + "/out/x.csv"), header: []byte("a,b\n"), parallelism: 1, attempt: operator.Attempt{Epoch: 1, N: 1}}
	check(t, s.begin())
	if _, ok, err := s.prepare(1); ok || err != nil {
		t.Fatalf("a part of nothing: %v, %v", ok, err)
	}
	check(t, s.commit(nil))
	if _, err := os.Stat(dir + "/out/x.csv"); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("the name exists: %v", err)
	}
	for range 2 {
		check(t, s.finalize())
		same(t, sortedLines(t, dir+"/out/x.csv"), []string{"a,b"})
	}
}

func TestZombieLeavesPartsOfItsSuccessor(t *testing.T) {
	dir := filepath.ToSlash(t.TempDir())
	young := &stage{fs: OS(), target: newTarget(dir + "/x.csv"), parallelism: 1, attempt: operator.Attempt{Epoch: 1, N: 2}}
	check(t, young.begin())
	check(t, young.write([]byte("1\n")))
	p, _, err := young.prepare(1)
	check(t, err)
	old := &stage{fs: OS(), target: newTarget(dir + "/x.csv"), parallelism: 1, attempt: operator.Attempt{Epoch: 1, N: 1}}
	check(t, old.begin())
	check(t, young.commit([]Written{p}))
}

func TestFinalizeOfTwoAttemptsAtOnceGivesOneResult(t *testing.T) {
	dir := filepath.ToSlash(t.TempDir())
	a := &stage{fs: OS(), target: newTarget(dir + "/x.csv"), header: []byte("n\n"), parallelism: 1, attempt: operator.Attempt{Epoch: 1, N: 1}}
	check(t, a.begin())
	check(t, a.write([]byte("1\n")))
	p, _, err := a.prepare(1)
	check(t, err)
	check(t, a.commit([]Written{p}))

	// b looks whether the name is free, then a does everything, then b goes on.
	b := &stage{fs: &meanwhile{FS: OS(), name: dir + "/x.csv", do: func() { check(t, a.finalize()) }},
		target: a.target, header: a.header, parallelism: 1, attempt: operator.Attempt{Epoch: 1, N: 2}}
	check(t, b.finalize())
	same(t, sortedLines(t, dir+"/x.csv"), []string{"1", "n"})
}

// What an attempt misses since an older one publishes at this moment is not lost.
func TestAttemptThatBeginsWhileAnOlderOnePublishesHasNothingToDo(t *testing.T) {
	dir := filepath.ToSlash(t.TempDir())
	a := &stage{fs: OS(), target: newTarget(dir + "/x.csv"), header: []byte("n\n"), parallelism: 1, attempt: operator.Attempt{Epoch: 1, N: 1}}
	check(t, a.begin())
	check(t, a.write([]byte("1\n")))
	p, _, err := a.prepare(1)
	check(t, err)
	check(t, a.commit([]Written{p}))
	b := &stage{fs: &meanwhile{FS: OS(), name: dir + "/x.csv", do: func() { check(t, a.finalize()) }},
		target: a.target, header: a.header, parallelism: 1, attempt: operator.Attempt{Epoch: 1, N: 2}, restored: 1, resumed: true}
	check(t, b.begin())
	check(t, b.commit([]Written{p}))
	check(t, b.finalize())
	same(t, sortedLines(t, dir+"/x.csv"), []string{"1", "n"})
	same(t, names(t, dir), []string{"x.csv"})
}

// meanwhile does something behind the first Stat of a name.
type meanwhile struct {
	operator.FS
	name string
	do   func()
}

func (m *meanwhile) Stat(name string) (operator.FileInfo, error) {
	info, err := m.FS.Stat(name)
	if do := m.do; do != nil && name == m.name {
		m.do = nil
		do()
	}
	return info, err
}

func TestResultsOfOthersAreNotOverwritten(t *testing.T) {
	dir := filepath.ToSlash(t.TempDir())
	write(t, dir+"/x.csv", []byte("precious\n"))
	write(t, dir+"/out/"+Part{3, 0, operator.Attempt{Epoch: 1, N: 1}}.committed(), []byte("precious\n"))
	for _, name := range []string{"x.csv", "out/"} {
		s := &stage{fs: OS(), target: newTarget(dir + "/" + name), parallelism: 1, attempt: operator.Attempt{Epoch: 1, N: 1}}
		wantError(t, s.begin(), name, "write elsewhere")
	}
	same(t, sortedLines(t, dir+"/x.csv"), []string{"precious"})
}

func TestDiskThatIsFullOrShutIsAnErrorThatSaysWhatToDo(t *testing.T) {
	dir := filepath.ToSlash(t.TempDir())
	disk := &brittle{OS(), -1, syscall.ENOSPC}
	s := &stage{fs: disk, target: newTarget(dir + "/x.csv"), parallelism: 1, attempt: operator.Attempt{Epoch: 1, N: 1}}
	check(t, s.begin())
	disk.left = 1 // the file can be made, not written
	wantError(t, s.write([]byte("1\n")), "x.csv", "writing-00000-1.1", "no space left on device", "make room")
	check(t, s.close())
	for _, shut := range []error{syscall.EACCES, syscall.EPERM, syscall.EROFS} {
		disk.left, disk.err = 0, shut
		wantError(t, s.write([]byte("1\n")), "x.csv", shut.Error()+": make it writable, or name another folder")
	}
}

func TestFolderThatCannotBeMadeIsNamed(t *testing.T) {
	dir := filepath.ToSlash(t.TempDir())
	write(t, dir+"/file", nil)
	s := &stage{fs: OS(), target: newTarget(dir + "/file/x.csv"), parallelism: 1, attempt: operator.Attempt{Epoch: 1, N: 1}}
	wantError(t, s.begin(), dir+"/file/x.csv", "not a directory")
}

func TestMissingPartIsAnError(t *testing.T) {
	dir := filepath.ToSlash(t.TempDir())
	s := &stage{fs: OS(), target: newTarget(dir + "/x.csv"), parallelism: 1, attempt: operator.Attempt{Epoch: 1, N: 1}}
	check(t, s.begin())
	wantError(t, s.commit([]Written{{Part: Part{4, 0, operator.Attempt{Epoch: 1, N: 1}}}}), "checkpoint 4 is gone from "+dir+"/.x.csv.parts")
}

// A restart repeats the commit of its checkpoint.
func TestAVisiblePartThatWasMovedAwayIsNamedWithItsFolder(t *testing.T) {
	dir := filepath.ToSlash(t.TempDir())
	s := &stage{fs: OS(), target: newTarget(dir + "/out/"), parallelism: 1, attempt: operator.Attempt{Epoch: 1, N: 1}}
	check(t, s.begin())
	check(t, s.write([]byte("1\n")))
	p, _, err := s.prepare(4)
	check(t, err)
	check(t, s.commit([]Written{p}))
	check(t, s.commit([]Written{p}))
	check(t, os.Remove(dir+"/out/"+p.committed()))
	err = s.commit([]Written{p})
	wantError(t, err, p.committed()+" of checkpoint 4 is gone from "+dir+"/out:", "put it back", "until the job has ended")
}

func TestNamesOfPartsAreReadBack(t *testing.T) {
	p := Part{12, 3, operator.Attempt{Epoch: 5, N: 4}}
	if q, ok := parseStaged(p.staged()); !ok || q != p {
		t.Errorf("staged %v", q)
	}
	if q, ok := parseCommitted(p.committed()); !ok || q != p {
		t.Errorf("committed %v", q)
	}
	for _, other := range []string{"", "x", "part-1-2-3.csv", "1-2", "part-.csv", "0000000001-00001-1-1", "0000000001-00001-1", "0000000001-00001-1.01"} {
		if _, ok := parseStaged(other); ok {
			t.Errorf("%q is no part", other)
		}
		if _, ok := parseCommitted(other); ok {
			t.Errorf("%q is no part", other)
		}
	}
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// sortedLines are the lines of a file in ascending order.
func sortedLines(t *testing.T, name string) []string {
	t.Helper()
	data, err := os.ReadFile(name)
	check(t, err)
	lines := strings.Split(strings.TrimSuffix(string(data), "\n"), "\n")
	slices.Sort(lines)
	return lines
}

func names(t *testing.T, dir string) []string {
	t.Helper()
	names, err := OS().ReadDir(filepath.ToSlash(dir))
	check(t, err)
	return names
}
