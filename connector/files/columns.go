package files

import (
	"encoding"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"

	"blink/internal/codec"
)

// columns writes records of one type as CSV lines. Made once for a type; safe for
// concurrent use.
type columns struct {
	names  []string
	fields []field
}

// field is one column: the way to it and how its value is written.
type field struct {
	index []int // path of field numbers; empty for a record that is no struct
	omit  bool  // the zero value is an empty cell
	put   func(dst []byte, v reflect.Value) ([]byte, error)
}

// columnsOf derives the columns from a record type: the exported fields of a struct in
// their order, nested structs flattened, or one column "value" for anything else.
//
//	Origin string     `csv:"origin"`            // the column's name; default: the field's
//	Max    int64      `csv:"max,omitzero"`      // an empty cell for zero
//	Best   *int64                               // an empty cell for nil
//	Secret string     `csv:"-"`                 // left out
func columnsOf(t reflect.Type) (*columns, error) {
	c := &columns{}
	if put := putterOf(t); put != nil {
		c.names, c.fields = []string{"value"}, []field{{put: put}}
		return c, nil
	}
	if t.Kind() != reflect.Struct {
		return nil, fmt.Errorf("a CSV file cannot hold %s: write a struct of numbers, strings, bools and times", t)
	}
	err := c.addStruct(t, nil, "")
	if err == nil && len(c.fields) == 0 {
		err = fmt.Errorf("a CSV file cannot hold %s: it has no exported field", t)
	}
	if err == nil {
		err = c.unique(t)
	}
	return c, err
}

func (c *columns) addStruct(t reflect.Type, path []int, prefix string) error {
	var errs []error
	for i := range t.NumField() {
		f := t.Field(i)
		name, option, _ := strings.Cut(f.Tag.Get("csv"), ",")
		if name == "-" || !f.IsExported() && !f.Anonymous {
			continue
		}
		if option != "" && option != "omitzero" {
			errs = append(errs, fmt.Errorf("field %s%s: csv option %q is unknown: there is omitzero", prefix, f.Name, option))
		}
		at := append(path[:len(path):len(path)], i)
		errs = append(errs, c.addField(f, at, prefix, name, option == "omitzero"))
	}
	return errors.Join(errs...)
}

func (c *columns) addField(f reflect.StructField, at []int, prefix, name string, omit bool) error {
	put := putterOf(f.Type)
	switch {
	case put != nil && f.IsExported():
		if name == "" {
			name = f.Name
		}
		c.names = append(c.names, prefix+name)
		c.fields = append(c.fields, field{at, omit, put})
		return nil
	case f.Type.Kind() == reflect.Struct && f.Anonymous && name == "":
		return c.addStruct(f.Type, at, prefix)
	case f.Type.Kind() == reflect.Struct && f.IsExported():
		if name == "" {
			name = f.Name
		}
		return c.addStruct(f.Type, at, prefix+name+".")
	}
	return fmt.Errorf("field %s%s of type %s cannot be a CSV cell: leave it out with `csv:\"-\"`, or map the record first", prefix, f.Name, f.Type)
}

func (c *columns) unique(t reflect.Type) error {
	seen := map[string]bool{}
	for _, n := range c.names {
		if seen[n] {
			return fmt.Errorf("%s has two columns %q", t, n)
		}
		seen[n] = true
	}
	return nil
}

// header is the first line of the file.
func (c *columns) header() []byte { return appendLine(nil, c.names) }

// appendLine writes cells that are text.
func appendLine(dst []byte, cells []string) []byte {
	for i, cell := range cells {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendCell(dst, cell, len(cells) == 1)
	}
	return append(dst, '\n')
}

