package files

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"blink/operator"
)

// crashed are the rigs of a job with three tasks that stops at each of its operations, and
// goes on with tasks.
func crashed(t *testing.T, tasks int, f func(t *testing.T, r *rig, at int)) {
	t.Helper()
	for at := range 600 {
		r := &rig{t: t, fs: &brittle{OS(), at, errCrash}, target: path.Join(filepath.ToSlash(t.TempDir()), "x.csv"), tasks: 3}
		if err := r.run(); err == nil {
			return
		}
		r.fs.left, r.tasks = -1, tasks
		f(t, r, at)
		if t.Failed() {
			t.Fatalf("crash at %d", at)
		}
	}
	t.Fatal("it never ends")
}

func (r *rig) parts(pattern string) []string {
	found, err := filepath.Glob(filepath.Join(newTarget(r.target).parts(), pattern))
	check(r.t, err)
	return found
}

// ends runs to the end, and looks for every row.
func (r *rig) ends() {
	r.t.Helper()
	check(r.t, r.run())
	same(r.t, sortedLines(r.t, r.target), []string{"10", "11", "12", "20", "21", "22", "30", "31", "32", "40", "41", "42", "n"})
	same(r.t, names(r.t, path.Dir(r.target)), []string{"x.csv"})
}

func TestForeignFileIsRefusedWhereverItCrashed(t *testing.T) {
	tried := 0
	crashed(t, 3, func(t *testing.T, r *rig, at int) {
		if _, err := os.Stat(r.target); err == nil || r.complete == 0 {
			return // TestFileOfOthersBesideAnInterruptedPublication, TestResultsOfOthersAreNotOverwritten
		}
		tried++
		write(t, r.target, []byte("mine\n"))
		before := r.parts("part-*")
		err := r.run()
		wantError(t, err, "x.csv: it exists beside its unfinished parts", "move it away")
		if after := r.parts("part-*"); len(after) < len(before) {
			t.Errorf("%v are left of %v", after, before)
		}
		same(t, sortedLines(t, r.target), []string{"mine"})
		check(t, os.Remove(r.target))
		r.tasks = 2
		stays := r.complete == rounds
		if stays {
			r.ends()
		}
	})
	if tried < 50 {
		t.Errorf("only %d places were tried", tried)
	}
}

// The job has named its file and is removing parts; then the file is another.
func TestFileOfOthersBesideAnInterruptedPublicationIsRefused(t *testing.T) {
	tried := 0
	crashed(t, 3, func(t *testing.T, r *rig, at int) {
		joined, err := os.ReadFile(r.target)
		if _, e := os.Stat(path.Join(newTarget(r.target).parts(), resultName)); err != nil || e != nil {
			return
		}
		tried++
		write(t, r.target, append(slices.Clone(joined), "more\n"...))
		wantError(t, r.run(), "x.csv: it exists beside its unfinished parts")
		write(t, r.target, joined)
		r.ends()
	})
	if tried < 5 {
		t.Errorf("only %d places were tried", tried)
	}
}

func TestLostOrCutPartIsMissedWhereverItCrashed(t *testing.T) {
	for _, tasks := range []int{3, 1} {
		tried := 0
		crashed(t, tasks, func(t *testing.T, r *rig, at int) {
			if _, err := os.Stat(r.target); err == nil {
				return // the parts are garbage
			}
			parts := r.parts("part-*")
			if len(parts) == 0 {
				return
			}
			tried++
			part := parts[at%len(parts)]
			data, err := os.ReadFile(part)
			check(t, err)
			if at%2 == 0 {
				check(t, os.Remove(part))
			} else {
				write(t, part, data[:1])
			}
			wantError(t, r.run(), filepath.Base(part), "until the job has ended")
			if _, err := os.Stat(r.target); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("it is published: %v", err)
			}
			write(t, part, data)
			if tasks == 3 || r.complete == rounds {
				r.tasks = 3
				r.ends()
			}
		})
		if tried < 50 {
			t.Errorf("only %d places were tried", tried)
		}
	}
}

