// Package data holds the example's input: the departures from New York in January 2013
// and the weather of that month. README.md beside it names the source and the licence.
// Start reading at Flights.
package data
