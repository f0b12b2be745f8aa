package main

import (
	"blink"
	"blink/cluster"
	"blink/examples/nexmark/job"
)

func main() { cluster.Main(blink.Define("nexmark", job.Nexmark{}.Build)) }
