// Package taskexec runs tasks: the actors of a TaskExecutor process.
//
// Executor is the one root actor of the process, named "te". It obeys the JobMaster with
// the highest epoch it has seen, spawns a task actor for each Deploy, stops them for a
// Cancel, and answers everything with its state, a protos.Report: the protocol is
// level-triggered (see protos/control.proto). It keeps acknowledgements until their
// checkpoint is concluded, so that a new leader hears them too, and stops its own tasks
// when its lease runs out.
//
//	JobMaster ──Hello, Deploy, Cancel, Trigger, Finalize──► Executor ──► task, task, …
//	          ◄──────────────Report───────────────────────            ◄── status, ack
//
// A task (task.go) is one attempt of one parallel instance of a vertex. Its loop is in
// work.go: note what came, then take steps in quanta of at most 200 µs. Around it stand
// its parts: the chain of operators (chain.go), receiving ends of channels (input.go) with
// the alignment of barriers (align.go), sending ends with credits (output.go), what goes
// between tasks (frames.go), the reading of sources (source.go), snapshots (checkpoint.go),
// frozen at the barrier and encoded between records (freeze.go), the two phases of sinks
// (sink.go), and restoring (start.go). The time of a quantum is kept in pace.go.
//
// The tasks of one slot share a loop of package actors: one goroutine runs their mailboxes
// in turn. Nothing here reads a clock, starts a goroutine or takes a lock: everything comes
// through actors.Ctx, so the simulator runs this package as it is.
//
// Start reading at Executor.Receive, then task.Receive and task.step.
package taskexec
