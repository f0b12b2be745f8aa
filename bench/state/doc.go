// Package state measures keyed state: what a write to a key costs, a timer, a snapshot, and how
// much memory a key takes, each beside plain Go that does the same in the same run, with maps
// and slices.
//
//	for _, c := range state.Cases() {
//		for _, keys := range c.Keys {
//			result, err := state.Run(c.Name, keys, state.Operations(keys))
//		}
//	}
//
// One goroutine drives a store as a task does. Hashes are carried beside the keys, as batches
// carry them. The order of keys is random and the same each time.
//
// Start reading at Run.
package state
