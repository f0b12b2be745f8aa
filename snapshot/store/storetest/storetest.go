package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"blink/snapshot/store"
)

// Run runs the suite; fresh opens an empty store.
func Run(t *testing.T, fresh func(t *testing.T) store.Store) {
	for _, c := range []struct {
		name string
		test func(t *testing.T, s store.Store)
	}{
		{"put and get", putAndGet},
		{"what is stored is a copy", copies},
		{"put new", putNew},
		{"list", list},
		{"delete", remove},
		{"keys", keys},
		{"concurrent use", concurrent},
		{"folders come and go", folders},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, fresh(t)) })
	}
}

var background = context.Background()

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func holds(t *testing.T, s store.Store, key, want string) {
	t.Helper()
	data, err := s.Get(background, key)
	if err != nil || string(data) != want {
		t.Errorf("%s holds %q (%v), want %q", key, data, err, want)
	}
}

// is checks that err wraps want and names the key.
func is(t *testing.T, err, want error, key string) {
	t.Helper()
	if !errors.Is(err, want) || !strings.Contains(err.Error(), key) {
		t.Errorf("got %v, want %v that names %s", err, want, key)
	}
}

func putAndGet(t *testing.T, s store.Store) {
	_, err := s.Get(background, "chk/1/none")
	is(t, err, store.ErrNotFound, "chk/1/none")
	check(t, s.Put(background, "chk/1/a", []byte("one")))
	holds(t, s, "chk/1/a", "one")
	check(t, s.Put(background, "chk/1/a", []byte("two")))
	holds(t, s, "chk/1/a", "two")
	check(t, s.Put(background, "empty", nil))
	holds(t, s, "empty", "")
}

func copies(t *testing.T, s store.Store) {
	data := []byte("before")
	check(t, s.Put(background, "a", data))
	copy(data, "behind")
	holds(t, s, "a", "before")
	got, err := s.Get(background, "a")
	check(t, err)
	copy(got, "behind")
	holds(t, s, "a", "before")
}

func putNew(t *testing.T, s store.Store) {
	check(t, s.PutNew(background, "a", []byte("one")))
	check(t, s.PutNew(background, "a", []byte("one")))
	is(t, s.PutNew(background, "a", []byte("two")), store.ErrExists, "a")
	holds(t, s, "a", "one")
}

func list(t *testing.T, s store.Store) {
	for _, k := range []string{"chk/2/b", "chk/10/a", "chk/1/a", "other", "chk/1/b"} {
		check(t, s.Put(background, k, []byte(k)))
	}
	for prefix, want := range map[string][]string{
		"":       {"chk/1/a", "chk/1/b", "chk/10/a", "chk/2/b", "other"},
		"chk/1/": {"chk/1/a", "chk/1/b"},
		"chk/1":  {"chk/1/a", "chk/1/b", "chk/10/a"},
		"none/":  nil,
	} {
		got, err := s.List(background, prefix)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("below %q are %q (%v), want %q", prefix, got, err, want)
		}
	}
}

func remove(t *testing.T, s store.Store) {
	check(t, s.Put(background, "chk/1/a", []byte("x")))
	check(t, s.Delete(background, "chk/1/a"))
	check(t, s.Delete(background, "chk/1/a"))
	_, err := s.Get(background, "chk/1/a")
	is(t, err, store.ErrNotFound, "chk/1/a")
	if keys, err := s.List(background, ""); err != nil || len(keys) > 0 {
		t.Errorf("%q are left (%v)", keys, err)
	}
}

// keys that no home could keep are refused by every method that takes one.
func keys(t *testing.T, s store.Store) {
	for _, key := range []string{"", "/a", "a/", "a//b", ".", "a/./b", "../a", "../../../../../../etc/hostname", "a\\b", "a\x00"} {
		_, get := s.Get(background, key)
		for method, err := range map[string]error{
			"put": s.Put(background, key, nil), "put new": s.PutNew(background, key, nil),
			"get": get, "delete": s.Delete(background, key),
		} {
			if err == nil || !strings.Contains(err.Error(), "object key") {
				t.Errorf("%s %q: got %v", method, key, err)
			}
		}
	}
}

// folders of keys that one worker empties are another's home.
func folders(t *testing.T, s store.Store) {
	var all sync.WaitGroup
	for i := range 4 {
		all.Go(func() {
			key := fmt.Sprint("chk/1/", i)
			for range 100 {
				if err := s.Put(background, key, []byte(key)); err != nil {
					t.Error(err)
					return
				}
				holds(t, s, key, key)
				if err := s.Delete(background, key); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Go(func() {
		for range 2000 {
			if _, err := s.List(background, "chk/"); err != nil {
				t.Error(err)
				return
			}
		}
	})
	all.Wait()
	if left, err := s.List(background, ""); err != nil || len(left) > 0 {
		t.Errorf("%q are left (%v)", left, err)
	}
}

func concurrent(t *testing.T, s store.Store) {
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			key := fmt.Sprint("k/", i%4)
			for range 20 {
				if err := errors.Join(s.Put(background, key, []byte(key)), s.PutNew(background, key, []byte(key))); err != nil {
					t.Error(err)
				}
				if data, err := s.Get(background, key); err != nil || string(data) != key {
					t.Errorf("%s holds %q (%v)", key, data, err)
				}
				if _, err := s.List(background, "k/"); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
}
