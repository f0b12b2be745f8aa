package files

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"

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

	file operator.File // open while there is something in the part being written
}

// begin makes the folders and removes what this task, or a task that no longer exists,
// wrote after the checkpoint it is restored from. Parts of a later attempt are left alone:
// then this one is a zombie.
func (s *stage) begin() error {
	if err := s.makeFolders(); err != nil {
		return s.failed(err)
	}
	if s.restored == 0 {
		if err := s.refuseForeign(); err != nil {
			return err
		}
	}
	return s.failed(s.removeLater())
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
	if s.file == nil {
		f, err := s.fs.Create(s.writing())
		if err != nil {
			return s.failed(err)
		}
		s.file = f
		if s.target.folder {
			if _, err := f.Write(s.header); err != nil {
				return s.failed(fmt.Errorf("%s: %w", s.writing(), err))
			}
		}
	}
	if _, err := s.file.Write(data); err != nil {
		return s.failed(fmt.Errorf("%s: %w", s.writing(), err))
	}
	return nil
}

func (s *stage) writing() string {
	return path.Join(s.target.parts(), Part{unnumbered, s.task, s.attempt}.writing())
}

// prepare makes what was written durable as the part of checkpoint. ok is false when
// nothing was written: then there is no part.
func (s *stage) prepare(checkpoint uint64) (p Part, ok bool, err error) {
	if s.file == nil {
		return Part{}, false, nil
	}
	if err := s.file.Sync(); err != nil {
		return Part{}, false, s.failed(fmt.Errorf("%s: %w", s.writing(), err))
	}
	if err := s.close(); err != nil {
		return Part{}, false, s.failed(fmt.Errorf("%s: %w", s.writing(), err))
	}
	p = Part{checkpoint, s.task, s.attempt}
	if err := s.fs.Rename(s.writing(), path.Join(s.target.parts(), p.staged())); err != nil {
		return Part{}, false, s.failed(err)
	}
	return p, true, s.failed(s.fs.SyncDir(s.target.parts()))
}

// commit makes parts visible, and does nothing for those that are.
func (s *stage) commit(parts []Part) error {
	for _, p := range parts {
		if err := s.commitPart(p); err != nil {
			return s.failed(err)
		}
	}
	if len(parts) == 0 {
		return nil
	}
	return s.failed(s.syncBoth())
}

func (s *stage) commitPart(p Part) error {
	from, to := path.Join(s.target.parts(), p.staged()), path.Join(s.target.home(), p.committed())
	err := s.fs.Rename(from, to)
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if mutate.On(mutate.CommitTwice) {
		again := Part{p.Checkpoint, p.Task, operator.Attempt{Epoch: p.Attempt.Epoch, N: p.Attempt.N + 1}}
		return s.concat(path.Join(s.target.home(), again.committed()), []Part{p})
	}
	for _, done := range []string{to, s.target.path} {
		if done == s.target.path && s.target.folder {
			continue
		}
		there, err := exists(s.fs, done)
		if there || err != nil {
			return err
		}
	}
	return fmt.Errorf("%s of checkpoint %d is gone from %s: put it back, and leave parts where they are until the job has ended", p.committed(), p.Checkpoint, s.target.home())
}

// finalize publishes the result of a bounded job whose last checkpoint is committed in
// every task: the single file is joined from its parts, and the folder of parts removed.
func (s *stage) finalize() error {
	if s.target.folder {
		return s.failed(s.removeParts())
	}
	there, err := exists(s.fs, s.target.path)
	if err != nil {
		return s.failed(err)
	}
	if !there {
		if err := s.join(); err != nil {
			return s.failed(err)
		}
	}
	return s.failed(s.removeParts())
}

// join writes header and parts into a file and gives it its name. That the name is still
// free after all parts were read shows that none was removed before: another attempt that
// finalizes at the same time names the same content first, and removes then.
func (s *stage) join() error {
	l, err := s.target.list(s.fs)
	if err != nil {
		return err
	}
	joined := path.Join(s.target.parts(), fmt.Sprintf("joined-%v", s.attempt))
	if err := s.concat(joined, l.committed); err != nil {
		return err
	}
	there, err := exists(s.fs, s.target.path)
	if there || err != nil {
		return err
	}
	if err := s.fs.Rename(joined, s.target.path); err != nil {
		return err
	}
	return s.fs.SyncDir(path.Dir(s.target.path))
}

func (s *stage) concat(to string, parts []Part) error {
	f, err := s.fs.Create(to)
	if err != nil {
		return err
	}
	_, err = f.Write(s.header)
	for _, p := range parts {
		if err == nil {
			err = s.appendTo(f, path.Join(s.target.home(), p.committed()))
		}
	}
	if err == nil {
		err = f.Sync()
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err != nil {
		return fmt.Errorf("%s: %w", to, err)
	}
	return nil
}

func (s *stage) appendTo(f operator.File, name string) error {
	in, err := s.fs.Open(name)
	if err != nil {
		return err
	}
	defer in.Close()
	_, err = io.Copy(f, in)
	return err
}

// removeParts removes the folder of parts and all that is in it.
func (s *stage) removeParts() error {
	names, err := s.fs.ReadDir(s.target.parts())
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, n := range names {
		if err := s.fs.Remove(path.Join(s.target.parts(), n)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	if err := s.fs.Remove(s.target.parts()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return s.fs.SyncDir(path.Dir(s.target.parts()))
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
