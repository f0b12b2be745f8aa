package state

import (
	"fmt"
	"math/bits"
	"reflect"
	"slices"
	"time"
	"unsafe"

	"blink/internal/codec"
)

// rows holds all that is kept, a row for each key: its head, the key, and the cells of all
// handles next to each other. So a record touches the memory of its key once, whatever the
// number of its states.
//
//	head │ key │ cell │ cell │ …
//
// The type of a row is made when the handles are bound, so the garbage collector knows where
// its pointers are, and does not look at rows without any. Rows live in pages that stay where
// they are, but for the first one while it is smaller than the others.
type rows struct {
	at      unsafe.Pointer                      // row of the current key, nil if it has none
	current uint32                              // its number
	hollow  bool                                // it may hold nothing: something was cleared, or it is new
	claim   func()                              // gives the current key a row
	gen     uint32                              // the current generation; 0 until the store is frozen
	base    uint32                              // the earliest that a snapshot may go onto
	first   func(row uint32, at unsafe.Pointer) // told before the first write to a row in it
	lent    *codec.Memory                       // where strings of the record at hand may lie: what is kept is copied
	loans   []lending                           // places in the current row that were given out while there was some
	handles []handle
	timers  []*Timer // among the handles
	timed   bool     // some handle has a TTL
	reading bool     // layers of a snapshot: nothing expires, for the next one may go onto it
	queues  [2]queue // by Clock
	now     func() time.Time

	layout layout
	size   uintptr      // of a row
	typ    reflect.Type // of a row
	shift  uint32       // a page holds 1<<shift rows
	pages  []unsafe.Pointer
	room   uint32 // rows that the pages have room for
	used   uint32 // rows that were ever taken
	free   []uint32
}

// head begins a row, which is free when its hash is 0. The bits say which of the first
// handles hold something; those of further handles follow the head.
type head struct {
	hash uint64
	gen  uint32 // of the last write
	bits uint32
}

const (
	newborn     = 1 // bit of a row that its key got in its generation
	bitsPerWord = 32
	pageBytes   = 64 << 10
	firstRows   = 16
)

// layout lists the parts of a row, and where to write at which offset each stands.
type layout struct {
	fields []reflect.StructField
	places []*uintptr
}

// keep reserves a part of type t in each row, and tells place where when all are known.
func (l *layout) keep(t reflect.Type, place *uintptr) {
	l.fields = append(l.fields, reflect.StructField{Name: fmt.Sprint("F", len(l.fields)), Type: t})
	l.places = append(l.places, place)
}

// settle makes the type of rows, whose handles have said what they keep.
func (r *rows) settle() {
	var l layout
	var start, further uintptr
	words := len(r.handles) / bitsPerWord
	l.keep(reflect.TypeFor[head](), &start)
	l.keep(reflect.ArrayOf(words, reflect.TypeFor[uint32]()), &further)
	for i, f := range r.layout.fields {
		l.keep(f.Type, r.layout.places[i])
	}
	r.typ = reflect.StructOf(l.fields)
	for i, place := range l.places {
		*place = r.typ.Field(i).Offset
	}
	r.size = r.typ.Size()
	r.shift = uint32(bits.Len(uint(max(pageBytes/r.size, 1))) - 1)
}

// address is where a row stands.
func (r *rows) address(row uint32) unsafe.Pointer {
	return unsafe.Add(r.pages[row>>r.shift], uintptr(row&(1<<r.shift-1))*r.size)
}

// take gives a free row, all zero but for what its timers have left there.
func (r *rows) take() uint32 {
	if n := len(r.free); n > 0 {
		row := r.free[n-1]
		r.free = r.free[:n-1]
		r.disown(r.address(row))
		return row
	}
	if r.used == r.room {
		r.grow()
	}
	r.used++
	return r.used - 1
}

// grow adds a page, or makes the first one larger, which no call notices: a call makes one
// row at most, and before it sees any.
func (r *rows) grow() {
	full := 1 << r.shift
	n := min(max(2*int(r.room), firstRows), full)
	page := reflect.New(reflect.ArrayOf(n, r.typ))
	if r.room == 0 || int(r.room) >= full {
		r.pages = append(r.pages, page.UnsafePointer())
		r.room += uint32(n)
		return
	}
	reflect.Copy(page.Elem(), reflect.NewAt(reflect.ArrayOf(int(r.room), r.typ), r.pages[0]).Elem())
	r.pages[0], r.room = page.UnsafePointer(), uint32(n)
}

// row is the current key's row, nil if it has no state.
func (r *rows) row() unsafe.Pointer {
	if r == nil {
		panic("blink: a state handle was used outside of a task: call it in Process or OnTimer, or drive the processor with blinktest")
	}
	return r.at
}

