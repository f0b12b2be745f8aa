package job

import (
	"fmt"
	"time"

	"blink"
)

// Hour is an airport in an hour: the key of the weather.
type Hour struct {
	Origin string
	Hour   int64 // Unix seconds
}

// Departure is what rain.csv needs of a flight that departed.
type Departure struct {
	Origin string
	Hour   int64 // scheduled, Unix seconds: the weather that counts
	Day    int64 // of the instant of departure in UTC, days since 1970
	Delay  int64 // minutes
}

func (d Departure) hour() Hour { return Hour{d.Origin, d.Hour} }

func departureOf(f Flight) Departure { return Departure{f.Origin, f.Hour, dayOf(f.At), f.Delay} }

// dayOf rounds down, also before 1970.
func dayOf(t time.Time) int64 {
	seconds := t.Unix()
	day := seconds / secondsPerDay
	if seconds%secondsPerDay < 0 {
		day--
	}
	return day
}

const secondsPerDay = 24 * 60 * 60

// Weather is what is known of the weather at a departure.
type Weather uint8

// The kinds of weather.
const (
	Unmatched Weather = iota // there is no row for the hour
	Dry
	Rainy
)

// Outcome is a departure with its weather.
type Outcome struct {
	Day     int64
	Origin  string
	Weather Weather
	Delay   int64
}

func (o Outcome) day() Day { return Day{o.Day, o.Origin} }

// match joins departures with the weather of their hour, whichever comes first. A departure
// without weather waits until both inputs have ended.
type match struct {
	weather blink.Value[Weather]
	waiting blink.List[Departure]
	end     blink.Timer
	twice   blink.Tag[BadRow] // second rows for an hour
}

func newMatch() *match { return &match{twice: blink.NewTag[BadRow]("second-rows")} }

// atEnd is behind every event: a timer for it fires when all inputs have ended.
var atEnd = time.Date(2262, 1, 1, 0, 0, 0, 0, time.UTC)

// ProcessLeft takes a departure.
func (m *match) ProcessLeft(_ *blink.Ctx[Hour], d Departure, out *blink.Out[Outcome]) error {
	if w := m.weather.Get(); w != Unmatched {
		out.Emit(d.in(w))
		return nil
	}
	m.waiting.Append(d)
	m.end.Set(atEnd)
	return nil
}

// ProcessRight takes the weather of the hour. The first row counts.
func (m *match) ProcessRight(c *blink.Ctx[Hour], o Observation, out *blink.Out[Outcome]) error {
	if m.weather.Get() != Unmatched {
		c.Count("skipped", 1) // so it counts among the bad ones
		out.EmitTo(m.twice, badLine(o.Line, fmt.Sprintf("a second row for %s at %s: the first one counts",
			o.Origin, time.Unix(o.Hour, 0).UTC().Format(time.RFC3339))))
		return nil
	}
	w := Dry
	if o.Rain {
		w = Rainy
	}
	m.weather.Set(w)
	m.release(w, out)
	m.end.Clear()
	return nil
}

// OnTimer gives up waiting.
func (m *match) OnTimer(_ *blink.Ctx[Hour], _ *blink.Timer, out *blink.Out[Outcome]) error {
	m.release(Unmatched, out)
	return nil
}

func (m *match) release(w Weather, out *blink.Out[Outcome]) {
	for d := range m.waiting.All() {
		out.Emit(d.in(w))
	}
	m.waiting.Clear()
}

func (d Departure) in(w Weather) Outcome { return Outcome{d.Day, d.Origin, w, d.Delay} }
