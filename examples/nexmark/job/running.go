package job

import (
	"cmp"

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

// Q18 is every bid that becomes the last one of its bidder on its auction: of those of one
// instant, the highest.
func Q18(bids blink.Stream[nexmark.Bid]) blink.Stream[nexmark.Trade] {
	return bids.MapInto(func(b *nexmark.Bid, t *nexmark.Trade) { t.Of(b) }).
		KeyBy(func(t nexmark.Trade) bidderAuction { return bidderAuction{t.Bidder, t.Auction} }).
		Top(1, recencyOf, latest, func(_ int, t nexmark.Trade) nexmark.Trade { return t }).ID("last")
}

type bidderAuction struct{ Bidder, Auction int64 }

type recency struct {
	At    nexmark.Millis
	Price int64
}

func recencyOf(t nexmark.Trade) recency { return recency{t.DateTime, t.Price} }

func latest(a, b recency) int { return cmp.Or(cmp.Compare(b.At, a.At), cmp.Compare(b.Price, a.Price)) }

// Q19 is every bid that enters the ten highest of its auction, with the rank at which it
// does.
func Q19(bids blink.Stream[nexmark.Bid]) blink.Stream[nexmark.Ranked] {
	return bids.MapInto(func(b *nexmark.Bid, t *nexmark.Trade) { t.Of(b) }).
		KeyBy(func(t nexmark.Trade) int64 { return t.Auction }).
		Top(10, func(t nexmark.Trade) int64 { return t.Price }, highest, func(rank int, t nexmark.Trade) nexmark.Ranked {
			return nexmark.Ranked{Trade: t, Rank: int64(rank)}
		}).ID("top")
}

func highest(a, b int64) int { return cmp.Compare(b, a) }
