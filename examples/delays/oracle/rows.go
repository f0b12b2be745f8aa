package oracle

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// row is one line of an input with the cells that were asked for, by column.
type row struct {
	number int
	text   string
	cells  map[string]string
	err    error // the line does not fit the header
}

// readRows calls take for each line under the header, except empty ones.
func readRows(f File, columns []string, take func(row)) error {
	data, err := plain(f.Data)
	if err != nil {
		return fmt.Errorf("%s: %w", f.Name, err)
	}
	var header []string
	for i, text := range strings.Split(string(data), "\n") {
		text = strings.TrimSuffix(text, "\r")
		switch {
		case i == 0:
			header, err = split(strings.TrimPrefix(text, "\ufeff"))
			if err != nil {
				return fmt.Errorf("%s: header: %w", f.Name, err)
			}
			for _, c := range columns {
				if !slices.Contains(header, c) {
					return fmt.Errorf("%s: no column %q", f.Name, c)
				}
			}
		case text != "":
			take(newRow(i+1, text, header))
		}
	}
	return nil
}

func plain(r io.Reader) ([]byte, error) {
	b := bufio.NewReader(r)
	if magic, _ := b.Peek(2); !bytes.Equal(magic, []byte{0x1f, 0x8b}) {
		return io.ReadAll(b)
	}
	z, err := gzip.NewReader(b)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(z)
}

func newRow(number int, text string, header []string) row {
	r := row{number: number, text: text, cells: map[string]string{}}
	cells, err := split(text)
	if err != nil {
		r.err = err
		return r
	}
	if len(cells) != len(header) {
		r.err = fmt.Errorf("%d columns, the header has %d", len(cells), len(header))
		return r
	}
	for i, name := range header {
		r.cells[name] = cells[i]
	}
	return r
}

func split(text string) ([]string, error) {
	cells, err := csv.NewReader(strings.NewReader(text)).Read()
	if err != nil {
		return nil, errors.New("the quotes do not match")
	}
	return cells, nil
}

type flight struct {
	origin    string
	hour      time.Time // scheduled
	at        time.Time // event time
	cancelled bool
	delay     int64 // minutes
}

func parseFlight(r row) (flight, error) {
	if r.err != nil {
		return flight{}, r.err
	}
	f := flight{origin: r.cells["origin"], cancelled: r.cells["dep_time"] == "NA"}
	if f.origin == "" || f.origin == "NA" {
		return f, errors.New("origin is missing")
	}
	var err error
	if f.hour, err = hour(r); err != nil {
		return f, err
	}
	minute, err := strconv.Atoi(r.cells["minute"])
	if err != nil || minute < 0 || minute > 59 {
		return f, fmt.Errorf("minute is %q, not 0 to 59", r.cells["minute"])
	}
	f.at = f.hour.Add(time.Duration(minute) * time.Minute)
	if f.cancelled {
		return f, nil
	}
	if _, err := strconv.Atoi(r.cells["dep_time"]); err != nil {
		return f, fmt.Errorf("dep_time is %q, neither a number nor NA", r.cells["dep_time"])
	}
	if f.delay, err = strconv.ParseInt(r.cells["dep_delay"], 10, 32); err != nil {
		return f, fmt.Errorf("dep_delay is %q, not a number of minutes", r.cells["dep_delay"])
	}
	f.at = time.Unix(f.at.Unix()+60*f.delay, 0).UTC()
	if y := f.at.Year(); y < 1900 || y > 2199 {
		return f, fmt.Errorf("dep_delay is %q: the departure is not between 1900 and 2199", r.cells["dep_delay"])
	}
	return f, nil
}

func hour(r row) (time.Time, error) {
	t, err := time.Parse(time.RFC3339, r.cells["time_hour"])
	if err != nil || t.UTC().Year() < 1900 || t.UTC().Year() > 2199 {
		return t, fmt.Errorf("time_hour is %q, not a time like 2013-01-01T10:00:00Z", r.cells["time_hour"])
	}
	return t.UTC(), nil
}

type observation struct {
	key  place
	rain bool
}

func parseWeather(r row) (observation, error) {
	if r.err != nil {
		return observation{}, r.err
	}
	origin := r.cells["origin"]
	if origin == "" || origin == "NA" {
		return observation{}, errors.New("origin is missing")
	}
	at, err := hour(r)
	if err != nil {
		return observation{}, err
	}
	o := observation{key: place{origin, at.Unix()}}
	text := r.cells["precip"]
	if text == "NA" {
		return o, nil
	}
	precip, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(precip) || math.IsInf(precip, 0) {
		return o, fmt.Errorf("precip is %q, neither a number nor NA", text)
	}
	o.rain = precip > 0
	return o, nil
}
