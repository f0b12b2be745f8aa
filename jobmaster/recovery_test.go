package jobmaster

import (
	"context"
	"errors"
	"testing"

	"blink/snapshot"
	"blink/snapshot/store"
)

func TestStoredSplitsOfWhichAnythingHasChangedAreRefused(t *testing.T) {
	data, err := snapshot.EncodeParts([]snapshot.Part{{Operator: "read", Items: []snapshot.Item{{Name: "a.csv", Data: []byte("0")}}}})
	if err != nil {
		t.Fatal(err)
	}
	whole := snapshot.Seal(data)
	read := func(data []byte) error {
		s := store.Memory()
		if err := s.Put(context.Background(), splitsKey, data); err != nil {
			t.Fatal(err)
		}
		_, err := readSplits(context.Background(), Config{Store: s})
		return err
	}
	if err := read(whole); err != nil {
		t.Fatal(err)
	}
	for i := range whole {
		other := append([]byte(nil), whole...)
		other[i] ^= 1
		if err := read(other); !errors.Is(err, errDamaged) {
			t.Errorf("with byte %d changed: %v", i, err)
		}
		if err := read(whole[:i]); !errors.Is(err, errDamaged) {
			t.Errorf("the first %d bytes: %v", i, err)
		}
	}
}
