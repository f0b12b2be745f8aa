package nexmark

import "strconv"

// Digest tells whether two results have the same rows, in whatever order: sums over the
// rows, which wrap. The zero value leaves out Full, which costs more than most queries do.
type Digest struct {
	Rows  uint64
	Cheap uint64 // of the numbers and the lengths of the texts
	Full  uint64 // of FNV-1a over the columns as text, with bars between them
	full  bool
}

// WithFull is an empty digest that has Full as well.
func WithFull() Digest { return Digest{full: true} }

// Row is a row of a query's result.
type Row interface {
	// AddTo counts the row.
	AddTo(d *Digest)
}

// Begin is a row without columns yet.
func (d *Digest) Begin() Columns { return Columns{full: fnvStart, deep: d.full} }

// Add counts a row.
func (d *Digest) Add(c Columns) {
	d.Rows++
	d.Cheap += c.cheap ^ c.cheap>>32
	if c.deep {
		d.Full += c.full
	}
}

// Merge adds the rows that another digest has seen: of another task, or another part.
func (d *Digest) Merge(other Digest) {
	d.Rows += other.Rows
	d.Cheap += other.Cheap
	d.Full += other.Full
}

// Columns is what has been seen of a row. Number and Text add a column to it.
type Columns struct {
	cheap  uint64
	full   uint64
	deep   bool // full is asked for
	behind bool // the next column has one before it
}

// Number adds a column.
func (c Columns) Number(v int64) Columns {
	c.cheap = (c.cheap + uint64(v)) * golden
	if c.deep {
		return c.fullNumber(v)
	}
	return c
}

// Text adds a column.
func (c Columns) Text(s string) Columns {
	c.cheap = (c.cheap + uint64(len(s))) * golden
	if c.deep {
		return c.fullText(s)
	}
	return c
}

func (c Columns) fullNumber(v int64) Columns {
	var digits [20]byte
	return addFull(c, strconv.AppendInt(digits[:0], v, 10))
}

func (c Columns) fullText(s string) Columns { return addFull(c, s) }

// FNV-1a, 64 bits.
const (
	fnvStart = 0xcbf29ce484222325
	fnvPrime = 0x100000001b3
)

func addFull[B string | []byte](c Columns, text B) Columns {
	if c.behind {
		c.full = (c.full ^ '|') * fnvPrime
	}
	for i := range len(text) {
		c.full = (c.full ^ uint64(text[i])) * fnvPrime
	}
	c.behind = true
	return c
}
