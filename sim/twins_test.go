package sim

import (
	"testing"

	"blink/snapshot/store"
	"blink/snapshot/store/storetest"
)

// The suite runs on several goroutines, which a world never does: one call at a time.
func TestTheSimulatedObjectStoreConforms(t *testing.T) {
	storetest.Run(t, func(*testing.T) store.Store {
		turn := make(chan struct{}, 1)
		return storeClient{newObjectStore(), func(_ string, f func() error) error {
			turn <- struct{}{}
			defer func() { <-turn }()
			return f()
		}}
	})
}
