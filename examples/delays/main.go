// Delays counts departures by airport and window, and compares delays in rain and in dry
// weather: the job is in package job beside it.
package main

import (
	"blink"
	"blink/cluster"
	"blink/examples/delays/job"
)

func main() {
	cluster.Show(job.ShowResult).Main(blink.Define("delays", job.Build))
}
