package codec

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"unsafe"
)

// member is a type that an interface may hold in what is stored, under its name.
type member struct {
	name string
	typ  reflect.Type
}

// union is what OneOf has said of an interface: its members in the order of their names, or
// what is wrong with them.
type union struct {
	members []member
	wrong   string
}

var (
	unionsMu sync.Mutex
	unions   = map[reflect.Type]*union{} // guarded by unionsMu, by interface
)

// maxMembers of an interface: a byte says which one it is.
const maxMembers = 255

// OneOf says which types values of the interface I may have, so that they can be stored. What
// is wrong with them, or with calling it twice with others, Storable reports of every type
// that leads to I.
func OneOf[I any](values ...I) {
	t, u := reflect.TypeFor[I](), &union{}
	for _, v := range values {
		u.add(reflect.TypeOf(v))
	}
	slices.SortFunc(u.members, func(a, b member) int { return cmp.Compare(a.name, b.name) })
	switch {
	case t.Kind() != reflect.Interface:
		return // whatever it is, it is stored as it is
	case len(u.members) == 0:
		u.refuse("no type is named")
	case len(u.members) > maxMembers:
		u.refuse("%d types are named: at most %d", len(u.members), maxMembers)
	}
	unionsMu.Lock()
	defer unionsMu.Unlock()
	was := unions[t]
	if was != nil && !slices.Equal(was.members, u.members) {
		u.refuse("it is called with %v and with %v: name all types at one place", was.members, u.members)
	}
	if was == nil || u.wrong != "" {
		unions[t] = u
	}
}

func (u *union) refuse(format string, args ...any) {
	if u.wrong == "" {
		u.wrong = fmt.Sprintf(format, args...)
	}
}

func (u *union) add(t reflect.Type) {
	if t == nil {
		u.refuse("a nil value has no type")
		return
	}
	m := member{t.String(), t}
	named := t
	if t.Kind() == reflect.Pointer {
		named = t.Elem()
	}
	switch i := slices.IndexFunc(u.members, func(x member) bool { return x.name == m.name }); {
	case named.Name() == "" || !isMember(m.name):
		u.refuse("%s has no name of its own", t)
	case i >= 0:
		u.refuse("%s is named twice, or two types are called so", t)
	default:
		u.members = append(u.members, m)
	}
}

// isMember says whether a name can stand in a schema.
func isMember(name string) bool { return name != "" && !strings.ContainsAny(name, "() \n") }

// String is the member's name.
func (m member) String() string { return m.name }

// unionOf is what OneOf has said of the interface t; nil: nothing.
func unionOf(t reflect.Type) *union {
	unionsMu.Lock()
	defer unionsMu.Unlock()
	return unions[t]
}

// choice is an interface: for each value a byte, 0 for nil, else which member follows, in the
// order of their names, from 1 on.
type choice struct {
	at      uintptr
	typ     reflect.Type
	members []choiceMember // as they are numbered in the data
}

type choiceMember struct {
	typ  reflect.Type
	elem *plan
}

func (c choice) least() int { return 1 }

func (c choice) append(dst []byte, base unsafe.Pointer, n int, stride uintptr, lim limit) (_ []byte, err error) {
	if lim.depth == 0 {
		return nil, errDeep
	}
	for i := range n {
		v := reflect.NewAt(c.typ, unsafe.Add(base, c.at+uintptr(i)*stride)).Elem().Elem()
		if !v.IsValid() {
			dst = append(dst, 0)
			continue
		}
		m := slices.IndexFunc(c.members, func(m choiceMember) bool { return m.typ == v.Type() })
		if m < 0 {
			return nil, fmt.Errorf("a %s in a %s cannot be stored: name it in blink.OneOf[%s]", v.Type(), c.typ, c.typ)
		}
		if err := lim.take(1, c.members[m].elem); err != nil {
			return nil, err
		}
		held := reflect.New(v.Type())
		held.Elem().Set(v)
		if dst, err = c.members[m].elem.columnsOf(append(dst, byte(m+1)), held.UnsafePointer(), 1, lim.inner()); err != nil {
			return nil, err
		}
	}
	return dst, nil
}

func (c choice) decode(src []byte, base unsafe.Pointer, n int, stride uintptr, lim limit) (_ []byte, err error) {
	if lim.depth == 0 {
		return nil, errDeep
	}
	for i := range n {
		at := reflect.NewAt(c.typ, unsafe.Add(base, c.at+uintptr(i)*stride)).Elem()
		number, rest, err := chosen(src, len(c.members))
		if err != nil {
			return nil, err
		}
		if src = rest; number == 0 {
			at.SetZero()
			continue
		}
		m := c.members[number-1]
		if err := lim.take(1, m.elem); err != nil {
			return nil, err
		}
		held := reflect.New(m.typ)
		if src, err = m.elem.decode(src, held.UnsafePointer(), 1, lim.inner()); err != nil {
			return nil, err
		}
		at.Set(held.Elem())
	}
	return src, nil
}

// chosen reads which member follows, 0 for none.
func chosen(src []byte, members int) (number int, rest []byte, err error) {
	switch {
	case len(src) == 0:
		return 0, nil, errShort
	case int(src[0]) > members:
		return 0, nil, fmt.Errorf("%d says which of %d types an interface holds", src[0], members)
	}
	return int(src[0]), src[1:], nil
}
