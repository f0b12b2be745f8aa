//go:build linux && (amd64 || arm64) && !race && !msan && !asan

package process

import (
	"bytes"
	"math"
	"os"
	"runtime/debug"
	"strconv"

	"golang.org/x/sys/unix"
)

// hugePages takes a piece of the heap, asks for huge pages for it, and gives it back untouched. The
// kernel keeps what was asked for an address, and Go fills its heap from the lowest free address on:
// so whatever comes next lies there.
func hugePages(piece int) {
	if piece == 0 || unix.Madvise(Uncleared(piece)[:piece], unix.MADV_HUGEPAGE) != nil {
		return // there was no room, or the kernel was built without
	}
	debug.FreeOSMemory() // collects the piece, and says that it is not used, which it never was
}

// roomFor says whether the process may have so much more address space, and what Go needs to note
// of it: Go would end the process if not.
func roomFor(bytes int) bool {
	space, err := unix.Mmap(-1, 0, bytes+bytes/8, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	return err == nil && unix.Munmap(space) == nil
}

// memory is how many bytes the process may have: those of the machine, of its container, which has its
// control group where the machine has the root of all, or of GOMEMLIMIT.
func memory() int {
	var i unix.Sysinfo_t
	if unix.Sysinfo(&i) != nil {
		return 0
	}
	most := min(int(i.Totalram)*int(i.Unit), int(debug.SetMemoryLimit(-1)))
	for _, file := range []string{"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"} { // of version 2 and 1
		most = min(most, limitIn(file))
	}
	return most
}

// limitIn is the number in a file; there is no limit without file or number.
func limitIn(file string) int {
	text, err := os.ReadFile(file)
	if err != nil {
		return math.MaxInt
	}
	n, err := strconv.Atoi(string(bytes.TrimSpace(text)))
	if err != nil {
		return math.MaxInt // "max"
	}
	return n
}
