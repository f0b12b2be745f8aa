package job

import (
	"blink"
	"blink/connector/nexmark"
)

// wanted is the category of which Q3 and Q20 want the auctions.
const wanted = 10

// Q3 is the auctions of category 10 with their sellers, if these live in Oregon, Idaho or
// California. Whoever lives elsewhere and what else is sold is left out before anything
// travels.
func Q3(auctions blink.Stream[nexmark.Auction], persons blink.Stream[nexmark.Person]) blink.Stream[nexmark.Offer] {
	lots := auctions.
		MapInto(func(a *nexmark.Auction, l *lot) { *l = lot{a.ID, a.Seller, a.Category} }).
		Filter(func(l lot) bool { return l.Category == wanted }).
		KeyBy(func(l lot) int64 { return l.Seller })
	sellers := persons.
		MapInto(func(p *nexmark.Person, s *seller) { *s = seller{p.ID, p.Name, p.City, p.State} }).
		Filter(func(s seller) bool { return s.State == "OR" || s.State == "ID" || s.State == "CA" }).
		KeyBy(func(s seller) int64 { return s.ID })
	return lots.Connect(sellers).Process(&offers{}).ID("offers")
}

type lot struct{ ID, Seller, Category int64 }

type seller struct {
	ID                int64
	Name, City, State string
}

// offers joins lots and sellers, whichever comes first, without an end.
type offers struct {
	seller  blink.Value[seller]
	waiting blink.List[int64] // lots whose seller has not come
}

// ProcessLeft is told of a lot.
func (o *offers) ProcessLeft(_ *blink.Ctx[int64], l lot, out *blink.Out[nexmark.Offer]) error {
	if s, ok := o.seller.Load(); ok {
		out.Emit(nexmark.Offer{Name: s.Name, City: s.City, State: s.State, Auction: l.ID})
	} else {
		o.waiting.Append(l.ID)
	}
	return nil
}

// ProcessRight is told of a seller.
func (o *offers) ProcessRight(_ *blink.Ctx[int64], s seller, out *blink.Out[nexmark.Offer]) error {
	o.seller.Set(s)
	for id := range o.waiting.All() {
		out.Emit(nexmark.Offer{Name: s.Name, City: s.City, State: s.State, Auction: id})
	}
	o.waiting.Clear()
	return nil
}

// Q20 is the bids on auctions of category 10, each with its auction, whichever comes first.
// Auctions of other categories are told of as well: without a word of them, the bids on them
// would wait for ever.
func Q20(bids blink.Stream[nexmark.Bid], auctions blink.Stream[nexmark.Auction]) blink.Stream[nexmark.Match] {
	return bids.KeyBy(func(b nexmark.Bid) int64 { return b.Auction }).
		Connect(auctions.KeyBy(func(a nexmark.Auction) int64 { return a.ID })).
		Process(&matches{}).ID("matches")
}

type matches struct {
	auction blink.Value[nexmark.Auction] // if it is of category 10
	other   blink.Value[bool]            // if it is not
	waiting blink.List[nexmark.Bid]      // bids whose auction has not come
}

// ProcessLeft is told of a bid.
func (m *matches) ProcessLeft(_ *blink.Ctx[int64], b nexmark.Bid, out *blink.Out[nexmark.Match]) error {
	if m.other.Get() {
		return nil
	}
	if a, ok := m.auction.Load(); ok {
		out.Emit(nexmark.Match{Bid: b, Auction: a})
	} else {
		m.waiting.Append(b)
	}
	return nil
}

// ProcessRight is told of an auction.
func (m *matches) ProcessRight(_ *blink.Ctx[int64], a nexmark.Auction, out *blink.Out[nexmark.Match]) error {
	if a.Category != wanted {
		m.other.Set(true)
		m.waiting.Clear()
		return nil
	}
	m.auction.Set(a)
	for b := range m.waiting.All() {
		out.Emit(nexmark.Match{Bid: b, Auction: a})
	}
	m.waiting.Clear()
	return nil
}
