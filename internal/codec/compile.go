package codec

import (
	"encoding"
	"reflect"
	"time"
)

var (
	timeType        = reflect.TypeFor[time.Time]()
	marshalerType   = reflect.TypeFor[encoding.BinaryMarshaler]()
	unmarshalerType = reflect.TypeFor[encoding.BinaryUnmarshaler]()
)

// selfCoding says whether t knows its bytes.
func selfCoding(t reflect.Type) bool {
	return t != timeType && Itself(t, marshalerType, unmarshalerType)
}

// Itself says whether *t implements the interfaces, and for all of t: not where one of
// several fields is embedded and implements one of them, since its methods become those of t
// and know nothing of the other fields.
func Itself(t reflect.Type, interfaces ...reflect.Type) bool {
	for _, i := range interfaces {
		if !reflect.PointerTo(t).Implements(i) {
			return false
		}
	}
	if t.Kind() != reflect.Struct || t.NumField() == 1 {
		return true
	}
	for f := range t.Fields() {
		for _, i := range interfaces {
			if f.Anonymous && (f.Type.Implements(i) || reflect.PointerTo(f.Type).Implements(i)) {
				return false
			}
		}
	}
	return true
}

// compiler makes the plan of a type, and of the types that it leads to. A type that leads
// back to itself finds its own plan, which is complete when the compiler is done.
type compiler struct {
	made   map[reflect.Type]*plan
	shared bool // strings are part of the data that is decoded
}

func (c *compiler) plan(t reflect.Type) *plan {
	if p := c.made[t]; p != nil {
		return p
	}
	if c.made == nil {
		c.made = map[reflect.Type]*plan{}
	}
	p := &plan{typ: t}
	c.made[t] = p
	p.columns = c.columns(nil, t, 0)
	for _, col := range p.columns {
		p.width += col.least()
	}
	return p
}

// columns appends the columns of a t that stands at offset at.
func (c *compiler) columns(cs []column, t reflect.Type, at uintptr) []column {
	switch {
	case t == timeType:
		return append(cs, instant{at})
	case selfCoding(t):
		return append(cs, selfCoded{at, t})
	}
	switch t.Kind() {
	case reflect.Struct:
		for i := range t.NumField() {
			f := t.Field(i)
			if left(f) {
				cs = append(cs, cleared{at + f.Offset, f.Type})
				continue
			}
			cs = c.columns(cs, f.Type, at+f.Offset)
		}
		return cs
	case reflect.Array:
		return c.array(cs, t, at)
	case reflect.String:
		return append(cs, text{at, c.shared})
	case reflect.Slice:
		return append(cs, slice{at, t, c.plan(t.Elem())})
	case reflect.Map:
		return append(cs, dict{at, t, c.plan(t.Key()), c.plan(t.Elem())})
	case reflect.Pointer:
		return append(cs, pointer{at, t.Elem(), c.plan(t.Elem())})
	case reflect.Bool:
		return append(cs, boolean{at})
	}
	return append(cs, fixed{at, int(t.Size())})
}

// longArray is the length from which on an array is a column of its own.
const longArray = 16

func (c *compiler) array(cs []column, t reflect.Type, at uintptr) []column {
	if t.Len() >= longArray {
		return append(cs, array{at, t.Len(), c.plan(t.Elem())})
	}
	for i := range t.Len() {
		cs = c.columns(cs, t.Elem(), at+uintptr(i)*t.Elem().Size())
	}
	return cs
}
