package usage

import (
	"runtime"
	"time"
)

// Mark is what had been used when something began.
type Mark struct {
	at     time.Time
	cpu    time.Duration
	allocs uint64
}

// Used is what something has used. Times are in seconds.
type Used struct {
	CPU, Wall float64
	Allocs    uint64
}

// Begin with a heap that holds nothing of what came before.
func Begin() Mark {
	runtime.GC()
	return Mark{time.Now(), CPU(), mallocs()}
}

// End says what this process has used since m.
func (m Mark) End() Used {
	return Used{(CPU() - m.cpu).Seconds(), time.Since(m.at).Seconds(), mallocs() - m.allocs}
}

func mallocs() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.Mallocs
}
