package job

import (
	"encoding/csv"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"blink/connector/files"
	"blink/examples/delays/oracle"
)

// nasty are inputs of the right form with everything that may be wrong in a row.
const nastyFlights = `year,month,day,dep_time,sched_dep_time,dep_delay,arr_time,sched_arr_time,arr_delay,carrier,flight,tailnum,origin,dest,air_time,distance,hour,minute,time_hour
2013,1,1,517,515,2,830,819,11,UA,1545,N14228,EWR,IAH,227,1400,5,15,2013-01-01T10:00:00Z
2013,1,1,517,515,-20,830,819,11,UA,1545,N14228,EWR,IAH,227,1400,5,15,2013-01-01T10:00:00Z
2013,1,1,NA,515,NA,NA,819,NA,UA,1545,NA,EWR,IAH,NA,1400,5,59,2013-01-01T10:00:00Z
2013,1,1,NA,515,oops,NA,819,NA,UA,1545,NA,JFK,IAH,NA,1400,5,0,2013-01-01T10:00:00Z

2013,1,1,517,515,2,830,819,11,UA,1545,N14228,,IAH,227,1400,5,15,2013-01-01T10:00:00Z
2013,1,1,517,515,2,830,819,11,UA,1545,N14228,NA,IAH,227,1400,5,15,2013-01-01T10:00:00Z
2013,1,1,517,515,2,830,819,11,UA,1545,N14228,EWR,IAH,227,1400,5,60,2013-01-01T10:00:00Z
2013,1,1,517,515,2,830,819,11,UA,1545,N14228,EWR,IAH,227,1400,5,NA,2013-01-01T10:00:00Z
2013,1,1,517,515,2,830,819,11,UA,1545,N14228,EWR,IAH,227,1400,5,15,NA
2013,1,1,517,515,2,830,819,11,UA,1545,N14228,EWR,IAH,227,1400,5,15,3013-01-01T10:00:00Z
2013,1,1,517,515,NA,830,819,11,UA,1545,N14228,EWR,IAH,227,1400,5,15,2013-01-01T10:00:00Z
2013,1,1,soon,515,2,830,819,11,UA,1545,N14228,EWR,IAH,227,1400,5,15,2013-01-01T10:00:00Z
2013,1,1,517,515,99999999999,830,819,11,UA,1545,N14228,EWR,IAH,227,1400,5,15,2013-01-01T10:00:00Z
2013,1,1,517,515,2000000000,830,819,11,UA,1545,N14228,EWR,IAH,227,1400,5,15,2013-01-01T10:00:00Z
2013,1,1,517,515,2,830,819,11,UA,1545,N14228,EWR,IAH,227,1400,5,15
2013,1,1,517,515,2,830,819,11,UA,1545,N14228,"EWR,IAH,227,1400,5,15,2013-01-01T10:00:00Z
2013,1,1,517,515,1440,830,819,11,"U,A",1545,"N""1",EWR,IAH,227,1400,5,15,2013-01-01T11:00:00+01:00
`

const nastyWeather = `origin,year,month,day,hour,temp,dewp,humid,wind_dir,wind_speed,wind_gust,precip,pressure,visib,time_hour
EWR,2013,1,1,1,39.02,26.06,59.37,270,10.35,NA,0.01,1012,10,2013-01-01T10:00:00Z
EWR,2013,1,1,1,39.02,26.06,59.37,270,10.35,NA,0,1012,10,2013-01-01T10:00:00Z
JFK,2013,1,1,1,39.02,26.06,59.37,270,10.35,NA,NA,1012,10,2013-01-01T10:00:00Z
LGA,2013,1,1,1,39.02,26.06,59.37,270,10.35,NA,wet,1012,10,2013-01-01T10:00:00Z
LGA,2013,1,1,1,39.02,26.06,59.37,270,10.35,NA,Inf,1012,10,2013-01-01T10:00:00Z
LGA,2013,1,1,1,39.02,26.06,59.37,270,10.35,NA,0,1012,10,2013-01-01 10:00:00
`

