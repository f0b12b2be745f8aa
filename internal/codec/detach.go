package codec

import (
	"math"
	"reflect"
	"strings"
	"unsafe"
)

// Memory is where strings may be parts of something larger, which they keep. The zero value is
// nowhere.
type Memory struct{ from, to uintptr }

// MemoryOf is where data lies, as long as it is in use; behind that it means nothing.
func MemoryOf(data []byte) Memory {
	from := uintptr(unsafe.Pointer(unsafe.SliceData(data)))
	return Memory{from, from + uintptr(len(data))}
}

// Anywhere is all memory.
func Anywhere() Memory { return Memory{1, math.MaxUint} }

// Any says whether a string can lie there.
func (m Memory) Any() bool { return m.to > m.from }

// holds also says where an empty string lies.
func (m Memory) holds(s string) bool {
	at := uintptr(unsafe.Pointer(unsafe.StringData(s)))
	return m.from <= at && at < m.to
}

// Detach puts copies in place of the strings in *v that lie in m, also behind slices, pointers,
// maps and interfaces. Strings that *was has in the same place are left alone; nil: there are
// none.
func (c *Codec[T]) Detach(v, was *T, m Memory) {
	if c.Shares() && m.Any() {
		c.p.detach(unsafe.Pointer(v), unsafe.Pointer(was), m, maxDepth)
	}
}

// Shares says whether values may lead to strings, which Shared leaves in the data.
func (c *Codec[T]) Shares() bool { return len(c.p.lenders) > 0 }

// lender is a column of strings, or of what may lead to some.
type lender interface {
	// detach is Detach of one value, at base, and says how many strings it has copied.
	detach(base, was unsafe.Pointer, m Memory, depth int) (copied int)
}

// detach leaves alone what is deeper than can be stored.
func (p *plan) detach(base, was unsafe.Pointer, m Memory, depth int) (copied int) {
	if depth == 0 {
		return 0
	}
	for _, l := range p.lenders {
		copied += l.detach(base, was, m, depth)
	}
	return copied
}

func (t text) detach(base, was unsafe.Pointer, m Memory, _ int) int {
	s := (*string)(unsafe.Add(base, t.at))
	if !m.holds(*s) || was != nil && unsafe.StringData(*s) == unsafe.StringData(*(*string)(unsafe.Add(was, t.at))) {
		return 0
	}
	*s = strings.Clone(*s)
	return 1
}

func (a array) detach(base, was unsafe.Pointer, m Memory, depth int) (copied int) {
	for i := range a.len {
		at, old := a.at+uintptr(i)*a.elem.typ.Size(), was
		if was != nil {
			old = unsafe.Add(was, at)
		}
		copied += a.elem.detach(unsafe.Add(base, at), old, m, depth)
	}
	return copied
}

func (s slice) detach(base, _ unsafe.Pointer, m Memory, depth int) (copied int) {
	h := (*header)(unsafe.Add(base, s.at))
	for i := range h.len {
		copied += s.elem.detach(unsafe.Add(h.data, uintptr(i)*s.elem.typ.Size()), nil, m, depth-1)
	}
	return copied
}

func (p pointer) detach(base, _ unsafe.Pointer, m Memory, depth int) int {
	to := *(*unsafe.Pointer)(unsafe.Add(base, p.at))
	if to == nil {
		return 0
	}
	return p.elem.detach(to, nil, m, depth-1)
}

// detach makes another map if there is anything to copy: whoever gave the first one may be
// ranging over it.
func (d dict) detach(base, _ unsafe.Pointer, m Memory, depth int) (copied int) {
	at := reflect.NewAt(d.typ, unsafe.Add(base, d.at)).Elem()
	made := reflect.MakeMapWithSize(d.typ, at.Len())
	for it := at.MapRange(); it.Next(); {
		k, v := reflect.New(d.typ.Key()), reflect.New(d.typ.Elem())
		k.Elem().SetIterKey(it)
		v.Elem().SetIterValue(it)
		copied += d.key.detach(k.UnsafePointer(), nil, m, depth-1)
		copied += d.elem.detach(v.UnsafePointer(), nil, m, depth-1)
		made.SetMapIndex(k.Elem(), v.Elem())
	}
	if copied > 0 {
		at.Set(made)
	}
	return copied
}

func (c choice) detach(base, _ unsafe.Pointer, m Memory, depth int) (copied int) {
	at := reflect.NewAt(c.typ, unsafe.Add(base, c.at)).Elem()
	v := at.Elem()
	for _, member := range c.members {
		if !v.IsValid() || v.Type() != member.typ {
			continue
		}
		held := reflect.New(member.typ)
		held.Elem().Set(v)
		if copied = member.elem.detach(held.UnsafePointer(), nil, m, depth-1); copied > 0 {
			at.Set(held.Elem())
		}
	}
	return copied
}
