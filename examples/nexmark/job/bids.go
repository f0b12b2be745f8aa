package job

import (
	"blink"
	"blink/connector/nexmark"
)

// Q0 is every bid, without the place that it came from.
func Q0(bids blink.Stream[nexmark.Bid]) blink.Stream[nexmark.Trade] {
	return bids.MapInto(func(b *nexmark.Bid, t *nexmark.Trade) { t.Of(b) })
}

// Q1 is every bid with its price in another currency.
func Q1(bids blink.Stream[nexmark.Bid]) blink.Stream[nexmark.Trade] {
	return bids.MapInto(func(b *nexmark.Bid, t *nexmark.Trade) {
		t.Of(b)
		t.Price = b.Price * 908 / 1000
	})
}

// Q2 is the bids on every 123rd auction. The two columns are picked first, so that the filter
// looks at a small record.
func Q2(bids blink.Stream[nexmark.Bid]) blink.Stream[nexmark.Pick] {
	return bids.
		MapInto(func(b *nexmark.Bid, p *nexmark.Pick) { p.Auction, p.Price = b.Auction, b.Price }).
		Filter(func(p nexmark.Pick) bool { return p.Auction%123 == 0 })
}