// Somebody removes all that a task has written, the list of it as well.
func TestLostFilesOfATaskAreMissedWhereverItCrashed(t *testing.T) {
	for _, tasks := range []int{3, 1} {
		tried := 0
		crashed(t, tasks, func(t *testing.T, r *rig, at int) {
			if _, err := os.Stat(r.target); err == nil || r.complete == 0 {
				return // the parts are garbage, or none is needed
			}
			task := at % 3
			files := r.parts(fmt.Sprintf("*-%05d-*", task))
			if tasks == 3 && r.complete == rounds && len(r.parts(fmt.Sprintf("ledger-%05d-*", task))) == 0 {
				t.Errorf("task %d has no ledger", task)
			}
			tried++
			kept := map[string][]byte{}
			for _, name := range files {
				data, err := os.ReadFile(name)
				check(t, err)
				kept[name] = data
				check(t, os.Remove(name))
			}
			wantError(t, r.run(), fmt.Sprintf("ledger-%05d-", task), "put it back")
			if _, err := os.Stat(r.target); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("it is published: %v", err)
			}
			for name, data := range kept { // any order will do
				write(t, name, data)
			}
			if tasks == 3 || r.complete == rounds {
				r.tasks = 3
				r.ends()
			}
		})
		if tried < 40 {
			t.Errorf("only %d places were tried", tried)
		}
	}
}

// They are gone while the job runs, and it must not be published without them.
func TestLedgerThatIsLostWhileTheJobRunsIsMissed(t *testing.T) {
	dir := filepath.ToSlash(t.TempDir())
	var stages []*stage
	for i := range 2 {
		stages = append(stages, &stage{fs: OS(), target: newTarget(dir + "/x.csv"), task: i, parallelism: 2, attempt: operator.Attempt{Epoch: 1, N: 1}})
		check(t, stages[i].begin())
	}
	check(t, stages[1].write([]byte("1\n")))
	w, _, err := stages[1].prepare(1)
	check(t, err)
	check(t, os.Remove(dir+"/.x.csv.parts/ledger-00001-1.1"))
	wantError(t, stages[1].commit([]Written{w}), "ledger-00001-", "put it back")
	wantError(t, stages[0].finalize(), "ledger-00001-", "put it back")
}

// Somebody removes the folder of parts while the job runs, and a restart must not take the sink
// for a new one; nor is it one that a restart can mend.
func TestPartsThatAreLostWhileTheJobRunsFailItAtOnce(t *testing.T) {
	for task := range 2 {
		dir := filepath.ToSlash(t.TempDir())
		begin := func(attempt uint32, restored uint64) error {
			for i := range 2 {
				s := &stage{fs: OS(), target: newTarget(dir + "/x.csv"), task: (task + i) % 2, parallelism: 2,
					attempt: operator.Attempt{Epoch: 1, N: attempt}, restored: restored, resumed: restored > 0}
				if err := s.begin(); err != nil {
					return err
				}
			}
			return nil
		}
		check(t, begin(1, 0))
		check(t, begin(2, 3))
		check(t, os.RemoveAll(dir+"/.x.csv.parts"))
		err := begin(3, 3)
		wantError(t, err, "ledger-00000-", "put it back")
		if !operator.IsPermanent(err) {
			t.Errorf("it would be tried again: %v", err)
		}
		if left := names(t, dir+"/.x.csv.parts"); len(left) > 0 {
			t.Errorf("%v are made anew", left)
		}
	}
}

// A sink that the job has got since the checkpoint has nothing to miss.
func TestNewSinkOfARestoredJobHasNoLedgerToMiss(t *testing.T) {
	dir := filepath.ToSlash(t.TempDir())
	s := &stage{fs: OS(), target: newTarget(dir + "/x.csv"), parallelism: 1, attempt: operator.Attempt{Epoch: 2, N: 1}, restored: 3}
	check(t, s.begin())
}

// What a commit adds does not depend on how many there were; one that was torn is taken off.
func TestCommitOnlyAppendsToItsLedger(t *testing.T) {
	dir := filepath.ToSlash(t.TempDir())
	disk := &brittle{OS(), -1, errCrash}
	s := &stage{fs: disk, target: newTarget(dir + "/x.csv"), parallelism: 1, attempt: operator.Attempt{Epoch: 1, N: 1}}
	check(t, s.begin())
	name := dir + "/.x.csv.parts/ledger-00000-1.1"
	var all ledger
	for id := range uint64(20) {
		check(t, s.write([]byte("1\n")))
		w, _, err := s.prepare(id + 1)
		check(t, err)
		before, err := os.ReadFile(name)
		check(t, err)
		if id%5 == 4 {
			write(t, name, append(slices.Clone(before), "0000000005-00000-1.1 2 01"...))
		}
		disk.left = 5 // rename, append, write, sync, sync of the folder
		if id%5 == 4 {
			disk.left += 5 // create, write, sync, rename, sync
		}
		check(t, s.commit([]Written{w}))
		if disk.left != 0 {
			t.Errorf("commit %d has %d steps left", id, disk.left)
		}
		disk.left = -1
		after, err := os.ReadFile(name)
		check(t, err)
		if added := len(after) - len(before); !bytes.HasPrefix(after, before) || added < 40 || added > 80 {
			t.Errorf("%s\nis followed by\n%s", before, after)
		}
		all = append(all, w)
	}
	b, err := s.readBook(s.own())
	check(t, err)
	if !slices.Equal(b.parts, all) {
		t.Errorf("%v, want %v", b.parts, all)
	}
}

