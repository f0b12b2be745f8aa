package state

import (
	"errors"
	"fmt"
	"reflect"
	"unsafe"

	"blink/graph"
)

// Declare lists the states that a processor declares by its fields, in the order of the
// fields. p is a pointer to it. A state's name is that which Fields gives. Errors name the
// state.
func Declare(p any) ([]graph.State, error) {
	var states []graph.State
	var errs []error
	names := map[string]bool{}
	each(p, func(name string, h handle) {
		st, err := h.declare(name)
		switch {
		case err != nil:
			errs = append(errs, fmt.Errorf("state %q: %w", name, err))
		case names[name]:
			errs = append(errs, fmt.Errorf("state %q is declared twice", name))
		}
		names[name] = true
		states = append(states, st)
	})
	return states, errors.Join(errs...)
}

// each calls f for the state handles of *p.
func each(p any, f func(name string, h handle)) {
	Fields(p, func(name string, field reflect.Value) bool {
		h, ok := field.Addr().Interface().(handle)
		if ok = ok && !embeds(field.Type()); ok {
			f(name, h)
		}
		return !ok
	})
}

// embeds says whether the methods of t, a struct, may be those of one of its fields.
func embeds(t reflect.Type) bool {
	for i := range t.NumField() {
		if t.Field(i).Anonymous {
			return true
		}
	}
	return false
}

// Fields visits the fields of *p and, where visit says to go deeper, those of the structs and
// arrays among them, in their order: what a shallow copy of *p copies. A field is settable,
// and its name is its path, such as "outer.inner[1]"; an embedded struct adds nothing to it,
// and the tag `state:"name"` takes the place of the field's own name.
func Fields(p any, visit func(name string, field reflect.Value) (deeper bool)) {
	fieldsOf(reflect.ValueOf(p).Elem(), "", visit)
}

func fieldsOf(v reflect.Value, prefix string, visit func(string, reflect.Value) bool) {
	if v.Kind() != reflect.Struct {
		return
	}
	for i := range v.NumField() {
		f, sf := v.Field(i), v.Type().Field(i)
		name := prefix + sf.Name
		if tag := sf.Tag.Get("state"); tag != "" {
			name = prefix + tag
		}
		inner := name + "."
		if sf.Anonymous {
			inner = prefix
		}
		visitDeep(f, name, inner, visit)
	}
}

func visitDeep(v reflect.Value, name, inner string, visit func(string, reflect.Value) bool) {
	v = reflect.NewAt(v.Type(), unsafe.Pointer(v.UnsafeAddr())).Elem() // also if unexported
	if !visit(name, v) {
		return
	}
	if v.Kind() != reflect.Array {
		fieldsOf(v, inner, visit)
		return
	}
	switch v.Type().Elem().Kind() {
	case reflect.Struct, reflect.Array, reflect.Map, reflect.Chan, reflect.Slice, reflect.Pointer, reflect.Interface: // not a million bytes
		for i := range v.Len() {
			at := fmt.Sprintf("%s[%d]", name, i)
			visitDeep(v.Index(i), at, at+".", visit)
		}
	}
}

// Bind joins the handles of *p, a task's own copy of a processor, to the store. It must be
// called once, before anything is set or restored.
func (s *Store[K]) Bind(p any) error {
	var errs []error
	s.layout.keep(reflect.TypeFor[K](), &s.keyAt)
	each(p, func(name string, h handle) {
		if err := h.bind(&s.rows); err != nil {
			errs = append(errs, fmt.Errorf("state %q: %w", name, err))
		}
	})
	s.settle()
	return errors.Join(errs...)
}
