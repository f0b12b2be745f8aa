// Package nexmark makes the events of the Nexmark benchmark, an auction house: persons who
// sign up, auctions that they open, and bids on these. Event n is a function of n alone, so
// any engine makes the same input, and results are compared by their Digest.
//
//	g := nexmark.NewGenerator()          // its strings are made once
//	var e nexmark.Event
//	for n := range uint64(1_000_000) {
//		g.Event(n, &e)               // a few multiplications, no allocation
//		if e.Kind == nexmark.BidKind { … e.Bid.Price … }
//	}
//
// The rows of the queries are types as well (Trade, Average, Hot …), each of which says what
// its columns are, so that a job and a plain loop beside it add up the same Digest.
//
// Start reading at Generator.Event, then Columns in digest.go.
package nexmark
