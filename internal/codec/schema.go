package codec

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// schemaOf lists the stored fields of a type, a line "path kind" for each; "." is the path
// of a type without fields. A type inside itself is "as" the one so many levels from the top.
func schemaOf(t reflect.Type) string {
	s := schemer{}
	s.list("", t)
	return strings.Join(s.lines, "\n")
}

type schemer struct {
	lines []string
	above []reflect.Type
}

func (s *schemer) line(path, kind string) {
	if path == "" {
		path = "."
	}
	s.lines = append(s.lines, strings.TrimPrefix(path, ".")+" "+kind)
}

func (s *schemer) list(path string, t reflect.Type) {
	if i := slices.Index(s.above, t); i >= 0 {
		s.line(path, fmt.Sprint("as level ", i))
		return
	}
	s.above = append(s.above, t)
	defer func() { s.above = s.above[:len(s.above)-1] }()
	switch {
	case t == timeType:
		s.line(path, "time.Time")
		return
	case selfCoding(t):
		s.line(path, "bytes of "+t.String())
		return
	}
	switch t.Kind() {
	case reflect.Struct:
		for i := range t.NumField() {
			if f := t.Field(i); !left(f) {
				s.list(path+"."+f.Name, f.Type)
			}
		}
		if t.NumField() == 0 {
			s.line(path, "nothing")
		}
	case reflect.Slice:
		s.list(path+"[]", t.Elem())
	case reflect.Array:
		s.list(fmt.Sprintf("%s[%d]", path, t.Len()), t.Elem())
	case reflect.Pointer:
		s.list(path+"*", t.Elem())
	case reflect.Map:
		s.list(path+"[key]", t.Key())
		s.list(path+"[value]", t.Elem())
	default:
		s.line(path, kindName(t))
	}
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
