package codec

import (
	"bytes"
	"encoding"
	"encoding/binary"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"time"
	"unsafe"
)

// fixed is an integer or a float: its bytes, little-endian.
type fixed struct {
	at   uintptr
	size int
}

func (f fixed) least() int { return f.size }

func (f fixed) append(dst []byte, base unsafe.Pointer, n int, stride uintptr, _ limit) ([]byte, error) {
	start := len(dst)
	dst = grow(dst, n*f.size)
	d, p := dst[start:], unsafe.Add(base, f.at)
	le := binary.LittleEndian
	switch f.size {
	case 8:
		for off := uintptr(0); len(d) >= 8; off += stride {
			le.PutUint64(d, *(*uint64)(unsafe.Add(p, off)))
			d = d[8:]
		}
	case 4:
		for off := uintptr(0); len(d) >= 4; off += stride {
			le.PutUint32(d, *(*uint32)(unsafe.Add(p, off)))
			d = d[4:]
		}
	case 2:
		for i := range n {
			le.PutUint16(d[i*2:], *(*uint16)(unsafe.Add(p, uintptr(i)*stride)))
		}
	default:
		if stride == 1 {
			copy(d, unsafe.Slice((*byte)(p), n))
			break
		}
		for i := range n {
			d[i] = *(*byte)(unsafe.Add(p, uintptr(i)*stride))
		}
	}
	return dst, nil
}

func (f fixed) decode(src []byte, base unsafe.Pointer, n int, stride uintptr, _ limit) ([]byte, error) {
	if n > len(src)/f.size {
		return nil, errShort
	}
	p, le := unsafe.Add(base, f.at), binary.LittleEndian
	s, src := src[:n*f.size], src[n*f.size:]
	switch f.size {
	case 8:
		for off := uintptr(0); len(s) >= 8; off += stride {
			*(*uint64)(unsafe.Add(p, off)) = le.Uint64(s)
			s = s[8:]
		}
	case 4:
		for off := uintptr(0); len(s) >= 4; off += stride {
			*(*uint32)(unsafe.Add(p, off)) = le.Uint32(s)
			s = s[4:]
		}
	case 2:
		for i := range n {
			*(*uint16)(unsafe.Add(p, uintptr(i)*stride)) = le.Uint16(s[i*2:])
		}
	default:
		if stride == 1 {
			copy(unsafe.Slice((*byte)(p), n), s)
			break
		}
		for i := range n {
			*(*byte)(unsafe.Add(p, uintptr(i)*stride)) = s[i]
		}
	}
	return src, nil
}

// grow makes dst n bytes longer.
func grow(dst []byte, n int) []byte { return slices.Grow(dst, n)[:len(dst)+n] }

// boolean is a byte, 0 or 1.
type boolean struct{ at uintptr }

func (b boolean) least() int { return 1 }

func (b boolean) append(dst []byte, base unsafe.Pointer, n int, stride uintptr, lim limit) ([]byte, error) {
	return fixed{b.at, 1}.append(dst, base, n, stride, lim)
}

func (b boolean) decode(src []byte, base unsafe.Pointer, n int, stride uintptr, lim limit) ([]byte, error) {
	if n > len(src) {
		return nil, errShort
	}
	for _, x := range src[:n] {
		if x > 1 {
			return nil, fmt.Errorf("%d is no bool", x)
		}
	}
	return fixed{b.at, 1}.decode(src, base, n, stride, lim)
}

// text is a string: the lengths of all, u32, then their bytes, one behind the other. Decode
// keeps the bytes of a batch in one piece, a copy unless they are shared.
type text struct {
	at     uintptr
	shared bool
}

func (t text) least() int { return 4 }

func (t text) append(dst []byte, base unsafe.Pointer, n int, stride uintptr, _ limit) ([]byte, error) {
	p, at := unsafe.Add(base, t.at), len(dst)
	dst = grow(dst, n*4)
	for i := range n {
		s := *(*string)(unsafe.Add(p, uintptr(i)*stride))
		binary.LittleEndian.PutUint32(dst[at+i*4:], uint32(len(s)))
		dst = append(dst, s...)
	}
	return dst, nil
}

