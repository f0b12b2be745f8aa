package snapshot

import (
	"fmt"
	"slices"
	"strings"
)

// Objects lists what the checkpoint consists of: its manifest, written under key, and the
// objects of its tasks.
func (m *Manifest) Objects(key string) []string {
	keys := []string{key}
	for _, t := range m.Tasks {
		keys = append(keys, t.Handle.Key)
	}
	return keys
}

// Garbage lists, of the stored keys, those of checkpoints up to newest that no retained
// manifest references. Keys of later checkpoints may be in the making and are left alone.
func Garbage(stored []string, referenced []string, newest uint64) []string {
	var g []string
	for _, k := range stored {
		if id, ok := checkpointOf(k); ok && id <= newest && !slices.Contains(referenced, k) {
			g = append(g, k)
		}
	}
	return g
}

func checkpointOf(key string) (id uint64, ok bool) {
	rest, ok := strings.CutPrefix(key, CheckpointsPrefix)
	if !ok {
		return 0, false
	}
	n, err := fmt.Sscanf(rest, "%d/", &id)
	return id, n == 1 && err == nil
}

// ManifestsBefore lists, of the stored keys, the manifests of checkpoints before that of key,
// the newest first.
func ManifestsBefore(stored []string, key string) []string {
	newest, _ := checkpointOf(key)
	var found []string
	for _, k := range slices.Backward(stored) {
		if id, ok := checkpointOf(k); ok && id < newest && strings.Contains(k, "/manifest-") {
			found = append(found, k)
		}
	}
	return found
}
