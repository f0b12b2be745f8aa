package exchange

import (
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// direct reads and writes a connection with calls that never wait, as its descriptor does not
// block, and so need not tell Go's scheduler of themselves: told, it wakes its monitor, which then
// looks every 20 µs whether a call takes long, and the monitors of two processes take a tenth of
// what an exchange costs. One goroutine reads at a time and one writes.
type direct struct {
	raw syscall.RawConn

	read    func(fd uintptr) (done bool) // of readOnce, made once
	into    []byte
	n       int
	readErr error

	write    func(fd uintptr) (done bool) // of writeAll, made once
	out      *envelope
	writeErr error
}

const (
	// mostAtOnce bounds the bytes of a call, for which the scheduler must wait.
	mostAtOnce = 256 << 10
	// mostPieces is how many pieces it writes.
	mostPieces = 32
	// mostCalls bounds the calls that one turn makes: the writer has more time.
	mostCalls = 4
)

// directOf is nil where something lies between the connection and the kernel.
func directOf(nc net.Conn) *direct {
	t, ok := nc.(*net.TCPConn)
	if !ok {
		return nil
	}
	raw, err := t.SyscallConn()
	if err != nil { // it is closed, as the reader will find
		return nil
	}
	d := &direct{raw: raw}
	d.read, d.write = d.readOnce, d.writeAll
	return d
}

// Read implements io.Reader. It waits for data as the connection itself does, to its deadline.
func (d *direct) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	d.into, d.n, d.readErr = p[:min(len(p), mostAtOnce)], 0, nil
	err := d.raw.Read(d.read)
	d.into = nil
	if err = errors.Join(err, d.readErr); err == nil && d.n == 0 {
		return 0, io.EOF
	}
	return d.n, err
}

func (d *direct) readOnce(fd uintptr) (done bool) {
	n, errno := uintptr(0), syscall.EINTR
	for errno == syscall.EINTR {
		n, _, errno = syscall.RawSyscall(syscall.SYS_READ, fd, uintptr(unsafe.Pointer(&d.into[0])), uintptr(len(d.into)))
	}
	switch errno {
	case 0:
		d.n = int(n)
	case syscall.EAGAIN:
		return false
	default:
		d.readErr = os.NewSyscallError("read", errno)
	}
	return true
}

// writeFrom writes what the kernel takes of an envelope at once.
func (d *direct) writeFrom(e *envelope) error {
	d.out, d.writeErr = e, nil
	err := d.raw.Write(d.write)
	d.out = nil
	if errors.Is(err, os.ErrDeadlineExceeded) { // the writer extends its deadlines
		err = nil
	}
	return errors.Join(err, d.writeErr)
}

func (d *direct) writeAll(fd uintptr) (done bool) {
	for calls := 0; len(d.out.left) > 0 && calls < mostCalls; calls++ {
		n, errno := writev(fd, d.out.left)
		switch errno {
		case 0:
			d.out.wrote(n)
		case syscall.EINTR:
		case syscall.EAGAIN:
			return true // the rest is the writer's
		default:
			d.writeErr = os.NewSyscallError("writev", errno)
			return true
		}
	}
	return true
}

// writev writes the first of the pieces, as many as one call may have.
func writev(fd uintptr, pieces net.Buffers) (int, syscall.Errno) {
	var vectors [mostPieces]unix.Iovec
	room, n := mostAtOnce, 0
	for ; n < min(len(pieces), mostPieces) && room > 0; n++ {
		b := pieces[n][:min(len(pieces[n]), room)]
		vectors[n].Base = unsafe.SliceData(b)
		vectors[n].SetLen(len(b))
		room -= len(b)
	}
	written, _, errno := syscall.RawSyscall(syscall.SYS_WRITEV, fd, uintptr(unsafe.Pointer(&vectors[0])), uintptr(n))
	return int(written), errno
}
