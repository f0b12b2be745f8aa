package job

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"

	"blink"
	"blink/connector/files"
)

// The columns of the inputs, found by name in the header line of each file.
var (
	flightColumns = []string{"year", "month", "day", "dep_time", "sched_dep_time", "dep_delay", "arr_time", "sched_arr_time",
		"arr_delay", "carrier", "flight", "tailnum", "origin", "dest", "air_time", "distance", "hour", "minute", "time_hour"}
	weatherColumns = []string{"origin", "time_hour", "precip"}
)

// The places of the columns that the job computes with.
const (
	depTime, depDelay, origin, minute, timeHour = 3, 5, 12, 17, 18

	weatherOrigin, weatherHour, weatherPrecip = 0, 1, 2
)

// missing is how the data says that there is no value.
const missing = "NA"

// Flight is one row of the flights.
type Flight struct {
	Origin    string
	Hour      int64     // of the scheduled departure, Unix seconds
	At        time.Time // event time: the instant of departure; scheduled, if it was cancelled
	Cancelled bool
	Delay     int64 // minutes
	Cells     []string
}

func (f Flight) when() time.Time { return f.At }
func (f Flight) origin() string  { return f.Origin }
func (f Flight) departed() bool  { return !f.Cancelled }

func parseFlight(r files.Row) (f Flight, err error) {
	if r.Problem != "" {
		return f, errors.New(r.Problem)
	}
	f = Flight{Origin: r.Cells[origin], Cancelled: r.Cells[depTime] == missing, Cells: r.Cells}
	hour, err := parsePlace(f.Origin, r.Cells[timeHour])
	if err != nil {
		return f, err
	}
	f.Hour = hour.Unix()
	m, err := strconv.Atoi(r.Cells[minute])
	if err != nil || m < 0 || m > 59 {
		return f, fmt.Errorf("minute is %q, not 0 to 59", r.Cells[minute])
	}
	if !f.Cancelled {
		if f.Delay, err = parseDelay(r.Cells); err != nil {
			return f, err
		}
	}
	f.At = time.Unix(f.Hour+60*(int64(m)+f.Delay), 0).UTC()
	if !known(f.At) {
		return f, fmt.Errorf("dep_delay is %q: the departure is not between %d and %d", r.Cells[depDelay], firstYear, lastYear)
	}
	return f, nil
}

func parseDelay(cells []string) (minutes int64, err error) {
	if _, err := strconv.Atoi(cells[depTime]); err != nil {
		return 0, fmt.Errorf("dep_time is %q, neither a number nor NA", cells[depTime])
	}
	minutes, err = strconv.ParseInt(cells[depDelay], 10, 32)
	if err != nil {
		return 0, fmt.Errorf("dep_delay is %q, not a number of minutes", cells[depDelay])
	}
	return minutes, nil
}

// Event time ends in 2262; far before, there is room for any delay.
const firstYear, lastYear = 1900, 2199

func known(t time.Time) bool { return t.Year() >= firstYear && t.Year() <= lastYear }

// parsePlace checks the origin and reads the hour, which both inputs share.
func parsePlace(origin, text string) (hour time.Time, err error) {
	if origin == "" || origin == missing {
		return hour, errors.New("origin is missing")
	}
	hour, err = time.Parse(time.RFC3339, text)
	if err != nil || !known(hour.UTC()) {
		return hour, fmt.Errorf("time_hour is %q, not a time like 2013-01-01T10:00:00Z", text)
	}
	return hour.UTC(), nil
}

// Observation is one row of the weather.
type Observation struct {
	Origin string
	Hour   int64 // Unix seconds
	Rain   bool
	Line   files.Line // where it stands
}

func (o Observation) hour() Hour { return Hour{o.Origin, o.Hour} }

func parseWeather(r files.Row) (o Observation, err error) {
	if r.Problem != "" {
		return o, errors.New(r.Problem)
	}
	hour, err := parsePlace(r.Cells[weatherOrigin], r.Cells[weatherHour])
	if err != nil {
		return o, err
	}
	o = Observation{Origin: r.Cells[weatherOrigin], Hour: hour.Unix(), Line: r.Line}
	text := r.Cells[weatherPrecip]
	if text == missing {
		return o, nil
	}
	precip, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(precip) || math.IsInf(precip, 0) {
		return o, fmt.Errorf("precip is %q, neither a number nor NA", text)
	}
	o.Rain = precip > 0
	return o, nil
}

// BadRow is a line of bad.csv.
type BadRow struct {
	File   string `csv:"file"`
	Line   int64  `csv:"line"`
	Reason string `csv:"reason"`
	Text   string `csv:"text"`
}

func badOf(f blink.Failure[files.Row]) BadRow { return badLine(f.Record.Line, f.Error) }

func badLine(l files.Line, reason string) BadRow { return BadRow{l.File, l.Number, reason, l.Text} }
