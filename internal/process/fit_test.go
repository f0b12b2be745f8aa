package process

import (
	"os"
	"runtime"
	"testing"
)

func TestMain(m *testing.M) {
	if err := os.Unsetenv(SmallPages); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

func TestTheCollectorWaits(t *testing.T) {
	Fit()
	runtime.GC()
	var m runtime.MemStats
	if runtime.ReadMemStats(&m); m.NextGC < 2*weight {
		t.Errorf("it runs at %d MiB, want %d at least", m.NextGC>>20, 2*weight>>20)
	}
}

func TestAPieceIsAsLargeAsThereIsRoom(t *testing.T) {
	for _, c := range []struct{ most, room, want int }{
		{1 << 20, 1 << 40, 0}, {100 << 20, 1 << 40, 100 << 20}, {1 << 60, 1 << 40, 2 << 30}, {1 << 60, 600 << 20, 512 << 20}, {1 << 60, 1 << 20, 0},
	} {
		if have := pieceOf(c.most, func(bytes int) bool { return bytes <= c.room }); have != c.want {
			t.Errorf("%d of %d, with room for %d, want %d", have, c.most, c.room, c.want)
		}
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
		undo()
	}
}
