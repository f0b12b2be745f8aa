package operator

import (
	"errors"
	"fmt"
	"reflect"
	"unsafe"
)

// tagsOf lists the side outputs that a prototype declares by fields that hold a Tag, and
// refuses fields that all tasks of a process would share. p is a pointer to a struct.
func tagsOf(p any) ([]AnyTag, error) {
	v := reflect.ValueOf(p)
	if v.IsNil() {
		return nil, fmt.Errorf("%s: the prototype is nil", v.Type())
	}
	v = v.Elem()
	if v.Kind() != reflect.Struct {
		return nil, nil
	}
	var tags []AnyTag
	var errs []error
	for i := range v.NumField() {
		f, name := v.Field(i), v.Type().Field(i).Name
		switch t := reflect.NewAt(f.Type(), unsafe.Pointer(f.UnsafeAddr())).Elem().Interface().(type) {
		case AnyTag:
			if t.Name() == "" {
				errs = append(errs, fmt.Errorf("%s: field %s is a Tag without a name: make it with NewTag", v.Type(), name))
				continue
			}
			tags = append(tags, t)
		default:
			if k := f.Kind(); (k == reflect.Chan || k == reflect.Map) && !f.IsNil() {
				errs = append(errs, fmt.Errorf("%s: field %s is a %s that all tasks of a process would share: make it state, or make it in Open", v.Type(), name, f.Type()))
			}
		}
	}
	return tags, errors.Join(errs...)
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
