package codec

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// Storable reports the first field of T that has no stored form, with its path and the
// reason; nil if there is none.
func Storable[T any]() error {
	t := reflect.TypeFor[T]()
	path, of, why := unstorable(t, nil)
	switch {
	case why == "":
		return nil
	case path == "":
		return fmt.Errorf("type %s cannot be stored: %s", t, why)
	}
	return fmt.Errorf("type %s: field %s of type %s cannot be stored: %s", t, path, of, why)
}

// Listable is Storable for a type of which any number is to be stored at once. Decode would take
// too many of one for the bytes that it has of them if hardly any of its memory is stored.
func Listable[T any]() error {
	c, err := For[T]()
	switch {
	case err != nil:
		return err
	case c.p.width == 0:
		return fmt.Errorf("a list of type %s cannot be stored: it is no more than its length: keep a number", c.p.typ)
	case c.p.size() > maxSpread*c.p.width && !slices.ContainsFunc(c.p.columns, selfCodes):
		return fmt.Errorf("a list of type %s cannot be stored: it may have %d bytes in memory for each %d that are stored: leave out less of it", c.p.typ, c.p.size(), c.p.width)
	}
	return nil
}

// unstorable finds the first part of t that has no stored form: the path to it, its type and
// why.
func unstorable(t reflect.Type, above []reflect.Type) (path string, of reflect.Type, why string) {
	if t == timeType || selfCoding(t) || slices.Contains(above, t) {
		return "", nil, ""
	}
	above = append(above, t)
	switch t.Kind() {
	case reflect.Chan, reflect.Func, reflect.UnsafePointer, reflect.Uintptr, reflect.Complex64, reflect.Complex128:
		return "", t, "it is a " + t.Kind().String()
	case reflect.Interface:
		return unstorableMember(t, above)
	case reflect.Pointer, reflect.Slice, reflect.Array:
		return unstorable(t.Elem(), above)
	case reflect.Map:
		if p, why := unkeyable(t.Key()); why != "" {
			return p, t, "its key is " + why
		}
		return unstorable(t.Elem(), above)
	case reflect.Struct:
		return unstorableField(t, above)
	}
	return "", nil, ""
}

func unstorableMember(t reflect.Type, above []reflect.Type) (path string, of reflect.Type, why string) {
	u := unionOf(t)
	switch {
	case u == nil:
		return "", t, fmt.Sprintf("it is an interface: use a concrete type, or name those that it may hold with blink.OneOf[%s]", t)
	case u.wrong != "":
		return "", t, fmt.Sprintf("blink.OneOf[%s]: %s", t, u.wrong)
	}
	for _, m := range u.members {
		if p, of, why := unstorable(m.typ, above); why != "" {
			return strings.TrimSuffix("("+m.name+")."+p, "."), of, why
		}
	}
	return "", nil, ""
}

func unstorableField(t reflect.Type, above []reflect.Type) (path string, of reflect.Type, why string) {
	if t.PkgPath() == "sync" || t.PkgPath() == "sync/atomic" {
		return "", t, "it is a lock or an atomic, which belongs to one process"
	}
	if f, why := misnamed(t); why != "" {
		return f.Name, f.Type, why
	}
	for i := range t.NumField() {
		f := t.Field(i)
		if left(f) {
			continue
		}
		if p, of, why := unstorable(f.Type, above); why != "" {
			return strings.TrimSuffix(f.Name+"."+p, "."), of, why
		}
	}
	return "", nil, ""
}

// Keyable reports why K cannot be a key: a key must have one encoding, the same in every
// process, and equal itself.
func Keyable[K comparable]() error {
	t := reflect.TypeFor[K]()
	path, why := unkeyable(t)
	switch {
	case why == "":
		return nil
	case path == "":
		return fmt.Errorf("key type %s is %s", t, why)
	}
	return fmt.Errorf("key type %s: field %s is %s", t, path, why)
}

func unkeyable(t reflect.Type) (path, why string) {
	if t == timeType {
		return "", "a time.Time, whose equal instants may differ: use UnixNano or a string"
	}
	switch t.Kind() {
	case reflect.Float32, reflect.Float64, reflect.Complex64, reflect.Complex128:
		return "", "a float, and NaN equals nothing"
	case reflect.Pointer:
		return "", "a pointer, which has no value outside its process"
	case reflect.Interface, reflect.Chan, reflect.UnsafePointer, reflect.Uintptr:
		return "", "of kind " + t.Kind().String() + ", which has no value outside its process"
	case reflect.Array:
		return unkeyable(t.Elem())
	case reflect.Struct:
		for i := range t.NumField() {
			f := t.Field(i)
			if tagged(f) {
				return f.Name, "left out of the stored form, but part of the key"
			}
			if p, why := unkeyable(f.Type); why != "" {
				return strings.TrimSuffix(f.Name+"."+p, "."), why
			}
		}
	}
	return "", ""
}
