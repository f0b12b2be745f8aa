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

// outputs are the names that the job's sinks may make in its output folder.
func outputs(j *graph.Job, out string) []string {
	var names []string
	for i := range j.Operators {
		if !j.Operators[i].Sink {
			continue
		}
		target, ok := files.Target(j.Operators[i].What)
		if !ok || path.Dir(target) != path.Clean(filepath.ToSlash(out)) {
			continue
		}
		names = append(names, path.Base(target))
	}
	return names
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
		if slices.Contains(own, strings.TrimSuffix(strings.TrimPrefix(e.Name(), "."), ".parts")) {
			continue
		}
		return fmt.Errorf("--%s %s: it holds %s, which is not this run's: name a new or an empty folder", outParam, out, e.Name())
	}
	return nil
}

// refuseLost keeps a job from going on without what it has written: checkpoints count on the
// files of every sink that was there when the job began, finished or in parts. Folders are
// left out, whose parts others may take.
func refuseLost(j *graph.Job, out string, was *identity) error {
	var errs []error
	for i := range j.Operators {
		o := &j.Operators[i]
		target, ok := files.Target(o.What)
		if !o.Sink || !ok || strings.HasSuffix(o.What, "/") || !was.keeps(o.ID) {
			continue
		}
		parts := path.Join(path.Dir(target), "."+path.Base(target)+".parts")
		if missing(target) && missing(parts) {
			errs = append(errs, fmt.Errorf("neither %s nor its unfinished parts, %s, are there, and the checkpoints count on them", target, parts))
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
