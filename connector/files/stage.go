package files

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"

	"github.com/zeebo/xxh3"

	"blink/internal/durable"
	"blink/internal/mutate"
	"blink/operator"
)

// stage is the two-phase writing of one attempt of a sink's task:
//
//	begin → (write … → prepare k → commit k)* → finalize (in task 0)
//
// A part is invisible until commit; the single file does not exist until finalize. Every
// step may be repeated after a crash in the middle of it. All its methods block.
type stage struct {
	fs          operator.FS
	target      target
	header      []byte
	task        int
	parallelism int
	attempt     operator.Attempt
	restored    uint64
	resumed     bool // the restored checkpoint has this sink

	file operator.File // open while there is something in the part being written
	size int64         // of it
	sum  *xxh3.Hasher

	ended bool // the single file has its name, so nothing more can be written
}

// begin makes the folders, looks whether what was committed is there, and removes what this
// task, or a task that no longer exists, wrote after the checkpoint it is restored from.
// Parts of a later attempt are left alone: then this one is a zombie.
func (s *stage) begin() error {
	if s.restored > 0 && !s.target.folder {
		published, err := s.published()
		if s.ended = published; published || err != nil {
			return s.failed(err)
		}
	}
	if err := s.makeFolders(); err != nil {
		return s.failed(err)
	}
	if s.restored == 0 {
		if err := s.refuseForeign(); err != nil {
			return err
		}
	}
	if !s.target.folder {
		if err := s.unlessEnded(s.takeOver()); err != nil || s.ended {
			return s.failed(err)
		}
	}
	return s.failed(s.removeLater())
}

// unlessEnded is err, unless an older attempt has published meanwhile: what this one misses is
// in the file then.
func (s *stage) unlessEnded(err error) error {
	if err == nil {
		return nil
	}
	if there, e := s.published(); e != nil || !there {
		return err
	}
	s.ended = true
	return nil
}

// makeFolders makes the folder of parts durable, and the one it stands in.
func (s *stage) makeFolders() error {
	parent := path.Dir(s.target.parts())
	there, err := exists(s.fs, parent)
	if err != nil {
		return err
	}
	if err := s.fs.MkdirAll(s.target.parts()); err != nil {
		return err
	}
	if !there {
		if err := s.fs.SyncDir(path.Dir(parent)); err != nil {
			return err
		}
	}
	return s.fs.SyncDir(parent)
}

// refuseForeign keeps results of other runs: before the first checkpoint, nothing that is
// committed can be ours.
func (s *stage) refuseForeign() error {
	l, err := s.target.list(s.fs)
	if err != nil {
		return s.failed(err)
	}
	if len(l.committed) > 0 {
		return fmt.Errorf("write %s: %s holds parts of another run, such as %s: move them away, or write elsewhere",
			s.target, s.target.home(), l.committed[0].committed())
	}
	if s.target.folder {
		return nil
	}
	there, err := exists(s.fs, s.target.path)
	if err != nil {
		return s.failed(err)
	}
	if there {
		return fmt.Errorf("write %s: it exists already and is not overwritten: move it away, or write elsewhere", s.target)
	}
	return nil
}

// removeLater looks again after each round: an older attempt's commit may have renamed a
// part in between.
func (s *stage) removeLater() error {
	for {
		l, err := s.target.list(s.fs)
		if err != nil {
			return err
		}
		n, err := s.removeRound(l)
		if err != nil {
			return err
		}
		if n == 0 {
			return nil
		}
		if err := s.syncBoth(); err != nil {
			return err
		}
	}
}

func (s *stage) removeRound(l listed) (removed int, err error) {
	remove := func(dir string, name string) {
		if e := s.fs.Remove(path.Join(dir, name)); e != nil && !errors.Is(e, fs.ErrNotExist) {
			err = errors.Join(err, e)
		}
		removed++
	}
	for _, p := range l.writing {
		if s.outdated(p) {
			remove(s.target.parts(), p.writing())
		}
	}
	for _, p := range l.staged {
		if s.outdated(p) {
			remove(s.target.parts(), p.staged())
		}
	}
	for _, p := range l.committed {
		if s.outdated(p) {
			remove(s.target.home(), p.committed())
		}
	}
	return removed, err
}

