package cluster

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"blink/connector/files"
	"blink/graph"
)

// outputs are the names of the results that the job's sinks make in its output folder.
func outputs(j *graph.Job, out string) []string {
	var names []string
	for _, o := range outputsIn(j, out) {
		names = append(names, path.Base(o.Path()))
	}
	return names
}

// entries are all the names that the job's sinks make there.
func entries(j *graph.Job, out string) []string {
	var names []string
	for _, o := range outputsIn(j, out) {
		names = append(names, o.Entries()...)
	}
	return names
}

func outputsIn(j *graph.Job, out string) []files.Output {
	var all []files.Output
	for i := range j.Operators {
		o, ok := files.OutputOf(j.Operators[i].Target)
		if ok && path.Dir(o.Path()) == path.Clean(filepath.ToSlash(out)) {
			all = append(all, o)
		}
	}
	return all
}

// refuseUsed keeps every file that is not this job's: a fresh folder is absent or empty, one
// that the state dir remembers holds the job's own files only.
func refuseUsed(out string, own []string) error {
	entries, err := os.ReadDir(out)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("--%s: %w", outParam, err)
	}
	for _, e := range entries {
		if slices.Contains(own, e.Name()) {
			continue
		}
		return fmt.Errorf("--%s %s: it holds %s, which is not this run's: name a new or an empty folder", outParam, out, e.Name())
	}
	return nil
}

// refuseOut keeps the output away from what the state dir holds: there it would be swept away,
// or taken for damage.
func (d *stateDir) refuseOut(out string) error {
	home, err := resolved(d.path)
	if err != nil {
		return fmt.Errorf("state dir: %w", err)
	}
	place, err := resolved(out)
	if err != nil {
		return fmt.Errorf("--%s: %w", outParam, err)
	}
	within, err := filepath.Rel(home, place)
	if err != nil {
		return nil // no path leads from one to the other
	}
	if first, _, _ := strings.Cut(filepath.ToSlash(within), "/"); own(first) {
		return fmt.Errorf("--%s %s: the state dir %s keeps %s for itself: name another folder", outParam, out, d.path, first)
	}
	return nil
}

// resolved is a path without the symbolic links of that part of it which exists.
func resolved(name string) (string, error) {
	whole, err := filepath.Abs(name)
	if err != nil {
		return "", err
	}
	for there := whole; ; there = filepath.Dir(there) {
		is, err := filepath.EvalSymlinks(there)
		if err == nil {
			return filepath.Join(is, strings.TrimPrefix(whole, there)), nil
		}
		if there == filepath.Dir(there) {
			return "", err
		}
	}
}

// claimOut holds the folder for this process until it ends. Two that begin at the same moment
// would find it empty both, and call their parts alike.
func claimOut(out string) (*os.File, error) {
	if err := os.MkdirAll(out, 0o777); err != nil {
		return nil, fmt.Errorf("--%s: %w", outParam, err)
	}
	if err := writable(out); err != nil {
		return nil, fmt.Errorf("--%s %s: %w: make it writable, or name another folder", outParam, out, err)
	}
	claim, err := lockFolder(out)
	if err != nil {
		return nil, fmt.Errorf("--%s %s: %w", outParam, out, err)
	}
	return claim, nil
}

// refuseLost keeps a job from going on without what it has written, or beside a file that
// stands in its place: checkpoints count on the files of every sink that was there when the
// job began, finished or in parts.
func refuseLost(j *graph.Job, out string, was *identity) error {
	var errs []error
	for i := range j.Operators {
		o, ok := files.OutputOf(j.Operators[i].Target)
		if !ok || !was.keeps(j.Operators[i].ID) {
			continue
		}
		kept, err := o.Kept()
		if err != nil {
			return fmt.Errorf("--%s %s: %w", outParam, out, err)
		}
		if !kept {
			errs = append(errs, fmt.Errorf("neither %s nor the list of its unfinished parts, %s, is there, and the checkpoints count on one of them", o.Path(), o.Ledger()))
		}
	}
	if len(errs) == 0 {
		return nil
	}
	return fmt.Errorf("--%s %s: %w\nPut back what was there, or begin anew with another state dir", outParam, out, errors.Join(errs...))
}

func missing(name string) bool {
	_, err := os.Stat(filepath.FromSlash(name))
	return errors.Is(err, fs.ErrNotExist)
}

// freshOut makes up a folder for the output: in the state dir, or a new temporary one.
func freshOut(job string, dir *stateDir) (string, error) {
	if dir != nil {
		return filepath.Abs(filepath.Join(dir.path, "out"))
	}
	out, err := os.MkdirTemp("", job+"-")
	if err != nil {
		return "", fmt.Errorf("a folder for the output: %w: name one with --%s", err, outParam)
	}
	return out, nil
}
