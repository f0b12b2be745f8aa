package operator

import (
	"errors"
	"fmt"
	"time"
)

// Window says how a keyed stream is cut by event time. Windows are half-open and aligned to
// the Unix epoch.
type Window struct {
	kind                string
	size, slide, offset time.Duration
}

// Tumbling windows follow each other without overlap.
func Tumbling(size time.Duration) Window { return Window{kind: "tumbling", size: size, slide: size} }

// Sliding windows of one size begin every slide.
func Sliding(size, slide time.Duration) Window {
	return Window{kind: "sliding", size: size, slide: slide}
}

// Session windows are the records of a key of which each comes at most gap after the one
// before it: a record exactly gap later still joins. A session starts with its first record
// and ends gap after its last one; at its end it fires. Records out of order join two sessions
// into one when they come between them.
func Session(gap time.Duration) Window { return Window{kind: sessionKind, size: gap, slide: gap} }

const sessionKind = "session"

// Offset shifts the windows: Tumbling(24*time.Hour).Offset(-8*time.Hour) are days in UTC+8.
func (w Window) Offset(d time.Duration) Window { w.offset = d; return w }

// String is also what a stored state is compared by.
func (w Window) String() string {
	s := fmt.Sprintf("%s %v", w.kind, w.size)
	if w.slide != w.size {
		s += "/" + w.slide.String()
	}
	if w.offset != 0 {
		s += fmt.Sprintf(" offset %v", w.offset)
	}
	return s
}

// maxWindow leaves room for two windows before and behind the timestamps of our time.
const maxWindow = 50 * 365 * 24 * time.Hour

func (w Window) check() error {
	switch {
	case w.kind == "":
		return errors.New("no window given: use Tumbling, Sliding or Session")
	case w.kind == sessionKind && (w.size <= 0 || w.size > maxWindow):
		return fmt.Errorf("session window with a gap of %v: the gap must be positive and at most 50 years", w.size)
	case w.kind == sessionKind && w.offset != 0:
		return fmt.Errorf("session window with an offset of %v: sessions begin with their first record", w.offset)
	case w.size <= 0:
		return fmt.Errorf("%s window of size %v: the size must be positive", w.kind, w.size)
	case w.size > maxWindow:
		return fmt.Errorf("%s window of size %v: the size must be at most 50 years", w.kind, w.size)
	case w.slide <= 0 || w.slide > w.size:
		return fmt.Errorf("sliding window of %v by %v: the slide must be positive and at most the size", w.size, w.slide)
	}
	return nil
}

// timely says whether the windows of ts lie within the range of timestamps.
func (w Window) timely(ts int64) bool {
	return ts > NoTime+2*int64(w.size) && ts < EndTime-2*int64(w.size)
}

// WindowOptions are what a window is told beside how its records are folded.
type WindowOptions struct {
	Window   Window
	Lateness time.Duration // a window is kept for so long after its end; a late record fires it again
	// LateTo takes the records none of whose windows is open any more: a Tag of the records'
	// type. Without it they are counted as "late" and dropped.
	LateTo AnyTag
}

func (o WindowOptions) check() error {
	if err := o.Window.check(); err != nil {
		return err
	}
	if o.Lateness < 0 {
		return fmt.Errorf("allowed lateness of %v: it must not be negative", o.Lateness)
	}
	return nil
}

// Pane is the result of one firing of one window of one key.
type Pane[K comparable, V any] struct {
	Key        K
	Start, End time.Time
	Value      V
	Late       bool // fired after its end, or again, by a record within the allowed lateness
}

// KV is a key and what was computed for it.
type KV[K comparable, V any] struct {
	Key   K
	Value V
}

// Number is what can be summed.
type Number interface {
	~int | ~int8 | ~int16 | ~int32 | ~int64 | ~uint | ~uint8 | ~uint16 | ~uint32 | ~uint64 | ~float32 | ~float64
}

// slicing is the arithmetic of windows over slices: the shortest pieces of time of which
// all windows are made. A record is folded into its slice only; a window is folded from its
// slices when it fires. So a record costs the same whatever the overlap.
type slicing struct {
	size, slide int64 // of windows
	width       int64 // of slices: the greatest common divisor of both
	offset      int64 // of window starts, 0 ≤ offset < slide
}

func slicingOf(w Window) slicing {
	a, b := int64(w.size), int64(w.slide)
	s := slicing{size: a, slide: b, offset: mod(int64(w.offset), b)}
	for b != 0 {
		a, b = b, a%b
	}
	s.width = a
	return s
}

// slice is the start of the slice of ts.
func (s slicing) slice(ts int64) int64 { return s.floor(ts, s.width) }

// first is the end of the earliest window that holds ts; the others end at multiples of
// slide behind it, up to last.
func (s slicing) first(ts int64) int64 {
	return s.floor(ts-s.size, s.slide) + s.slide + s.size
}

// last is the end of the latest window that holds ts.
func (s slicing) last(ts int64) int64 { return s.floor(ts, s.slide) + s.size }

// floor is the latest multiple of step, seen from the offset, that is not after ts.
func (s slicing) floor(ts, step int64) int64 { return ts - mod(ts-s.offset, step) }

// mod is the remainder of a/b that is not negative.
func mod(a, b int64) int64 {
	if r := a % b; r < 0 {
		return r + b
	} else {
		return r
	}
}
