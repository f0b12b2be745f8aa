package nexmark

import (
	"context"

	"blink/operator"
)

// Fill makes the first n events in the batches of the engine, as the source Bids does in a
// task, and lets nobody have them: what the source of a job costs by itself. It returns how
// many it has made.
func (g *Generator) Fill(n uint64) (made uint64) {
	r := reader[Bid]{Split{Of: 1, End: n}, g.bidsInto()}
	b := operator.NewBatch[Bid](Auctions(), Persons())
	for {
		b.Reset()
		if r.Next(context.Background(), b) != nil { // io.EOF: a generator has no other
			return made
		}
		made += uint64(b.Len())
	}
}

// Make makes the first n events one after the other in one place, by the same arithmetic:
// the least that they can cost. It returns a sum that depends on them all.
func (g *Generator) Make(n uint64) (sum int64) {
	var b Bid
	var a Auction
	var p Person
	for i := range n {
		switch kind, epoch, id := place(i); kind {
		case BidKind:
			g.bid(i, epoch, &b)
			sum += b.Price
		case AuctionKind:
			g.auction(i, epoch, id, &a)
			sum += a.Reserve
		default:
			g.person(i, epoch, &p)
			sum += p.ID
		}
	}
	return sum
}
