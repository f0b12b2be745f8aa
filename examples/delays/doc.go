// Delays counts departures by airport and window, and compares delays in rain and in dry
// weather. The job is in package job beside it, its input in package data, and package
// oracle computes the result a second time. Start reading at main, then in package job.
package main
