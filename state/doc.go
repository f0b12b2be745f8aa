// Package state is keyed state: what an operator remembers for each key, and the timers set
// for it.
//
// A processor declares its state by fields: Value, List, Map and Timer, also in structs and
// arrays among its fields, not behind pointers. Declare lists them when the job is described.
// In a task, a Store holds the state of one operator; Bind joins the handles of the task's copy
// of the processor to it. Then, for each record:
//
//	store.SetKey(key, hash)   // the handles now speak of this key
//	processor.Process(…)      // which calls Value.Get, Timer.Set, …
//
// and when time moves on, Due gives the timers that have come, one at a time, each with its
// key made the current one.
//
//	key ──index of its group──► row: head │ key │ Value │ List │ Map │ Timer …   (row.go)
//	                                                        │     │      └─ queue  (queue.go)
//	                                                        └─────┴─ block of a pool  (blocks.go, slots.go)
//
// All that is kept of a key stands in one row, made for the handles of the processor, so
// nothing is boxed, and nothing is allocated for a record that finds its key.
//
// A snapshot is taken in two steps: Freeze at the barrier, at a cost that does not grow with
// the state, then Drain, a piece at a time, between records; what is written meanwhile is
// encoded first. It is cut by key group, so that it goes to whatever tasks own the groups
// later, and may be a delta: what was written since a checkpoint that is complete (freeze.go).
// Reading takes the layers back, the oldest first (restore.go). The bytes of a group are a
// function of what the store was told, not of how it was drained, but for what expires meanwhile.
//
// Start reading at Store.
package state
