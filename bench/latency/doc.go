// Package latency measures how long a busy task keeps others waiting: how long a barrier takes
// from the sources to a sink that cannot keep up, and how late its timers are.
//
//	4 sources ──hash──► process ──► sink        the last two in one task, which is always behind
//
// The sink spends a fixed time on each record, so every buffer and every credit before it is
// used up. A barrier leaves a source when its position is stored, and has arrived when the sink
// prepares its output. A timer of processing time fires behind the batch at hand: its message
// comes in as soon as a trigger or a cancellation would, between two quanta, and operators are
// called between two batches. So both are seen from outside, by what users' code is called for.
//
// Start reading at Run.
package latency
