package files

import (
	"bufio"
	"bytes"
	"compress/flate"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"

	"blink/operator"
)

// Line is one line of a file, without its end (LF or CRLF).
type Line struct {
	File   string
	Number int64 // from 1
	Text   string
	Cut    bool // the line is longer than 1 MiB, and Text is its first KiB
}

// maxLine bounds the memory that one line may take; its end does not count. Of a longer one
// cutLine bytes are kept.
const (
	maxLine = 1 << 20
	cutLine = 1 << 10
)

// Split is one file and how far it has been read. Size and Checksum say which content was
// meant: what is appended later is not read. Who takes up a job again can tell by the two that
// a file has changed; a reader cannot, since it would read the whole file for it.
type Split struct {
	Path     string
	Size     int64
	Checksum uint64
	Offset   int64 // bytes read, of the uncompressed content
	Number   int64 // lines read
	// Columns[i] is the place in a row of the i-th column asked for, Width the number of
	// columns in the header. Only in sources of rows.
	Columns []int
	Width   int
}

// ID is the path: a file is read once.
func (s Split) ID() string { return s.Path }

// splits finds the files of an input, one split each.
func (in Input) splits(ctx context.Context, fsys operator.FS) ([]Split, error) {
	files, err := in.find(fsys)
	if err != nil {
		return nil, err
	}
	var all []Split
	for _, f := range files {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		s, err := in.split(fsys, f)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", f.name, err)
		}
		all = append(all, s)
	}
	return all, nil
}

func (in Input) split(fsys operator.FS, f found) (Split, error) {
	c, err := in.open(fsys, f.name)
	if err != nil {
		return Split{}, err
	}
	defer c.Close()
	sum, err := checksum(c, f.size)
	return Split{Path: f.name, Size: f.size, Checksum: sum}, err
}

// lines reads the lines of one split.
type lines struct {
	at   Split
	file content
	in   *bufio.Reader
	zip  bool
	long []byte // of a line longer than the buffer of in
}

// openLines goes to the split's position.
func (in Input) openLines(fsys operator.FS, s Split) (*lines, error) {
	file, err := in.open(fsys, s.Path)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", s.Path, err)
	}
	l := &lines{at: s, file: file}
	if err := l.seek(); err != nil {
		file.Close()
		return nil, l.failed(err)
	}
	return l, nil
}

var gzipMagic = []byte{0x1f, 0x8b}

func (l *lines) seek() error {
	magic := make([]byte, len(gzipMagic))
	n, err := l.file.ReadAt(magic, 0)
	if err != nil && err != io.EOF {
		return err
	}
	l.zip = bytes.Equal(magic[:n], gzipMagic)
	if !l.zip {
		l.in = bufio.NewReaderSize(io.NewSectionReader(l.file, l.at.Offset, l.at.Size-l.at.Offset), 64<<10)
		return nil
	}
	z, err := newMembers(bufio.NewReaderSize(io.NewSectionReader(l.file, 0, l.at.Size), 64<<10))
	if err != nil {
		return err
	}
	l.in = bufio.NewReaderSize(z, 64<<10)
	if _, err = io.CopyN(io.Discard, l.in, l.at.Offset); err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// next returns the next line, or io.EOF; then the position is behind it.
func (l *lines) next() (Line, error) {
	raw, size, err := l.raw()
	if err != nil && (err != io.EOF || len(raw) == 0) {
		return Line{}, l.end(err)
	}
	text := bytes.TrimSuffix(bytes.TrimSuffix(raw, []byte("\n")), []byte("\r"))
	cut := len(text) > maxLine
	if cut {
		text = text[:cutLine]
	}
	l.at.Offset += size
	l.at.Number++
	return Line{l.at.Path, l.at.Number, string(text), cut}, nil
}

// raw is the next line with its end, and its size; with io.EOF the rest of the file, which may
// be empty. Behind maxLine it passes over the rest of the line.
func (l *lines) raw() (line []byte, size int64, err error) {
	piece, err := l.in.ReadSlice('\n')
	size = int64(len(piece))
	if err != bufio.ErrBufferFull {
		return piece, size, err
	}
	l.long = append(l.long[:0], piece...)
	for err == bufio.ErrBufferFull {
		piece, err = l.in.ReadSlice('\n')
		size += int64(len(piece))
		if len(l.long) <= maxLine+1 { // the last byte may be half of the line's end
			l.long = append(l.long, piece...)
		}
	}
	return l.long, size, err
}

// end tells the end of a file from the end of one that has become shorter.
func (l *lines) end(err error) error {
	if err != io.EOF {
		return l.failed(err)
	}
	if !l.zip && l.at.Offset < l.at.Size {
		return l.failed(operator.Permanent(fmt.Errorf("it ends after %d bytes and had %d when the job started: a file must not change while it is read: put back what was there", l.at.Offset, l.at.Size)))
	}
	return io.EOF
}

func (l *lines) failed(err error) error {
	if errors.Is(err, errTail) {
		err = operator.Permanent(fmt.Errorf("behind line %d: %w", l.at.Number, err))
	} else if damaged(err) {
		err = operator.Permanent(fmt.Errorf("the gzip data is damaged behind line %d: %w: put a whole file in its place and begin anew", l.at.Number, err))
	}
	return fmt.Errorf("read %s: %w", l.at.Path, err)
}

func damaged(err error) bool {
	var corrupt flate.CorruptInputError
	return errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, gzip.ErrChecksum) || errors.Is(err, gzip.ErrHeader) || errors.As(err, &corrupt)
}

func (l *lines) close() error { return l.file.Close() }
