// Package state is keyed state: what an operator remembers for each key, and the timers set
// for it.
//
// A processor declares its state by fields: Value, List, Map and Timer, also in structs and
// arrays among its fields, not behind pointers. Declare lists them when the job is described. In a task, a Store holds the state of one operator; Bind joins
// the handles of the task's copy of the processor to it. Then, for each record:
//
//	store.SetKey(key, hash)   // the handles now speak of this key
//	processor.Process(…)      // which calls Value.Get, Timer.Set, …
//
// and when time moves on, Due gives the timers that have come, one at a time, each with its
// key made the current one.
//
//	key ──table──► row ──┬─► Value column ─ List column ─ Map column   (store.go, value.go, …)
//	                     └─► Timer column ─ heap                       (timer.go)
//
// A key has a row in a table with open addressing, and each handle keeps a typed column by
// row, so nothing is boxed and nothing is allocated for a record. A snapshot is cut by key
// group, in the order of encoded keys, so equal state has equal bytes and goes to whatever
// tasks own the groups later (snapshot.go).
//
// Start reading at Store.
package state
