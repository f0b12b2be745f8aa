package durable

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
)

// Replace makes data the content of a file, durably, or leaves the file as it was. It writes
// to temporary first, a name in the same folder that nobody else uses; after a crash it may be
// left there.
func Replace(fsys FS, name, temporary string, data []byte) error {
	err := Write(fsys, temporary, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
	if err != nil {
		return err
	}
	if err := fsys.Rename(temporary, name); err != nil {
		return err
	}
	return fsys.SyncDir(path.Dir(name))
}

// Write makes a new file, in place of what has its name, whose content is what fill writes and
// is durable. Its name is not before SyncDir of the folder. When something fails the file is
// removed, if that is possible.
func Write(fsys FS, name string, fill func(w io.Writer) error) error {
	f, err := fsys.Create(name)
	if err != nil {
		return err
	}
	if err := finish(f, fill); err != nil {
		_ = fsys.Remove(name) // best effort: what remains is overwritten or removed by the next one
		return named(name, err)
	}
	return nil
}

// Append adds data to a file that is there, and makes that durable. After a crash, or an error,
// the first part of data may be at its end.
func Append(fsys FS, name string, data []byte) error {
	f, err := fsys.Append(name)
	if err != nil {
		return err
	}
	if err := finish(f, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	}); err != nil {
		return named(name, err)
	}
	return nil
}

// finish fills an open file, makes that durable and closes it.
func finish(f File, fill func(w io.Writer) error) error {
	err := fill(f)
	if err == nil {
		err = f.Sync()
	}
	if e := f.Close(); err == nil {
		err = e
	}
	return err
}

// named gives an error the name of its file, if it does not have it.
func named(name string, err error) error {
	var known *fs.PathError
	if errors.As(err, &known) {
		return err
	}
	return fmt.Errorf("%s: %w", name, err)
}