func TestPartThatNobodyCommittedIsNotPublished(t *testing.T) {
	dir := filepath.ToSlash(t.TempDir())
	s := &stage{fs: OS(), target: newTarget(dir + "/x.csv"), parallelism: 1, attempt: operator.Attempt{Epoch: 1, N: 1}}
	check(t, s.begin())
	write(t, dir+"/.x.csv.parts/"+twoParts[0].committed(), []byte("foreign\n"))
	wantError(t, s.finalize(), twoParts[0].committed(), "is in no list of parts")
}

func TestPublishedFileTakesNoMoreRows(t *testing.T) {
	dir := filepath.ToSlash(t.TempDir())
	write(t, dir+"/x.csv", []byte("n\n1\n"))
	s := &stage{fs: OS(), target: newTarget(dir + "/x.csv"), parallelism: 1, attempt: operator.Attempt{Epoch: 1, N: 2}, restored: 3}
	check(t, s.begin())
	if _, ok, err := s.prepare(4); ok || err != nil {
		t.Errorf("a part of nothing: %v, %v", ok, err)
	}
	wantError(t, s.write([]byte("2\n")), "x.csv: it exists, without its unfinished parts", "there is more to write")
	check(t, s.finalize())
	same(t, names(t, dir), []string{"x.csv"})
}

// What a fall-back to an older checkpoint takes back must not be missed afterwards.
func TestFallBackTakesPartsOutOfTheLedger(t *testing.T) {
	r := &rig{t: t, fs: &brittle{OS(), -1, errCrash}, target: path.Join(filepath.ToSlash(t.TempDir()), "x.csv"), tasks: 2}
	var stages []*stage
	r.attempt.N++
	for i := range r.tasks {
		stages = append(stages, &stage{fs: r.fs, target: newTarget(r.target), header: []byte("n\n"), task: i, parallelism: r.tasks, attempt: r.attempt})
		check(t, stages[i].begin())
	}
	var second [][]Written
	for id := range uint64(3) {
		check(t, r.checkpoint(stages, id+1))
		if id == 1 {
			second = r.pending
		}
	}
	if len(r.parts("part-*")) != 6 {
		t.Fatal(r.parts("*"))
	}
	r.complete, r.pending = 2, second
	check(t, r.run())
	same(t, sortedLines(t, r.target), []string{"10", "11", "20", "21", "30", "31", "40", "41", "n"})
	if strings.Join(names(t, path.Dir(r.target)), " ") != "x.csv" {
		t.Error(names(t, path.Dir(r.target)))
	}
}

func outputOf(t *testing.T, sink operator.AnySink) Output {
	t.Helper()
	o, ok := OutputOf(operator.AnySinkSpec[struct{ N int }](sink).Target)
	if !ok {
		t.Fatalf("%s is not a sink of this package", sink.Name())
	}
	return o
}

func TestKeptTellsWhatIsLost(t *testing.T) {
	dir := filepath.ToSlash(t.TempDir())
	sink := outputOf(t, CSV(dir+"/x.csv"))
	kept := func(want bool) {
		t.Helper()
		if got, err := sink.Kept(); got != want || err != nil {
			t.Errorf("kept %v, %v", got, err)
		}
	}
	kept(false)
	for task := range 2 {
		s := &stage{fs: OS(), target: newTarget(dir + "/x.csv"), task: 1 - task, parallelism: 2, attempt: operator.Attempt{Epoch: 1, N: 1}}
		check(t, s.begin())
		kept(task == 1)
	}
	write(t, dir+"/x.csv", []byte("mine\n"))
	_, err := sink.Kept()
	wantError(t, err, "x.csv: it exists beside its unfinished parts")
	check(t, os.RemoveAll(dir+"/.x.csv.parts"))
	kept(true)
	if want := dir + "/.x.csv.parts/ledger-00000-*"; sink.Ledger() != want {
		t.Errorf("looks for %s, want %s", sink.Ledger(), want)
	}
	if ok, err := outputOf(t, CSV(dir+"/none/")).Kept(); !ok || err != nil {
		t.Errorf("a folder: %v, %v", ok, err)
	}
}
