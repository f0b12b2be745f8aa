package files

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
)

// members reads the members of a gzip file, one after the other. It passes over zeros behind
// one, as blocks of a tape or a disk leave them, and as the program gzip does.
type members struct {
	in *bufio.Reader
	at *gzip.Reader
}

func newMembers(in *bufio.Reader) (*members, error) {
	z, err := gzip.NewReader(in)
	if err != nil {
		return nil, err
	}
	z.Multistream(false)
	return &members{in, z}, nil
}

// Read is io.Reader.
func (m *members) Read(p []byte) (int, error) {
	for {
		n, err := m.at.Read(p)
		if n > 0 && err == io.EOF {
			err = nil // it is told again
		}
		if n > 0 || err != io.EOF {
			return n, err
		}
		if err := m.next(); err != nil {
			return 0, err
		}
	}
}

// errTail is what a file has that goes on, but not as gzip.
var errTail = errors.New("the file goes on with something that is no gzip data: cut it off")

// next goes to the next member; io.EOF: there is none.
func (m *members) next() error {
	for {
		b, err := m.in.ReadByte()
		if err != nil {
			return err
		}
		if b != 0 {
			break
		}
	}
	if err := m.in.UnreadByte(); err != nil {
		return err
	}
	magic, _ := m.in.Peek(len(gzipMagic)) // what Reset reads again, with the same error
	if !bytes.HasPrefix(gzipMagic, magic) {
		return errTail
	}
	err := m.at.Reset(m.in)
	if err == gzip.ErrHeader {
		return errTail
	}
	m.at.Multistream(false)
	return err
}
