package oracle

import (
	"bytes"
	"strconv"
	"strings"
	"testing"
	"time"

	"blink/examples/delays/data"
)

func january(t *testing.T) Result {
	t.Helper()
	r, err := Compute(File{data.FlightsName, bytes.NewReader(data.Flights)}, File{data.WeatherName, bytes.NewReader(data.Weather)})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func column(t *testing.T, rows []string, i int) (sum int) {
	t.Helper()
	for _, r := range rows {
		n, err := strconv.Atoi(strings.Split(r, ",")[i])
		if err != nil {
			t.Fatal(err)
		}
		sum += n
	}
	return sum
}

func TestJanuaryHasTheKnownTotals(t *testing.T) {
	r := january(t)
	if n := len(r.Windows); n != 7027 {
		t.Errorf("%d windows, want 7,027", n)
	}
	if n := column(t, r.Windows, 3) + column(t, r.Windows, 4); n != 108016 {
		t.Errorf("%d flights in all windows, want 4 × 27,004", n)
	}
	if n := len(r.Rain); n != 96 {
		t.Errorf("%d days, want 96", n)
	}
	if n := column(t, r.Rain, 6); n != 52 {
		t.Errorf("%d unmatched flights, want 52", n)
	}
	if r.Flights != 27004 || len(r.Bad) != 0 {
		t.Errorf("%d good rows and %d bad ones, want 27,004 and 0", r.Flights, len(r.Bad))
	}
}

func TestJanuaryIsInOrderWithinThirtyHours(t *testing.T) {
	if d := january(t).Disorder; d <= 28*time.Hour || d > 30*time.Hour {
		t.Errorf("disorder %v, want about 29 h", d)
	}
}

const (
	flightHeader  = "time_hour,minute,dep_time,dep_delay,origin\n"
	weatherHeader = "origin,time_hour,precip\n"
)

func compute(t *testing.T, flights, weather string) Result {
	t.Helper()
	r, err := Compute(File{"f.csv", strings.NewReader(flights)}, File{"w.csv", strings.NewReader(weather)})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestFlightIsPlacedByItsInstantOfDeparture(t *testing.T) {
	r := compute(t, flightHeader+
		"2013-01-01T23:00:00Z,50,2355,20,EWR\n"+ // leaves on the 2nd
		"2013-01-01T23:00:00Z,50,NA,NA,EWR\n", // cancelled: the scheduled instant
		weatherHeader+"EWR,2013-01-01T23:00:00Z,0.01\n")
	want := []string{
		"2013-01-01T23:00:00Z,2013-01-02T00:00:00Z,EWR,0,1,0,",
		"2013-01-01T23:15:00Z,2013-01-02T00:15:00Z,EWR,1,1,20,20",
		"2013-01-01T23:30:00Z,2013-01-02T00:30:00Z,EWR,1,1,20,20",
		"2013-01-01T23:45:00Z,2013-01-02T00:45:00Z,EWR,1,1,20,20",
		"2013-01-02T00:00:00Z,2013-01-02T01:00:00Z,EWR,1,0,20,20",
	}
	equal(t, r.Windows, want)
	equal(t, r.Rain, []string{"2013-01-02,EWR,1,20,0,0,0"})
}

func TestMissingPrecipCountsAsDryAndMissingRowAsUnmatched(t *testing.T) {
	r := compute(t, flightHeader+
		"2013-01-01T10:00:00Z,0,1000,-3,EWR\r\n"+
		"2013-01-01T10:00:00Z,0,1000,5,JFK",
		weatherHeader+"EWR,2013-01-01T10:00:00Z,NA\n")
	equal(t, r.Rain, []string{"2013-01-01,EWR,0,0,1,-3,0", "2013-01-01,JFK,0,0,0,0,1"})
	if want := "2013-01-01T09:00:00Z,2013-01-01T10:00:00Z,EWR,1,0,-3,-3"; r.Windows[0] != want {
		t.Errorf("first window %s, want %s", r.Windows[0], want)
	}
}

func TestMalformedRowIsListedWithItsPlace(t *testing.T) {
	r := compute(t, flightHeader+
		"yesterday,0,1000,5,EWR\n"+
		"\n"+
		"a,b\n"+
		"2013-01-01T10:00:00Z,0,1000,NA,EWR\n",
		weatherHeader+
			"EWR,2013-01-01T10:00:00Z,0\n"+
			"EWR,2013-01-01T10:00:00Z,1\n"+
			"EWR,2013-01-01T11:00:00Z,much\n")
	equal(t, r.Bad, []string{
		`f.csv,2,"time_hour is ""yesterday"", not a time like 2013-01-01T10:00:00Z","yesterday,0,1000,5,EWR"`,
		`f.csv,4,"2 columns, the header has 5","a,b"`,
		`f.csv,5,"dep_delay is ""NA"", not a number of minutes","2013-01-01T10:00:00Z,0,1000,NA,EWR"`,
		`w.csv,3,a second row for EWR at 2013-01-01T10:00:00Z: the first one counts,"EWR,2013-01-01T10:00:00Z,1"`,
		`w.csv,4,"precip is ""much"", neither a number nor NA","EWR,2013-01-01T11:00:00Z,much"`,
	})
}

func TestMissingColumnIsNamed(t *testing.T) {
	_, err := Compute(File{"f.csv", strings.NewReader(flightHeader)}, File{"w.csv", strings.NewReader("origin,time_hour\n")})
	if err == nil || !strings.Contains(err.Error(), `w.csv: no column "precip"`) {
		t.Errorf("got %v", err)
	}
}

func equal(t *testing.T, have, want []string) {
	t.Helper()
	if strings.Join(have, "\n") != strings.Join(want, "\n") {
		t.Errorf("have\n%s\nwant\n%s", strings.Join(have, "\n"), strings.Join(want, "\n"))
	}
}
