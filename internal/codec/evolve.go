package codec

import (
	"fmt"
	"reflect"
	"slices"
)

// Change is a way in which a type differs from what is stored, and which values cannot
// follow.
type Change struct {
	Path    string // of the field; empty: the whole value
	Was, Is string // types, as people write them
	Key     bool   // it is a key, or inside of one
}

// Compare lists the changes by which values stored with the schema old cannot be read as
// those of the schema now; Codec.Reads fails if and only if there is one. By path and in any
// order,
//
//   - a new field is zero, and what is gone is dropped;
//   - integers and floats may become wider, unsigned ones also signed or floats, if every
//     value stays what it was: up to 16 bits in a float32, up to 32 in a float64;
//   - T may become *T, and *T may become T: nil is then zero;
//   - an interface may hold more types, not fewer;
//   - a field with the tag `blink:"new,was=old"` takes over old;
//   - keys of maps stay as they are, and so do the fields of the value that keys names; "."
//     is the value itself.
//
// It fails if a schema is none.
func Compare(old, now string, keys ...string) ([]Change, error) {
	if old == now {
		return nil, nil
	}
	was, err := parseSchema(old)
	if err != nil {
		return nil, fmt.Errorf("what is stored: %w", err)
	}
	is, err := parseSchema(now)
	if err != nil {
		return nil, err
	}
	e := evolution{}
	for _, key := range keys {
		e.keep(key, was, is)
	}
	if !slices.Contains(keys, ".") {
		e.plan("", was, is)
	}
	return e.changes, e.err
}

// Reads is a codec that decodes what was stored with the schema old, and encodes as c does.
// Old data is read with more patience than the codec's own: a value may take a KiB of memory
// for each byte stored, since it may have grown.
func (c *Codec[T]) Reads(old string) (*Codec[T], error) {
	if old == c.p.schema {
		return c, nil
	}
	was, err := parseSchema(old)
	if err != nil {
		return nil, fmt.Errorf("what is stored: %w", err)
	}
	is := formOf(c.p.typ, nil)
	if err := is.complete(); err != nil {
		return nil, err
	}
	e := evolution{}
	p := e.plan("", was, is)
	switch {
	case e.err != nil:
		return nil, e.err
	case len(e.changes) > 0:
		x := e.changes[0]
		return nil, fmt.Errorf("type %s: %q was %s and is %s now", c.p.typ, x.Path, x.Was, x.Is)
	}
	return &Codec[T]{c.p, p}, nil
}

// evolution makes the plan by which data of an old form is decoded into values of a new one,
// or finds out why there is none. Between two schemas, the plan it makes is of no use: there
// are no types.
type evolution struct {
	made    map[pair]*plan
	visits  int
	changes []Change
	err     error
}

type pair struct{ old, now *form }

// maxVisits bounds the work for schemas that are made to cause some.
const maxVisits = 1 << 20

func (e *evolution) plan(path string, old, now *form) *plan {
	at := pair{old.past(), now.past()}
	if p := e.made[at]; p != nil {
		return p
	}
	if e.made == nil {
		e.made = map[pair]*plan{}
	}
	p := &plan{typ: at.now.typ, width: at.old.width, grown: true}
	e.made[at] = p
	p.columns = e.columns([]column{cleared{0, p.typ}}, path, at.old, at.now, 0)
	p.refers = slices.ContainsFunc(p.columns, refers)
	return p
}

// columns appends the columns by which the old form is read into a now at offset at.
func (e *evolution) columns(cs []column, path string, old, now *form, at uintptr) []column {
	old, now = old.past(), now.past()
	if e.visits++; e.visits > maxVisits {
		e.err = fmt.Errorf("a schema of more than %d parts", maxVisits)
	}
	if e.err != nil {
		return cs
	}
	was, is := old.kind == reference, now.kind == reference
	switch {
	case is && !was && now.elem.past().kind != reference:
		return append(cs, pointed{at, now.elem.past().typ, e.plan(path, old, now.elem)})
	case was && !is && old.elem.past().kind != reference:
		return append(cs, loaded{at, e.plan(path, old.elem, now)})
	case old.kind != now.kind || old.len != now.len:
		e.refuse(Change{Path: path, Was: old.String(), Is: now.String()})
		return cs
	}
	switch old.kind {
	case record:
		return e.record(cs, path, old, now, at)
	case variant:
		return append(cs, e.variant(path, old, now, at))
	case sequence:
		return e.sequence(cs, path, old, now, at)
	case list:
		return append(cs, slice{at, now.typ, e.plan(path+"[]", old.elem, now.elem)})
	case reference:
		return append(cs, pointer{at, now.elem.past().typ, e.plan(path+"*", old.elem, now.elem)})
	case dictionary:
		e.same(path+"[key]", old.key, now.key)
		return append(cs, dict{at, now.typ, e.unchanged(now.key.typ), e.plan(path+"[value]", old.elem, now.elem)})
	}
	return e.leaf(cs, path, old, now, at)
}

