package data

import _ "embed"

// Flights is the gzip of the flights; Weather that of the weather.
var (
	//go:embed flights-2013-01.csv.gz
	Flights []byte
	//go:embed weather-2013-01.csv.gz
	Weather []byte
)

// The names of the embedded files, as error messages and bad.csv give them.
const (
	FlightsName = "flights-2013-01.csv.gz"
	WeatherName = "weather-2013-01.csv.gz"
)
