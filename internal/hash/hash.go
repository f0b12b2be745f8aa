// Package hash gives keys the hashes that place them: in a key group and in a table. They
// are part of the stored form of state, so they are the same in every process and for ever.
//
// Integers are folded by a 64×64-bit multiplication (as in wyhash); strings use xxh3;
// structs and arrays combine the hashes of their parts in order. No hash is 0, so that a
// table may use 0 for a free slot.
//
// Start reading at Of.
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
func Of[K comparable]() (func(*K) uint64, error) {
	t := reflect.TypeFor[K]()
	var zero K
	switch any(zero).(type) {
	case string:
		return func(k *K) uint64 { return String(*(*string)(unsafe.Pointer(k))) }, nil
	case int, int64, uint, uint64:
		return func(k *K) uint64 { return Uint64(*(*uint64)(unsafe.Pointer(k))) }, nil
	}
	f, err := compile(t)
	if err != nil {
		return nil, err
	}
	return func(k *K) uint64 { return nonzero(f(unsafe.Pointer(k))) }, nil
}

// compile makes the hash function of a type out of those of its parts.
func compile(t reflect.Type) (func(unsafe.Pointer) uint64, error) {
	switch t.Kind() {
	case reflect.Bool, reflect.Int8, reflect.Uint8:
		return func(p unsafe.Pointer) uint64 { return Uint64(uint64(*(*uint8)(p))) }, nil
	case reflect.Int16, reflect.Uint16:
		return func(p unsafe.Pointer) uint64 { return Uint64(uint64(*(*uint16)(p))) }, nil
	case reflect.Int32, reflect.Uint32:
		return func(p unsafe.Pointer) uint64 { return Uint64(uint64(*(*uint32)(p))) }, nil
	case reflect.Int, reflect.Int64, reflect.Uint, reflect.Uint64:
		return func(p unsafe.Pointer) uint64 { return Uint64(*(*uint64)(p)) }, nil
	case reflect.String:
		return func(p unsafe.Pointer) uint64 { return String(*(*string)(p)) }, nil
	case reflect.Array:
		return compileArray(t)
	case reflect.Struct:
		return compileStruct(t)
	}
	return nil, fmt.Errorf("key type %s cannot be hashed", t)
}

func compileArray(t reflect.Type) (func(unsafe.Pointer) uint64, error) {
	f, err := compile(t.Elem())
	n, size := t.Len(), t.Elem().Size()
	return func(p unsafe.Pointer) uint64 {
		h := uint64(k0)
		for i := range n {
			h = combine(h, f(unsafe.Add(p, uintptr(i)*size)))
		}
		return h
	}, err
}

func compileStruct(t reflect.Type) (func(unsafe.Pointer) uint64, error) {
	type field struct {
		offset uintptr
		hash   func(unsafe.Pointer) uint64
	}
	var fields []field
	for i := range t.NumField() {
		f, err := compile(t.Field(i).Type)
		if err != nil {
			return nil, err
		}
		fields = append(fields, field{t.Field(i).Offset, f})
	}
	return func(p unsafe.Pointer) uint64 {
		h := uint64(k0)
		for _, f := range fields {
			h = combine(h, f.hash(unsafe.Add(p, f.offset)))
		}
		return h
	}, nil
}

func combine(h, x uint64) uint64 {
	hi, lo := bits.Mul64(h^x, k1)
	return mix(hi^lo) + x
}