func (t text) decode(src []byte, base unsafe.Pointer, n int, stride uintptr, _ limit) ([]byte, error) {
	if n > len(src)/4 {
		return nil, errShort
	}
	p, lengths, src := unsafe.Add(base, t.at), src[:n*4], src[n*4:]
	all := unsafe.String(unsafe.SliceData(src), len(src))
	if !t.shared {
		all = strings.Clone(all[:min(sum(lengths), len(all))])
	}
	at := 0
	for off := uintptr(0); len(lengths) >= 4; off += stride {
		end := at + int(binary.LittleEndian.Uint32(lengths))
		if end > len(all) {
			return nil, errShort
		}
		*(*string)(unsafe.Add(p, off)) = all[at:end]
		at, lengths = end, lengths[4:]
	}
	return src[at:], nil
}

// sum adds up numbers of four bytes each.
func sum(numbers []byte) (total int) {
	for ; len(numbers) >= 4; numbers = numbers[4:] {
		total += int(binary.LittleEndian.Uint32(numbers))
	}
	return total
}

// instant is a time.Time: Unix nanoseconds, the least int64 for the zero time.
type instant struct{ at uintptr }

func (t instant) least() int { return 8 }

// zeroTime stands for the zero time; no other time has this number of nanoseconds.
const zeroTime = math.MinInt64

func (t instant) append(dst []byte, base unsafe.Pointer, n int, stride uintptr, _ limit) ([]byte, error) {
	for i := range n {
		x := *(*time.Time)(unsafe.Add(base, t.at+uintptr(i)*stride))
		ns := int64(zeroTime)
		if !x.IsZero() {
			if ns = x.UnixNano(); !time.Unix(0, ns).Equal(x) || ns == zeroTime {
				return nil, fmt.Errorf("the time %v cannot be stored: it is outside of the years 1678 to 2262", x)
			}
		}
		dst = binary.LittleEndian.AppendUint64(dst, uint64(ns))
	}
	return dst, nil
}

func (t instant) decode(src []byte, base unsafe.Pointer, n int, stride uintptr, _ limit) ([]byte, error) {
	if n > len(src)/8 {
		return nil, errShort
	}
	for i := range n {
		x := time.Time{}
		if ns := int64(binary.LittleEndian.Uint64(src[i*8:])); ns != zeroTime {
			x = time.Unix(0, ns).UTC()
		}
		*(*time.Time)(unsafe.Add(base, t.at+uintptr(i)*stride)) = x
	}
	return src[n*8:], nil
}

// cleared is a field that is left out: it is zero after reading.
type cleared struct {
	at  uintptr
	typ reflect.Type
}

func (c cleared) least() int { return 0 }

func (c cleared) append(dst []byte, _ unsafe.Pointer, _ int, _ uintptr, _ limit) ([]byte, error) {
	return dst, nil
}

func (c cleared) decode(src []byte, base unsafe.Pointer, n int, stride uintptr, _ limit) ([]byte, error) {
	for i := range n {
		reflect.NewAt(c.typ, unsafe.Add(base, c.at+uintptr(i)*stride)).Elem().SetZero()
	}
	return src, nil
}

// array is a long array: each value's elements as columns.
type array struct {
	at   uintptr
	len  int
	elem *plan
}

func (a array) least() int { return a.len * a.elem.width }

func (a array) append(dst []byte, base unsafe.Pointer, n int, stride uintptr, lim limit) (_ []byte, err error) {
	for i := range n {
		if dst, err = a.elem.columnsOf(dst, unsafe.Add(base, a.at+uintptr(i)*stride), a.len, lim); err != nil {
			return nil, err
		}
	}
	return dst, nil
}

func (a array) decode(src []byte, base unsafe.Pointer, n int, stride uintptr, lim limit) (_ []byte, err error) {
	for i := range n {
		if src, err = a.elem.decode(src, unsafe.Add(base, a.at+uintptr(i)*stride), a.len, lim); err != nil {
			return nil, err
		}
	}
	return src, nil
}

// slice is, for each value, the length plus one (0 is nil), u32, and the elements.
type slice struct {
	at   uintptr
	typ  reflect.Type
	elem *plan
}

// header is how a slice lies in memory.
type header struct {
	data     unsafe.Pointer
	len, cap int
}

func (s slice) least() int { return 4 }

func (s slice) append(dst []byte, base unsafe.Pointer, n int, stride uintptr, lim limit) (_ []byte, err error) {
	if lim.depth == 0 {
		return nil, errDeep
	}
	for i := range n {
		h := (*header)(unsafe.Add(base, s.at+uintptr(i)*stride))
		if h.data == nil {
			dst = binary.LittleEndian.AppendUint32(dst, 0)
			continue
		}
		if err := lim.take(h.len, s.elem); err != nil {
			return nil, err
		}
		dst = binary.LittleEndian.AppendUint32(dst, uint32(h.len)+1)
		if dst, err = s.elem.list(dst, h.data, h.len, lim.inner()); err != nil {
			return nil, err
		}
	}
	return dst, nil
}

