package state

import (
	"fmt"
	"math"
	"slices"
	"time"

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
	rows       *rows
	index      int32 // among the store's handles
	cells      []timerCell
}

// timerCell is a pending timer. armed is the time of its entry in the heap: a timer that
// is set to a later time leaves the entry where it is, and it is put in again when it comes.
// So a timer that every record moves on costs the heap nothing.
type timerCell struct{ at, armed int64 }

const noTimer = int64(math.MaxInt64)

// Set fires the timer at the given time, in place of a pending one. A time outside of the
// years 1678 to 2261, such as the zero time, fails the task. When the input has ended, all
// timers of event time fire, whatever their time, and those that are set then as well: one
// that always sets itself again must ask Ctx.Ended, else the job does not end.
func (t *Timer) Set(at time.Time) {
	row := t.rows.need()
	t.set(row, nanos(at))
}

// nanos is a time as Unix nanoseconds.
func nanos(at time.Time) int64 {
	const first, last = math.MinInt64/int64(time.Second) + 1, math.MaxInt64/int64(time.Second) - 1
	if s := at.Unix(); s < first || s > last {
		panic(fmt.Sprintf("a timer cannot be set to %v, which is outside of the years 1678 to 2261", at))
	}
	return at.UnixNano()
}

func (t *Timer) set(row int32, at int64) {
	c := &t.cells[row]
	c.at = at
	if at < c.armed {
		c.armed = at
		t.rows.arm(t.heap(), entry{at, t.index, row})
	}
}

// Clear takes back a pending timer.
func (t *Timer) Clear() {
	if row := t.rows.row(); row != none {
		t.cells[row].at = noTimer
	}
}

// Pending returns when the timer will fire, and whether it is set.
func (t *Timer) Pending() (at time.Time, ok bool) {
	row := t.rows.row()
	if row == none || t.cells[row].at == noTimer {
		return time.Time{}, false
	}
	return time.Unix(0, t.cells[row].at).UTC(), true
}

func (t *Timer) heap() *heap {
	if t.Processing {
		return &t.rows.heaps[1]
	}
	return &t.rows.heaps[0]
}

func (t *Timer) declare(name string) (graph.State, error) {
	if t.Processing {
		return graph.State{Name: name, Kind: "processing timer"}, nil
	}
	return graph.State{Name: name, Kind: "timer"}, nil
}

func (t *Timer) bind(r *rows, index int) error {
	t.rows, t.index = r, int32(index)
	return nil
}

func (t *Timer) grow(n int) {
	for len(t.cells) < n {
		t.cells = append(t.cells, timerCell{noTimer, noTimer})
	}
}

func (t *Timer) has(row int32) bool { return t.cells[row].at != noTimer }
func (t *Timer) clear(row int32)    { t.cells[row].at = noTimer }

func (t *Timer) append(dst []byte, row int32) ([]byte, error) {
	if !t.has(row) || mutate.On(mutate.DropTimer) {
		return absent(dst), nil
	}
	return present(dst, t.cells[row].at), nil
}

func (t *Timer) reader(string) (reader, error) { return t.decode, nil }

func (t *Timer) decode(row int32, src []byte) ([]byte, error) {
	at, ok, src, err := presence(src)
	if ok && err == nil {
		t.set(row, at)
	}
	return src, err
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
		t := s.handles[e.handle].(*Timer)
		cell := &t.cells[e.row]
		if cell.armed != e.at {
			continue // another entry took its place
		}
		cell.armed = noTimer
		if cell.at > e.at {
			if cell.at != noTimer {
				t.set(e.row, cell.at)
			}
			continue
		}
		at := cell.at
		s.SetKey(s.byRow[e.row], s.hashs[e.row])
		cell.at = noTimer
		return t, at, true
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
		h.all = slices.DeleteFunc(h.all, func(e entry) bool { return r.handles[e.handle].(*Timer).cells[e.row].armed != e.at })
		slices.SortFunc(h.all, entry.compare)
		h.all = slices.Compact(h.all)
		h.full = 2*len(h.all) + fewEntries
	}
	h.push(e)
}

const fewEntries = 64

// heap is a binary heap of timers, by time, then handle, then row.
type heap struct {
	all  []entry
	full int // len(all) at which it is tidied
}

type entry struct {
	at     int64
	handle int32
	row    int32
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
