// Package rowindex finds the rows of a table by the hashes of their keys. It knows neither the
// rows nor their keys: a search gives candidates, which the table compares.
//
//	for at := x.Seek(hash, hash); x.Slots[at] != 0; at = x.Seek(hash, at+1) {
//		if row := rowindex.Row(x.Slots[at]); … it has the key
//	}
//
// Start reading at Index.
package rowindex
