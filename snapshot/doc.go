// Package snapshot is the protocol of checkpoints, as data and decisions.
//
// A task's snapshot is a list of parts, one for each operator, encoded into one object
// (EncodeParts). A checkpoint is the objects of all tasks and a Manifest that lists them;
// it is complete when the pointer names its manifest. Restoring is planned from the manifest
// alone (PlanRestore): key groups go to the tasks that own them now, items are dealt out
// anew, so parallelism may change. What no retained manifest references is garbage: references
// are derived, never counted (Garbage).
//
//	parts ──EncodeParts──► object ──Handle──► Manifest ──pointer──► complete
//	                                             └──PlanRestore──► Fetches of each task ──CutPart──► parts
//
// The package is pure: it reads and writes nothing. Start reading at Manifest.
package snapshot
