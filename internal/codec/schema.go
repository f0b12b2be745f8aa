package codec

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// form is a stored form as a tree. It is made of a type, or read from a schema, and then
// without typ and offsets.
type form struct {
	kind   formKind
	leaf   string  // of a leaf: what it is, such as int64
	len    int     // of an array
	fields []field // of a record; of a variant, its members
	key    *form   // of a dict
	elem   *form   // of a list, an array, a pointer and a dict; of a loop, what it leads to
	level  int     // of a loop: of elem, counted from the top
	width  int     // least bytes of an encoded value
	typ    reflect.Type
}

type field struct {
	name string
	was  []string
	form *form
	at   uintptr
}

type formKind uint8

const (
	unknown formKind = iota
	leaf
	record
	list
	sequence // an array
	reference
	dictionary
	loop    // a type inside itself
	variant // an interface
)

// schemaOf lists the stored fields of a type, a line "path kind" for each; the path
// of a type without fields is empty. A type inside itself is "as" the one so many levels from the top.
// A type that an interface may hold is a step with its name, as in "Shape(geo.Circle).R float64".
// A field that has had other names has them behind its own, as in "new=old int64".
func schemaOf(t reflect.Type) string {
	var lines []string
	formOf(t, nil).list("", &lines)
	return strings.Join(lines, "\n")
}

func (f *form) list(path string, lines *[]string) {
	line := func(kind string) { *lines = append(*lines, strings.TrimPrefix(path, ".")+" "+kind) }
	switch f.kind {
	case leaf:
		line(f.leaf)
	case loop:
		line(fmt.Sprint("as level ", f.level))
	case record:
		for _, x := range f.fields {
			x.form.list(path+"."+strings.Join(append([]string{x.name}, x.was...), "="), lines)
		}
		if len(f.fields) == 0 {
			line("nothing")
		}
	case variant:
		for _, x := range f.fields {
			x.form.list(path+"("+x.name+")", lines)
		}
	case list:
		f.elem.list(path+"[]", lines)
	case sequence:
		f.elem.list(fmt.Sprintf("%s[%d]", path, f.len), lines)
	case reference:
		f.elem.list(path+"*", lines)
	case dictionary:
		f.key.list(path+"[key]", lines)
		f.elem.list(path+"[value]", lines)
	}
}

// formOf is the form of a type that can be stored.
func formOf(t reflect.Type, above []*form) *form {
	if i := slices.IndexFunc(above, func(f *form) bool { return f.typ == t }); i >= 0 {
		return &form{kind: loop, elem: above[i], level: i, typ: t}
	}
	f := &form{typ: t}
	above = append(slices.Clip(above), f)
	switch {
	case t == timeType:
		f.kind, f.leaf = leaf, "time.Time"
		return f
	case selfCoding(t):
		f.kind, f.leaf = leaf, ownBytes+t.String()
		return f
	}
	switch t.Kind() {
	case reflect.Struct:
		f.kind = record
		for i := range t.NumField() {
			x := t.Field(i)
			if g, _ := tagOf(x); !g.left { // Storable has looked at the tags
				f.fields = append(f.fields, field{g.name, g.was, formOf(x.Type, above), x.Offset})
			}
		}
	case reflect.Slice:
		f.kind, f.elem = list, formOf(t.Elem(), above)
	case reflect.Array:
		f.kind, f.len, f.elem = sequence, t.Len(), formOf(t.Elem(), above)
	case reflect.Pointer:
		f.kind, f.elem = reference, formOf(t.Elem(), above)
	case reflect.Interface:
		f.kind = variant
		for _, m := range unionOf(t).members { // Storable has looked for it
			f.fields = append(f.fields, field{name: m.name, form: formOf(m.typ, above)})
		}
	case reflect.Map:
		f.kind, f.key, f.elem = dictionary, formOf(t.Key(), above), formOf(t.Elem(), above)
	default:
		f.kind, f.leaf = leaf, kindName(t)
	}
	return f
}

// kindName is a kind as it is stored: int is 64 bits wide.
func kindName(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Int:
		return "int64"
	case reflect.Uint:
		return "uint64"
	}
	return t.Kind().String()
}

// ownBytes begins the kind of a type that knows its bytes.
const ownBytes = "bytes of "

// past is where a loop leads to, and else f.
func (f *form) past() *form {
	if f.kind == loop {
		return f.elem
	}
	return f
}

// String is the form as people write types.
func (f *form) String() string {
	switch f.kind {
	case leaf:
		return strings.TrimPrefix(f.leaf, ownBytes)
	case list:
		return "[]" + f.elem.String()
	case sequence:
		return fmt.Sprintf("[%d]%s", f.len, f.elem)
	case reference:
		return "*" + f.elem.String()
	case dictionary:
		return fmt.Sprintf("map[%s]%s", f.key, f.elem)
	case loop:
		return "…"
	case variant:
		names := make([]string, len(f.fields))
		for i, x := range f.fields {
			names[i] = x.name
		}
		return "one of " + strings.Join(names, ", ")
	}
	return "struct"
}
