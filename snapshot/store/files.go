package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"blink/internal/durable"
)

// Files returns a Store in the folder dir, which is made if it is not there. One process
// may use it at a time.
func Files(dir string) (Store, error) {
	if err := mkdir(dir); err != nil {
		return nil, fmt.Errorf("object store: %w", err)
	}
	f := &files{dir: dir}
	return f, f.sweep()
}

type files struct {
	dir     string
	mu      sync.Mutex // held by PutNew, which looks before it writes
	folders sync.Mutex // held while folders are made and filled, or looked at and removed
}

const temporary = ".tmp-"

// sweep removes what an interrupted Put has left.
func (f *files) sweep() error {
	err := filepath.WalkDir(f.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasPrefix(d.Name(), temporary) {
			return err
		}
		return os.Remove(path)
	})
	if err != nil {
		return fmt.Errorf("object store: %w", err)
	}
	return nil
}

func (f *files) path(key string) string { return filepath.Join(f.dir, filepath.FromSlash(key)) }

func (f *files) Put(_ context.Context, key string, data []byte) error {
	if err := CheckKey(key); err != nil {
		return err
	}
	if err := f.write(f.path(key), data); err != nil {
		return fmt.Errorf("put %s: %w", key, err)
	}
	return nil
}

// write makes the file appear whole or not at all.
func (f *files) write(path string, data []byte) error {
	temporary, err := f.reserve(filepath.Dir(path))
	if err != nil {
		return err
	}
	disk := durable.OS()
	err = durable.Write(disk, temporary, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
	if err != nil {
		return err
	}
	if err := os.Rename(temporary, path); err != nil {
		return errors.Join(err, os.Remove(temporary))
	}
	if err := disk.SyncDir(filepath.Dir(path)); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil // somebody has deleted the object, and the folder with it
}

// reserve makes a temporary file in dir. From then on Delete finds that dir holds something.
func (f *files) reserve(dir string) (name string, err error) {
	f.folders.Lock()
	defer f.folders.Unlock()
	if err := mkdir(dir); err != nil {
		return "", err
	}
	t, err := os.CreateTemp(dir, temporary)
	if err != nil {
		return "", err
	}
	return t.Name(), t.Close()
}

// mkdir makes the folder, and those above it, durable.
func mkdir(dir string) error {
	if info, err := os.Stat(dir); err == nil && info.IsDir() {
		return nil
	}
	parent := filepath.Dir(dir)
	if parent != dir {
		if err := mkdir(parent); err != nil {
			return err
		}
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	return durable.OS().SyncDir(parent)
}

func (f *files) PutNew(ctx context.Context, key string, data []byte) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	old, err := f.Get(ctx, key)
	switch {
	case err == nil && bytes.Equal(old, data):
		return nil
	case err == nil:
		return fmt.Errorf("put %s: %w", key, ErrExists)
	case !errors.Is(err, ErrNotFound):
		return err
	}
	return f.Put(ctx, key, data)
}

func (f *files) Get(_ context.Context, key string) ([]byte, error) {
	if err := CheckKey(key); err != nil {
		return nil, err
	}
	data, err := os.ReadFile(f.path(key))
	return data, f.explain(key, err)
}

func (f *files) explain(key string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("get %s: %w in %s", key, ErrNotFound, f.dir)
	}
	return fmt.Errorf("get %s: %w", key, err)
}

func (f *files) List(_ context.Context, prefix string) ([]string, error) {
	var keys []string
	err := filepath.WalkDir(f.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			if path != f.dir && errors.Is(err, fs.ErrNotExist) {
				return nil // it went while we looked
			}
			return err
		}
		rel, err := filepath.Rel(f.dir, path)
		key := filepath.ToSlash(rel)
		switch {
		case err != nil:
			return err
		case d.IsDir() && key != "." && !strings.HasPrefix(key+"/", prefix) && !strings.HasPrefix(prefix, key+"/"):
			return fs.SkipDir
		case !d.IsDir() && strings.HasPrefix(key, prefix) && !strings.HasPrefix(d.Name(), temporary):
			keys = append(keys, key)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list %s: %w", prefix, err)
	}
	slices.Sort(keys)
	return keys, nil
}

// Delete also removes the folders that it leaves empty.
func (f *files) Delete(_ context.Context, key string) error {
	if err := CheckKey(key); err != nil {
		return err
	}
	path := f.path(key)
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("delete %s: %w", key, err)
	}
	f.folders.Lock()
	defer f.folders.Unlock()
	for d := filepath.Dir(path); d != f.dir && len(d) > len(f.dir); d = filepath.Dir(d) {
		if os.Remove(d) != nil {
			break // it holds something
		}
	}
	return nil
}
