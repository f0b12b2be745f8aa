// Package snapshot is the protocol of checkpoints, as data and decisions.
//
// A task's snapshot is a list of parts, one for each operator, encoded into one object
// (EncodeParts). A part is whole, or a delta onto an earlier checkpoint of the same attempt, as
// the Chain of its operator allows; then the objects are layers, which Stack puts on each other
// in the order in which they were written. A checkpoint is the layers of all tasks and a
// Manifest that lists them; it is complete when the pointer names its manifest. Restoring is
// planned from the manifest alone (PlanRestore): key groups go to the tasks that own them now,
// items are dealt out anew, so parallelism may change. What no retained manifest references is
// garbage: references are derived, never counted (Garbage).
//
//	parts ──EncodeParts──► object ──Handle, Stack──► Manifest ──pointer──► complete
//	  ▲                                                 └──PlanRestore──► Fetches of each task ──CutPart──► parts
//	Chain: whole, or a delta onto what is complete
//
// The package is pure: it reads and writes nothing. Start reading at Manifest.
package snapshot
