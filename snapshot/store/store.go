package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// Store keeps objects under keys. Keys are relative slash-separated paths without empty or
// dot elements. All methods may block, for a bounded time, and are safe for concurrent use. An
// error other than those named leaves it open whether the call was carried out.
type Store interface {
	// Put stores data under key, in place of what was there. It is durable when Put returns.
	Put(ctx context.Context, key string, data []byte) error
	// PutNew is Put, but ErrExists when there is an object with other content.
	PutNew(ctx context.Context, key string, data []byte) error
	// Get returns the object, or ErrNotFound.
	Get(ctx context.Context, key string) ([]byte, error)
	// List returns the keys that begin with prefix, ascending.
	List(ctx context.Context, prefix string) ([]string, error)
	// Delete removes the object; none there is no error.
	Delete(ctx context.Context, key string) error
}

// What a Store answers. Errors wrap these and name the key.
var (
	ErrNotFound = errors.New("no such object")
	ErrExists   = errors.New("object exists with other content")
)

// CheckKey refuses keys that no home could keep; every method of a Store begins with it.
func CheckKey(key string) error {
	for part := range strings.SplitSeq(key, "/") {
		if part == "" || part == "." || part == ".." || strings.ContainsAny(part, "\\\x00") {
			return fmt.Errorf("object key %q: it must be a relative path without empty or dot elements", key)
		}
	}
	return nil
}
