//go:build !linux

package exchange

import (
	"errors"
	"net"
)

// direct is for Linux only.
type direct struct{}

// directOf is nil: the connection itself is read, and only the writer writes.
func directOf(net.Conn) *direct { return nil }

func (*direct) Read([]byte) (int, error) { return 0, errors.ErrUnsupported }

func (*direct) writeFrom(*envelope) error { return errors.ErrUnsupported }
