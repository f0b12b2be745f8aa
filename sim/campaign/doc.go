// Package campaign runs one workload under many seeds and tells how it went: a line or a
// JSON object for each seed, and a summary.
//
//	seeds ──► workers (one for each processor) ──► in order of the seeds ──► report
//	                                    broken ──► sim.Shrink, replay command
//
// The seeds are independent worlds; running several at once changes none of them.
//
// Start reading at Run.
package campaign
