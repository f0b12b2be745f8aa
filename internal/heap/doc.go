// Package heap keeps the garbage collector from running for little.
//
// A task that moves records makes garbage, such as the frames that strings are parts of, and
// often keeps nothing: then the heap is a few MiB, the collector begins whenever as much again
// has been made, a hundred times a second, and takes a third of the CPU. What one collection
// costs does not depend on the garbage, so it should wait for more of it:
//
//	defer heap.Floor(heap.Usual)()
//
// A process with much state is collected as before.
//
// Start reading at Floor.
package heap
