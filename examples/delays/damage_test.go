package main

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"blink/examples/delays/data"
)

// flip changes one bit in the middle of a file.
func flip(t *testing.T, name string) {
	t.Helper()
	data := read(t, name)
	data[len(data)/2] ^= 1
	write(t, name, data)
}

// halve cuts a file in the middle, as a disk may that was switched off.
func halve(t *testing.T, name string) {
	t.Helper()
	data := read(t, name)
	write(t, name, data[:len(data)/2])
}

func remove(t *testing.T, name string) {
	t.Helper()
	if err := os.Remove(name); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func write(t *testing.T, name string, data []byte) {
	t.Helper()
	if err := os.WriteFile(name, data, 0o666); err != nil {
		t.Fatal(err)
	}
}

// snapshot is a task's share of the checkpoint with that manifest.
func snapshot(t *testing.T, manifest, task string) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(filepath.Dir(manifest), task+"-*"))
	if err != nil || len(found) != 1 {
		t.Fatalf("%s beside %s: %q, %v", task, manifest, found, err)
	}
	return found[0]
}

// content is all that is in a folder, by name.
func content(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	all := map[string][]byte{}
	err := fs.WalkDir(os.DirFS(dir), ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			all[name], err = os.ReadFile(filepath.Join(dir, name))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// copied is a folder in two places.
func copied(t *testing.T, from string) (to string) {
	t.Helper()
	to = filepath.Join(t.TempDir(), filepath.Base(from))
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	return to
}

// The job's files can be taken back until they have their names, so it goes on from the
// checkpoint before, and says so.
func TestDamagedCheckpointIsLeftForTheOneBefore(t *testing.T) {
	state, out := halfDone(t)
	saved, written := copied(t, state), copied(t, out)
	manifest, _ := pointed(t, state)
	task := snapshot(t, manifest, "task-3-0")
	for _, c := range []struct {
		what string
		do   func(t *testing.T, name string)
		name string
		told string
	}{
		{"flip a bit of the manifest", flip, manifest, "the newest checkpoint cannot be used"},
		{"cut the manifest", halve, manifest, "the newest checkpoint cannot be used"},
		{"lose the manifest", remove, manifest, "the newest checkpoint cannot be used"},
		{"flip a bit of a snapshot", flip, task, "corrupt checkpoint"},
		{"cut a snapshot", halve, task, "corrupt checkpoint"},
		{"lose a snapshot", remove, task, "corrupt checkpoint"},
	} {
		t.Run(c.what, func(t *testing.T) {
			restore(t, state, saved)
			restore(t, out, written)
			c.do(t, c.name)
			key, err := filepath.Rel(filepath.Join(state, "objects"), c.name)
			if err != nil {
				t.Fatal(err)
			}
			start(t, program("run", "--state-dir", state, "--out", out)).ends(0, c.told, filepath.ToSlash(key), "going back to checkpoint")
			exact(t, out, january(t))
		})
	}
}

// restore puts a folder back as it was saved.
func restore(t *testing.T, dir, saved string) {
	t.Helper()
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(dir, os.DirFS(saved)); err != nil {
		t.Fatal(err)
	}
}

// What cannot be mended is refused with its name, as often as it is tried, and what was
// written stays as it is.
func TestStateDirWithoutAWholeCheckpointIsRefused(t *testing.T) {
	state, out := halfDone(t)
	saved := copied(t, state)
	before := content(t, out)
	manifest, _ := pointed(t, state)
	for _, c := range []struct {
		what  string
		do    func()
		texts []string
	}{
		{"every manifest", func() {
			all, err := filepath.Glob(filepath.Join(state, "objects", "chk", "*", "manifest-*"))
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range all {
				flip(t, m)
			}
		}, []string{"the newest checkpoint cannot be used", filepath.Base(filepath.Dir(manifest)) + "/manifest-1", "no older checkpoint can be used"}},
		{"the pointer", func() { halve(t, filepath.Join(state, "leader", "pointer")) },
			[]string{filepath.Join(state, "leader", "pointer"), "names the newest checkpoint"}},
		{"the splits", func() { halve(t, filepath.Join(state, "objects", "splits")) },
			[]string{"damaged object splits"}},
	} {
		t.Run(c.what, func(t *testing.T) {
			restore(t, state, saved)
			c.do()
			for range 2 {
				p := start(t, program("run", "--state-dir", state, "--out", out))
				p.ends(1, append(c.texts, "begin anew with an empty state dir")...)
				if strings.Contains(p.told(), "the same command") {
					t.Errorf("it says that running again helps:\n%s", p.told())
				}
			}
			unchanged(t, out, before)
		})
	}
}

// No attempt can read more of it.
func TestDamagedInputFailsTheJobAtOnce(t *testing.T) {
	dir := t.TempDir()
	flights := filepath.Join(dir, "flights.csv.gz")
	write(t, flights, data.Flights[:len(data.Flights)/2])
	p := start(t, program("run", "--flights", flights, "--out", filepath.Join(dir, "out")))
	p.ends(1, "fails for good: ", `operator "flights"`, flights, "the gzip data is damaged behind line ", "put a whole file in its place", " 0 tasks restarted")
}

func TestJobThatMayNotRestartSaysSo(t *testing.T) {
	p := start(t, program("run", "--out", filepath.Join(t.TempDir(), "out"), "--restart", "0", "--inject", "panic=rain@10"))
	p.ends(1, "fails, and no restart is left: ", "drill: --inject panic=rain@10", " 0 tasks restarted")
}

func unchanged(t *testing.T, dir string, before map[string][]byte) {
	t.Helper()
	now := content(t, dir)
	for name, data := range before {
		if !bytes.Equal(now[name], data) {
			t.Errorf("%s has changed", name)
		}
	}
	if len(now) != len(before) {
		t.Errorf("%d files in %s, there were %d", len(now), dir, len(before))
	}
}
