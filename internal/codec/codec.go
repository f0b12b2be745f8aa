package codec

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"reflect"
	"sync"
	"unsafe"

	"github.com/zeebo/xxh3"
)

// Codec reads and writes batches of T. It is immutable and safe for concurrent use.
type Codec[T any] struct {
	p    *plan
	from *plan // that decodes; p unless the codec is one of Reads
}

// plan is a compiled type.
type plan struct {
	typ     reflect.Type
	columns []column
	lends   bool     // values may lead to strings; of plans that write
	lenders []lender // the columns that do
	width   int      // least bytes of an encoded value
	refers  bool     // values lead to memory that is not their own
	schema  string
	grown   bool // it decodes what was stored of another type

	shared func() *plan // decodes the same into strings that share the data's memory
}

// column is one part of a type, for a batch of n values that stand stride bytes apart from
// base on.
type column interface {
	append(dst []byte, base unsafe.Pointer, n int, stride uintptr, lim limit) ([]byte, error)
	// decode writes every value whole, so that recycled memory may be decoded into.
	decode(src []byte, base unsafe.Pointer, n int, stride uintptr, lim limit) ([]byte, error)
	// least is how many bytes a value takes at least.
	least() int
}

var plans sync.Map // reflect.Type → *plan

// For returns the codec of T, compiled at the first call, or the error of Storable.
func For[T any]() (*Codec[T], error) {
	t := reflect.TypeFor[T]()
	if p, ok := plans.Load(t); ok {
		return &Codec[T]{p.(*plan), p.(*plan)}, nil
	}
	if err := Storable[T](); err != nil {
		return nil, err
	}
	c := compiler{}
	p := c.plan(t)
	c.findLenders()
	p.schema = schemaOf(t)
	p.shared = sync.OnceValue(func() *plan { return (&compiler{shared: true}).plan(t) })
	plans.Store(t, p)
	return &Codec[T]{p, p}, nil
}

// Schema is the stored form of T in words: a line "path kind" for each field, in the order of
// the columns. It is all that Reads needs to decode what is stored.
func (c *Codec[T]) Schema() string { return c.p.schema }

// SchemaHash is equal for equal schemas.
func (c *Codec[T]) SchemaHash() uint64 { return xxh3.HashString(c.p.schema) }

// Shared is c, but its Decode copies no strings: they are parts of data. So data must not
// change from then on, not even when the values are gone, since strings may have been kept;
// and one that is kept keeps all of data in memory. Whoever keeps a few of many strings for
// long clones them. A codec of Reads copies all the same.
func (c *Codec[T]) Shared() *Codec[T] {
	if c.from.grown {
		return c
	}
	return &Codec[T]{c.p, c.p.shared()}
}

// Append appends the encoded batch. An error names the value that cannot be stored: a time
// outside of 1678–2262, pointers nested more than 64 deep, or more values than Decode takes
// of a type of which little is stored, or that lead to much of which little is.
func (c *Codec[T]) Append(dst []byte, vs []T) ([]byte, error) {
	return c.p.append(dst, unsafe.Pointer(unsafe.SliceData(vs)), len(vs))
}

// Decode reads a batch that fills data, into the memory of into if it suffices. It copies
// what it keeps of data. It refuses, without panic, whatever Append did not write, but takes what
// the UnmarshalBinary of a type takes. Each length in the data is compared with what follows it
// before memory is taken, and all that the values lead to is counted; for types of which little is
// stored it may still ask for some MiB.
func (c *Codec[T]) Decode(into []T, data []byte) ([]T, error) {
	vs, rest, err := c.DecodeSome(into, data)
	if err == nil && len(rest) > 0 {
		err = fmt.Errorf("decode %s: %d bytes too many", c.p.typ, len(rest))
	}
	return vs, err
}

// DecodeSome reads a batch from the beginning of data and returns what follows it.
func (c *Codec[T]) DecodeSome(into []T, data []byte) (vs []T, rest []byte, err error) {
	n, data, err := count(data, c.from.width, c.from.size())
	if err != nil {
		return into[:0], nil, fmt.Errorf("decode %s: %w", c.p.typ, err)
	}
	if cap(into) < n {
		into = make([]T, n)
	}
	into = into[:n]
	rest, err = c.from.read(data, unsafe.Pointer(unsafe.SliceData(into)), n)
	if err != nil {
		return into[:0], nil, fmt.Errorf("decode %s: %w", c.p.typ, err)
	}
	return into, rest, nil
}

// AppendOne appends one value, without a count.
func (c *Codec[T]) AppendOne(dst []byte, v *T) ([]byte, error) {
	return c.p.write(dst, unsafe.Pointer(v), 1)
}

// DecodeOne reads what AppendOne wrote from the beginning of data.
func (c *Codec[T]) DecodeOne(v *T, data []byte) (rest []byte, err error) {
	if rest, err = c.from.read(data, unsafe.Pointer(v), 1); err != nil {
		return nil, fmt.Errorf("decode %s: %w", c.p.typ, err)
	}
	return rest, nil
}

