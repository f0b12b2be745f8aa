package main

import (
	"blink"
	"blink/cluster"
	"blink/examples/delays/job"
)

func main() {
	cluster.Show(job.ShowResult).Main(blink.Define("delays", job.Build))
}
