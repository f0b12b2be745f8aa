package codec

import (
	"encoding/binary"
	"errors"
	"math"
	"reflect"
	"unsafe"
)

// skipped is what nothing takes any more.
type skipped struct{ form *form }

func (s skipped) least() int { return s.form.width }

func (s skipped) append(dst []byte, _ unsafe.Pointer, _ int, _ uintptr, _ limit) ([]byte, error) {
	return dst, errReadOnly
}

func (s skipped) decode(src []byte, _ unsafe.Pointer, n int, _ uintptr, lim limit) ([]byte, error) {
	return s.form.skip(src, n, lim.depth)
}

var errReadOnly = errors.New("a codec of Reads does not write by columns of an older form")

// skip passes over n encoded values.
func (f *form) skip(src []byte, n, depth int) (_ []byte, err error) {
	f = f.past()
	switch {
	case n == 0 || f.width == 0:
		return src, nil
	case n > len(src)/f.width:
		return nil, errShort
	}
	switch f.kind {
	case leaf:
		return f.skipLeaf(src, n)
	case record:
		for _, x := range f.fields {
			if src, err = x.form.skip(src, n, depth); err != nil {
				return nil, err
			}
		}
		return src, nil
	case sequence:
		times, each := n, f.len
		if f.len < longArray {
			times, each = f.len, n
		}
		for range times {
			if src, err = f.elem.skip(src, each, depth); err != nil {
				return nil, err
			}
		}
		return src, nil
	}
	if depth == 0 {
		return nil, errDeep
	}
	for range n {
		if src, err = f.skipInner(src, depth-1); err != nil {
			return nil, err
		}
	}
	return src, nil
}

// skipLeaf passes over n leaves, of which src has the least width.
func (f *form) skipLeaf(src []byte, n int) ([]byte, error) {
	switch {
	case f.leaf == "string":
		total, texts := uint64(0), src[n*4:]
		for i := range n {
			total += uint64(binary.LittleEndian.Uint32(src[i*4:]))
		}
		if total > uint64(len(texts)) {
			return nil, errShort
		}
		return texts[total:], nil
	case f.width == numbers[f.leaf].size || f.leaf == "bool" || f.leaf == "time.Time":
		return src[n*f.width:], nil
	}
	for range n {
		l, rest, err := count(src, 1, 1)
		if err != nil {
			return nil, err
		}
		src = rest[l:]
	}
	return src, nil
}

// skipInner passes over a list, a dict, a pointer or an interface.
func (f *form) skipInner(src []byte, depth int) (_ []byte, err error) {
	if f.kind == variant {
		number, src, err := chosen(src, len(f.fields))
		if err != nil || number == 0 {
			return src, err
		}
		return f.fields[number-1].form.skip(src, 1, depth)
	}
	if f.kind == reference {
		there, src, err := present(src)
		if err != nil || !there {
			return src, err
		}
		return f.elem.skip(src, 1, depth)
	}
	width := f.elem.past().width
	if f.kind == dictionary {
		width += f.key.width
	}
	n, _, src, err := length(src, width, 0)
	if err != nil {
		return nil, err
	}
	if f.kind == list {
		return f.elem.skip(src, n, depth)
	}
	for range n {
		if src, err = f.key.skip(src, 1, depth); err != nil {
			return nil, err
		}
		if src, err = f.elem.skip(src, 1, depth); err != nil {
			return nil, err
		}
	}
	return src, nil
}

// pointed is a T that is a *T now.
type pointed struct {
	at   uintptr
	typ  reflect.Type // T
	elem *plan
}

func (p pointed) least() int { return p.elem.width }

func (p pointed) append(dst []byte, _ unsafe.Pointer, _ int, _ uintptr, _ limit) ([]byte, error) {
	return dst, errReadOnly
}

