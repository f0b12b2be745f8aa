package files

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/zeebo/xxh3"

	"blink/internal/durable"
	"blink/operator"
)

// Written is a part with what it holds. It is kept in snapshots until the checkpoint is
// complete and the part is committed, and then in a ledger.
type Written struct {
	Part
	Size int64
	Sum  uint64 // xxh3
}

// ledger is what one attempt of a task has committed, in ascending order, as a file in the
// folder of parts. Together the ledgers of a single file name all its committed parts:
// a ledger is written with each commit, and whoever begins takes over those of its
// predecessors, and task 0 those of tasks that no longer exist.
//
//	0000000003-00000-1.1 4711 0123456789abcdef      part, bytes, checksum
//	end 0123456789abcdef                            checksum of the lines above
//
// Invariant: a part in a ledger is durable, staged at least.
type ledger []Written

const ledgerEnd = "end %016x\n"

func (p Part) ledger() string { return fmt.Sprintf("ledger-%05d-%v", p.Task, p.Attempt) }

func parseLedger(name string) (Part, bool) {
	rest, ok := strings.CutPrefix(name, "ledger-")
	p, isPart := parseWriting("writing-" + rest)
	return p, ok && isPart
}

func (l ledger) encode() []byte {
	var b bytes.Buffer
	for _, w := range l {
		fmt.Fprintf(&b, "%s %d %016x\n", w.staged(), w.Size, w.Sum)
	}
	fmt.Fprintf(&b, ledgerEnd, xxh3.Hash(b.Bytes()))
	return b.Bytes()
}

var errDamaged = errors.New("it is damaged")

func decodeLedger(data []byte) (ledger, error) {
	var l ledger
	var end uint64
	lines := bytes.SplitAfter(data, []byte("\n"))
	sum := xxh3.New()
	for _, line := range lines[:max(len(lines)-2, 0)] {
		_, _ = sum.Write(line) // it cannot fail
		var name string
		var w Written
		if _, err := fmt.Sscanf(string(line), "%s %d %x\n", &name, &w.Size, &w.Sum); err != nil {
			return nil, errDamaged
		}
		var ok bool
		if w.Part, ok = parseStaged(name); !ok {
			return nil, errDamaged
		}
		l = append(l, w)
	}
	last := string(bytes.Join(lines[max(len(lines)-2, 0):], nil))
	if _, err := fmt.Sscanf(last, ledgerEnd, &end); err != nil || end != sum.Sum64() || last != fmt.Sprintf(ledgerEnd, end) {
		return nil, errDamaged
	}
	return l, nil
}

// with is the union of two ledgers: a commit that is repeated adds nothing.
func (l ledger) with(more []Written) ledger {
	all := slices.Concat(l, ledger(more))
	slices.SortFunc(all, func(a, b Written) int { return compareParts(a.Part, b.Part) })
	return slices.CompactFunc(all, func(a, b Written) bool { return a.Part == b.Part })
}

// until is what was committed up to a checkpoint.
func (l ledger) until(checkpoint uint64) ledger {
	return slices.DeleteFunc(slices.Clone(l), func(w Written) bool { return w.Checkpoint > checkpoint })
}

// own names the ledger of this attempt.
func (s *stage) own() Part { return Part{unnumbered, s.task, s.attempt} }

// readLedgers is the union of ledgers.
func (s *stage) readLedgers(of []Part) (ledger, error) {
	var all ledger
	for _, p := range of {
		name := path.Join(s.target.parts(), p.ledger())
		data, err := contents(s.fs, name)
		if errors.Is(err, fs.ErrNotExist) {
			continue // taken over by the task's next attempt, whose ledger holds it
		}
		if err != nil {
			return nil, err
		}
		l, err := decodeLedger(data)
		if err != nil {
			return nil, fmt.Errorf("%s, the list of parts: %w: put it back", name, err)
		}
		all = all.with(l)
	}
	return all, nil
}

// takeOver makes this attempt's ledger out of those before it, up to the restored
// checkpoint, and looks whether all that is in it is there.
func (s *stage) takeOver() error {
	l, err := s.target.list(s.fs)
	if err != nil {
		return err
	}
	before := slices.DeleteFunc(l.ledgers, func(p Part) bool { return !s.outdated(p) })
	taken, err := s.readLedgers(before)
	if err != nil {
		return err
	}
	taken = taken.until(s.restored)
	for _, w := range taken {
		if err := s.find(w); err != nil {
			return err
		}
	}
	if err := s.keep(taken); err != nil {
		return err
	}
	for _, p := range before {
		if p == s.own() {
			continue
		}
		if err := s.remove(path.Join(s.target.parts(), p.ledger())); err != nil {
			return err
		}
	}
	return nil
}