func (s slice) decode(src []byte, base unsafe.Pointer, n int, stride uintptr, lim limit) (_ []byte, err error) {
	if lim.depth == 0 {
		return nil, errDeep
	}
	for i := range n {
		l, isNil := 0, false
		if l, isNil, src, err = length(src, s.elem.width, s.elem.size()); err != nil {
			return nil, err
		}
		v := reflect.NewAt(s.typ, unsafe.Add(base, s.at+uintptr(i)*stride)).Elem()
		if isNil {
			v.SetZero()
			continue
		}
		if err := lim.take(l, s.elem); err != nil {
			return nil, err
		}
		made := reflect.MakeSlice(s.typ, l, l)
		if src, err = s.elem.decode(src, made.UnsafePointer(), l, lim.inner()); err != nil {
			return nil, err
		}
		v.Set(made)
	}
	return src, nil
}

// length is count of a length plus one, where 0 is nil.
func length(src []byte, width, size int) (n int, isNil bool, rest []byte, err error) {
	if len(src) < 4 {
		return 0, false, nil, errShort
	}
	if binary.LittleEndian.Uint32(src) == 0 {
		return 0, true, src[4:], nil
	}
	n, rest = int(binary.LittleEndian.Uint32(src))-1, src[4:]
	return n, false, rest, room(n, width, size, len(rest))
}

// pointer is, for each value, a byte, 1 when it is not nil, and then what it points to.
type pointer struct {
	at   uintptr
	typ  reflect.Type // of what it points to
	elem *plan
}

func (p pointer) least() int { return 1 }

func (p pointer) append(dst []byte, base unsafe.Pointer, n int, stride uintptr, lim limit) (_ []byte, err error) {
	if lim.depth == 0 {
		return nil, errDeep
	}
	for i := range n {
		to := *(*unsafe.Pointer)(unsafe.Add(base, p.at+uintptr(i)*stride))
		if to == nil {
			dst = append(dst, 0)
			continue
		}
		if err := lim.take(1, p.elem); err != nil {
			return nil, err
		}
		if dst, err = p.elem.columnsOf(append(dst, 1), to, 1, lim.inner()); err != nil {
			return nil, err
		}
	}
	return dst, nil
}

func (p pointer) decode(src []byte, base unsafe.Pointer, n int, stride uintptr, lim limit) (_ []byte, err error) {
	if lim.depth == 0 {
		return nil, errDeep
	}
	for i := range n {
		to, there := unsafe.Pointer(nil), false
		if there, src, err = present(src); err != nil {
			return nil, err
		}
		if there {
			if err := lim.take(1, p.elem); err != nil {
				return nil, err
			}
			to = reflect.New(p.typ).UnsafePointer()
			if src, err = p.elem.decode(src, to, 1, lim.inner()); err != nil {
				return nil, err
			}
		}
		*(*unsafe.Pointer)(unsafe.Add(base, p.at+uintptr(i)*stride)) = to
	}
	return src, nil
}

// present reads whether a pointer leads to something.
func present(src []byte) (there bool, rest []byte, err error) {
	switch {
	case len(src) == 0:
		return false, nil, errShort
	case src[0] > 1:
		return false, nil, fmt.Errorf("%d does not tell whether a pointer is nil", src[0])
	}
	return src[0] == 1, src[1:], nil
}

// dict is, for each value, the length plus one (0 is nil), u32, and the entries: key, then
// value, in the order of their keys' bytes.
type dict struct {
	at        uintptr
	typ       reflect.Type
	key, elem *plan
}

func (d dict) least() int { return 4 }

func (d dict) append(dst []byte, base unsafe.Pointer, n int, stride uintptr, lim limit) (_ []byte, err error) {
	if lim.depth == 0 {
		return nil, errDeep
	}
	for i := range n {
		m := reflect.NewAt(d.typ, unsafe.Add(base, d.at+uintptr(i)*stride)).Elem()
		if m.IsNil() {
			dst = binary.LittleEndian.AppendUint32(dst, 0)
			continue
		}
		if dst, err = d.entries(binary.LittleEndian.AppendUint32(dst, uint32(m.Len())+1), m, lim.inner()); err != nil {
			return nil, err
		}
	}
	return dst, nil
}

