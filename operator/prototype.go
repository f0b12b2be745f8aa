package operator

import (
	"errors"
	"fmt"
	"reflect"

	"blink/state"
)

// tagsOf lists the side outputs that a prototype declares by fields that hold a Tag, and
// refuses fields that all tasks of a process would share. p is a pointer to the prototype.
func tagsOf(p any) ([]AnyTag, error) {
	v := reflect.ValueOf(p)
	if v.IsNil() {
		return nil, fmt.Errorf("%s: the prototype is nil", v.Type())
	}
	v = v.Elem()
	var tags []AnyTag
	var errs []error
	state.Fields(p, func(name string, f reflect.Value) (deeper bool) {
		t, isTag := f.Interface().(AnyTag)
		k := f.Kind()
		switch {
		case isTag && t.Name() == "":
			errs = append(errs, fmt.Errorf("%s: field %s is a Tag without a name: make it with NewTag", v.Type(), name))
		case isTag:
			tags = append(tags, t)
		case (k == reflect.Chan || k == reflect.Map) && !f.IsNil():
			errs = append(errs, fmt.Errorf("%s: field %s is a %s that all tasks of a process would share: make it state, or make it in Open", v.Type(), name, f.Type()))
		}
		return !isTag
	})
	return tags, errors.Join(errs...)
}

// ownEach refuses what an accumulator refers to of which every key gets a copy: it would be that
// of all keys. zero is a pointer to it.
func ownEach(zero any) error {
	v := reflect.ValueOf(zero)
	if v.IsNil() {
		return nil // which is refused as well
	}
	v = v.Elem()
	var errs []error
	look := func(name string, f reflect.Value) (deeper bool) {
		if shared(f) {
			errs = append(errs, fmt.Errorf("%s: %s is a %s that all keys would share: make it in Add, where it is nil", v.Type(), name, f.Type()))
		}
		return !immutable(f.Type())
	}
	look("it", v)
	state.Fields(zero, func(name string, f reflect.Value) bool { return look("field "+name, f) })
	return errors.Join(errs...)
}

// shared says whether copies of v lead to the same memory, which may change.
func shared(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Map, reflect.Pointer:
		return !v.IsNil()
	case reflect.Slice:
		return v.Cap() > 0
	case reflect.Interface:
		return !v.IsNil() && refers(v.Elem().Type())
	}
	return false
}

// optional refuses a method of p that is there but not as interface want has it: it would
// never be called.
func optional(p any, m reflect.Method, there bool, want reflect.Type, text string) error {
	t := reflect.TypeOf(p)
	if !there || t.Implements(want) {
		return nil
	}
	return fmt.Errorf("%s: method %s has the wrong type\n\thave %s\n\twant %s", t.Elem(), m.Name, m.Type, text)
}
