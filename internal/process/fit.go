package process

import (
	"os"
	"runtime"
	"sync"
)

const (
	// weight counts as live beside what is: the heap grows to twice this, and what GOGC says, before
	// it is collected.
	weight = 32 << 20
	// mostReserved bounds the part of the heap's address space that gets huge pages: at each
	// collection Go goes through its notes of all of it, 16 KiB for a GiB.
	mostReserved = 2 << 30
)

// floor is never touched. It is there before huge pages are, or Go would clear it.
var floor []byte

var fit = sync.OnceFunc(func() {
	floor = make([]byte, weight)
	hugePages(min(mostReserved, memory()/4))
})

// Fit makes the collector wait until the heap has 64 MiB, and asks for huge pages for the first 2 GiB
// of the heap, or for a quarter of the machine's memory if that is less. Where the system has none
// they stay small. The first call collects once; others do nothing. Any goroutine may call it.
func Fit() { fit() }

// Processors lets Go use no more processors than there are slots, until undo is called. More of them
// cost CPU time also when they have nothing to do: each that idles is woken for whatever becomes
// ready, and looks for more. GOMAXPROCS in the environment stays what it is.
func Processors(slots int) (undo func()) {
	before := runtime.GOMAXPROCS(0)
	if os.Getenv("GOMAXPROCS") != "" || slots >= before {
		return func() {}
	}
	runtime.GOMAXPROCS(slots)
	return func() { runtime.GOMAXPROCS(before) }
}