// rowsOf are the rows of a CSV text as package files makes them.
func rowsOf(t *testing.T, name, text string, columns []string) (rows []files.Row) {
	t.Helper()
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	header := strings.Split(lines[0], ",")
	for i, line := range lines[1:] {
		if line == "" {
			continue
		}
		r := files.Row{Line: files.Line{File: name, Number: int64(i + 2), Text: line}}
		cells, err := csv.NewReader(strings.NewReader(line)).Read()
		switch {
		case err != nil:
			r.Problem = "the quotes do not match"
		case len(cells) != len(header):
			r.Problem = fmt.Sprintf("%d columns, the header has %d", len(cells), len(header))
		default:
			for _, c := range columns {
				r.Cells = append(r.Cells, cells[slices.Index(header, c)])
			}
		}
		rows = append(rows, r)
	}
	return rows
}

func TestRowsAreJudgedAsByTheOracle(t *testing.T) {
	want, err := oracle.Compute(oracle.File{Name: "f.csv", Data: strings.NewReader(nastyFlights)}, oracle.File{Name: "w.csv", Data: strings.NewReader(nastyWeather)})
	if err != nil {
		t.Fatal(err)
	}
	var bad []string
	good := 0
	for _, r := range rowsOf(t, "f.csv", nastyFlights, flightColumns) {
		if _, err := parseFlight(r); err != nil {
			bad = append(bad, badText(badLine(r.Line, err.Error())))
			continue
		}
		good++
	}
	second := 0
	for _, r := range rowsOf(t, "w.csv", nastyWeather, weatherColumns) {
		if _, err := parseWeather(r); err != nil {
			bad = append(bad, badText(badLine(r.Line, err.Error())))
		}
	}
	slices.Sort(bad)
	for _, w := range want.Bad {
		if strings.Contains(w, "a second row for") {
			second++
			continue
		}
		if !slices.Contains(bad, w) {
			t.Errorf("the oracle alone refuses %s", w)
		}
	}
	if len(bad) != len(want.Bad)-second || good != want.Flights || second != 1 {
		t.Errorf("bad rows\n%s\nthe oracle's\n%s\ngood rows %d, the oracle's %d", strings.Join(bad, "\n"), strings.Join(want.Bad, "\n"), good, want.Flights)
	}
}

func badText(b BadRow) string {
	var text strings.Builder
	w := csv.NewWriter(&text)
	_ = w.Write([]string{b.File, fmt.Sprint(b.Line), b.Reason, b.Text}) // a strings.Builder takes everything
	w.Flush()
	return strings.TrimSuffix(text.String(), "\n")
}

func TestSplittingATallyChangesNothing(t *testing.T) {
	flights := []Flight{{Delay: -5}, {Cancelled: true}, {Delay: -3}, {Delay: 7}, {Cancelled: true}}
	var whole tally
	for _, f := range flights {
		whole.Add(f)
	}
	for cut := range len(flights) + 1 {
		var a, b tally
		for _, f := range flights[:cut] {
			a.Add(f)
		}
		for _, f := range flights[cut:] {
			b.Add(f)
		}
		if a.Merge(b); a != whole {
			t.Errorf("cut at %d: %+v, want %+v", cut, a, whole)
		}
	}
	if want := (tally{Departed: 3, Cancelled: 2, Sum: -1, Max: 7}); whole != want {
		t.Errorf("%+v, want %+v", whole, want)
	}
}

func TestDaysAreThoseOfUTCAlsoBefore1970(t *testing.T) {
	for text, want := range map[string]int64{"1970-01-01T00:00:00Z": 0, "1969-12-31T23:59:59Z": -1, "1969-12-31T00:00:00Z": -1, "2013-01-01T00:30:00+01:00": 15705} {
		at, err := time.Parse(time.RFC3339, text)
		if err != nil || dayOf(at) != want {
			t.Errorf("%s: day %d, want %d (%v)", text, dayOf(at), want, err)
		}
	}
}
