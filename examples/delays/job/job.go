package job

import (
	"path"
	"time"

	"blink"
	"blink/connector/files"
	"blink/examples/delays/data"
)

// Build describes the job with its files; it is for blink.Define.
func Build(job *blink.Job) {
	flights := job.String("flights", "", "`file` of flights, CSV or its gzip (default: January 2013, which this program carries)")
	weather := job.String("weather", "", "`file` of the weather, CSV or its gzip (default: January 2013, which this program carries)")
	out := job.String("out", "", "`folder` of the result, new or empty (default: a fresh one)")
	bound := job.Duration("out-of-orderness", 30*time.Hour, "how far a flight may lie behind the latest one before it is late")
	if bound < 0 {
		job.Refuse("out-of-orderness", "a duration of at least 0")
		bound = 0 // told once
	}
	job.CheckpointEvery(2 * time.Second)

	r := Delays(
		job.Read(input(flights, data.FlightsName, data.Flights).Rows(flightColumns...)).ID("flights"),
		job.Read(input(weather, data.WeatherName, data.Weather).Rows(weatherColumns...)).ID("weather"),
		bound)
	r.Windows.Write(files.CSV(path.Join(out, windowsFile))).ID("write-windows")
	r.Rain.Write(files.CSV(path.Join(out, rainFile))).ID("write-rain")
	r.Late.Write(files.Table(path.Join(out, "late.csv"), flightColumns...)).ID("write-late")
	r.Bad.Write(files.CSV(path.Join(out, "bad.csv"))).ID("write-bad")
}

// The files that ShowResult reads.
const (
	windowsFile = "windows.csv"
	rainFile    = "rain.csv"
)

// input is the file that was named, or the one that the program carries. One file: the first
// of two rows of weather for an hour counts, and several files have no first row.
func input(named, carried string, data []byte) files.Input {
	if named == "" {
		return files.Embedded(carried, data)
	}
	return files.File(named)
}

// Results are the outputs of the job.
type Results struct {
	Windows blink.Stream[WindowRow]
	Rain    blink.Stream[RainRow]
	Late    blink.Stream[[]string] // the rows of the flights that came too late for any window
	Bad     blink.Stream[BadRow]
}

// Delays is the job as a function of streams: rows with flightColumns and weatherColumns.
func Delays(flightRows, weatherRows blink.Stream[files.Row], bound time.Duration) Results {
	badFlights := blink.NewTag[blink.Failure[files.Row]]("bad-flights")
	badWeather := blink.NewTag[blink.Failure[files.Row]]("bad-weather")
	late := blink.NewTag[Flight]("late")

	parsed := flightRows.Try(parseFlight, blink.DeadLetter(badFlights)).ID("parse-flights")
	flights := parsed.EventTime(Flight.when, blink.BoundedOutOfOrder(bound)).ID("event-time")
	observed := weatherRows.Try(parseWeather, blink.DeadLetter(badWeather)).ID("parse-weather")

	windows := flights.KeyBy(Flight.origin).
		Window(blink.Sliding(time.Hour, 15*time.Minute)).
		LateTo(late).
		Aggregate(&tally{}).ID("windows")

	matcher := newMatch()
	matched := flights.Filter(Flight.departed).Map(departureOf).KeyBy(Departure.hour).
		Connect(observed.KeyBy(Observation.hour)).
		Process(matcher).ID("match")

	bad := parsed.Side(badFlights).Map(badOf).Union(
		observed.Side(badWeather).Map(badOf),
		matched.Side(matcher.twice))

	return Results{
		Windows: windows.Map(windowRow),
		Rain:    matched.KeyBy(Outcome.day).Process(&rain{}).ID("rain"),
		Late:    windows.Side(late).Map(func(f Flight) []string { return f.Cells }),
		Bad:     bad,
	}
}