// note adds what was committed to this attempt's ledger.
func (s *stage) note(parts []Written) error {
	l, err := s.readLedgers([]Part{s.own()})
	if err != nil {
		return err
	}
	return s.keep(l.with(parts))
}

// keep makes this attempt's ledger durable. An attempt of the same task that publishes at
// this moment has removed the others: then this one must not be left behind.
func (s *stage) keep(l ledger) error {
	name := path.Join(s.target.parts(), s.own().ledger())
	if err := s.writeWhole(name, l.encode()); err != nil {
		return err
	}
	there, err := exists(s.fs, s.target.path)
	if err != nil || !there {
		return err
	}
	left, err := s.target.list(s.fs)
	if err != nil || len(left.committed)+len(left.staged) > 0 {
		return err
	}
	return s.remove(name)
}

// find looks for a part under either of its names: the ledger may be durable before the
// part's last name is.
func (s *stage) find(w Written) error {
	for _, name := range []string{path.Join(s.target.home(), w.committed()), path.Join(s.target.parts(), w.staged())} {
		there, err := s.sized(name, w.Size)
		if there || err != nil {
			return err
		}
	}
	return s.gone(w.Part)
}

// sized says whether a file is there; that it is of another size is an error.
func (s *stage) sized(name string, size int64) (there bool, err error) {
	info, err := s.fs.Stat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err == nil && !info.Dir && info.Size != size {
		err = fmt.Errorf("%s has changed, from %d bytes to %d: put back what was there, and leave parts as they are until the job has ended", name, size, info.Size)
	}
	return err == nil, err
}

func (s *stage) gone(p Part) error {
	return fmt.Errorf("%s of checkpoint %d is gone from %s: put it back, and leave parts where they are until the job has ended", p.committed(), p.Checkpoint, s.target.home())
}

// audit compares the committed parts with the ledgers of all tasks: what is to be joined.
func (s *stage) audit() (ledger, error) {
	l, err := s.target.list(s.fs)
	if err != nil {
		return nil, err
	}
	all, err := s.readLedgers(l.ledgers)
	if err != nil {
		return nil, err
	}
	for _, w := range all {
		if _, there := slices.BinarySearchFunc(l.committed, w.Part, compareParts); !there {
			return nil, s.gone(w.Part)
		}
	}
	for _, p := range l.committed {
		if _, known := slices.BinarySearchFunc(all, p, func(w Written, p Part) int { return compareParts(w.Part, p) }); !known {
			return nil, fmt.Errorf("%s in %s is in no list of parts: move it away, or put the list that has it back, ledger-*", p.committed(), s.target.home())
		}
	}
	return all, nil
}

// result is the size and the checksum of the joined file, durable before the file has its
// name and until all its parts are gone. So the name shows at any moment what is behind it:
//
//	name  result  parts
//	 no    any     all    to be joined
//	 yes   yes     any    joined; the parts are to be removed
//	 yes   no      none   published
//	 yes   no      some   of somebody else
const resultName = "result"

// published says whether the single file has its name; one that this job has not made is
// an error.
func (s *stage) published() (bool, error) {
	there, err := exists(s.fs, s.target.path)
	if err != nil || !there {
		return false, err
	}
	data, err := contents(s.fs, path.Join(s.target.parts(), resultName))
	if errors.Is(err, fs.ErrNotExist) {
		l, err := s.target.list(s.fs)
		if err == nil && len(l.committed)+len(l.staged)+len(l.ledgers) > 0 {
			err = s.foreign()
		}
		return err == nil, err
	}
	if err != nil {
		return false, err
	}
	is, err := s.digest(s.target.path)
	if err == nil && !bytes.Equal(is, data) {
		err = s.foreign()
	}
	return err == nil, err
}

func (s *stage) foreign() error {
	return fmt.Errorf("it exists beside its unfinished parts, %s, and is not what they make: move it away, or put it back as it was", s.target.parts())
}

// digest is what result holds for a file.
func (s *stage) digest(name string) ([]byte, error) {
	sum := xxh3.New()
	n, err := s.copy(sum, name)
	return fmt.Appendf(nil, "%d %016x\n", n, sum.Sum64()), err
}

// writeWhole makes a small file in the folder of parts durable, or leaves the old one.
func (s *stage) writeWhole(name string, data []byte) error {
	next := fmt.Sprintf("%s.new-%05d-%v", name, s.task, s.attempt)
	return durable.Replace(s.fs, name, next, data)
}

func contents(fsys operator.FS, name string) ([]byte, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var b bytes.Buffer
	_, err = b.ReadFrom(f)
	return b.Bytes(), err
}
