package state

import (
	"errors"
	"fmt"
	"reflect"
	"unsafe"

	"blink/graph"
)

// Declare lists the states that a processor declares by its fields, in the order of the
// fields. p is a pointer to it. A state's name is the field's, or that of the tag
// `state:"name"`. Errors name the state.
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

// each calls f for the fields of *p that are state handles.
func each(p any, f func(name string, h handle)) {
	v := reflect.ValueOf(p).Elem()
	if v.Kind() != reflect.Struct {
		return
	}
	for i := range v.NumField() {
		field, sf := v.Field(i), v.Type().Field(i)
		h, ok := reflect.NewAt(field.Type(), unsafe.Pointer(field.UnsafeAddr())).Interface().(handle)
		if !ok {
			continue
		}
		name := sf.Name
		if t := sf.Tag.Get("state"); t != "" {
			name = t
		}
		f(name, h)
	}
}

// Bind joins the handles of *p, a task's own copy of a processor, to the store. It must be
// called once, before anything is set or restored.
func (s *Store[K]) Bind(p any) error {
	var errs []error
	each(p, func(name string, h handle) {
		if err := h.bind(&s.rows, len(s.handles)); err != nil {
			errs = append(errs, fmt.Errorf("state %q: %w", name, err))
		}
		s.handles = append(s.handles, h)
	})
	return errors.Join(errs...)
}
