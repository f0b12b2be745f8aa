// Package job is the delays job: departures from airports, their delays and the weather.
//
//	flights ─► parse ─► event time ─┬─► by origin ─► windows ─► windows.csv
//	              │                 │                   └ late ─► late.csv
//	              │                 └─► departed ─► by origin and hour ─┐
//	              │                                                     match ─► by day and origin ─► rain ─► rain.csv
//	weather ─► parse ───────────────────► by origin and hour ───────────┘ └ second rows ─┐
//	              └ bad rows ────────────────────────────────────────────────────────────┴─► bad.csv
//
// Start reading at Build, then Delays, which is the same without files.
package job
