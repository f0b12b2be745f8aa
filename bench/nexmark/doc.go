// Package nexmark measures the queries of the Nexmark benchmark on the engine, and beside
// each, in the same process and one after the other, what it has to be compared with:
//
//	the bare generator, filling the engine's batches        generator_cpu_seconds
//	the job on an embedded cluster, with checkpoints        cpu_seconds
//	the query as a plain loop, package oracle               loop_cpu_seconds
//
// CPU is user and system time of the whole process, all threads and the garbage collector
// included; it is little when the machine is busy with others and right all the same. What
// the engine costs for an event is (cpu − generator) ÷ generator, in units of the generator. GOGC is
// GCPercent. The job comes before the loop, which would touch the memory for it that both need.
//
// Every digest is compared: with the loop's, and with the defined one where there is one. A
// difference is an error, so that no figure stands for a wrong result.
//
// Start reading at Run.
package nexmark
