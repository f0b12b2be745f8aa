// Package exchange measures what it costs to send records from one process to another: real
// tasks on both sides, and between them the ports, credits, frames and connections of
// production, over TCP on loopback.
//
//	this process                                          peer, the same binary again
//	source ──► Output ──► frames ──► Conns ══ TCP ══► Conns ──► Deliver ──► sink, or count ──► sink
//	        ◄── credits ────────────────────────────────────────┘
//
// There is no JobMaster: node.go greets the executor of each process as a leader would, and
// deploys the half of the tasks that are its own. Nothing else is done by hand. No checkpoint
// is taken.
//
// A tenth of the records goes first, in the same processes, and is not measured. CPU is user and
// system time of both processes, from the deployment until the last task has ended, with the garbage
// collector. Each process has as many of Go's processors as tasks, unless it is told otherwise. In the
// same run and with the same settings the same number of bytes goes over plain TCP, with writes as
// large as the frames were: what any exchange pays to the kernel.
//
// Start reading at Run.
package exchange
