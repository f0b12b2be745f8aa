package snapshot

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"blink/graph"

	"github.com/zeebo/xxh3"
)

// A task object is
//
//	"BLNKPART" | version u32 | parts u32 | part…
//	part:  operator | onto u64 | groups u32 | (number u32, data)… | items u32 | (name, data)… | states u32 | (name, kind, schema)…
//
// little-endian; strings and data are a u32 length and their bytes. Its checksum stands in
// its Handle. Version 1 had no onto: every part was whole.
const (
	partMagic   = "BLNKPART"
	partVersion = 2
)

var errShort = errors.New("it ends too early")

// Seal puts the checksum of data behind it, for an object that no Handle names.
func Seal(data []byte) []byte { return binary.LittleEndian.AppendUint64(data, xxh3.Hash(data)) }

// Unseal gives back what Seal was given; anything else is an error.
func Unseal(sealed []byte) (data []byte, err error) {
	n := len(sealed) - 8
	if n < 0 {
		return nil, errShort
	}
	if binary.LittleEndian.Uint64(sealed[n:]) != xxh3.Hash(sealed[:n]) {
		return nil, errors.New("wrong checksum")
	}
	return sealed[:n], nil
}

// EncodeParts encodes the parts of one task. Equal parts give equal bytes.
func EncodeParts(parts []Part) ([]byte, error) {
	e := encoder{b: make([]byte, 0, sizeOf(parts))}
	e.raw(partMagic)
	e.u32(partVersion)
	e.u32(len(parts))
	for _, p := range parts {
		e.text(p.Operator)
		e.u64(p.Onto)
		if err := p.ascending(); err != nil {
			return nil, err
		}
		e.u32(len(p.Groups))
		for _, g := range p.Groups {
			e.u32(g.Number)
			e.bytes(g.Data)
		}
		e.u32(len(p.Items))
		for _, it := range p.Items {
			e.text(it.Name)
			e.bytes(it.Data)
		}
		e.states(p.States)
		if e.err != nil {
			return nil, fmt.Errorf("operator %q: a snapshot with a part that is too large: %w", p.Operator, e.err)
		}
	}
	return e.b, nil
}

// sizeOf is how many bytes the parts take.
func sizeOf(parts []Part) int {
	size := 16
	for _, p := range parts {
		size += p.Size() + 24 + len(p.Operator) + 8*len(p.Groups)
		for _, it := range p.Items {
			size += 8 + len(it.Name)
		}
		for _, s := range p.States {
			size += 12 + len(s.Name) + len(s.Kind) + len(s.Schema)
		}
	}
	return size
}

// ascending refuses key groups that are out of order.
func (p *Part) ascending() error {
	for i, g := range p.Groups {
		if i > 0 && g.Number <= p.Groups[i-1].Number {
			return fmt.Errorf("operator %q: key group %d after %d", p.Operator, g.Number, p.Groups[i-1].Number)
		}
	}
	return nil
}

// DecodeParts reads what EncodeParts wrote; the parts share data's memory. It refuses
// anything else and never takes more memory than a small multiple of len(data).
func DecodeParts(data []byte) ([]Part, error) {
	d := decoder{b: data}
	if string(d.raw(len(partMagic))) != partMagic {
		return nil, errors.New("not a task snapshot")
	}
	v := d.u32()
	if (v < 1 || v > partVersion) && d.err == nil {
		return nil, fmt.Errorf("task snapshot of format %d: this program reads formats 1 to %d", v, partVersion)
	}
	n := d.count(16)
	parts := make([]Part, 0, n)
	for range n {
		p := Part{Operator: d.text()}
		if v > 1 {
			p.Onto = d.u64()
		}
		for range d.count(8) {
			p.Groups = append(p.Groups, Group{Number: d.u32(), Data: d.bytes()})
		}
		for range d.count(8) {
			p.Items = append(p.Items, Item{Name: d.text(), Data: d.bytes()})
		}
		p.States = d.states()
		if d.err == nil {
			d.err = p.ascending()
		}
		parts = append(parts, p)
	}
	if d.err == nil && len(d.b) > 0 {
		d.err = fmt.Errorf("%d bytes too many", len(d.b))
	}
	if d.err != nil {
		return nil, fmt.Errorf("task snapshot: %w", d.err)
	}
	return parts, nil
}

