// Package exec decides everything about one running job: which tasks run where, what restarts
// after a failure, when a checkpoint is taken and complete, and when the job is over.
//
// Machine is pure. Whoever drives it (package jobmaster) tells it what happened and does what
// it answers, in order:
//
//	m := exec.New(spec)
//	for ev := range happenings {
//		for _, a := range m.Step(now, ev) { do(a) }
//	}
//
// All events stand in event.go, all actions in action.go. The life of a job:
//
//	reconciling ──► starting ──► active ──► finalizing ──► leaving ──► done
//	 every known     splits       regions,    results       the end is
//	 executor has    enumerated   checkpoints published     durable, then
//	 answered                                               the tasks leave
//
// and that of a region, the unit of restart:
//
//	idle ──► placing ──► deploying ──► up
//	 ▲                       │ failure │
//	 └─ backing off ◄── cancelling ◄───┘      (barrier: nothing of it lives anywhere)
//
// A region that reads over a blocking link is placed when the regions that write to it have
// ended. One that writes makes all of its output anew in every attempt, from the first splits and
// not from a checkpoint, which knows it as ended; who reads that output and has not finished is
// restarted with it; and no checkpoint is taken while it is made.
//
// TaskExecutors are heard through reports of their state (which leave out what the machine says
// that it holds), so every decision compares what is wanted with what was last reported, and
// everything that is sent is sent again until a report shows its effect.
//
// Start reading at Machine.Step.
package exec
