// Package cluster turns programs into binaries: Main reads the command line, and runs a job
// with real parts.
//
//	func main() { cluster.Main(blink.Define("hot-pages", hotPages)) }
//
// The verb run goes through these steps, each of which may refuse before the next begins:
//
//	flags ─► graph ─► state dir (lock, job.json) ─► inputs ─► output folder ─► run ─► result
//
// job.json is what a state dir remembers: which job with which parameters on which inputs
// and where its output is; and, after the end, the result, so that running again shows it.
// The output folder belongs to one process at a time, as the state dir does; locks end with
// the process. What may change between two runs on a state dir are the flags of run; whatever would
// change the result is refused by name.
//
// Start reading at main.go, then run.go.
package cluster
