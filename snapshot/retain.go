package snapshot

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// Objects lists what the checkpoint consists of: its manifest, written under key, and all layers
// of its tasks.
func (m *Manifest) Objects(key string) []string {
	keys := []string{key}
	for _, t := range m.Tasks {
		for _, h := range t.Layers() {
			keys = append(keys, h.Key)
		}
	}
	return keys
}

// Garbage lists, of the stored keys, those of checkpoints up to newest that no retained
// manifest references. Keys of later checkpoints may be in the making and are left alone, and
// so is what a leader behind epoch has deployed or written: it may use the number of a
// checkpoint anew that was given up. What it has adopted bears earlier epochs; so whoever
// collects more than what is complete must know that nobody adopts anything any more.
func Garbage(stored []string, referenced []string, newest, epoch uint64) []string {
	var g []string
	kept := setOf(referenced)
	for _, k := range stored {
		id, rest, ok := checkpointOf(k)
		if ok && id <= newest && epochOf(rest) <= epoch && !kept[k] {
			g = append(g, k)
		}
	}
	return g
}

// epochOf is the last number in the key of an object: the epoch of the leader that wrote a
// manifest, or that deployed the task of a snapshot.
func epochOf(rest string) uint64 {
	epoch, err := strconv.ParseUint(rest[strings.LastIndexByte(rest, '-')+1:], 10, 64)
	if err != nil {
		return 0
	}
	return epoch
}

// CheckpointOf is the checkpoint that the object of a key belongs to, if it belongs to one.
func CheckpointOf(key string) (id uint64, ok bool) {
	id, _, ok = checkpointOf(key)
	return id, ok
}

// checkpointOf is the checkpoint that an object belongs to, and the rest of its key.
func checkpointOf(key string) (id uint64, rest string, ok bool) {
	key, ok = strings.CutPrefix(key, CheckpointsPrefix)
	number, rest, below := strings.Cut(key, "/")
	id, err := strconv.ParseUint(number, 10, 64)
	return id, rest, ok && below && err == nil
}

// ManifestsBefore lists, of the stored keys, the manifests of checkpoints before that of key,
// the newest first; of one checkpoint, that of the greatest epoch.
func ManifestsBefore(stored []string, key string) []string {
	type manifest struct {
		key       string
		id, epoch uint64
	}
	newest, _, _ := checkpointOf(key)
	var found []manifest
	for _, k := range stored {
		id, rest, ok := checkpointOf(k)
		number, named := strings.CutPrefix(rest, "manifest-")
		epoch, err := strconv.ParseUint(number, 10, 64)
		if ok && named && err == nil && id < newest {
			found = append(found, manifest{k, id, epoch})
		}
	}
	slices.SortFunc(found, func(a, b manifest) int { return cmp.Or(cmp.Compare(b.id, a.id), cmp.Compare(b.epoch, a.epoch)) })
	keys := make([]string, len(found))
	for i, m := range found {
		keys[i] = m.key
	}
	return keys
}
