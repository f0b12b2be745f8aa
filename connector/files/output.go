package files

import (
	"path"
	"slices"

	"blink/graph"
)

// targetKind is the kind of a sink's target, if the sink is one of this package.
const targetKind = "file"

// Output is what a sink of this package has on disk. The zero value is none.
type Output struct{ target target }

// OutputOf is where a sink of this package writes, by its target; ok is false for the target
// of another kind.
func OutputOf(t graph.Target) (o Output, ok bool) {
	return Output{newTarget(t.Name)}, t.Kind == targetKind
}

// Path of the file, or of the folder without a slash at its end.
func (o Output) Path() string { return o.target.path }

// Folder says whether it is a folder, whose parts others may read before the job has ended.
func (o Output) Folder() bool { return o.target.folder }

// Staging is the folder of what is not visible yet.
func (o Output) Staging() string { return o.target.parts() }

// Ledger is the pattern of what Kept looks for beside the file itself.
func (o Output) Ledger() string { return path.Join(o.Staging(), "ledger-00000-*") }

// Entries are the names that the sink makes in the folder of its target.
func (o Output) Entries() []string {
	if o.Folder() {
		return []string{path.Base(o.Path())}
	}
	return []string{path.Base(o.Path()), path.Base(o.Staging())}
}

// Kept says whether what the sink has committed can be there on the machine's disk: a single
// file, or the ledger of its first task, which stands from the first checkpoint on. For a
// folder, whose parts others may take, it is always so. A file that is not the job's is an
// error.
func (o Output) Kept() (bool, error) {
	if o.Folder() {
		return true, nil
	}
	s := &stage{fs: OS(), target: o.target}
	if published, err := s.published(); published || err != nil {
		return published, s.failed(err)
	}
	l, err := s.target.list(s.fs)
	return slices.ContainsFunc(l.ledgers, func(p Part) bool { return p.Task == 0 }), s.failed(err)
}
