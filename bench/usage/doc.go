// Package usage says what a stretch of work has used: CPU time of all threads, user and
// system, the garbage collector included; wall time; and allocations.
//
//	m := usage.Begin()
//	work()
//	u := m.End()
//
// CPU time is what benchmarks compare: it is little when the machine is busy with others, and
// right all the same.
//
// Start reading at Begin.
package usage
