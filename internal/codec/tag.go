package codec

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"unicode"
)

// A field's tag is `blink:"-"`, which leaves it out of the stored form, or
// `blink:"new,was=old"`: it is stored under the name new, its own if that is empty, and read
// from old where what was stored has no new. was may be repeated. A blank field is left out as well.
type tag struct {
	left bool
	name string
	was  []string
}

func tagOf(f reflect.StructField) (tag, error) {
	if left(f) {
		return tag{left: true, name: f.Name}, nil
	}
	text := f.Tag.Get("blink")
	parts := strings.Split(text, ",")
	t := tag{name: parts[0]}
	if t.name == "" {
		t.name = f.Name
	}
	for _, p := range parts[1:] {
		old, ok := strings.CutPrefix(p, "was=")
		if !ok || !isName(old) {
			return t, fmt.Errorf(`its tag has %q: only was=name follows the name, as in blink:"new,was=old"`, p)
		}
		t.was = append(t.was, old)
	}
	if !isName(t.name) {
		return t, fmt.Errorf("its tag has %q, which is no name of a field", t.name)
	}
	return t, nil
}

// left says whether field f is left out of the stored form: by its tag, or because nothing is in it.
func left(f reflect.StructField) bool { return f.Name == "_" || tagged(f) }

func tagged(f reflect.StructField) bool { return f.Tag.Get("blink") == "-" }

func isName(s string) bool {
	digit := func(r rune) bool { return unicode.IsDigit(r) }
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool { return r != '_' && !unicode.IsLetter(r) && !digit(r) }) &&
		strings.IndexFunc(s, digit) != 0
}

// misnamed finds the first field of a struct whose tag is wrong, or whose names are those of
// another field too: what is read by a path must have one.
func misnamed(t reflect.Type) (f reflect.StructField, why string) {
	var names []string
	for i := range t.NumField() {
		g, err := tagOf(t.Field(i))
		if err != nil {
			return t.Field(i), err.Error()
		}
		if g.left {
			continue
		}
		for _, name := range append(g.was, g.name) {
			if slices.Contains(names, name) {
				return t.Field(i), fmt.Sprintf("another field is or was stored as %s, too", name)
			}
			names = append(names, name)
		}
	}
	return f, ""
}