// need is the current key's row, made if it has none, to be written to.
func (r *rows) need() unsafe.Pointer {
	if at := r.row(); at != nil && (*head)(at).gen == r.gen {
		return at
	}
	return r.prepare()
}

func (r *rows) prepare() unsafe.Pointer {
	if r.at == nil {
		r.claim()
	}
	r.change(r.current, r.at)
	return r.at
}

// lending is a handle that gives out the place where it keeps something.
type lending interface {
	// detach copies what was put there and lies in lent memory.
	detach(row unsafe.Pointer)
}

// settleLoans is called when the places that were given out are not valid any more.
func (r *rows) settleLoans() {
	for _, l := range r.loans {
		l.detach(r.at)
	}
	r.loans = r.loans[:0]
}

// change is called before a row is written to.
func (r *rows) change(row uint32, at unsafe.Pointer) {
	if (*head)(at).gen != r.gen {
		r.first(row, at)
	}
}

// holds says whether the row holds something that has not expired.
func (r *rows) holds(row unsafe.Pointer) bool {
	if r.timed {
		return slices.ContainsFunc(r.handles, func(h handle) bool { return h.has(row) })
	}
	if (*head)(row).bits&^newborn != 0 {
		return true
	}
	for i := bitsPerWord; i <= len(r.handles); i += bitsPerWord {
		if *(*uint32)(unsafe.Add(row, wordOf(i))) != 0 {
			return true
		}
	}
	return false
}

// cell is a handle's part of each row: what it keeps, the bit that says whether it is there,
// and, with a TTL, when it was last written.
type cell struct {
	rows *rows
	at   uintptr       // offset of what is kept
	ttl  time.Duration // as it was when the handle was bound
	when uintptr       // offset of the last write's time
	word uintptr       // offset of the word …
	bit  uint32        // … with this bit
}

// bind makes c the cell of handle h, which keeps a t.
func (c *cell) bind(r *rows, h handle, t reflect.Type, ttl time.Duration) {
	r.handles = append(r.handles, h)
	i := len(r.handles) // bit 0 is newborn
	*c = cell{rows: r, ttl: ttl, word: wordOf(i), bit: 1 << (i % bitsPerWord)}
	r.layout.keep(t, &c.at)
	if ttl > 0 {
		r.timed = true
		r.layout.keep(reflect.TypeFor[int64](), &c.when)
	}
}

// wordOf is the offset of the word with bit i.
func wordOf(i int) uintptr {
	if i < bitsPerWord {
		return unsafe.Offsetof(head{}.bits)
	}
	return unsafe.Sizeof(head{}) + 4*uintptr(i/bitsPerWord-1)
}

func (c *cell) bits(row unsafe.Pointer) *uint32   { return (*uint32)(unsafe.Add(row, c.word)) }
func (c *cell) written(row unsafe.Pointer) *int64 { return (*int64)(unsafe.Add(row, c.when)) }
func (c *cell) on(row unsafe.Pointer) bool        { return *c.bits(row)&c.bit != 0 }

// mark says that the row holds something, written now.
func (c *cell) mark(row unsafe.Pointer) {
	*c.bits(row) |= c.bit
	if c.ttl > 0 {
		c.touch(row)
	}
}

func (c *cell) touch(row unsafe.Pointer) { *c.written(row) = c.rows.now().UnixNano() }

// unmark says that the row holds nothing.
func (c *cell) unmark(row unsafe.Pointer) {
	*c.bits(row) &^= c.bit
	c.rows.hollow = true
}

// restore is mark of something that was stored with that time of its last write. What had no
// TTL then has no time: a TTL that was given later counts from now.
func (c *cell) restore(row unsafe.Pointer, written int64) {
	if c.mark(row); c.ttl > 0 && written != 0 {
		*c.written(row) = written
	}
}

// expired says whether what the row holds was not written for the TTL.
func (c *cell) expired(row unsafe.Pointer) bool { return c.ttl > 0 && c.old(row) }

func (c *cell) old(row unsafe.Pointer) bool {
	return !c.rows.reading && c.rows.now().UnixNano()-*c.written(row) >= int64(c.ttl)
}

// held is the current key's row, to be written to, nil unless it holds something.
func (c *cell) held() unsafe.Pointer {
	row := c.rows.row()
	if row == nil || !c.on(row) {
		return nil
	}
	return c.rows.need()
}

// has says whether the row holds something that has not expired.
func (c *cell) has(row unsafe.Pointer) bool { return c.on(row) && !c.expired(row) }

// stamp is when it was last written, 0 without a TTL.
func (c *cell) stamp(row unsafe.Pointer) int64 {
	if c.ttl == 0 {
		return 0
	}
	return *c.written(row)
}

// ttlCheck refuses what TTL cannot be.
func ttlCheck(ttl time.Duration) error {
	if ttl < 0 {
		return fmt.Errorf("TTL of %v: it must not be negative", ttl)
	}
	return nil
}
