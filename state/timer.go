package state

import (
	"fmt"
	"math"
	"reflect"
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
	number     int32 // among its timers
}

// timerCell is a timer, pending if the row has its bit. waits is the time of its entry in the
// queue, if it has one, stored as its distance from noTimer, so that a new row has none: a
// timer that is set to a later time leaves the entry where it is, and it is put in again when
// it comes. So a timer that every record moves on costs the queue nothing. The entry stays
// when the row is given back, and serves the next key of the row unless its place in the order
// is that of another: see disown.
type timerCell struct{ at, waits int64 }

const noTimer = int64(math.MaxInt64)

// armed is the time of the timer's entry in the queue, noTimer if it has none.
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
		t.cell.rows.arm(t.queue(), c, entry{at, t.cell.rows.current, t.index})
	}
}

// Clear takes back a pending timer.
func (t *Timer) Clear() {
	if row := t.cell.held(); row != nil {
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

func (t *Timer) queue() *queue {
	if t.Processing {
		return &t.cell.rows.queues[ProcessingTime]
	}
	return &t.cell.rows.queues[EventTime]
}

func (t *Timer) declare(name string) (graph.State, error) {
	if t.Processing {
		return graph.State{Name: name, Kind: "processing timer"}, nil
	}
	return graph.State{Name: name, Kind: "timer"}, nil
}

func (t *Timer) bind(r *rows) error {
	t.index, t.number = int32(len(r.handles)), int32(len(r.timers))
	r.timers = append(r.timers, t)
	t.cell.bind(r, t, reflect.TypeFor[timerCell](), 0)
	return nil
}

func (t *Timer) has(row unsafe.Pointer) bool { return t.cell.on(row) }
func (t *Timer) clear(row unsafe.Pointer)    { t.cell.unmark(row) }

func (t *Timer) append(dst []byte, row unsafe.Pointer, _ int64) ([]byte, error) {
	if !t.has(row) || mutate.On(mutate.DropTimer) {
		return absent(dst), nil
	}
	return present(dst, t.of(row).at), nil
}

func (t *Timer) reader(string) (reader, error) {
	return func(src []byte) ([]byte, error) {
		at, ok, src, err := presence(src)
		if !ok || err != nil {
			t.clear(t.cell.rows.at)
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
// the current one. Timers of one time come in the order of their declaration, then in that of
// their keys' hashes: what happened before does not matter. ok is false when none is due. A call
// does not do much: t is nil when it has only come nearer to the timer, and it is to be called
// again.
func (s *Store[K]) Due(c Clock, now int64) (t *Timer, at int64, ok bool) {
	q := &s.queues[c]
	for range looksPerCall {
		e, came, more := q.pop(now)
		if !came {
			return nil, 0, more
		}
		t, row := s.timer(e.entry), s.address(e.row)
		cell := t.of(row)
		if hash := (*head)(row).hash; cell.armed() != e.at || hash != 0 && hash != e.hash {
			continue // another entry took its place
		}
		cell.arm(noTimer)
		q.armed--
		switch {
		case !t.has(row): // taken back
		case cell.at > e.at:
			s.arm(q, cell, entry{cell.at, e.row, e.handle})
		default:
			s.enter(e.row)
			s.change(e.row, row)
			if t.clear(row); cell.at&1 == 0 && mutate.On(mutate.TimerFiredTwice) {
				t.set(row, cell.at|1)
				return t, cell.at &^ 1, true
			}
			return t, cell.at, true
		}
	}
	return nil, 0, true
}

// looksPerCall is how many entries a call looks at whose timers were taken back or set again.
const looksPerCall = 256

// NextDue is when the earliest timer of a clock may be due; ok is false when there is none.
func (s *Store[K]) NextDue(c Clock) (at int64, ok bool) { return s.queues[c].first() }

// timer is the handle of an entry, cell what its row has of it.
func (r *rows) timer(e entry) *Timer    { return r.handles[e.handle].(*Timer) }
func (r *rows) cell(e entry) *timerCell { return r.timer(e).of(r.address(e.row)) }

// arm adds the entry of a timer with that cell. When the far ones are twice as many as the timers
// that wait for one, those are dropped, a few at each call, whose timers have been set to an
// earlier time since.
func (r *rows) arm(q *queue, c *timerCell, e entry) {
	if q.tidying || q.far >= 2*q.armed+fewEntries {
		q.tidying = true
		r.tidy(q)
		q.kept.remove(r.number(e))
	}
	if c.armed() == noTimer {
		q.armed++
	}
	c.arm(e.at)
	q.push(e)
}

// disown lets the timers of a row that gets another key wait for no entry that may have a hash.
func (r *rows) disown(row unsafe.Pointer) {
	for _, t := range r.timers {
		q := t.queue()
		if c := t.of(row); c.armed() != noTimer && place(c.armed()) <= q.hashed {
			c.arm(noTimer)
			q.armed--
		}
	}
}

// tidy keeps, of a few entries, one of each timer that waits for it.
func (r *rows) tidy(q *queue) {
	done := q.tidy(func(e entry) bool {
		if r.cell(e).armed() != e.at || q.kept.has(r.number(e)) {
			return false
		}
		q.kept.add(r.number(e))
		return true
	})
	if done {
		q.tidying = false
		clear(q.kept)
	}
}

// number is that of an entry's timer among those of all rows.
func (r *rows) number(e entry) int { return int(e.row)*len(r.timers) + int(r.timer(e).number) }

// set is a set of small numbers.
type set []uint64

func (s set) has(n int) bool { return n/64 < len(s) && s[n/64]>>(n%64)&1 != 0 }

func (s *set) add(n int) {
	for len(*s) <= n/64 {
		*s = append(*s, 0)
	}
	(*s)[n/64] |= 1 << (n % 64)
}

func (s set) remove(n int) {
	if n/64 < len(s) {
		s[n/64] &^= 1 << (n % 64)
	}
}
