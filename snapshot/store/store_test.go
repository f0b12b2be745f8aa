package store_test

import (
	"path/filepath"
	"testing"

	"blink/snapshot/store"
	"blink/snapshot/store/storetest"
)

func TestMemoryConforms(t *testing.T) {
	storetest.Run(t, func(*testing.T) store.Store { return store.Memory() })
}

func TestFilesConform(t *testing.T) {
	storetest.Run(t, func(t *testing.T) store.Store {
		s, err := store.Files(filepath.Join(t.TempDir(), "state", "objects"))
		if err != nil {
			t.Fatal(err)
		}
		return s
	})
}
