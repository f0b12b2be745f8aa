package codec

import (
	"math"
	"reflect"
	"slices"
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
// none. What *v refers to is left as it is, since others may be reading it: what leads to such
// a string is copied as well.
func (c *Codec[T]) Detach(v, was *T, m Memory) {
	if c.Shares() && m.Any() {
		c.p.detach(unsafe.Pointer(v), unsafe.Pointer(was), m, maxDepth)
	}
}

// Shares says whether values may lead to strings, which Shared leaves in the data.
func (c *Codec[T]) Shares() bool { return c.p.lends }

// Flat says that all strings of a value stand in it, none behind a slice or the like: then those
// that *was has are known.
func (c *Codec[T]) Flat() bool { return c.p.flat() }

func (p *plan) flat() bool {
	for _, l := range p.lenders {
		switch l := l.(type) {
		case text:
		case array:
			if !l.elem.flat() {
				return false
			}
		default:
			return false
		}
	}
	return true
}

// lender is a column of strings, or of what may lead to some.
type lender interface {
	// lent says what the value at base leads to.
	lent(base unsafe.Pointer, m Memory, depth int) sight
	// detach is Detach of one value, at base. It stops, not done, where a value is too deep.
	detach(base, was unsafe.Pointer, m Memory, depth int) (done bool)
}

// sight is the end of a search for strings that lie in some memory.
type sight uint8

const (
	nothing sight = iota
	aString
	tooDeep // to be stored, such as a cycle: nothing behind it is looked at
)

// findLenders finds the columns that may lead to strings, of all plans that are made: a type
// that leads back to itself does if something else in it does.
func (c *compiler) findLenders() {
	for more := true; more; {
		more = false
		for _, p := range c.made {
			if !p.lends && slices.ContainsFunc(p.columns, lends) {
				p.lends, more = true, true
			}
		}
	}
	for _, p := range c.made {
		for _, col := range p.columns {
			if lends(col) {
				p.lenders = append(p.lenders, col.(lender))
			}
		}
	}
}

func lends(c column) bool {
	switch c := c.(type) {
	case text:
		return true
	case array:
		return c.elem.lends
	case slice:
		return c.elem.lends
	case pointer:
		return c.elem.lends
	case dict:
		return c.key.lends || c.elem.lends
	case choice:
		return slices.ContainsFunc(c.members, func(m choiceMember) bool { return m.elem.lends })
	}
	return false
}

func (p *plan) lent(base unsafe.Pointer, m Memory, depth int) sight {
	if depth == 0 {
		return tooDeep
	}
	for _, l := range p.lenders {
		if seen := l.lent(base, m, depth); seen != nothing {
			return seen
		}
	}
	return nothing
}

func (p *plan) detach(base, was unsafe.Pointer, m Memory, depth int) (done bool) {
	if depth == 0 {
		return false
	}
	for _, l := range p.lenders {
		if !l.detach(base, was, m, depth) {
			return false
		}
	}
	return true
}

func (t text) lent(base unsafe.Pointer, m Memory, _ int) sight {
	if m.holds(*(*string)(unsafe.Add(base, t.at))) {
		return aString
	}
	return nothing
}

func (t text) detach(base, was unsafe.Pointer, m Memory, _ int) bool {
	s := (*string)(unsafe.Add(base, t.at))
	if m.holds(*s) && (was == nil || unsafe.StringData(*s) != unsafe.StringData(*(*string)(unsafe.Add(was, t.at)))) {
		*s = strings.Clone(*s)
	}
	return true
}

func (a array) lent(base unsafe.Pointer, m Memory, depth int) sight {
	return a.elem.lentIn(unsafe.Add(base, a.at), a.len, m, depth)
}

// lentIn is lent of n values in a row.
func (p *plan) lentIn(base unsafe.Pointer, n int, m Memory, depth int) sight {
	for i := range n {
		if seen := p.lent(unsafe.Add(base, uintptr(i)*p.typ.Size()), m, depth); seen != nothing {
			return seen
		}
	}
	return nothing
}

func (a array) detach(base, was unsafe.Pointer, m Memory, depth int) bool {
	for i := range a.len {
		at, old := a.at+uintptr(i)*a.elem.typ.Size(), was
		if was != nil {
			old = unsafe.Add(was, at)
		}
		if !a.elem.detach(unsafe.Add(base, at), old, m, depth) {
			return false
		}
	}
	return true
}

func (s slice) lent(base unsafe.Pointer, m Memory, depth int) sight {
	h := (*header)(unsafe.Add(base, s.at))
	return s.elem.lentIn(h.data, h.len, m, depth-1)
}

func (s slice) detach(base, _ unsafe.Pointer, m Memory, depth int) bool {
	if seen := s.lent(base, m, depth); seen != aString {
		return seen == nothing
	}
	at := reflect.NewAt(s.typ, unsafe.Add(base, s.at)).Elem()
	made := reflect.MakeSlice(s.typ, at.Len(), at.Len())
	reflect.Copy(made, at)
	for i := range made.Len() {
		if !s.elem.detach(made.Index(i).Addr().UnsafePointer(), nil, m, depth-1) {
			return false
		}
	}
	at.Set(made)
	return true
}

func (p pointer) lent(base unsafe.Pointer, m Memory, depth int) sight {
	to := *(*unsafe.Pointer)(unsafe.Add(base, p.at))
	if to == nil {
		return nothing
	}
	return p.elem.lent(to, m, depth-1)
}

func (p pointer) detach(base, _ unsafe.Pointer, m Memory, depth int) bool {
	if seen := p.lent(base, m, depth); seen != aString {
		return seen == nothing
	}
	at := (*unsafe.Pointer)(unsafe.Add(base, p.at))
	made := copyOf(reflect.NewAt(p.typ, *at).Elem())
	*at = made.UnsafePointer()
	return p.elem.detach(*at, nil, m, depth-1)
}

func (d dict) lent(base unsafe.Pointer, m Memory, depth int) sight {
	k, v := reflect.New(d.typ.Key()), reflect.New(d.typ.Elem())
	for it := reflect.NewAt(d.typ, unsafe.Add(base, d.at)).Elem().MapRange(); it.Next(); {
		k.Elem().SetIterKey(it)
		v.Elem().SetIterValue(it)
		if seen := max(d.key.lent(k.UnsafePointer(), m, depth-1), d.elem.lent(v.UnsafePointer(), m, depth-1)); seen != nothing {
			return seen
		}
	}
	return nothing
}

func (d dict) detach(base, _ unsafe.Pointer, m Memory, depth int) bool {
	if seen := d.lent(base, m, depth); seen != aString {
		return seen == nothing
	}
	at := reflect.NewAt(d.typ, unsafe.Add(base, d.at)).Elem()
	made := reflect.MakeMapWithSize(d.typ, at.Len())
	k, v := reflect.New(d.typ.Key()), reflect.New(d.typ.Elem())
	for it := at.MapRange(); it.Next(); {
		k.Elem().SetIterKey(it)
		v.Elem().SetIterValue(it)
		if !d.key.detach(k.UnsafePointer(), nil, m, depth-1) || !d.elem.detach(v.UnsafePointer(), nil, m, depth-1) {
			return false
		}
		made.SetMapIndex(k.Elem(), v.Elem())
	}
	at.Set(made)
	return true
}

func (c choice) lent(base unsafe.Pointer, m Memory, depth int) sight {
	held, elem := c.held(base)
	if elem == nil {
		return nothing
	}
	return elem.lent(held.UnsafePointer(), m, depth-1)
}

func (c choice) detach(base, _ unsafe.Pointer, m Memory, depth int) bool {
	held, elem := c.held(base)
	if elem == nil {
		return true
	}
	if seen := elem.lent(held.UnsafePointer(), m, depth-1); seen != aString {
		return seen == nothing
	}
	if !elem.detach(held.UnsafePointer(), nil, m, depth-1) {
		return false
	}
	reflect.NewAt(c.typ, unsafe.Add(base, c.at)).Elem().Set(held.Elem())
	return true
}

// held is a copy of what an interface holds, with its plan; nil if that may not be stored, or
// leads to no strings.
func (c choice) held(base unsafe.Pointer) (reflect.Value, *plan) {
	v := reflect.NewAt(c.typ, unsafe.Add(base, c.at)).Elem().Elem()
	for _, m := range c.members {
		if v.IsValid() && v.Type() == m.typ && m.elem.lends {
			return copyOf(v), m.elem
		}
	}
	return reflect.Value{}, nil
}

// copyOf is a pointer to a copy of v.
func copyOf(v reflect.Value) reflect.Value {
	made := reflect.New(v.Type())
	made.Elem().Set(v)
	return made
}
