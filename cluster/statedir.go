package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"blink/internal/durable"
	"blink/snapshot"
	"blink/snapshot/store"
)

// stateDir is the folder that a job goes on from: job.json and what the runner keeps in it.
// One process at a time holds it.
type stateDir struct {
	path string
	lock *os.File
	made bool // by this process: removed again if nothing comes of it
}

const (
	identityFile = "job.json"
	lockFile     = "lock"
	drillFile    = "drills"
	objectsDir   = "objects"
	leaderDir    = "leader"
)

// own says whether a name in a state dir is the runner's. Small files are written under a
// second name before they get theirs.
func own(name string) bool {
	names := []string{identityFile, lockFile, drillFile, objectsDir, leaderDir}
	return slices.Contains(names, strings.TrimSuffix(name, ".new"))
}

var errInUse = errors.New("another process is using it: wait for its end, or stop it")

// openStateDir makes the folder if it is missing and takes the lock.
func openStateDir(path string) (*stateDir, error) {
	_, err := os.Stat(path)
	d := &stateDir{path: path, made: errors.Is(err, fs.ErrNotExist)}
	if err := os.MkdirAll(path, 0o777); err != nil {
		return nil, fmt.Errorf("state dir: %w", err)
	}
	if err := d.refuseForeign(); err != nil {
		return nil, err
	}
	if d.lock, err = lockExclusive(filepath.Join(path, lockFile)); err != nil {
		return nil, fmt.Errorf("state dir %s: %w", path, err)
	}
	return d, nil
}

// refuseForeign keeps out of a folder that is something else. Folders without files are what a
// kill leaves that comes between the making of the output folder and of job.json.
func (d *stateDir) refuseForeign() error {
	entries, err := os.ReadDir(d.path)
	if err != nil {
		return fmt.Errorf("state dir: %w", err)
	}
	other := ""
	for _, e := range entries {
		switch e.Name() {
		case identityFile:
			return nil
		case lockFile, identityFile + ".new":
		default:
			hollow, err := hollow(filepath.Join(d.path, e.Name()))
			if err != nil {
				return fmt.Errorf("state dir: %w", err)
			}
			if !hollow {
				other = e.Name()
			}
		}
	}
	if other != "" {
		return fmt.Errorf("state dir %s: it holds %s but no %s, so it is no state dir: name a new or an empty folder", d.path, other, identityFile)
	}
	return nil
}

// hollow says whether something is a folder that holds nothing but folders.
func hollow(name string) (bool, error) {
	is := true
	err := filepath.WalkDir(name, func(_ string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			is, err = false, filepath.SkipAll
		}
		return err
	})
	return is, err
}

// load reads job.json; nil when the job has not begun.
func (d *stateDir) load() (*identity, error) {
	name := filepath.Join(d.path, identityFile)
	data, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("state dir: %w", err)
	}
	id := &identity{}
	if err := json.Unmarshal(data, id); err != nil {
		return nil, fmt.Errorf("state dir: %s is damaged: %w: start with a new state dir", name, err)
	}
	if id.Format != identityFormat {
		return nil, fmt.Errorf("state dir: %s has format %d and this program reads %d: start with a new state dir", name, id.Format, identityFormat)
	}
	return id, nil
}

// written says whether a task has stored a snapshot, which none does before every sink has
// begun.
func (d *stateDir) written(ctx context.Context) (bool, error) {
	objects, err := store.Files(filepath.Join(d.path, objectsDir))
	if err != nil {
		return false, err
	}
	keys, err := objects.List(ctx, snapshot.CheckpointsPrefix)
	return len(keys) > 0, err
}

// save makes job.json durable, or leaves the old one.
func (d *stateDir) save(id *identity) error {
	data, err := json.MarshalIndent(id, "", "  ")
	if err != nil {
		return err
	}
	name := filepath.Join(d.path, identityFile)
	name = filepath.ToSlash(name)
	if err := durable.Replace(durable.OS(), name, name+".new", append(data, '\n')); err != nil {
		return fmt.Errorf("state dir: %w", err)
	}
	d.made = false
	return nil
}

// close gives the lock back, and the folder if this process made it and nothing began.
func (d *stateDir) close() {
	if d.made {
		_ = os.Remove(filepath.Join(d.path, lockFile)) // best effort: what remains is an empty state dir
		_ = os.Remove(d.path)
	}
	_ = d.lock.Close() // nothing was written to it
}
