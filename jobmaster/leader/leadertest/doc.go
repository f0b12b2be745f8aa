// Package leadertest is the conformance suite of leader.Service: what the runtime relies on,
// whatever stands behind it. A service's own test makes a fresh one for each case:
//
//	leadertest.Run(t, time.Minute, func(t *testing.T) leader.Service { … })
//	leadertest.RunTimed(t, func(t *testing.T) leadertest.Timed { … })
//
// Run demands what holds at any time: one session holds a key, each acquisition has a greater
// epoch than all before it, only the holder advances the pointer, a session that is closed
// gives back what it holds at once and gets nothing any more.
//
// RunTimed demands what a service does as time passes, and moves its clock: a session lives
// for its time-out after each renewal and has ended some time later; then its keys are vacant,
// and stay locked for the lock delay, in which messages that its holder sent run out. Epoch
// and pointer survive. A service whose sessions do not expire, such as leader.Local, is not
// run there.
//
// Start reading at Run.
package leadertest