// HandleOf is the handle of an object with this key and content.
func HandleOf(key string, data []byte) Handle {
	return Handle{Key: key, Size: int64(len(data)), Checksum: xxh3.Hash(data)}
}

// Check says whether data is what the handle points to.
func (h Handle) Check(data []byte) error {
	if int64(len(data)) != h.Size {
		return fmt.Errorf("%s has %d bytes, not %d", h.Key, len(data), h.Size)
	}
	if sum := xxh3.Hash(data); sum != h.Checksum {
		return fmt.Errorf("%s has checksum %016x, not %016x", h.Key, sum, h.Checksum)
	}
	return nil
}

// CutPart takes from the object data the part of one operator, cut to the key groups and
// the items named. An operator without a part gives an empty one.
func CutPart(data []byte, operator string, groups graph.Range, items []string) (Part, error) {
	parts, err := DecodeParts(data)
	if err != nil {
		return Part{}, err
	}
	cut, wanted := Part{Operator: operator}, setOf(items)
	for _, p := range parts {
		if p.Operator != operator {
			continue
		}
		cut.Onto, cut.States = p.Onto, p.States
		for _, g := range p.Groups {
			if groups.Contains(g.Number) {
				cut.Groups = append(cut.Groups, g)
			}
		}
		for _, it := range p.Items {
			if wanted[it.Name] {
				cut.Items = append(cut.Items, it)
			}
		}
	}
	return cut, nil
}

func setOf(names []string) map[string]bool {
	set := make(map[string]bool, len(names))
	for _, n := range names {
		set[n] = true
	}
	return set
}

// encoder appends little-endian fields.
type encoder struct {
	b   []byte
	err error // the first one
}

func (e *encoder) raw(s string)  { e.b = append(e.b, s...) }
func (e *encoder) u64(n uint64)  { e.b = binary.LittleEndian.AppendUint64(e.b, n) }
func (e *encoder) text(s string) { e.u32(len(s)); e.raw(s) }

func (e *encoder) u32(n int) {
	if uint64(n) > math.MaxUint32 && e.err == nil {
		e.err = fmt.Errorf("%d does not fit into 32 bits", n)
	}
	e.b = binary.LittleEndian.AppendUint32(e.b, uint32(n))
}

func (e *encoder) bytes(b []byte) {
	e.u32(len(b))
	e.b = append(e.b, b...)
}

func (e *encoder) states(ss []StateSchema) {
	e.u32(len(ss))
	for _, s := range ss {
		e.text(s.Name)
		e.text(s.Kind)
		e.text(s.Schema)
	}
}

// decoder reads them back; after the first error everything is zero.
type decoder struct {
	b   []byte
	err error
}

func (d *decoder) raw(n int) []byte {
	if d.err != nil || n < 0 || n > len(d.b) {
		if d.err == nil {
			d.err = errShort
		}
		return nil
	}
	x := d.b[:n:n]
	d.b = d.b[n:]
	return x
}

func (d *decoder) u32() int {
	if b := d.raw(4); b != nil {
		return int(binary.LittleEndian.Uint32(b))
	}
	return 0
}

func (d *decoder) u64() uint64 {
	if b := d.raw(8); b != nil {
		return binary.LittleEndian.Uint64(b)
	}
	return 0
}

func (d *decoder) bytes() []byte { return d.raw(d.u32()) }
func (d *decoder) text() string  { return string(d.bytes()) }

// count reads the number of things that follow, each of at least size bytes.
func (d *decoder) count(size int) int {
	n := d.u32()
	if n > len(d.b)/size {
		if d.err == nil {
			d.err = errShort
		}
		return 0
	}
	return n
}

func (d *decoder) states() []StateSchema {
	var ss []StateSchema
	for range d.count(12) {
		ss = append(ss, StateSchema{d.text(), d.text(), d.text()})
	}
	return ss
}
