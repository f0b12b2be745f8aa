// Package invariant panics when our own code is wrong.
//
// A fault of the world (a full disk, a lost connection, a bad row) is an error,
// and is returned. A fault of our code is an invariant that does not hold, and
// going on would only hide where it broke:
//
//	invariant.Check(len(q.batches) <= q.credit, "channel %s: %d batches in flight, credit %d", q.id, len(q.batches), q.credit)
//
// Checks are always on: so they are cheap, and none stands in the loop over
// records. Inside an actor the panic fails the actor, which its supervisor
// reports; in the simulator it ends the run with the seed.
//
// Start reading at Check, which is all there is.
package invariant