func (e *evolution) refuse(c Change) {
	if !slices.Contains(e.changes, c) {
		e.changes = append(e.changes, c)
	}
}

func (e *evolution) record(cs []column, path string, old, now *form, at uintptr) []column {
	to := map[string]*field{} // by the name under which it is stored
	for i := range old.fields {
		to[old.fields[i].name] = nil
	}
	for i := range now.fields {
		f := &now.fields[i]
		for _, name := range append([]string{f.name}, f.was...) {
			if taken, stored := to[name]; stored && taken == nil {
				to[name] = f
				break
			}
		}
	}
	for i := range old.fields {
		f := &old.fields[i]
		if x := to[f.name]; x != nil {
			cs = e.columns(cs, join(path, x.name), f.form, x.form, at+x.at)
		} else if f.form.width > 0 {
			cs = append(cs, skipped{f.form})
		}
	}
	return cs
}

// variant reads an interface by the names of its types. One that is not there any more is
// refused: a value of it may be stored.
func (e *evolution) variant(path string, old, now *form, at uintptr) choice {
	col := choice{at: at, typ: now.typ}
	for _, was := range old.fields {
		i := slices.IndexFunc(now.fields, func(f field) bool { return f.name == was.name })
		step := path + "(" + was.name + ")"
		if i < 0 {
			e.refuse(Change{Path: step, Was: was.name, Is: "not there"})
			continue
		}
		is := now.fields[i].form
		col.members = append(col.members, choiceMember{is.past().typ, e.plan(step, was.form, is)})
	}
	return col
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

func (e *evolution) sequence(cs []column, path string, old, now *form, at uintptr) []column {
	path = fmt.Sprintf("%s[%d]", path, old.len)
	if old.len >= longArray {
		return append(cs, array{at, old.len, e.plan(path, old.elem, now.elem)})
	}
	for i := range old.len {
		step := uintptr(0)
		if now.typ != nil {
			step = now.typ.Elem().Size()
		}
		cs = e.columns(cs, path, old.elem, now.elem, at+uintptr(i)*step)
	}
	return cs
}

func (e *evolution) leaf(cs []column, path string, old, now *form, at uintptr) []column {
	from, to := numbers[old.leaf], numbers[now.leaf]
	switch {
	case old.leaf == now.leaf && now.typ != nil:
		return (&compiler{}).columns(cs, now.typ, at)
	case old.leaf == now.leaf:
	case from.size > 0 && from.widens(to):
		return append(cs, widened{at, from, to})
	default:
		e.refuse(Change{Path: path, Was: old.String(), Is: now.String()})
	}
	return cs
}

// unchanged is the plan of a key.
func (e *evolution) unchanged(t reflect.Type) *plan {
	if t == nil {
		return nil
	}
	return (&compiler{}).plan(t)
}

// keep refuses another key, and takes it from what else is compared.
func (e *evolution) keep(key string, old, now *form) {
	if key == "." {
		e.same("", old, now)
		return
	}
	e.same(key, old.cut(key), now.cut(key))
}

// cut takes a field out of a record; what is not there is a record without fields.
func (f *form) cut(name string) *form {
	i := slices.IndexFunc(f.fields, func(x field) bool { return x.name == name })
	if i < 0 {
		return &form{kind: record}
	}
	x := f.fields[i].form
	f.fields = slices.Delete(f.fields, i, i+1)
	return x
}

// same refuses the first difference of two keys.
func (e *evolution) same(path string, old, now *form) {
	if old.kind != now.kind || old.leaf != now.leaf || old.len != now.len || old.level != now.level {
		e.refuse(Change{path, old.String(), now.String(), true})
		return
	}
	switch old.kind {
	case record:
		for i := range max(len(old.fields), len(now.fields)) {
			switch {
			case i >= len(now.fields) || i < len(old.fields) && old.fields[i].name != now.fields[i].name:
				f := old.fields[i]
				e.refuse(Change{join(path, f.name), f.form.String(), "not there", true})
				return
			case i >= len(old.fields):
				f := now.fields[i]
				e.refuse(Change{join(path, f.name), "not there", f.form.String(), true})
				return
			}
			e.same(join(path, old.fields[i].name), old.fields[i].form, now.fields[i].form)
		}
	case list, sequence, reference:
		e.same(path, old.elem, now.elem)
	case dictionary:
		e.same(path, old.key, now.key)
		e.same(path, old.elem, now.elem)
	}
}
