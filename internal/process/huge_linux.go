//go:build linux && (amd64 || arm64) && !race && !msan && !asan

package process

import (
	"runtime/debug"

	"golang.org/x/sys/unix"
)

// leastReserved is not worth asking for.
const leastReserved = 64 << 20

// hugePages takes bytes from the heap, in one piece, asks for huge pages for them, and gives them
// back untouched. Go uses the lowest addresses that are free, and what was asked for an address
// stays. If there is no room for so much, it asks for less.
func hugePages(bytes int) {
	for ; bytes >= leastReserved; bytes /= 2 {
		if !roomFor(bytes) {
			continue
		}
		if space := Uncleared(bytes)[:bytes]; unix.Madvise(space, unix.MADV_HUGEPAGE) != nil {
			return // the kernel was built without
		}
		debug.FreeOSMemory() // gives them back, so that the scavenger does not, piece by piece
		return
	}
}

// roomFor says whether the process may have so much more address space: Go would end it if not.
func roomFor(bytes int) bool {
	space, err := unix.Mmap(-1, 0, bytes, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	return err == nil && unix.Munmap(space) == nil
}

// memory of the machine, in bytes.
func memory() int {
	var i unix.Sysinfo_t
	if unix.Sysinfo(&i) != nil {
		return 0
	}
	return int(i.Totalram) * int(i.Unit)
}
