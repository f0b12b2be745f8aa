package durable

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"testing"
)

// brittle is the machine's files, of which the first few changes succeed.
type brittle struct {
	FS
	left  int
	steps []string
}

var errBroken = errors.New("broken")

func (b *brittle) step(what, name string) error {
	if b.left == 0 {
		return errBroken
	}
	b.left--
	b.steps = append(b.steps, what+" "+path.Base(name))
	return nil
}

func (b *brittle) Create(name string) (File, error) { return b.open("create", name, b.FS.Create) }
func (b *brittle) Append(name string) (File, error) { return b.open("append", name, b.FS.Append) }

func (b *brittle) open(what, name string, open func(string) (File, error)) (File, error) {
	if err := b.step(what, name); err != nil {
		return nil, err
	}
	f, err := open(name)
	return &brittleFile{f, b, name}, err
}

func (b *brittle) Rename(from, to string) error {
	if err := b.step("rename", from); err != nil {
		return err
	}
	return b.FS.Rename(from, to)
}

func (b *brittle) SyncDir(dir string) error {
	if err := b.step("sync", dir); err != nil {
		return err
	}
	return b.FS.SyncDir(dir)
}

type brittleFile struct {
	File
	b    *brittle
	name string
}

func (f *brittleFile) Write(p []byte) (int, error) {
	if err := f.b.step("write", f.name); err != nil {
		n, _ := f.File.Write(p[:len(p)/2]) // torn, and the error is err
		return n, err
	}
	return f.File.Write(p)
}

func (f *brittleFile) Sync() error {
	if err := f.b.step("sync", f.name); err != nil {
		return err
	}
	return f.File.Sync()
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func content(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.FromSlash(name))
	check(t, err)
	return string(data)
}

func TestAFileIsReplacedAsAWholeOrNotAtAll(t *testing.T) {
	want := []string{"create x.new", "write x.new", "sync x.new", "rename x.new", "sync dir"}
	for steps := range len(want) + 1 {
		dir := path.Join(filepath.ToSlash(t.TempDir()), "dir")
		b := &brittle{FS: OS(), left: steps}
		check(t, b.MkdirAll(dir))
		name := path.Join(dir, "x")
		check(t, os.WriteFile(name, []byte("old"), 0o666))
		err := Replace(b, name, name+".new", []byte("the new one"))
		if !slices.Equal(b.steps, want[:steps]) {
			t.Errorf("%v, want %v", b.steps, want[:steps])
		}
		if ok := steps == len(want); ok != (err == nil) || !ok && !errors.Is(err, errBroken) {
			t.Errorf("after %d steps: %v", steps, err)
		}
		if got, replaced := content(t, name), steps >= 4; replaced != (got == "the new one") || !replaced && got != "old" {
			t.Errorf("after %d steps it holds %q", steps, got)
		}
		names, err := b.ReadDir(dir)
		check(t, err)
		if steps != 3 && len(names) > 1 { // what could not be renamed stays: it is whole
			t.Errorf("after %d steps: %v", steps, names)
		}
	}
}

func TestWhatIsAppendedIsDurable(t *testing.T) {
	want := []string{"append x", "write x", "sync x"}
	for steps := range len(want) + 1 {
		dir := path.Join(filepath.ToSlash(t.TempDir()), "dir")
		b := &brittle{FS: OS(), left: steps}
		check(t, b.MkdirAll(dir))
		name := path.Join(dir, "x")
		check(t, os.WriteFile(name, []byte("first "), 0o666))
		err := Append(b, name, []byte("second"))
		if !slices.Equal(b.steps, want[:steps]) {
			t.Errorf("%v, want %v", b.steps, want[:steps])
		}
		if ok := steps == len(want); ok != (err == nil) || !ok && !errors.Is(err, errBroken) {
			t.Errorf("after %d steps: %v", steps, err)
		}
		if got, want := content(t, name), []string{"first ", "first sec", "first second"}[min(steps, 2)]; got != want {
			t.Errorf("after %d steps it holds %q, want %q", steps, got, want)
		}
	}
}

func TestNothingIsAppendedToAFileThatIsNotThere(t *testing.T) {
	name := path.Join(filepath.ToSlash(t.TempDir()), "x")
	if err := Append(OS(), name, []byte("x")); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	if _, err := os.Stat(name); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}

func TestAnErrorOfWhoFillsAFileIsToldAndNothingIsLeft(t *testing.T) {
	dir := filepath.ToSlash(t.TempDir())
	err := Write(OS(), dir+"/x", func(w io.Writer) error {
		_, err := io.WriteString(w, "half")
		return errors.Join(err, errBroken)
	})
	if !errors.Is(err, errBroken) {
		t.Error(err)
	}
	if names, err := OS().ReadDir(dir); err != nil || len(names) > 0 {
		t.Errorf("%v, %v", names, err)
	}
}
