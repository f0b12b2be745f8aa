package job

import (
	"cmp"
	"time"

	"blink"
	"blink/connector/nexmark"
)

// Q9 is every auction that was bid on, with the bid that has won it: the highest one while
// the auction was open.
func Q9(bids blink.Stream[nexmark.Bid], auctions blink.Stream[nexmark.Auction]) blink.Stream[nexmark.Sale] {
	lots := auctions.MapInto(func(a *nexmark.Auction, s *sale) { s.Auction, s.Winner = *a, nexmark.Trade{} }).
		KeyBy(func(s sale) int64 { return s.Auction.ID })
	offers := bids.MapInto(func(b *nexmark.Bid, t *trade) { t.Of(b) }).
		KeyBy(func(t trade) int64 { return t.Auction })
	return lots.Connect(offers).Process(&winners[sale, *sale, trade]{}).ID("winners").
		MapInto(func(s *sale, r *nexmark.Sale) { *r = s.Sale })
}

// trade and sale are what Q9 wants to know of a bid and of an auction with its best bid.
type (
	trade struct{ nexmark.Trade }
	sale  struct{ nexmark.Sale }
)

func (t trade) at() nexmark.Millis { return t.DateTime }

func (s *sale) open() (from, to nexmark.Millis) { return s.Auction.DateTime, s.Auction.Expires }
func (s *sale) sold() bool                      { return s.Winner.Price > 0 }

// take prefers of equal prices the earliest bid, then that of the lowest bidder, then that
// with the smallest Extra.
func (s *sale) take(t trade) {
	best := &s.Winner
	if cmp.Or(cmp.Compare(best.Price, t.Price), cmp.Compare(t.DateTime, best.DateTime), cmp.Compare(t.Bidder, best.Bidder), cmp.Compare(t.Extra, best.Extra)) < 0 {
		*best = t.Trade
	}
}

// Q4 is what the auctions of a category went for on average, for each 10 s in which some
// expire: Q9 of a few numbers, which leave when the auction expires and with that time.
func Q4(bids blink.Stream[nexmark.Bid], auctions blink.Stream[nexmark.Auction]) blink.Stream[nexmark.Average] {
	lots := auctions.
		MapInto(func(a *nexmark.Auction, p *price) { p.of(a) }).
		KeyBy(func(p price) int64 { return p.Auction })
	offers := bids.MapInto(func(b *nexmark.Bid, o *offer) { *o = offer{b.Auction, b.Price, b.DateTime} }).
		KeyBy(func(o offer) int64 { return o.Auction })
	return lots.Connect(offers).Process(&winners[price, *price, offer]{}).ID("winners").
		KeyBy(func(p price) int64 { return p.Category }).
		Window(blink.Tumbling(10 * time.Second)).Aggregate(&mean{}).ID("averages").
		MapInto(func(p *blink.Pane[int64, int64], r *nexmark.Average) {
			*r = nexmark.Average{Category: p.Key, Price: p.Value, WindowEnd: nexmark.Millis(p.End.UnixMilli())}
		})
}

// offer and price are what Q4 wants to know of a bid and of an auction with its best bid.
type (
	offer struct {
		Auction, Price int64
		At             nexmark.Millis
	}
	price struct {
		Auction, Category int64
		From, To          nexmark.Millis
		Best              int64
	}
)

func (o offer) at() nexmark.Millis { return o.At }

func (p *price) of(a *nexmark.Auction) {
	p.Auction, p.Category, p.From, p.To, p.Best = a.ID, a.Category, a.DateTime, a.Expires, 0
}
func (p *price) open() (from, to nexmark.Millis) { return p.From, p.To }
func (p *price) sold() bool                      { return p.Best > 0 }
func (p *price) take(o offer)                    { p.Best = max(p.Best, o.Price) }

// mean is the whole part of the average price.
type mean struct{ sum, count int64 }

// Add, Merge and Result make it an accumulator.
func (m *mean) Add(p price)   { m.sum, m.count = m.sum+p.Best, m.count+1 }
func (m *mean) Merge(o mean)  { m.sum, m.count = m.sum+o.sum, m.count+o.count }
func (m *mean) Result() int64 { return m.sum / m.count }

// winners gives every auction that was bid on when it has expired, with the bid that has won
// it. It keeps no auction longer than that, and no bid when its auction has come.
//
// A bid may come before its auction, since the two come on channels of their own: then it
// waits. When event time has come to the bid, all auctions that were open at its time have
// come as well; so what still waits then is on none of them, or on one that has expired.
type winners[L any, P auction[L, B], B bid] struct {
	lot     blink.Value[L] // while it is open
	waiting blink.List[B]
	end     blink.Timer // of the lot; before it has come, of the latest bid that waits
}

// auction is what winners knows of a lot.
type auction[L, B any] interface {
	*L
	open() (from, to nexmark.Millis) // bids at these times and between count
	take(B)                          // a bid that counts
	sold() bool
}

// bid is what winners knows of a bid.
type bid interface{ at() nexmark.Millis }

// ProcessLeft is told of an auction.
func (w *winners[L, P, B]) ProcessLeft(_ *blink.Ctx[int64], l L, _ *blink.Out[L]) error {
	lot := P(w.lot.Ref())
	*lot = l
	for b := range w.waiting.All() {
		take(lot, b)
	}
	w.waiting.Clear()
	_, to := lot.open()
	w.end.Set(to.Time())
	return nil
}

// ProcessRight is told of a bid.
func (w *winners[L, P, B]) ProcessRight(c *blink.Ctx[int64], b B, _ *blink.Out[L]) error {
	if lot := w.lot.Find(); lot != nil {
		take(P(lot), b)
		return nil
	}
	w.waiting.Append(b)
	if last, ok := w.end.Pending(); !ok || c.Time().After(last) {
		w.end.Set(c.Time())
	}
	return nil
}

// OnTimer ends an auction, or the waiting for one.
func (w *winners[L, P, B]) OnTimer(_ *blink.Ctx[int64], _ *blink.Timer, out *blink.Out[L]) error {
	if lot := w.lot.Find(); lot != nil && P(lot).sold() {
		out.Emit(*lot)
	}
	w.lot.Clear()
	w.waiting.Clear()
	return nil
}

// take takes a bid by its value: a pointer to it would have to be allocated.
func take[L any, P auction[L, B], B bid](l P, b B) {
	if from, to := l.open(); from <= b.at() && b.at() <= to {
		l.take(b)
	}
}
