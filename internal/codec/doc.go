// Package codec stores and sends records: a column codec, compiled once for each Go type.
//
// For looks at a type with reflection, once, and makes a list of columns: one for each leaf
// field, with its offset. Append then writes a batch column by column, each in one loop with
// a fixed stride, and Decode reads it back the same way; no code is generated and nothing is
// boxed. Slices, maps and pointers are columns too: their lengths, then their elements as
// batches of their own. An interface is a byte that says which of the types named with OneOf
// follows.
//
//	count u32 | column … each of the first leaf field, then of the second, …
//
// Everything is little-endian and of fixed width. What a column looks like stands at its
// type in columns.go. Equal values have equal bytes, map order included.
//
// What can be stored is decided here as well, for the error messages of a job's build:
// Storable and Keyable.
//
// A type changes while data of its old form is stored. The schema, which is stored beside it,
// says what the columns are; Compare says whether values can follow, and Reads makes the
// columns that read the old form into the new type.
//
//	old schema ──parseSchema──► form ─┐
//	Go type ───────formOf─────► form ─┴─ evolution ──► columns that convert and skip, or Changes
//
// Start reading at For, then fixed in columns.go; for the latter at Compare.
package codec