func (s *stage) outdated(p Part) bool {
	if p.Checkpoint <= s.restored {
		return false
	}
	if p.Task >= s.parallelism {
		return s.task == 0
	}
	return p.Task == s.task && p.Attempt.Compare(s.attempt) <= 0
}

// write appends to the part being written; it is durable with prepare.
func (s *stage) write(data []byte) error {
	if len(data) == 0 {
		return nil
	}
	if s.ended {
		return s.failed(fmt.Errorf("it exists, without its unfinished parts, %s, and there is more to write: put them back and move it away, or begin anew elsewhere", s.target.parts()))
	}
	if s.file == nil {
		f, err := s.fs.Create(s.writing())
		if err != nil {
			return s.failed(err)
		}
		s.file, s.size, s.sum = f, 0, xxh3.New()
		if s.target.folder {
			if err := s.append(s.header); err != nil {
				return s.failed(err)
			}
		}
	}
	return s.failed(s.append(data))
}

func (s *stage) append(data []byte) error {
	if _, err := s.file.Write(data); err != nil {
		return fmt.Errorf("%s: %w", s.writing(), err)
	}
	_, _ = s.sum.Write(data) // it cannot fail
	s.size += int64(len(data))
	return nil
}

func (s *stage) writing() string {
	return path.Join(s.target.parts(), Part{unnumbered, s.task, s.attempt}.writing())
}

// prepare makes what was written durable as the part of checkpoint. ok is false when
// nothing was written: then there is no part.
func (s *stage) prepare(checkpoint uint64) (w Written, ok bool, err error) {
	if s.file == nil {
		return Written{}, false, nil
	}
	if err := s.file.Sync(); err != nil {
		return Written{}, false, s.failed(fmt.Errorf("%s: %w", s.writing(), err))
	}
	if err := s.close(); err != nil {
		return Written{}, false, s.failed(fmt.Errorf("%s: %w", s.writing(), err))
	}
	w = Written{Part{checkpoint, s.task, s.attempt}, s.size, s.sum.Sum64()}
	if err := s.fs.Rename(s.writing(), path.Join(s.target.parts(), w.staged())); err != nil {
		return Written{}, false, s.failed(err)
	}
	return w, true, s.failed(s.fs.SyncDir(s.target.parts()))
}

// commit makes parts visible, and does nothing for those that are, be it in the single file.
func (s *stage) commit(parts []Written) error {
	for _, w := range parts {
		done, err := s.commitPart(w)
		if err == nil && !done {
			return s.failed(s.joinedBefore(w))
		}
		if err != nil {
			return s.failed(err)
		}
	}
	switch {
	case len(parts) == 0:
		return nil
	case s.target.folder:
		return s.failed(s.syncBoth())
	}
	return s.failed(s.note(parts))
}

// commitPart is not done when the part is under neither of its names.
func (s *stage) commitPart(w Written) (done bool, err error) {
	from, to := path.Join(s.target.parts(), w.staged()), path.Join(s.target.home(), w.committed())
	staged, err := s.sized(from, w.Size)
	if err != nil {
		return false, err
	}
	if staged {
		err := s.fs.Rename(from, to)
		if !errors.Is(err, fs.ErrNotExist) {
			return err == nil, err
		}
	}
	if mutate.On(mutate.CommitTwice) {
		again := w
		again.Attempt.N++
		_, err := s.concat(path.Join(s.target.home(), again.committed()), ledger{w})
		return err == nil, err
	}
	return s.sized(to, w.Size)
}

// joinedBefore is an error unless a part is gone because the single file is published.
func (s *stage) joinedBefore(w Written) error {
	if s.target.folder {
		return s.gone(w.Part)
	}
	published, err := s.published()
	if err == nil && !published {
		err = s.gone(w.Part)
	}
	return err
}