// The values are read side by side, since each of their columns holds all of them, and then
// parted: one that stays in use must not keep the others in memory.
func (p pointed) decode(src []byte, base unsafe.Pointer, n int, stride uintptr, lim limit) ([]byte, error) {
	if err := room(n, p.elem.width, p.elem.size(), len(src)); err != nil {
		return nil, err
	}
	if err := lim.take(n, p.elem, p.elem); err != nil {
		return nil, err
	}
	all := reflect.MakeSlice(reflect.SliceOf(p.typ), n, n)
	src, err := p.elem.decode(src, all.UnsafePointer(), n, lim)
	if err != nil {
		return nil, err
	}
	for i := range n {
		to := reflect.New(p.typ)
		to.Elem().Set(all.Index(i))
		*(*unsafe.Pointer)(unsafe.Add(base, p.at+uintptr(i)*stride)) = to.UnsafePointer()
	}
	return src, nil
}

// loaded is a *T that is a T now. What was nil is left as it is, which is cleared.
type loaded struct {
	at   uintptr
	elem *plan
}

func (l loaded) least() int { return 1 }

func (l loaded) append(dst []byte, _ unsafe.Pointer, _ int, _ uintptr, _ limit) ([]byte, error) {
	return dst, errReadOnly
}

func (l loaded) decode(src []byte, base unsafe.Pointer, n int, stride uintptr, lim limit) ([]byte, error) {
	if lim.depth == 0 {
		return nil, errDeep
	}
	for i := range n {
		there, rest, err := present(src)
		if err == nil && there {
			rest, err = l.elem.decode(rest, unsafe.Add(base, l.at+uintptr(i)*stride), 1, lim.inner())
		}
		if err != nil {
			return nil, err
		}
		src = rest
	}
	return src, nil
}

// widened is a number that takes more bytes now.
type widened struct {
	at       uintptr
	from, to number
}

func (w widened) least() int { return w.from.size }

func (w widened) append(dst []byte, _ unsafe.Pointer, _ int, _ uintptr, _ limit) ([]byte, error) {
	return dst, errReadOnly
}

func (w widened) decode(src []byte, base unsafe.Pointer, n int, stride uintptr, _ limit) ([]byte, error) {
	if n > len(src)/w.from.size {
		return nil, errShort
	}
	for i := range n {
		var b [8]byte
		copy(b[:], src[i*w.from.size:][:w.from.size])
		x := w.value(binary.LittleEndian.Uint64(b[:]))
		switch p := unsafe.Add(base, w.at+uintptr(i)*stride); w.to.size {
		case 8:
			*(*uint64)(p) = x
		case 4:
			*(*uint32)(p) = uint32(x)
		default:
			*(*uint16)(p) = uint16(x)
		}
	}
	return src[n*w.from.size:], nil
}

// value gives the bits of the wider number.
func (w widened) value(x uint64) uint64 {
	if w.from.class == 'i' {
		unused := 64 - 8*w.from.size
		x = uint64(int64(x<<unused) >> unused)
	}
	switch {
	case w.from.class == 'f':
		return math.Float64bits(float64(math.Float32frombits(uint32(x))))
	case w.to == number{'f', 4}:
		return uint64(math.Float32bits(float32(int64(x))))
	case w.to.class == 'f':
		return math.Float64bits(float64(int64(x)))
	}
	return x
}

// number is how an integer or a float is stored.
type number struct {
	class byte // i, u or f
	size  int
}

var numbers = map[string]number{
	"int8": {'i', 1}, "int16": {'i', 2}, "int32": {'i', 4}, "int64": {'i', 8},
	"uint8": {'u', 1}, "uint16": {'u', 2}, "uint32": {'u', 4}, "uint64": {'u', 8},
	"float32": {'f', 4}, "float64": {'f', 8},
}

// widens says whether every value of n is one of to.
func (n number) widens(to number) bool {
	switch {
	case to.class == n.class:
		return n.size < to.size
	case n.class == 'u' && to.class == 'i':
		return n.size < to.size
	case n.class != 'f' && to.class == 'f': // 24 and 53 bits of mantissa
		return n.size < to.size
	}
	return false
}
