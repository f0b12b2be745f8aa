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
// Events is a source of them for a job, in as many splits as Options say: split i of p makes
// the events n ≡ i (mod p), its position is the next n, and a watermark follows every 1000th.
// Bids is the same with the three kinds as streams of their own.
//
// The rows of the queries are types as well (Trade, Average, Hot …), each of which says what
// its columns are, so that a job and a plain loop beside it add up the same Digest.
//
// Start reading at Generator.Event, then reader.Next in source.go and Columns in digest.go.
package nexmark
