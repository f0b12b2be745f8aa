//go:build unix

package usage

import (
	"fmt"
	"syscall"
	"time"
)

// CPU is what this process has used, user and system.
func CPU() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(fmt.Sprintf("getrusage: %v", err)) // there is nothing to measure without it
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
