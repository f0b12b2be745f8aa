//go:build unix

package cluster

import (
	"errors"
	"os"
	"syscall"
	"time"
)

// lockExclusive holds name for this process; the kernel gives it back when the process ends.
func lockExclusive(name string) (*os.File, error) {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o666)
	if err != nil {
		return nil, err
	}
	return locked(f)
}

// lockFolder holds a folder in the same way, and leaves nothing in it. A file system that
// has no locks of folders, as some in the network, lets everybody pass.
func lockFolder(name string) (*os.File, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	held, err := locked(f)
	if errors.Is(err, errors.ErrUnsupported) || errors.Is(err, syscall.EBADF) || errors.Is(err, syscall.ENOLCK) {
		return nil, nil
	}
	return held, err
}

// writable says why nothing can be made in a folder. Unlike a file made for a try, the question
// leaves nothing behind when the process is killed.
func writable(folder string) error {
	const writeAndSearch = 2 | 1
	return syscall.Access(folder, writeAndSearch)
}

func locked(f *os.File) (*os.File, error) {
	err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if err == nil {
		return f, nil
	}
	f.Close()
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return nil, errInUse
	}
	return nil, err
}

// cpuTime is what this process has used.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0 // a figure for people, not worth a failure
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
