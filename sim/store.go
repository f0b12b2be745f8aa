package sim

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"blink/snapshot/store"
)

// objectStore is the simulated object store: strongly consistent, but every call takes
// time, and one that answers with an error may have been carried out.
type objectStore struct {
	objects  map[string][]byte
	deleting func(key string) // is told before an object is deleted
}

func newObjectStore() *objectStore {
	return &objectStore{objects: map[string][]byte{}, deleting: func(string) {}}
}

// keys lists what is stored, ascending.
func (s *objectStore) keys(prefix string) []string {
	var ks []string
	for _, k := range slices.Sorted(maps.Keys(s.objects)) {
		if strings.HasPrefix(k, prefix) {
			ks = append(ks, k)
		}
	}
	return ks
}

// storeClient is the object store as one process sees it.
type storeClient struct {
	s    *objectStore
	call call
}

// on is a call for one object.
func (c storeClient) on(key, op string, f func() error) error {
	if err := store.CheckKey(key); err != nil {
		return err
	}
	return c.call(op, f)
}

func (c storeClient) Put(_ context.Context, key string, data []byte) error {
	return c.on(key, "store.put", func() error { c.s.objects[key] = bytes.Clone(data); return nil })
}

func (c storeClient) PutNew(_ context.Context, key string, data []byte) error {
	return c.on(key, "store.putnew", func() error {
		if old, ok := c.s.objects[key]; ok && !bytes.Equal(old, data) {
			return fmt.Errorf("put %s: %w", key, store.ErrExists)
		}
		c.s.objects[key] = bytes.Clone(data)
		return nil
	})
}

func (c storeClient) Get(_ context.Context, key string) (data []byte, err error) {
	err = c.on(key, "store.get", func() error {
		d, ok := c.s.objects[key]
		if !ok {
			return fmt.Errorf("get %s: %w", key, store.ErrNotFound)
		}
		data = bytes.Clone(d)
		return nil
	})
	return data, err
}

func (c storeClient) List(_ context.Context, prefix string) (keys []string, err error) {
	err = c.call("store.list", func() error { keys = c.s.keys(prefix); return nil })
	return keys, err
}

func (c storeClient) Delete(_ context.Context, key string) error {
	return c.on(key, "store.delete", func() error {
		c.s.deleting(key)
		delete(c.s.objects, key)
		return nil
	})
}
