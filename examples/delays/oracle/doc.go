// Package oracle computes the result of the delays job a second time: one plain loop over
// the rows, maps, no engine. Tests compare the job with it, so it shares no code with the
// job and imports nothing of Blink.
//
// It knows no lateness: its result is the one of a job whose out-of-orderness is at least
// Result.Disorder. Start reading at Compute.
package oracle
