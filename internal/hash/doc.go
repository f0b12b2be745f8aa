// Package hash gives keys the hashes that place them: in a key group and in a table. They
// are part of the stored form of state, so they are the same in every process and for ever.
//
// Integers are folded by a 64×64-bit multiplication (as in wyhash); strings use xxh3;
// structs and arrays combine the hashes of the integers and strings in them, in order. No
// hash is 0, so that a table may use 0 for a free slot.
//
// Start reading at Of.
package hash
