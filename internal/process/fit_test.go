package process

import (
	"runtime"
	"testing"
)

func TestTheCollectorWaits(t *testing.T) {
	Fit()
	runtime.GC()
	var m runtime.MemStats
	if runtime.ReadMemStats(&m); m.NextGC < 2*weight {
		t.Errorf("it runs at %d MiB, want %d at least", m.NextGC>>20, 2*weight>>20)
	}
}

func TestAProcessHasAProcessorForEachSlot(t *testing.T) {
	t.Setenv("GOMAXPROCS", "")
	defer runtime.SetDefaultGOMAXPROCS()
	for _, c := range []struct {
		environment string
		slots, want int
	}{{"", 1, 1}, {"", 3, 3}, {"", 4, 4}, {"", 9, 4}, {"4", 1, 4}} {
		runtime.GOMAXPROCS(4)
		t.Setenv("GOMAXPROCS", c.environment)
		undo := Processors(c.slots)
		if have := runtime.GOMAXPROCS(0); have != c.want {
			t.Errorf("%d slots, GOMAXPROCS=%s: %d processors, want %d", c.slots, c.environment, have, c.want)
		}
		if undo(); runtime.GOMAXPROCS(0) != 4 {
			t.Errorf("%d processors afterwards, want 4", runtime.GOMAXPROCS(0))
		}
	}
}
