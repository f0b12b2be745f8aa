package files

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"

	"github.com/zeebo/xxh3"

	"blink/internal/durable"
	"blink/operator"
)

// own names the ledger of this attempt.
func (s *stage) own() Part { return Part{unnumbered, s.task, s.attempt} }

// readLedgers is the union of ledgers, with the widths of the last that has any.
func (s *stage) readLedgers(of []Part) (all book, err error) {
	for _, p := range of {
		b, err := s.readBook(p)
		if errors.Is(err, fs.ErrNotExist) {
			continue // taken over by the task's next attempt, whose ledger holds it
		}
		if err != nil {
			return book{}, err
		}
		all.widths, all.parts = b.widths, all.parts.with(b.parts)
	}
	return all, nil
}

func (s *stage) readBook(of Part) (book, error) {
	name := path.Join(s.target.parts(), of.ledger())
	data, err := contents(s.fs, name)
	if err != nil {
		return book{}, err
	}
	b, err := decodeBook(data)
	if err != nil {
		err = fmt.Errorf("%s, the list of parts: %w: put it back", name, err)
	}
	return b, err
}

func ofTask(task int) func(Part) bool { return func(p Part) bool { return p.Task == task } }

func (s *stage) lostLedger(task int) error {
	return operator.Permanent(fmt.Errorf("ledger-%05d-*, the list of the parts of task %d, is gone from %s: put it back, with the parts of that task, and leave them where they are until the job has ended", task, task, s.target.parts()))
}

// firstBook is the newest of task 0. Its next attempt makes its own before it removes the one
// before, so that one which vanishes while we look has a successor.
func (s *stage) firstBook() (b book, l listed, err error) {
	for range maxVanished {
		if l, err = s.target.list(s.fs); err != nil {
			return book{}, l, err
		}
		of := slices.DeleteFunc(slices.Clone(l.ledgers), func(p Part) bool { return p.Task != 0 })
		if len(of) == 0 {
			return book{}, l, nil
		}
		if b, err = s.readBook(of[len(of)-1]); !errors.Is(err, fs.ErrNotExist) {
			return b, l, err
		}
	}
	return book{}, l, err
}

// maxVanished bounds how often an attempt looks again for a ledger that is being taken over.
const maxVanished = 10

// lookForLedgers misses ledgers that this attempt has to take over and that are gone. That of
// task 0, which tells how many there must be, is missed by everybody: only a sink that is new
// in the job has none.
func (s *stage) lookForLedgers() (book, listed, error) {
	first, l, err := s.firstBook()
	if err != nil {
		return first, l, err
	}
	if s.resumed && !slices.ContainsFunc(l.ledgers, ofTask(0)) {
		return first, l, s.lostLedger(0)
	}
	for task := range first.tasks(s.restored) {
		if ours := task == s.task || task >= s.parallelism && s.task == 0; ours && !slices.ContainsFunc(l.ledgers, ofTask(task)) {
			return first, l, s.lostLedger(task)
		}
	}
	return first, l, nil
}

// takeOver makes this attempt's ledger out of those before it, up to the restored
// checkpoint, and looks whether all that is in it is there.
func (s *stage) takeOver() error {
	first, l, err := s.lookForLedgers()
	if err != nil {
		return err
	}
	before := slices.DeleteFunc(l.ledgers, func(p Part) bool { return !s.outdated(p) })
	all, err := s.readLedgers(before)
	if err != nil {
		return err
	}
	taken := all.parts.until(s.restored)
	for _, w := range taken {
		if err := s.find(w); err != nil {
			return err
		}
	}
	own := path.Join(s.target.parts(), s.own().ledger())
	if err := s.writeWhole(own, book{first.begin(s.restored, s.parallelism), taken}.encode()); err != nil {
		return err
	}
	if err := s.unlessPublished(own); err != nil {
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

// note adds what was committed to this attempt's ledger, and makes the parts' names durable. A
// commit that is repeated may add them twice.
func (s *stage) note(parts []Written) error {
	name := path.Join(s.target.parts(), s.own().ledger())
	sum, whole, err := s.lastSum(name)
	if err == nil && !whole {
		sum, err = s.mend(name)
	}
	l := bookLines{sum: sum}
	l.addParts(parts)
	if err == nil {
		err = durable.Append(s.fs, name, l.text)
	}
	if errors.Is(err, fs.ErrNotExist) {
		err = s.withoutLedger()
	}
	if err != nil {
		return err
	}
	return s.syncBoth()
}

// lastSum is the checksum at the end of a ledger, if the last line is whole.
func (s *stage) lastSum(name string) (sum uint64, whole bool, err error) {
	info, err := s.fs.Stat(name)
	if err != nil {
		return 0, false, err
	}
	f, err := s.fs.Open(name)
	if err != nil {
		return 0, false, err
	}
	defer f.Close()
	var end [sumBytes]byte
	if info.Size < int64(sumBytes) {
		return 0, false, nil
	}
	if n, err := f.ReadAt(end[:], info.Size-int64(sumBytes)); n < sumBytes {
		return 0, false, err
	}
	_, err = fmt.Sscanf(string(end[:]), sumFormat, &sum)
	return sum, err == nil && string(end[:]) == fmt.Sprintf(sumFormat, sum), nil
}

// mend takes what a failed commit has left off the end of the ledger.
func (s *stage) mend(name string) (sum uint64, err error) {
	b, err := s.readBook(s.own())
	if err != nil {
		return 0, err
	}
	text := b.encode()
	if err := s.writeWhole(name, text); err != nil {
		return 0, err
	}
	sum, _, err = s.lastSum(name)
	return sum, err
}

// withoutLedger is an error unless the next attempt of the task has taken it over, or
// somebody has published.
func (s *stage) withoutLedger() error {
	published, err := s.published()
	if published || err != nil {
		return err
	}
	l, err := s.target.list(s.fs)
	if err == nil && !slices.ContainsFunc(l.ledgers, ofTask(s.task)) {
		err = s.lostLedger(s.task)
	}
	return err
}

// unlessPublished removes this attempt's ledger when an attempt of the same task that publishes
// at this moment has removed the others: then this one must not be left behind.
func (s *stage) unlessPublished(name string) error {
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
		err = operator.Permanent(fmt.Errorf("%s has changed, from %d bytes to %d: put back what was there, and leave parts as they are until the job has ended", name, size, info.Size))
	}
	return err == nil, err
}

func (s *stage) gone(p Part) error {
	return operator.Permanent(fmt.Errorf("%s of checkpoint %d is gone from %s: put it back, and leave parts where they are until the job has ended", p.committed(), p.Checkpoint, s.target.home()))
}

// audit compares the committed parts with the ledgers of all tasks: what is to be joined.
func (s *stage) audit() (ledger, error) {
	l, err := s.target.list(s.fs)
	if err != nil {
		return nil, err
	}
	for task := range s.parallelism {
		if !slices.ContainsFunc(l.ledgers, ofTask(task)) {
			return nil, s.lostLedger(task)
		}
	}
	books, err := s.readLedgers(l.ledgers)
	if err != nil {
		return nil, err
	}
	all := books.parts
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
