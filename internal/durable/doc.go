// Package durable is the file system as the runtime sees it, and how small files are written
// to it: whole, and so that they are there after a crash.
//
//	Replace:  Write ──► Rename ──► SyncDir         the old content or the new one, never a mixture
//	             └ create, write, sync, close
//
//	Append:   open ──► write ──► sync, close       what is torn is at the end
//
// Every step is a call of FS, so that a simulated disk can tear them apart. OS is the machine's
// FS, for the code that wires real parts together; what runs under simulation is handed one.
//
// Start reading at Replace.
package durable