// finalize publishes the result of a bounded job whose last checkpoint is committed in
// every task: the single file is joined from its parts, and the folder of parts removed.
func (s *stage) finalize() error {
	if s.target.folder {
		return s.failed(s.removeParts())
	}
	published, err := s.published()
	if err == nil && !published {
		err = s.unlessEnded(s.join())
	}
	if err != nil {
		return s.failed(err)
	}
	return s.failed(s.removeParts())
}

// join writes header and parts into a file and gives it its name, after result has said
// what it holds. Another attempt that finalizes at the same time names the same content.
func (s *stage) join() error {
	all, err := s.audit()
	if err != nil {
		return err
	}
	joined := path.Join(s.target.parts(), fmt.Sprintf("joined-%v", s.attempt))
	digest, err := s.concat(joined, all)
	if err != nil {
		return err
	}
	if err := s.writeWhole(path.Join(s.target.parts(), resultName), digest); err != nil {
		return err
	}
	if there, err := s.published(); there || err != nil {
		return err
	}
	if err := s.fs.Rename(joined, s.target.path); err != nil {
		return err
	}
	return s.fs.SyncDir(path.Dir(s.target.path))
}

// concat makes a file of header and parts durable, and returns its digest. A part that is
// not what was written is an error.
func (s *stage) concat(to string, parts ledger) (digest []byte, err error) {
	whole := xxh3.New()
	size := int64(len(s.header))
	err = durable.Write(s.fs, to, func(w io.Writer) error {
		out := io.MultiWriter(w, whole)
		if _, err := out.Write(s.header); err != nil {
			return err
		}
		for _, w := range parts {
			if err := s.appendTo(out, w); err != nil {
				return err
			}
			size += w.Size
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return fmt.Appendf(nil, "%d %016x\n", size, whole.Sum64()), nil
}

func (s *stage) appendTo(out io.Writer, w Written) error {
	name := path.Join(s.target.home(), w.committed())
	if _, err := s.sized(name, w.Size); err != nil {
		return err
	}
	sum := xxh3.New()
	if _, err := s.copy(io.MultiWriter(out, sum), name); err != nil {
		return err
	}
	if sum.Sum64() != w.Sum {
		return operator.Permanent(fmt.Errorf("%s has changed, and has its size still: put back what was there", name))
	}
	return nil
}

func (s *stage) copy(to io.Writer, name string) (int64, error) {
	in, err := s.fs.Open(name)
	if err != nil {
		return 0, err
	}
	defer in.Close()
	return io.Copy(to, in)
}

// removeParts removes the folder of parts and all that is in it, result last: as long as
// something is left of the parts, it says that they are in the file.
func (s *stage) removeParts() error {
	names, err := s.fs.ReadDir(s.target.parts())
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, n := range names {
		if n == resultName {
			continue
		}
		if err := s.remove(path.Join(s.target.parts(), n)); err != nil {
			return err
		}
	}
	if err := s.fs.SyncDir(s.target.parts()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := s.remove(path.Join(s.target.parts(), resultName)); err != nil {
		return err
	}
	if err := s.remove(s.target.parts()); err != nil {
		return err
	}
	return s.fs.SyncDir(path.Dir(s.target.parts()))
}

// remove is done when somebody else has done it.
func (s *stage) remove(name string) error {
	if err := s.fs.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

func (s *stage) syncBoth() error {
	if err := s.fs.SyncDir(s.target.parts()); err != nil || !s.target.folder {
		return err
	}
	return s.fs.SyncDir(s.target.home())
}

// close gives the open file back, if there is one.
func (s *stage) close() error {
	if s.file == nil {
		return nil
	}
	f := s.file
	s.file = nil
	return f.Close()
}

// failed names the target, and says what to do when the disk is full.
func (s *stage) failed(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("write %s: %w%s", s.target, err, advice(err))
}