// append appends n values behind their count.
func (p *plan) append(dst []byte, base unsafe.Pointer, n int) ([]byte, error) {
	dst = binary.LittleEndian.AppendUint32(dst, uint32(n))
	start := len(dst)
	dst, err := p.write(dst, base, n)
	if err != nil {
		return nil, err
	}
	return dst, p.fits(n, len(dst)-start)
}

// list appends n values behind a length.
func (p *plan) list(dst []byte, base unsafe.Pointer, n int, lim limit) ([]byte, error) {
	start := len(dst)
	dst, err := p.columnsOf(dst, base, n, lim)
	if err != nil {
		return nil, err
	}
	return dst, p.fits(n, len(dst)-start)
}

// fits says whether decoding will take n values that are stored in so many bytes.
func (p *plan) fits(n, stored int) error {
	if err := room(n, p.width, p.size(), stored); err != nil {
		return fmt.Errorf("%d values of %s cannot be stored at once: %w", n, p.typ, err)
	}
	return nil
}

// write appends n values, if read will take what they lead to.
func (p *plan) write(dst []byte, base unsafe.Pointer, n int) ([]byte, error) {
	start, lim := len(dst), p.limit(math.MaxInt)
	dst, err := p.columnsOf(dst, base, n, lim)
	if err != nil {
		return nil, err
	}
	if lim.taken != nil && *lim.taken > mostOf(len(dst)-start) {
		return nil, fmt.Errorf("%d values of %s cannot be stored at once, with what they lead to: %w", n, p.typ, errLoose)
	}
	return dst, nil
}

func (p *plan) read(src []byte, base unsafe.Pointer, n int) ([]byte, error) {
	return p.decode(src, base, n, p.limit(mostOf(len(src))))
}

// size is how many bytes a value takes in memory, without what it points to; a part of them
// if it may have grown since it was stored.
func (p *plan) size() int {
	n := int(p.typ.Size())
	if p.grown && p.width > 0 {
		return (n + maxGrowth - 1) / maxGrowth
	}
	return n
}

func (p *plan) columnsOf(dst []byte, base unsafe.Pointer, n int, lim limit) ([]byte, error) {
	if n == 0 {
		return dst, nil
	}
	var err error
	for _, c := range p.columns {
		if dst, err = c.append(dst, base, n, p.typ.Size(), lim); err != nil {
			return nil, err
		}
	}
	return dst, nil
}

func (p *plan) decode(src []byte, base unsafe.Pointer, n int, lim limit) ([]byte, error) {
	if n == 0 {
		return src, nil
	}
	var err error
	for _, c := range p.columns {
		if src, err = c.decode(src, base, n, p.typ.Size(), lim); err != nil {
			return nil, err
		}
	}
	return src, nil
}

var (
	errShort = errors.New("the data ends too early")
	errLoose = errors.New("too little of a value is stored for so many")
	errOrder = errors.New("the keys of a map are not in order")
	errDeep  = fmt.Errorf("pointers are nested more than %d deep: is there a cycle?", maxDepth)
)

const (
	maxDepth = 64
	// maxEmpty bounds the values of a type that takes no bytes.
	maxEmpty = 1 << 16
	// Values may take maxSpread bytes of memory for each that is stored, or maxLoose in all.
	maxSpread = 64
	maxLoose  = 32 << 20
	// maxGrowth is how often as much they may take if their type was another then.
	maxGrowth = 16
)

// limit is how far values may lead. What they lead to is counted when it is written as when it is
// read, so that Append writes only what Decode takes.
type limit struct {
	depth int  // of what is nested
	taken *int // bytes of memory; nil: they lead to nothing
	most  int  // of taken
}

// limit is for one call.
func (p *plan) limit(most int) limit {
	l := limit{depth: maxDepth, most: most}
	if p.refers {
		l.taken = new(int)
	}
	return l
}

// mostOf is how much memory values may lead to of which so many bytes are stored.
func mostOf(stored int) int { return maxLoose + maxSpread*stored }

func (l limit) inner() limit {
	l.depth--
	return l
}

// take counts n values of each of some types.
func (l limit) take(n int, of ...*plan) error {
	for _, p := range of {
		if size := p.size(); size > 0 && n > (l.most-*l.taken)/size {
			return errLoose
		}
		*l.taken += n * p.size()
	}
	return nil
}

// count reads how many values, of at least width bytes and of size bytes in memory, follow.
func count(src []byte, width, size int) (int, []byte, error) {
	if len(src) < 4 {
		return 0, nil, errShort
	}
	n, src := int(binary.LittleEndian.Uint32(src)), src[4:]
	return n, src, room(n, width, size, len(src))
}

// room says whether n values may stand in so many stored bytes.
func room(n, width, size, stored int) error {
	switch {
	case width > 0 && n > stored/width:
		return errShort
	case width == 0 && n > maxEmpty, size > 0 && n > max(stored*maxSpread, maxLoose)/size:
		return errLoose
	}
	return nil
}
