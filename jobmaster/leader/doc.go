// Package leader elects the one JobMaster of a job that may act, and keeps the job's pointer.
//
// Service is what the runtime asks of a coordination service: sessions, a key that one
// session holds, and a pointer that only the holder advances. Local is the twin for one
// process; the simulated one has the semantics of Consul, and package leadertest holds what
// all of them must do.
//
// Machine is the election, pure: it is stepped with the outcomes of calls and answers with
// the calls to make. Who drives it makes the calls and comes back:
//
//	for _, a := range machine.Step(now, event) { … }   // Open, Acquire, Renew, Lead, Lose, Close, Wake
//
// Leading is never known, only proven until a deadline: no session ends within its time-out
// after a renewal was sent that succeeded. Behind Deadline a leader must not act, whatever it
// believes; what it sent before is fenced by its epoch.
//
// Start reading at Service, then Machine.Step.
package leader
