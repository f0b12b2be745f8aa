package codec

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// leafWidth is how many bytes a leaf takes at least; 0 is no leaf.
func leafWidth(kind string) int {
	switch kind {
	case "bool":
		return 1
	case "string":
		return 4
	case "time.Time":
		return 8
	}
	if strings.HasPrefix(kind, ownBytes) {
		return 4
	}
	return numbers[kind].size
}

const (
	maxSchema = 1 << 20 // bytes of a schema that is read
	maxSteps  = 256     // of a path
	maxWidth  = 1 << 50 // more than any data
)

// parseSchema reads what schemaOf has written, or anything else: it comes from a file.
func parseSchema(text string) (*form, error) {
	if len(text) > maxSchema {
		return nil, fmt.Errorf("a schema of %d bytes: it may have %d", len(text), maxSchema)
	}
	root := &form{}
	for line := range strings.SplitSeq(text, "\n") {
		path, kind, ok := strings.Cut(line, " ")
		if path != "" && !strings.ContainsRune("[*(", rune(path[0])) {
			path = "." + path
		}
		err := errors.New("it has no kind")
		if ok {
			err = root.add(path, kind)
		}
		if err != nil {
			return nil, fmt.Errorf("line %q of the schema: %w", line, err)
		}
	}
	return root, root.complete()
}

// add takes one line. Lines of one parent follow each other, so a step goes into the last
// child or makes another.
func (f *form) add(path, kind string) error {
	way := []*form{f}
	for path != "" {
		n := strings.IndexAny(path[1:], ".[*(") + 1
		if path[0] == '(' {
			n = strings.IndexByte(path, ')') + 1
		}
		if n == 0 {
			n = len(path)
		}
		var err error
		if f, err = f.step(path[:n]); err != nil {
			return err
		}
		if way = append(way, f); len(way) > maxSteps {
			return fmt.Errorf("its path has more than %d steps", maxSteps)
		}
		path = path[n:]
	}
	return f.end(kind, way)
}

func (f *form) step(step string) (*form, error) {
	switch {
	case step[0] == '.':
		return f.field(strings.Split(step[1:], "="))
	case step[0] == '(':
		return f.member(step)
	case step == "*":
		return f.child(reference, &f.elem)
	case step == "[]":
		return f.child(list, &f.elem)
	case step == "[key]" && f.elem == nil:
		return f.child(dictionary, &f.key)
	case step == "[value]" && f.key != nil:
		return f.child(dictionary, &f.elem)
	}
	number, ok := strings.CutSuffix(step[1:], "]")
	n, err := strconv.ParseUint(number, 10, 31)
	if !ok || err != nil || f.kind == sequence && f.len != int(n) {
		return nil, fmt.Errorf("%q is no step of its path here", step)
	}
	f.len = int(n)
	return f.child(sequence, &f.elem)
}

var errTwoForms = errors.New("its path, or the beginning of it, has two kinds")

func (f *form) child(kind formKind, to **form) (*form, error) {
	if f.kind != unknown && f.kind != kind {
		return nil, errTwoForms
	}
	f.kind = kind
	if *to == nil {
		*to = &form{}
	}
	return *to, nil
}

func (f *form) field(names []string) (*form, error) {
	if i := slices.IndexFunc(names, func(s string) bool { return !isName(s) }); i >= 0 {
		return nil, fmt.Errorf("%q is no name of a field", names[i])
	}
	n := len(f.fields)
	switch {
	case f.kind != unknown && (f.kind != record || n == 0):
		return nil, errTwoForms
	case n > 0 && f.fields[n-1].name == names[0]:
		return f.fields[n-1].form, nil
	}
	f.kind = record
	f.fields = append(f.fields, field{name: names[0], was: names[1:], form: &form{}})
	return f.fields[n].form, nil
}

// member is the step to a type that an interface may hold.
func (f *form) member(step string) (*form, error) {
	name, ok := strings.CutSuffix(step[1:], ")")
	n := len(f.fields)
	switch {
	case !ok || !isMember(name):
		return nil, fmt.Errorf("%q is no name of a type", step)
	case f.kind != unknown && f.kind != variant:
		return nil, errTwoForms
	case n > 0 && f.fields[n-1].name == name:
		return f.fields[n-1].form, nil
	case n == maxMembers:
		return nil, fmt.Errorf("an interface of more than %d types", maxMembers)
	}
	f.kind = variant
	f.fields = append(f.fields, field{name: name, form: &form{}})
	return f.fields[n].form, nil
}

// end says what stands at the end of a path; way is where it has led, the end included.
func (f *form) end(kind string, way []*form) error {
	if f.kind != unknown {
		return errTwoForms
	}
	level, isLoop := strings.CutPrefix(kind, "as level ")
	switch {
	case isLoop:
		n, err := strconv.ParseUint(level, 10, 16)
		if err != nil || int(n) >= len(way)-1 || !bounded(way, int(n)) {
			return errors.New("a type cannot be inside itself like this")
		}
		f.kind, f.level, f.elem = loop, int(n), way[n]
	case kind == "nothing":
		f.kind = record
	case leafWidth(kind) > 0:
		f.kind, f.leaf = leaf, kind
	default:
		return fmt.Errorf("%q is no kind", kind)
	}
	return nil
}

// bounded says that what stands at the end of the way may be what stands at a level of it:
// there is a length in between, so that it ends, and no key above.
func bounded(way []*form, level int) (ok bool) {
	for i, f := range way[:len(way)-1] {
		if f.kind == dictionary && f.elem == nil {
			return false
		}
		ok = ok || i >= level && (f.kind == list || f.kind == reference || f.kind == dictionary || f.kind == variant)
	}
	return ok
}

// complete checks what was read, and finds the widths.
func (f *form) complete() error {
	add := func(x *form, times int) error {
		if x == nil {
			return errors.New("a schema with a map that lacks its values")
		}
		err := x.complete()
		times = min(times, maxWidth/max(1, x.width))
		f.width = min(maxWidth, f.width+times*x.width)
		return err
	}
	switch f.kind {
	case leaf:
		f.width = leafWidth(f.leaf)
	case record, variant:
		seen := map[string]bool{}
		for _, x := range f.fields {
			if seen[x.name] {
				return fmt.Errorf("a schema with two fields %s side by side", x.name)
			}
			seen[x.name] = true
			if err := add(x.form, 1); err != nil {
				return err
			}
		}
		if f.kind == variant {
			f.width = 1
		}
	case sequence:
		return add(f.elem, f.len)
	case list:
		f.width = 4
		return f.elem.complete()
	case reference:
		f.width = 1
		return f.elem.complete()
	case dictionary:
		err := errors.Join(add(f.key, 1), add(f.elem, 1))
		f.width = 4
		return err
	}
	return nil
}
