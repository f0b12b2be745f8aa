package job

import (
	"slices"

	"blink"
	"blink/connector/nexmark"
)

// Q17 is, for each bid, the statistics of its auction's bids of its day, up to and with it.
func Q17(bids blink.Stream[nexmark.Bid]) blink.Stream[nexmark.Statistics] {
	return bids.MapInto(func(b *nexmark.Bid, p *dayPrice) { *p = dayPrice{auctionDay{b.Auction, dayOf(b.DateTime)}, b.Price} }).
		KeyBy(func(p dayPrice) auctionDay { return p.auctionDay }).
		Scan(addPrice).ID("statistics")
}

type auctionDay struct{ Auction, Day int64 }

type dayPrice struct {
	auctionDay
	Price int64
}

func dayOf(t nexmark.Millis) int64 { return int64(t) / (24 * 60 * 60 * 1000) }

func addPrice(s *nexmark.Statistics, p dayPrice, out *blink.Out[nexmark.Statistics]) {
	if s.Bids == 0 {
		*s = nexmark.Statistics{Auction: p.Auction, Day: p.Day, Min: p.Price, Max: p.Price}
	}
	switch {
	case p.Price < 10_000:
		s.Low++
	case p.Price < 1_000_000:
		s.Middle++
	default:
		s.High++
	}
	s.Bids++
	s.Sum += p.Price
	s.Min, s.Max, s.Average = min(s.Min, p.Price), max(s.Max, p.Price), s.Sum/s.Bids
	out.Emit(*s)
}

// Q18 is every bid that becomes the last one of its bidder on its auction.
func Q18(bids blink.Stream[nexmark.Bid]) blink.Stream[nexmark.Trade] {
	return bids.MapInto(func(b *nexmark.Bid, t *nexmark.Trade) { t.Of(b) }).
		KeyBy(func(t nexmark.Trade) bidderAuction { return bidderAuction{t.Bidder, t.Auction} }).
		Scan(func(last *lastBid, t nexmark.Trade, out *blink.Out[nexmark.Trade]) {
			if t.DateTime > last.At || t.DateTime == last.At && t.Price > last.Price {
				*last = lastBid{t.DateTime, t.Price}
				out.Emit(t)
			}
		}).ID("last")
}

type bidderAuction struct{ Bidder, Auction int64 }

type lastBid struct {
	At    nexmark.Millis
	Price int64
}

// Q19 is every bid that enters the ten highest of its auction, with the rank at which it
// does.
func Q19(bids blink.Stream[nexmark.Bid]) blink.Stream[nexmark.Ranked] {
	return bids.MapInto(func(b *nexmark.Bid, t *nexmark.Trade) { t.Of(b) }).
		KeyBy(func(t nexmark.Trade) int64 { return t.Auction }).
		Scan(func(top *top10, t nexmark.Trade, out *blink.Out[nexmark.Ranked]) {
			if rank := top.enter(t.Price); rank > 0 {
				out.Emit(nexmark.Ranked{Trade: t, Rank: int64(rank)})
			}
		}).ID("top")
}

// top10 is the highest prices, in falling order.
type top10 struct {
	Prices [10]int64 // 0 where there is none yet
}

// enter says at which rank a price enters, from 1, behind equal ones; 0: at none.
func (t *top10) enter(price int64) int {
	at := slices.IndexFunc(t.Prices[:], func(p int64) bool { return p < price })
	if at < 0 {
		return 0
	}
	copy(t.Prices[at+1:], t.Prices[at:])
	t.Prices[at] = price
	return at + 1
}
