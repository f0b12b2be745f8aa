// Package sim runs a whole Blink cluster in a simulated world, under a seed: the production
// actors, unchanged, on virtual time and a simulated network, with simulated twins of the
// services they need, while things go wrong.
//
//	seed ──► Scenario: workload, cluster, plan of faults
//	           └─► run: world + candidates + executors + twins ──► checkers ──► Outcome
//	                                                       └─ broken: Shrink finds a minimal plan
//
// A Workload is a job and what it must have written (random.go draws jobs and computes their
// output with a plain loop). A plan of faults is a list, apart from the schedule, so that it
// can be shrunk. The checkers watch every message and every call of a twin, and look at what
// is left at the end (check.go lists the invariants).
//
// Everything follows from the seed: the same seed gives the same trace hash, in any process.
// Start reading at Run.
package sim
