// Package nexmark makes the events of the Nexmark benchmark, an auction house: persons who
// sign up, auctions that they open, and bids on these. Event n is a function of n alone, so
// any engine makes the same input.
//
//	g := nexmark.NewGenerator()          // its strings are made once
//	var e nexmark.Event
//	for n := range uint64(1_000_000) {
//		g.Event(n, &e)               // a few multiplications, no allocation
//		if e.Kind == nexmark.BidKind { … e.Bid.Price … }
//	}
//
// Start reading at Generator.Event.
package nexmark
