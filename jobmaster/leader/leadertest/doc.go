// Package leadertest holds what every leader.Service must do, whatever stands behind it: one
// session at a time holds a key, epochs grow, only the holder advances the pointer, and an
// ended session gets nothing. A service's own test makes a fresh one for each case:
//
//	leadertest.Run(t, time.Minute, func(t *testing.T) leader.Service { … })
//
// Start reading at Run.
package leadertest
