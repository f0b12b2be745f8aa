// Package latency measures how long a busy task keeps others waiting: how long a barrier takes
// from the sources to a sink that cannot keep up, and how late a message reaches it.
//
//	4 sources ──hash──► process ──► sink        the last two in one task, which is always behind
//
// The sink spends a fixed time on each record, so every buffer and every credit before it is
// used up. A barrier leaves a source when its position is stored, and has arrived when the sink
// prepares its output; a message's delay is that of a timer of processing time, which reaches
// the task by the same way as a cancellation or the trigger of a checkpoint. So both are seen
// from outside, by what users' code is called for.
//
// Start reading at Run.
package latency
