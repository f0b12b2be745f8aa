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