// append writes the record that rec points to.
func (c *columns) append(dst []byte, rec any) ([]byte, error) {
	v := reflect.ValueOf(rec).Elem()
	start := len(dst)
	for i := range c.fields {
		if i > 0 {
			dst = append(dst, ',')
		}
		f := &c.fields[i]
		cell := v
		if len(f.index) > 0 {
			cell = v.FieldByIndex(f.index)
		}
		if f.omit && cell.IsZero() {
			continue
		}
		var err error
		if dst, err = f.put(dst, cell); err != nil {
			return dst[:start], fmt.Errorf("column %s: %w", c.names[i], err)
		}
	}
	if len(c.fields) == 1 && len(dst) == start {
		dst = append(dst, `""`...) // an empty line is no row
	}
	return append(dst, '\n'), nil
}

var (
	timeType     = reflect.TypeFor[time.Time]()
	durationType = reflect.TypeFor[time.Duration]()
	textType     = reflect.TypeFor[encoding.TextAppender]()
	marshalType  = reflect.TypeFor[encoding.TextMarshaler]()
)

// putterOf returns how values of type t are written, nil if they are no cell.
func putterOf(t reflect.Type) func([]byte, reflect.Value) ([]byte, error) {
	switch {
	case t == timeType:
		return putTime
	case t == durationType:
		return func(dst []byte, v reflect.Value) ([]byte, error) {
			return append(dst, time.Duration(v.Int()).String()...), nil
		}
	case t.Kind() == reflect.Pointer:
		return pointerTo(putterOf(t.Elem()))
	case codec.Itself(t, textType):
		return putAppender
	case codec.Itself(t, marshalType):
		return putMarshaler
	}
	return plainPutter(t)
}

func plainPutter(t reflect.Type) func([]byte, reflect.Value) ([]byte, error) {
	switch t.Kind() {
	case reflect.String:
		return func(dst []byte, v reflect.Value) ([]byte, error) { return appendCell(dst, v.String(), false), nil }
	case reflect.Bool:
		return func(dst []byte, v reflect.Value) ([]byte, error) { return strconv.AppendBool(dst, v.Bool()), nil }
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return func(dst []byte, v reflect.Value) ([]byte, error) { return strconv.AppendInt(dst, v.Int(), 10), nil }
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return func(dst []byte, v reflect.Value) ([]byte, error) { return strconv.AppendUint(dst, v.Uint(), 10), nil }
	case reflect.Float32, reflect.Float64:
		return func(dst []byte, v reflect.Value) ([]byte, error) {
			return strconv.AppendFloat(dst, v.Float(), 'g', -1, t.Bits()), nil
		}
	}
	return nil
}

func pointerTo(put func([]byte, reflect.Value) ([]byte, error)) func([]byte, reflect.Value) ([]byte, error) {
	if put == nil {
		return nil
	}
	return func(dst []byte, v reflect.Value) ([]byte, error) {
		if v.IsNil() {
			return dst, nil
		}
		return put(dst, v.Elem())
	}
}

// putTime writes RFC 3339 in UTC, with a fraction only if there is one.
func putTime(dst []byte, v reflect.Value) ([]byte, error) {
	return v.Addr().Interface().(*time.Time).UTC().AppendFormat(dst, time.RFC3339Nano), nil
}

func putAppender(dst []byte, v reflect.Value) ([]byte, error) {
	text, err := v.Addr().Interface().(encoding.TextAppender).AppendText(nil)
	return appendCell(dst, string(text), false), err
}

func putMarshaler(dst []byte, v reflect.Value) ([]byte, error) {
	text, err := v.Addr().Interface().(encoding.TextMarshaler).MarshalText()
	return appendCell(dst, string(text), false), err
}

// appendCell quotes where RFC 4180 needs it; alone says that the line has no other cell.
func appendCell(dst []byte, s string, alone bool) []byte {
	if !strings.ContainsAny(s, ",\"\r\n") && !strings.HasPrefix(s, " ") && !(alone && s == "") {
		return append(dst, s...)
	}
	dst = append(dst, '"')
	for i := range len(s) {
		if s[i] == '"' {
			dst = append(dst, '"')
		}
		dst = append(dst, s[i])
	}
	return append(dst, '"')
}