func (d dict) entries(dst []byte, m reflect.Value, lim limit) ([]byte, error) {
	if err := lim.take(m.Len(), d.key, d.elem); err != nil {
		return nil, err
	}
	type entry struct{ key, value []byte }
	entries := make([]entry, 0, m.Len())
	k, v := reflect.New(d.typ.Key()), reflect.New(d.typ.Elem())
	for it := m.MapRange(); it.Next(); {
		k.Elem().SetIterKey(it)
		v.Elem().SetIterValue(it)
		key, err := d.key.columnsOf(nil, k.UnsafePointer(), 1, lim)
		if err != nil {
			return nil, err
		}
		value, err := d.elem.columnsOf(nil, v.UnsafePointer(), 1, lim)
		if err != nil {
			return nil, err
		}
		entries = append(entries, entry{key, value})
	}
	slices.SortFunc(entries, func(a, b entry) int { return bytes.Compare(a.key, b.key) })
	start := len(dst)
	for i, e := range entries {
		if i > 0 && bytes.Equal(e.key, entries[i-1].key) {
			return nil, fmt.Errorf("a %s cannot be stored: two of its keys have the same bytes, as their MarshalBinary has it", d.typ)
		}
		dst = append(append(dst, e.key...), e.value...)
	}
	if err := room(len(entries), d.key.width+d.elem.width, d.key.size()+d.elem.size(), len(dst)-start); err != nil {
		return nil, fmt.Errorf("a %s of %d entries cannot be stored: %w", d.typ, len(entries), err)
	}
	return dst, nil
}

func (d dict) decode(src []byte, base unsafe.Pointer, n int, stride uintptr, lim limit) (_ []byte, err error) {
	if lim.depth == 0 {
		return nil, errDeep
	}
	for i := range n {
		l, isNil := 0, false
		if l, isNil, src, err = length(src, d.key.width+d.elem.width, d.key.size()+d.elem.size()); err != nil {
			return nil, err
		}
		at := reflect.NewAt(d.typ, unsafe.Add(base, d.at+uintptr(i)*stride)).Elem()
		if isNil {
			at.SetZero()
			continue
		}
		if err := lim.take(l, d.key, d.elem); err != nil {
			return nil, err
		}
		m, last := reflect.MakeMapWithSize(d.typ, l), []byte(nil)
		for i := range l {
			k, v, entry := reflect.New(d.typ.Key()), reflect.New(d.typ.Elem()), src
			if src, err = d.key.decode(src, k.UnsafePointer(), 1, lim.inner()); err != nil {
				return nil, err
			}
			key := entry[:len(entry)-len(src)]
			if i > 0 && bytes.Compare(last, key) >= 0 {
				return nil, errOrder
			}
			last = key
			if src, err = d.elem.decode(src, v.UnsafePointer(), 1, lim.inner()); err != nil {
				return nil, err
			}
			m.SetMapIndex(k.Elem(), v.Elem())
		}
		at.Set(m)
	}
	return src, nil
}

// selfCodes says whether a column is of a type that knows its bytes: how many shows when they are
// there.
func selfCodes(c column) bool {
	_, does := c.(selfCoded)
	return does
}

// selfCoded is a type with MarshalBinary and UnmarshalBinary: for each value the length,
// u32, and its bytes.
type selfCoded struct {
	at  uintptr
	typ reflect.Type
}

func (s selfCoded) least() int { return 4 }

func (s selfCoded) append(dst []byte, base unsafe.Pointer, n int, stride uintptr, _ limit) ([]byte, error) {
	for i := range n {
		v := reflect.NewAt(s.typ, unsafe.Add(base, s.at+uintptr(i)*stride)).Interface()
		b, err := v.(encoding.BinaryMarshaler).MarshalBinary()
		if err != nil {
			return nil, fmt.Errorf("marshal %s: %w", s.typ, err)
		}
		dst = append(binary.LittleEndian.AppendUint32(dst, uint32(len(b))), b...)
	}
	return dst, nil
}

func (s selfCoded) decode(src []byte, base unsafe.Pointer, n int, stride uintptr, _ limit) ([]byte, error) {
	for i := range n {
		l, rest, err := count(src, 1, 1)
		if err != nil {
			return nil, err
		}
		v := reflect.NewAt(s.typ, unsafe.Add(base, s.at+uintptr(i)*stride))
		v.Elem().SetZero()
		if err := v.Interface().(encoding.BinaryUnmarshaler).UnmarshalBinary(bytes.Clone(rest[:l])); err != nil {
			return nil, fmt.Errorf("unmarshal %s: %w", s.typ, err)
		}
		src = rest[l:]
	}
	return src, nil
}
