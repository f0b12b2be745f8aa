package files

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"
	"syscall"

	"github.com/zeebo/xxh3"

	"blink/operator"
)

// Input names what a source reads: files on disk or data in memory, each plain or gzip,
// which is told by the content. Make one with File, Glob or Embedded.
type Input struct {
	pattern string
	one     bool // pattern is a path
	data    []byte
	memory  bool
}

// File is the one file of this path, which is no pattern. That it is missing is an error
// when the job starts. Its lines come in their order, so "the first row" has a meaning; the
// files of a Glob are read side by side.
func File(path string) Input { return Input{pattern: path, one: true} }

// Glob is all files whose path matches pattern, in the syntax of path.Match; a path of a
// file that exists matches itself. Matching nothing is an error when the job starts.
func Glob(pattern string) Input { return Input{pattern: pattern} }

// Embedded is one file in memory, under a name for messages. The data must not change.
func Embedded(name string, data []byte) Input {
	return Input{pattern: name, data: data, memory: true}
}

// content is random access to the bytes of one file.
type content interface {
	io.ReaderAt
	io.Closer
}

type memory struct{ *bytes.Reader }

func (memory) Close() error { return nil }

func (in Input) open(fsys operator.FS, name string) (content, error) {
	if in.memory {
		return memory{bytes.NewReader(in.data)}, nil
	}
	return fsys.Open(name)
}

// found is one file of an input.
type found struct {
	name string
	size int64
}

func (in Input) find(fsys operator.FS) ([]found, error) {
	if in.memory {
		return []found{{in.pattern, int64(len(in.data))}}, nil
	}
	info, err := fsys.Stat(in.pattern)
	switch {
	case err == nil && info.Dir && in.one:
		return nil, fmt.Errorf("read %s: it is a folder: name a file", in.pattern)
	case err == nil && info.Dir:
		return nil, fmt.Errorf("read %s: it is a folder: name a file, or a pattern such as %s", in.pattern, path.Join(in.pattern, "*.csv"))
	case err == nil && info.Special:
		return nil, special(in.pattern)
	case err == nil:
		return []found{{in.pattern, info.Size}}, nil
	case in.one || !errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("read %s: %w", in.pattern, err)
	}
	return in.match(fsys)
}

func (in Input) match(fsys operator.FS) ([]found, error) {
	if _, err := path.Match(in.pattern, ""); err != nil {
		return nil, fmt.Errorf("read %s: %w", in.pattern, err)
	}
	names, err := glob(fsys, in.pattern)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", in.pattern, err)
	}
	var files []found
	for _, name := range names {
		info, err := fsys.Stat(name)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", name, err)
		}
		if info.Special {
			return nil, special(name)
		}
		if !info.Dir {
			files = append(files, found{name, info.Size})
		}
	}
	if len(files) > 0 {
		return files, nil
	}
	if hasMeta(in.pattern) {
		return nil, fmt.Errorf("read %s: %w", in.pattern, noMatch{})
	}
	return nil, fmt.Errorf("read %s: %w", in.pattern, fs.ErrNotExist)
}

// special refuses what has no bytes that can be read twice; to open a pipe might wait for ever.
func special(name string) error {
	return fmt.Errorf("read %s: it is a pipe or a device, and a restart reads a file again: name a file", name)
}

// noMatch is fs.ErrNotExist of a pattern.
type noMatch struct{}

func (noMatch) Error() string { return "no file matches" }

func (noMatch) Is(err error) bool { return err == fs.ErrNotExist }

// glob returns the paths that match, in ascending order within each folder.
func glob(fsys operator.FS, pattern string) ([]string, error) {
	if !hasMeta(pattern) {
		_, err := fsys.Stat(pattern)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, nil
		}
		return []string{pattern}, err
	}
	parent, last := path.Split(pattern)
	dirs := []string{"."}
	if parent != "" {
		var err error
		if dirs, err = glob(fsys, trimSlash(parent)); err != nil {
			return nil, err
		}
	}
	var names []string
	for _, dir := range dirs {
		entries, err := fsys.ReadDir(dir)
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) && hasMeta(parent) {
			continue // what matched is gone, or is no folder
		}
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			if ok, _ := path.Match(last, strings.TrimSuffix(e, "/")); ok {
				names = append(names, path.Join(dir, e))
			}
		}
	}
	return names, nil
}

func hasMeta(pattern string) bool { return strings.ContainsAny(pattern, `*?[\`) }

// trimSlash keeps the root.
func trimSlash(dir string) string {
	if t := strings.TrimRight(dir, "/"); t != "" {
		return t
	}
	return "/"
}

// checksum is the xxh3 of the whole content as it stands, compressed or not.
func checksum(c content, size int64) (uint64, error) {
	h := xxh3.New()
	n, err := io.Copy(h, io.NewSectionReader(c, 0, size))
	if err == nil && n < size {
		err = fmt.Errorf("%w after %d of %d bytes", io.ErrUnexpectedEOF, n, size)
	}
	return h.Sum64(), err
}
