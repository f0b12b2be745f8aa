package hash

import (
	"fmt"
	"math/bits"
	"reflect"
	"unsafe"

	"github.com/zeebo/xxh3"
)

const (
	k0 = 0xa0761d6478bd642f
	k1 = 0xe7037ed1a0b428db
)

// Uint64 hashes an integer.
func Uint64(x uint64) uint64 {
	hi, lo := bits.Mul64(x^k0, k1)
	return nonzero(mix(hi ^ lo))
}

// String hashes a string.
func String(s string) uint64 { return nonzero(xxh3.HashString(s)) }

// Bytes hashes as String does.
func Bytes(b []byte) uint64 { return nonzero(xxh3.Hash(b)) }

// mix spreads what the multiplication left in few bits (the finalizer of MurmurHash3).
func mix(x uint64) uint64 {
	x ^= x >> 33
	x *= 0xff51afd7ed558ccd
	return x ^ x>>33
}

func nonzero(h uint64) uint64 {
	if h == 0 {
		return 1
	}
	return h
}

// Of returns the hash function of K, or an error that says why K is no key. Equal keys have
// equal hashes. The function is safe for concurrent use and allocates nothing.
func Of[K comparable]() (func(K) uint64, error) {
	var zero K
	switch any(zero).(type) {
	case string:
		return func(k K) uint64 { return String(*(*string)(unsafe.Pointer(&k))) }, nil
	case int, int64, uint, uint64:
		return func(k K) uint64 { return Uint64(*(*uint64)(unsafe.Pointer(&k))) }, nil
	}
	leaves, err := leavesOf(nil, reflect.TypeFor[K](), 0)
	if err != nil {
		return nil, err
	}
	if len(leaves) == 1 {
		l := leaves[0]
		return func(k K) uint64 { return l.hash(unsafe.Pointer(&k)) }, nil
	}
	return func(k K) uint64 { return all(leaves, unsafe.Pointer(&k)) }, nil
}

// leaf is an integer or a string inside a key. Keys are hashed by a list of them and not by
// composed functions, so that the key stays on the stack.
type leaf struct {
	at   uintptr
	kind leafKind
}

type leafKind uint8

const (
	integer8 leafKind = iota
	integer16
	integer32
	integer64
	text
)

// leavesOf appends the leaves of a t that stands at offset at.
func leavesOf(ls []leaf, t reflect.Type, at uintptr) ([]leaf, error) {
	switch t.Kind() {
	case reflect.Bool, reflect.Int8, reflect.Uint8:
		return append(ls, leaf{at, integer8}), nil
	case reflect.Int16, reflect.Uint16:
		return append(ls, leaf{at, integer16}), nil
	case reflect.Int32, reflect.Uint32:
		return append(ls, leaf{at, integer32}), nil
	case reflect.Int, reflect.Int64, reflect.Uint, reflect.Uint64:
		return append(ls, leaf{at, integer64}), nil
	case reflect.String:
		return append(ls, leaf{at, text}), nil
	case reflect.Array:
		var err error
		for i := range t.Len() {
			if ls, err = leavesOf(ls, t.Elem(), at+uintptr(i)*t.Elem().Size()); err != nil {
				return nil, err
			}
		}
		return ls, nil
	case reflect.Struct:
		var err error
		for i := range t.NumField() {
			if ls, err = leavesOf(ls, t.Field(i).Type, at+t.Field(i).Offset); err != nil {
				return nil, err
			}
		}
		return ls, nil
	}
	return nil, fmt.Errorf("key type %s cannot be hashed", t)
}

func (l leaf) hash(key unsafe.Pointer) uint64 {
	p := unsafe.Add(key, l.at)
	switch l.kind {
	case integer8:
		return Uint64(uint64(*(*uint8)(p)))
	case integer16:
		return Uint64(uint64(*(*uint16)(p)))
	case integer32:
		return Uint64(uint64(*(*uint32)(p)))
	case integer64:
		return Uint64(*(*uint64)(p))
	}
	return String(*(*string)(p))
}

// all combines the hashes of the leaves in order.
func all(leaves []leaf, key unsafe.Pointer) uint64 {
	h := uint64(k0)
	for _, l := range leaves {
		x := l.hash(key)
		hi, lo := bits.Mul64(h^x, k1)
		h = mix(hi^lo) + x
	}
	return nonzero(h)
}
