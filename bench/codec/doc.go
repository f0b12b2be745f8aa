// Package codec measures what it costs to encode and decode records, type by type, in batches
// as they travel between processes, beside a plain copy of the same bytes in the same run.
//
// Buffers are used again, as the runtime does. Strings are read in two ways: as parts of the
// data, which is how frames are read, and copied, which is how state is.
//
// Start reading at Run.
package codec
