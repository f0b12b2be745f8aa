package process

import (
	"os"
	"runtime"
	"sync"
)

const (
	// weight counts as live beside what is: at GOGC=100 the heap grows to twice this before it is
	// collected.
	weight = 32 << 20
	// mostHuge bounds the part of the heap that gets huge pages: each collection goes through what Go
	// notes of all of it, some 16 KiB for a GiB.
	mostHuge = 2 << 30
	// leastHuge is not worth asking for.
	leastHuge = 64 << 20
)

// SmallPages is a variable of the environment: if it is set, Fit leaves the heap's pages small.
const SmallPages = "BLINK_SMALL_PAGES"

// fit has the floor of the heap, which is never touched. It is taken before there are huge pages, or
// Go would clear it.
var fit = sync.OnceValue(func() (floor []byte) {
	floor = make([]byte, weight)
	if os.Getenv(SmallPages) == "" {
		hugePages(pieceOf(memory()/4, roomFor))
	}
	return floor
})

// Fit is for the main function of a process that runs tasks: what it does stays. It makes the
// collector wait until the heap has twice 32 MiB (at GOGC=100), and asks for huge pages for the first
// 2 GiB of the heap, or for a quarter of the memory that the process may have if that is less: of the
// machine, of its container, of GOMEMLIMIT. Where the system has none they stay small, and where
// SmallPages is set. The first call collects once; others do nothing. Any goroutine may call it.
func Fit() { fit() }

// pieceOf is how much of the heap gets huge pages: as much as it may, if there is room; 0: none.
func pieceOf(most int, room func(bytes int) bool) int {
	for piece := min(most, mostHuge); piece >= leastHuge; piece /= 2 {
		if room(piece) {
			return piece
		}
	}
	return 0
}

// Processors lets Go use no more processors than there are slots, until undo is called, which gives it
// as many as it takes by itself. It is for a process that shares its machine with others like it. More
// processors cost CPU time also when they have nothing to do: each that idles is woken for whatever
// becomes ready, and looks for more. GOMAXPROCS in the environment stays what it is.
func Processors(slots int) (undo func()) {
	if os.Getenv("GOMAXPROCS") != "" || slots >= runtime.GOMAXPROCS(0) {
		return func() {}
	}
	runtime.GOMAXPROCS(slots)
	return runtime.SetDefaultGOMAXPROCS
}
