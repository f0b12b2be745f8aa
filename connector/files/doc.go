// Package files reads and writes files, exactly once.
//
// A source is an Input (Glob, Embedded) read as Lines or as the Rows of CSV files: every
// file is a Split, its position a byte offset and a line number, so a reader that is opened
// again goes on behind the last line that counted.
//
// A sink is CSV or Table. Its tasks write in two phases, each driving a stage:
//
//	begin ──► write … ──► prepare(k) ──► commit(k) ──► … ──► finalize
//	  │         │             │             │                   └ task 0 joins the parts, names the file
//	  │         │             │             └ rename, ledger, fsync of the folder: visible
//	  │         │             └ fsync, rename to <k>-<task>-<attempt>: durable, invisible
//	  │         └ .x.csv.parts/writing-<task>-<attempt>
//	  └ miss what is gone, remove what is later than the restored checkpoint
//
// The parts of a single file are all that holds its rows until the end, so ledgers list them
// with their sizes and checksums, and how many ledgers there must be: what is lost or changed,
// between two runs or while the job runs, is an error, not a shorter file. Only what agrees
// with the ledgers is joined, and only parts whose rows are in the file are removed.
//
// Everything goes through operator.FS, so that a simulated disk can stand beneath; OS is
// the real one. Start reading at lines.go for sources and stage.go for sinks,
// then book.go and ledger.go.
package files
