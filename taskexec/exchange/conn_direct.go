//go:build linux || darwin

package exchange

import (
	"errors"
	"net"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// directOf is for writes to nc that do not wait; nil where something lies between it and the
// kernel.
func directOf(nc net.Conn) syscall.RawConn {
	t, ok := nc.(*net.TCPConn)
	if !ok {
		return nil
	}
	raw, err := t.SyscallConn()
	if err != nil { // it is closed, as the reader will find
		return nil
	}
	return raw
}

// mostDirect is how many pieces a call takes.
const mostDirect = 1024

// writeDirect writes what the kernel takes of the envelope without waiting.
func (e *envelope) writeDirect(to syscall.RawConn) (err error) {
	outer := to.Write(func(fd uintptr) (done bool) {
		var n int
		for err = unix.EINTR; err == unix.EINTR; {
			n, err = unix.Writev(int(fd), e.left[:min(len(e.left), mostDirect)])
		}
		if err == nil {
			e.wrote(n)
		}
		return true // it does not wait
	})
	if errors.Is(outer, os.ErrDeadlineExceeded) || err == unix.EAGAIN { // the writer extends its deadlines
		return nil
	}
	return errors.Join(outer, err)
}
