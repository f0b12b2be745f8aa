package heap

import (
	"runtime"
	"testing"
)

func TestTheCollectorWaitsUntilTheFloorIsLifted(t *testing.T) {
	next := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.NextGC
	}
	release := Floor(Usual)
	if have := next(); have < 2*Usual {
		t.Errorf("it runs at %d MiB, want %d at least", have>>20, 2*Usual>>20)
	}
	release()
	if have := next(); have > Usual {
		t.Errorf("it runs at %d MiB when there is no floor any more", have>>20)
	}
}
