// Package placement decides which slot runs what.
//
// A unit is what shares a slot: subtask i of every vertex of a slot sharing group. A set is
// units that are of use together only, those of a pipelined region. Place gives them slots
// among those on offer, to each set all or none:
//
//	units + sets + offers ──Place──► assignments, and for the units left over the reasons
//
// First comes the slot that the unit had before, since its process may still have what it
// needs; then the executor with the most bytes of the unit's local state; then the one with
// the most free slots. It is a pure function. Start reading at Place.
package placement
