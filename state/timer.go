package state

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"time"
	"unsafe"

	"blink/graph"
	"blink/internal/mutate"
)

// Timer is at most one pending timer for each key: Set replaces it. It fires in event time,
// or, with Processing, by the clock. OnTimer is told which by its address:
//
//	switch t { case &p.end: … }
//
// See Value for where its methods work.
type Timer struct {
	Processing bool
	cell       cell
	index      int32 // among the store's handles
}

// timerCell is a timer, pending if the row has its bit. waits is the time of its entry in the
// heap, if it has one, stored as its distance from noTimer, so that a new row has none: a
// timer that is set to a later time leaves the entry where it is, and it is put in again when
// it comes. So a timer that every record moves on costs the heap nothing. The entry stays
// when the row is given back.
type timerCell struct{ at, waits int64 }

const noTimer = int64(math.MaxInt64)

// armed is the time of the timer's entry in the heap, noTimer if it has none.
func (c *timerCell) armed() int64 { return c.waits ^ noTimer }

func (c *timerCell) arm(at int64) { c.waits = at ^ noTimer }

// Set fires the timer at the given time, in place of a pending one. A time outside of the
// years 1678 to 2261, such as the zero time, fails the task. When the input has ended, all
// timers of event time fire, whatever their time, and those that are set then as well: one
// that always sets itself again must ask Ctx.Ended, else the job does not end.
func (t *Timer) Set(at time.Time) {
	t.set(t.cell.rows.need(), nanos(at))
}

// nanos is a time as Unix nanoseconds.
func nanos(at time.Time) int64 {
	const first, last = math.MinInt64/int64(time.Second) + 1, math.MaxInt64/int64(time.Second) - 1
	if s := at.Unix(); s < first || s > last {
		panic(fmt.Sprintf("a timer cannot be set to %v, which is outside of the years 1678 to 2261", at))
	}
	return at.UnixNano()
}

// set sets the timer of the current key, which has the row.
func (t *Timer) set(row unsafe.Pointer, at int64) {
	c := t.of(row)
	c.at = at
	t.cell.mark(row)
	if at < c.armed() {
		t.arm(c, at, t.cell.rows.current)
	}
}

func (t *Timer) arm(c *timerCell, at int64, row uint32) {
	c.arm(at)
	t.cell.rows.arm(t.heap(), entry{at, t.index, row})
}

// Clear takes back a pending timer.
func (t *Timer) Clear() {
	if row := t.cell.rows.row(); row != nil {
		t.clear(row)
	}
}

// Pending returns when the timer will fire, and whether it is set.
func (t *Timer) Pending() (at time.Time, ok bool) {
	row := t.cell.rows.row()
	if row == nil || !t.cell.on(row) {
		return time.Time{}, false
	}
	return time.Unix(0, t.of(row).at).UTC(), true
}

func (t *Timer) of(row unsafe.Pointer) *timerCell {
	return (*timerCell)(unsafe.Add(row, t.cell.at))
}

func (t *Timer) heap() *heap {
	if t.Processing {
		return &t.cell.rows.heaps[1]
	}
	return &t.cell.rows.heaps[0]
}

func (t *Timer) declare(name string) (graph.State, error) {
	if t.Processing {
		return graph.State{Name: name, Kind: "processing timer"}, nil
	}
	return graph.State{Name: name, Kind: "timer"}, nil
}

func (t *Timer) bind(r *rows) error {
	t.index = int32(len(r.handles))
	t.cell.bind(r, t, reflect.TypeFor[timerCell](), 0)
	return nil
}

func (t *Timer) has(row unsafe.Pointer) bool { return t.cell.on(row) }
func (t *Timer) clear(row unsafe.Pointer)    { t.cell.unmark(row) }

func (t *Timer) append(dst []byte, row unsafe.Pointer) ([]byte, error) {
	if !t.has(row) || mutate.On(mutate.DropTimer) {
		return absent(dst), nil
	}
	return present(dst, t.of(row).at), nil
}

func (t *Timer) reader(string) (reader, error) {
	return func(src []byte) ([]byte, error) {
		at, ok, src, err := presence(src)
		if !ok || err != nil {
			return src, err
		}
		if at == noTimer {
			return nil, errStored
		}
		t.set(t.cell.rows.at, at)
		return src, nil
	}, nil
}

// Clock says which timers are meant: those of event or of processing time.
type Clock int

// The clocks of timers.
const (
	EventTime Clock = iota
	ProcessingTime
)

// Due takes the earliest timer of a clock that is due at the given time, and makes its key
// the current one. Timers of one time come in a fixed order. ok is false when none is due.
func (s *Store[K]) Due(c Clock, now int64) (t *Timer, at int64, ok bool) {
	h := &s.heaps[c]
	for len(h.all) > 0 && h.all[0].at <= now {
		e := h.pop()
		t, row := s.timer(e), s.address(e.row)
		cell := t.of(row)
		if cell.armed() != e.at {
			continue // another entry took its place
		}
		cell.arm(noTimer)
		switch {
		case !t.has(row): // taken back
		case cell.at > e.at:
			t.arm(cell, cell.at, e.row)
		default:
			s.enter(e.row)
			t.clear(row)
			return t, cell.at, true
		}
	}
	return nil, 0, false
}

// NextDue is when the earliest timer of a clock may be due; ok is false when there is none.
func (s *Store[K]) NextDue(c Clock) (at int64, ok bool) {
	h := &s.heaps[c]
	if len(h.all) == 0 {
		return 0, false
	}
	return h.all[0].at, true
}

// arm adds an entry. Whenever a heap has doubled, those are dropped whose timers have been
// set to an earlier time since, so that it has at most two entries for each timer and a few.
func (r *rows) arm(h *heap, e entry) {
	if len(h.all) >= h.full {
		h.all = slices.DeleteFunc(h.all, func(e entry) bool { return r.timer(e).of(r.address(e.row)).armed() != e.at })
		slices.SortFunc(h.all, entry.compare)
		h.all = slices.Compact(h.all)
		h.full = 2*len(h.all) + fewEntries
	}
	h.push(e)
}

const fewEntries = 64

// timer is the handle of an entry.
func (r *rows) timer(e entry) *Timer { return r.handles[e.handle].(*Timer) }

// heap is a binary heap of timers, by time, then handle, then row.
type heap struct {
	all  []entry
	full int // len(all) at which it is tidied
}

type entry struct {
	at     int64
	handle int32
	row    uint32
}

func (a entry) before(b entry) bool {
	switch {
	case a.at != b.at:
		return a.at < b.at
	case a.handle != b.handle:
		return a.handle < b.handle
	}
	return a.row < b.row
}

func (a entry) compare(b entry) int {
	switch {
	case a == b:
		return 0
	case a.before(b):
		return -1
	}
	return 1
}

func (h *heap) push(e entry) {
	h.all = append(h.all, e)
	i := len(h.all) - 1
	for i > 0 {
		p := (i - 1) / 2
		if !e.before(h.all[p]) {
			break
		}
		h.all[i] = h.all[p]
		i = p
	}
	h.all[i] = e
}

func (h *heap) pop() entry {
	top, n := h.all[0], len(h.all)-1
	e := h.all[n]
	h.all = h.all[:n]
	if n == 0 {
		return top
	}
	i := 0
	for {
		c := 2*i + 1
		if c >= n {
			break
		}
		if c+1 < n && h.all[c+1].before(h.all[c]) {
			c++
		}
		if !h.all[c].before(e) {
			break
		}
		h.all[i] = h.all[c]
		i = c
	}
	h.all[i] = e
	return top
}
