// Package placement decides which slot runs what.
//
// A unit is what shares a slot: subtask i of every vertex of a slot sharing group. Place
// gives each unit a slot among those on offer, all or none:
//
//	units + offers ──Place──► assignments, or the reasons why there are none
//
// First comes the slot that the unit had before, since its process may still have what it
// needs; then the executor with the most bytes of the unit's local state; then the one with
// the most free slots. It is a pure function. Start reading at Place.
package placement
