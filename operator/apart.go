package operator

import (
	"reflect"
	"time"
)

// apart is what is emitted of an accumulator that lives on: itself or, if what is made of it might
// lead to what it leads to, another one that holds the same.
func (m *merging[A]) apart(acc *A) *A {
	if !m.shown {
		return acc
	}
	var other A
	m.merge(&other, acc)
	return &other
}

// shows says whether what is made of an A might lead to memory that the A leads to.
func shows[A, R any]() bool { return refers(reflect.TypeFor[A]()) && refers(reflect.TypeFor[R]()) }

// refers says whether values of a type lead to memory that may change.
func refers(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Array:
		return refers(t.Elem())
	case reflect.Struct:
		for i := range t.NumField() {
			if !immutable(t) && refers(t.Field(i).Type) {
				return true
			}
		}
	case reflect.Slice, reflect.Map, reflect.Pointer, reflect.Interface, reflect.Chan, reflect.Func, reflect.UnsafePointer:
		return true
	}
	return false
}

// immutable says that what values of t lead to never changes.
func immutable(t reflect.Type) bool {
	return t == reflect.TypeFor[time.Time]() || t.PkgPath() == "unique"
}
