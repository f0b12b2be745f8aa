package oracle

import "blink/connector/nexmark"

// The category of which Q3 and Q20 want the auctions.
const wanted = 10

// Q3 is the auctions of category 10 with their sellers, if these live in Oregon, Idaho or
// California. Either may come first, however much earlier.
func Q3(in *Events, emit func(*nexmark.Offer)) {
	sellers := map[int64]*nexmark.Offer{} // by the person; nil stands for one who lives elsewhere
	waiting := map[int64][]int64{}        // auctions whose seller has not come, by seller
	for e := in.Next(); e != nil; e = in.Next() {
		switch {
		case e.Kind == nexmark.PersonKind:
			p := &e.Person
			sellers[p.ID] = nil
			if nearby(p.State) {
				offer := &nexmark.Offer{Name: p.Name, City: p.City, State: p.State}
				sellers[p.ID] = offer
				for _, offer.Auction = range waiting[p.ID] {
					emit(offer)
				}
			}
			delete(waiting, p.ID)
		case e.Kind == nexmark.AuctionKind && e.Auction.Category == wanted:
			a := &e.Auction
			offer, known := sellers[a.Seller]
			switch {
			case !known:
				waiting[a.Seller] = append(waiting[a.Seller], a.ID)
			case offer != nil:
				offer.Auction = a.ID
				emit(offer)
			}
		}
	}
}

func nearby(state string) bool { return state == "OR" || state == "ID" || state == "CA" }

// Q20 is the bids on auctions of category 10, each with its auction. Either may come first,
// however much earlier, so auctions are kept for ever, and bids until their auction has come.
func Q20(in *Events, emit func(*nexmark.Match)) {
	auctions := map[int64]*nexmark.Auction{} // nil stands for one of another category
	waiting := map[int64][]nexmark.Bid{}     // by auction
	var m nexmark.Match
	for e := in.Next(); e != nil; e = in.Next() {
		switch e.Kind {
		case nexmark.BidKind:
			a, known := auctions[e.Bid.Auction]
			switch {
			case !known:
				waiting[e.Bid.Auction] = append(waiting[e.Bid.Auction], e.Bid)
			case a != nil:
				m.Bid, m.Auction = e.Bid, *a
				emit(&m)
			}
		case nexmark.AuctionKind:
			id := e.Auction.ID
			auctions[id] = nil
			if e.Auction.Category == wanted {
				a := e.Auction
				auctions[id] = &a
				m.Auction = a
				for _, m.Bid = range waiting[id] {
					emit(&m)
				}
			}
			delete(waiting, id)
		}
	}
}
