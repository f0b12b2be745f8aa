// Package graph is the description of a job as data, and its physical form.
//
// A Job is what the user's program says: operators and edges. Compile chains operators into
// vertices, whose tasks run them as one, and keeps what crosses a task's border as links:
//
//	Job ──Compile──► Plan ──Regions──► tasks that restart together
//	                  └────Senders───► who sends to whom
//
// Keyed state is cut into key groups, which never change in number; a task owns a range of
// them (GroupRange), so that a changed parallelism moves whole groups. A pipelined region is
// a set of tasks joined by links that are not blocking: the unit of recovery.
//
// The package is pure. Start reading at Compile.
package graph
