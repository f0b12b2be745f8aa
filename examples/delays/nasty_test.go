package main

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"blink/examples/delays/oracle"
)

// nasty are inputs of the right form with everything that may be wrong in a row, and flights
// in every kind of weather: rain, none, no precip, no row.
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
2013,1,1,620,600,20,830,819,11,UA,1545,N14228,EWR,IAH,227,1400,6,0,2013-01-01T11:00:00Z
2013,1,1,500,500,7,830,819,11,UA,1545,N14228,JFK,IAH,227,1400,5,0,2013-01-01T10:00:00Z
2013,1,1,500,500,9,830,819,11,UA,1545,N14228,LGA,IAH,227,1400,5,0,2013-01-01T10:00:00Z
`

const nastyWeather = `origin,year,month,day,hour,temp,dewp,humid,wind_dir,wind_speed,wind_gust,precip,pressure,visib,time_hour
EWR,2013,1,1,1,39.02,26.06,59.37,270,10.35,NA,0.01,1012,10,2013-01-01T10:00:00Z
EWR,2013,1,1,1,39.02,26.06,59.37,270,10.35,NA,0,1012,10,2013-01-01T10:00:00Z
EWR,2013,1,1,1,39.02,26.06,59.37,270,10.35,NA,0,1012,10,2013-01-01T11:00:00Z
JFK,2013,1,1,1,39.02,26.06,59.37,270,10.35,NA,NA,1012,10,2013-01-01T10:00:00Z
LGA,2013,1,1,1,39.02,26.06,59.37,270,10.35,NA,wet,1012,10,2013-01-01T10:00:00Z
LGA,2013,1,1,1,39.02,26.06,59.37,270,10.35,NA,Inf,1012,10,2013-01-01T10:00:00Z
LGA,2013,1,1,1,39.02,26.06,59.37,270,10.35,NA,0,1012,10,2013-01-01 10:00:00
`

// inputs writes flights and weather as files, and says what the oracle makes of them.
func inputs(t *testing.T, flights, weather string) (args []string, want oracle.Result) {
	t.Helper()
	dir := t.TempDir()
	f, w := filepath.Join(dir, "flights.csv"), filepath.Join(dir, "weather.csv")
	write(t, f, []byte(flights))
	write(t, w, []byte(weather))
	want, err := oracle.Compute(
		oracle.File{Name: f, Data: strings.NewReader(flights)},
		oracle.File{Name: w, Data: strings.NewReader(weather)})
	if err != nil {
		t.Fatal(err)
	}
	return []string{"--flights", f, "--weather", w}, want
}

// holds compares the rows of an output, in any order.
func holds(t *testing.T, out, name string, want []string) {
	t.Helper()
	if _, have := rows(t, filepath.Join(out, name)); !slices.Equal(have, want) {
		t.Errorf("%s has\n%s\nand not\n%s", name, strings.Join(have, "\n"), strings.Join(want, "\n"))
	}
}

func TestNastyRowsCountAsTheyDoForTheOracle(t *testing.T) {
	args, want := inputs(t, nastyFlights, nastyWeather)
	if len(want.Bad) != 16 || want.Flights != 8 {
		t.Fatalf("the oracle finds %d bad rows and %d good flights", len(want.Bad), want.Flights)
	}
	out := filepath.Join(t.TempDir(), "out")
	n := run(t, append(args, "--out", out)...)
	holds(t, out, "windows.csv", want.Windows)
	holds(t, out, "rain.csv", want.Rain)
	holds(t, out, "bad.csv", want.Bad)
	if n.Bad != int64(len(want.Bad)) || n.Late != 0 {
		t.Errorf("%+v", n)
	}
}

// The job goes on behind it, and only its beginning is kept.
func TestOverlongRowIsABadOne(t *testing.T) {
	args, want := inputs(t, nastyFlights, nastyWeather)
	long, flights := strings.Repeat("x", 3<<20), args[1]
	write(t, flights, []byte(nastyFlights+long+"\n"))
	out := filepath.Join(t.TempDir(), "out")
	n := run(t, append(args, "--out", out)...)
	holds(t, out, "windows.csv", want.Windows)
	bad := append(want.Bad, fmt.Sprintf("%s,%d,longer than 1 MiB,%s", flights, strings.Count(nastyFlights, "\n")+1, long[:1<<10]))
	slices.Sort(bad)
	holds(t, out, "bad.csv", bad)
	if n.Bad != int64(len(bad)) {
		t.Errorf("%+v", n)
	}
}

// flight is a row of a flight that was to leave at a time of 1 January 2013, UTC. delay is NA
// of one that was cancelled.
func flight(origin, at, delay string) string {
	hour, minute, _ := strings.Cut(at, ":")
	left := "1"
	if delay == "NA" {
		left = "NA"
	}
	return fmt.Sprintf("2013,1,1,%s,1,%s,1,1,1,UA,1,N1,%s,IAH,1,1,1,%s,2013-01-01T%s:00:00Z", left, delay, origin, minute, hour)
}

// A flight is late when the last of its windows ends at or before the latest departure less
// the bound. That is known at the latest when a batch ends: many flights at one time stand
// between.
func TestFlightsNoneOfWhoseWindowsIsOpenAreLate(t *testing.T) {
	many := func(at string) []string { return slices.Repeat([]string{flight("EWR", at, "0")}, 2000) }
	early := []string{ // 10:59 has been: a window is open until 11:00
		flight("EWR", "10:00", "0"), flight("JFK", "10:14", "0"), flight("JFK", "10:14", "NA"),
	}
	late := []string{ // 11:00 has been: the last of their windows ends at 11:00
		flight("EWR", "10:00", "1"), flight("JFK", "10:14", "0"), flight("LGA", "10:14", "NA"),
		flight("EWR", "11:30", "-76"), flight("LGA", "04:00", "374"), flight("LGA", "02:00", "NA"),
	}
	open := []string{ // that of theirs ends at 11:15
		flight("EWR", "10:15", "0"), flight("JFK", "10:14", "1"), flight("LGA", "10:15", "NA"), flight("EWR", "04:00", "375"),
	}
	header, _, _ := strings.Cut(nastyFlights, "\n")
	text := func(parts ...[]string) string {
		return strings.Join(slices.Concat(append([][]string{{header}}, parts...)...), "\n") + "\n"
	}
	weather := "origin,time_hour,precip\nEWR,2013-01-01T10:00:00Z,0.5\nJFK,2013-01-01T10:00:00Z,0\n"
	args, want := inputs(t, text(many("11:59"), early, many("12:00"), late, open), weather)

	out := filepath.Join(t.TempDir(), "out")
	n := run(t, append(args, "--out", out, "--out-of-orderness", "1h")...)
	holds(t, out, "late.csv", slices.Sorted(slices.Values(late)))
	holds(t, out, "windows.csv", []string{ // a flight that is not late counts in those that are open
		"2013-01-01T10:00:00Z,2013-01-01T11:00:00Z,EWR,1,0,0,0",
		"2013-01-01T10:00:00Z,2013-01-01T11:00:00Z,JFK,1,1,0,0",
		"2013-01-01T10:15:00Z,2013-01-01T11:15:00Z,EWR,2,0,375,375",
		"2013-01-01T10:15:00Z,2013-01-01T11:15:00Z,JFK,1,0,1,1",
		"2013-01-01T10:15:00Z,2013-01-01T11:15:00Z,LGA,0,1,0,",
		"2013-01-01T11:00:00Z,2013-01-01T12:00:00Z,EWR,2000,0,0,0",
		"2013-01-01T11:15:00Z,2013-01-01T12:15:00Z,EWR,4000,0,0,0",
		"2013-01-01T11:30:00Z,2013-01-01T12:30:00Z,EWR,4000,0,0,0",
		"2013-01-01T11:45:00Z,2013-01-01T12:45:00Z,EWR,4000,0,0,0",
		"2013-01-01T12:00:00Z,2013-01-01T13:00:00Z,EWR,2000,0,0,0",
	})
	holds(t, out, "rain.csv", want.Rain) // late flights count there
	if n.Late != int64(len(late)) {
		t.Errorf("%d flights are counted as late", n.Late)
	}
}
