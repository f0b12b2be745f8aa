package files

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"path"
	"slices"
	"strconv"
	"strings"

	"blink/graph"
	"blink/operator"
)

// Part names what one attempt of a task wrote for one checkpoint.
type Part struct {
	Checkpoint uint64
	Task       int
	Attempt    operator.Attempt
}

// The states of a part, as file names in the folder of parts:
//
//	writing-<task>-<attempt>                     being written, for whatever checkpoint comes next
//	<checkpoint>-<task>-<attempt>                staged: durable, its checkpoint not complete
//	part-<checkpoint>-<task>-<attempt>.csv       committed
//
// Beside them stand ledger-<task>-<attempt>, which lists the committed parts of a single
// file, and result, which tells what they have been joined to.
// The committed parts of a target that is a folder stand in that folder itself.
func (p Part) staged() string {
	return fmt.Sprintf("%010d-%05d-%v", p.Checkpoint, p.Task, p.Attempt)
}

func (p Part) committed() string { return "part-" + p.staged() + ".csv" }

// parseStaged is the inverse of staged.
func parseStaged(name string) (Part, bool) {
	f := strings.Split(name, "-")
	if len(f) != 3 {
		return Part{}, false
	}
	checkpoint, err1 := strconv.ParseUint(f[0], 10, 64)
	task, err2 := strconv.ParseUint(f[1], 10, 31)
	first, second, _ := strings.Cut(f[2], ".")
	epoch, err3 := strconv.ParseUint(first, 10, 64)
	n, err4 := strconv.ParseUint(second, 10, 32)
	p := Part{checkpoint, int(task), operator.Attempt{Epoch: epoch, N: uint32(n)}}
	return p, errors.Join(err1, err2, err3, err4) == nil && p.staged() == name
}

// parseCommitted is the inverse of committed.
func parseCommitted(name string) (Part, bool) {
	name, isPart := strings.CutPrefix(name, "part-")
	name, isCSV := strings.CutSuffix(name, ".csv")
	p, ok := parseStaged(name)
	return p, ok && isPart && isCSV
}

// target is where the output goes: one file of a bounded job, or a folder.
type target struct {
	path   string
	folder bool
}

// newTarget takes "out/x.csv" or, with a slash at its end, "out/".
func newTarget(name string) target {
	return target{path: path.Clean(name), folder: strings.HasSuffix(name, "/")}
}

// checked is the target for people and for Output, and why it cannot be written to.
func (t target) checked() (graph.Target, error) {
	if base := path.Base(t.path); !t.folder && (base == "." || base == ".." || base == "/") {
		return graph.Target{}, errors.New("the name of a CSV file is empty: name a file, or a folder with a slash at its end")
	}
	return graph.Target{Kind: targetKind, Name: t.String()}, nil
}

// parts is the folder of staged parts.
func (t target) parts() string {
	if t.folder {
		return path.Join(t.path, ".parts")
	}
	dir, name := path.Split(t.path)
	return path.Join(dir, "."+name+".parts")
}

// home is the folder of committed parts.
func (t target) home() string {
	if t.folder {
		return t.path
	}
	return t.parts()
}

func (t target) String() string {
	if t.folder {
		return t.path + "/"
	}
	return t.path
}

// unnumbered is the checkpoint of a part that is being written.
const unnumbered = math.MaxUint64

func (p Part) writing() string { return fmt.Sprintf("writing-%05d-%v", p.Task, p.Attempt) }

func parseWriting(name string) (Part, bool) {
	rest, ok := strings.CutPrefix(name, "writing-")
	p, isPart := parseStaged(fmt.Sprintf("%010d-%s", 0, rest))
	p.Checkpoint = unnumbered
	return p, ok && isPart
}

// listed are the parts that a target has on disk, each list in ascending order.
type listed struct{ writing, staged, committed, ledgers []Part }

func (t target) list(fsys operator.FS) (listed, error) {
	var l listed
	names, err := fsys.ReadDir(t.parts())
	if errors.Is(err, fs.ErrNotExist) {
		return l, nil
	}
	if err != nil {
		return l, err
	}
	for _, n := range names {
		if p, ok := parseStaged(n); ok {
			l.staged = append(l.staged, p)
		} else if p, ok := parseWriting(n); ok {
			l.writing = append(l.writing, p)
		} else if p, ok := parseLedger(n); ok {
			l.ledgers = append(l.ledgers, p)
		} else if p, ok := parseCommitted(n); ok && !t.folder {
			l.committed = append(l.committed, p)
		}
	}
	if t.folder {
		if l.committed, err = t.visible(fsys); err != nil {
			return l, err
		}
	}
	slices.SortFunc(l.writing, compareParts)
	slices.SortFunc(l.staged, compareParts)
	slices.SortFunc(l.committed, compareParts)
	slices.SortFunc(l.ledgers, compareParts)
	return l, nil
}

func (t target) visible(fsys operator.FS) ([]Part, error) {
	names, err := fsys.ReadDir(t.path)
	if err != nil {
		return nil, err
	}
	var all []Part
	for _, n := range names {
		if p, ok := parseCommitted(n); ok {
			all = append(all, p)
		}
	}
	return all, nil
}

func compareParts(a, b Part) int {
	return cmp.Or(cmp.Compare(a.Checkpoint, b.Checkpoint), cmp.Compare(a.Task, b.Task), a.Attempt.Compare(b.Attempt))
}

// exists tells a missing file from one that cannot be looked at.
func exists(fsys operator.FS, name string) (bool, error) {
	_, err := fsys.Stat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}
