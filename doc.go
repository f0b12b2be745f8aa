// Package blink describes a job; it runs nothing.
//
//	func hotPages(job *blink.Job) {
//		in := job.String("in", "access.log", "access log to read")
//		job.Read(files.Lines(in)).
//			Try(parse, blink.Skip).
//			EventTime(Hit.when, blink.BoundedOutOfOrder(5*time.Second)).
//			KeyBy(Hit.path).
//			Window(blink.Sliding(10*time.Minute, time.Minute)).
//			Count().ID("hot").
//			Write(files.CSV("out/"))
//	}
//
//	func main() { cluster.Main(blink.Define("hot-pages", hotPages)) }
//
// Every verb adds an operator to the job and returns a small value that points at it.
// Functions do not travel: the same binary builds the same graph as client, JobMaster and
// TaskExecutor, and each takes from it what it needs. So Build, and the functions given to
// verbs, depend on nothing but their arguments and the job's parameters, and are shared by all
// tasks of a process; what belongs to one task is a field of a processor.
//
// One rule shapes the signatures: a method of Stream, Keyed or Windowed cannot return a
// Stream of a type that contains T (the compiler reports an instantiation cycle), so such
// verbs take a function that makes the result, or return T itself.
//
// What is stored (keys, states, accumulators, splits, transactions) may change its type between
// two runs: fields may come, go, move, become wider numbers, pointers or no pointers; the tag
// `blink:"new,was=old"` renames one, and `blink:"-"` leaves one out. A change that stored
// values cannot follow, and any of a key, is refused by name before a task is deployed.
//
// Mistakes are collected while the job is built and reported together, each with its place
// in the program. Start reading at Job, then Stream.
package blink
