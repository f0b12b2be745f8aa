package cluster

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"

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

// claimOut holds the folder for this process until it ends. Two that begin at the same moment
// would find it empty both, and call their parts alike.
func claimOut(out string) (*os.File, error) {
	if err := os.MkdirAll(out, 0o777); err != nil {
		return nil, fmt.Errorf("--%s: %w", outParam, err)
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
			errs = append(errs, fmt.Errorf("neither %s nor its unfinished parts, %s, are there, and the checkpoints count on them", o.Path(), o.Staging()))
		}
	}
	if len(errs) == 0 {
		return nil
	}
	return fmt.Errorf("--%s %s: %w\nPut them back, or begin anew with another state dir", outParam, out, errors.Join(errs...))
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
