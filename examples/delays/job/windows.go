package job

import (
	"time"

	"blink"
)

// tally is what a window keeps of its flights.
type tally struct {
	Departed, Cancelled int64
	Sum, Max            int64 // minutes of delay; Max only if a flight departed
}

// Add counts one flight.
func (t *tally) Add(f Flight) {
	if f.Cancelled {
		t.Cancelled++
		return
	}
	t.Merge(tally{Departed: 1, Sum: f.Delay, Max: f.Delay})
}

// Merge adds the flights of another tally.
func (t *tally) Merge(o tally) {
	if t.Departed == 0 || o.Departed > 0 && o.Max > t.Max {
		t.Max = o.Max
	}
	t.Departed += o.Departed
	t.Cancelled += o.Cancelled
	t.Sum += o.Sum
}

// Result is the tally itself.
func (t *tally) Result() tally { return *t }

// WindowRow is a line of windows.csv.
type WindowRow struct {
	Start     time.Time `csv:"window_start"`
	End       time.Time `csv:"window_end"`
	Origin    string    `csv:"origin"`
	Departed  int64     `csv:"departed"`
	Cancelled int64     `csv:"cancelled"`
	Sum       int64     `csv:"delay_sum_minutes"`
	Max       *int64    `csv:"delay_max_minutes"` // nil when none departed
}

func windowRow(p blink.Pane[string, tally]) WindowRow {
	r := WindowRow{p.Start, p.End, p.Key, p.Value.Departed, p.Value.Cancelled, p.Value.Sum, nil}
	if r.Departed > 0 {
		r.Max = &p.Value.Max
	}
	return r
}
