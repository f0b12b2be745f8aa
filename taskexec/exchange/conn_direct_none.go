//go:build !linux && !darwin

package exchange

import (
	"net"
	"syscall"
)

// directOf is nil: only the writer writes.
func directOf(net.Conn) syscall.RawConn { return nil }

func (*envelope) writeDirect(syscall.RawConn) error { return nil }
