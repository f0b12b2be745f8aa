// Package mutate removes one guard of the runtime at a time, so that a test can
// show that the checkers of the simulator notice.
//
// A checker that has never been red proves nothing. Each guard on which
// exactly-once rests therefore has a Name here, and the guard asks whether it
// has been taken away:
//
//	if !mutate.On(mutate.AttemptFence) && attempt != t.attempt {
//		return // a batch of an attempt that is gone
//	}
//
// Without the build tag "mutate" the function On is the constant false: the
// compiler drops the question, and nothing can remove a guard in production.
// With the tag, a test removes one guard, runs seeds until a checker fails,
// and puts the guard back:
//
//	mutate.Set(mutate.AttemptFence)
//	defer mutate.Set(mutate.None)
//
// Start reading at Name, the list of the guards.
package mutate
