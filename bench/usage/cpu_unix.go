//go:build unix

package usage

import (
	"fmt"
	"runtime"
	"syscall"
	"time"
)

// CPU is what this process has used, user and system.
func CPU() time.Duration {
	u := self()
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// Peak is the most memory that this process has had resident so far, in bytes.
func Peak() int64 {
	if runtime.GOOS == "darwin" {
		return int64(self().Maxrss)
	}
	return int64(self().Maxrss) << 10
}

func self() (u syscall.Rusage) {
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(fmt.Sprintf("getrusage: %v", err)) // there is nothing to measure without it
	}
	return u
}
