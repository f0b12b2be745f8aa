package oracle

import (
	"cmp"
	"maps"
	"slices"

	"blink/connector/nexmark"
)

// Q9 is every auction that was bid on, with the bid that has won it: the highest one not
// before its DateTime and not after its Expires; of equal prices the earliest, then that of
// the lowest bidder, then that with the smallest Extra.
func Q9(in *Events, emit func(*nexmark.Sale)) {
	m := market{open: map[int64]*nexmark.Sale{}, emit: emit}
	for e := in.Next(); e != nil; e = in.Next() {
		switch e.Kind {
		case nexmark.BidKind:
			if s := m.open[e.Bid.Auction]; s != nil && e.Bid.DateTime <= s.Auction.Expires && beats(&e.Bid, &s.Winner) {
				s.Winner.Of(&e.Bid)
			}
		case nexmark.AuctionKind:
			if e.Auction.DateTime >= m.sweep {
				m.closeBefore(e.Auction.DateTime)
				m.sweep = e.Auction.DateTime + sweepMillis
			}
			m.add(&e.Auction)
		}
	}
	for _, s := range m.opened {
		m.close(s)
	}
}

// market has the auctions that may still be bid on.
type market struct {
	open   map[int64]*nexmark.Sale
	opened []*nexmark.Sale // the same, in their order
	spare  []*nexmark.Sale // to be used again
	sweep  nexmark.Millis  // when to look again for auctions that are over
	emit   func(*nexmark.Sale)
}

const sweepMillis = 1000

func (m *market) add(a *nexmark.Auction) {
	if len(m.spare) == 0 {
		m.spare = append(m.spare, new(nexmark.Sale))
	}
	s := m.spare[len(m.spare)-1]
	m.spare = m.spare[:len(m.spare)-1]
	*s = nexmark.Sale{Auction: *a}
	m.open[a.ID] = s
	m.opened = append(m.opened, s)
}

func (m *market) closeBefore(now nexmark.Millis) {
	m.opened = slices.DeleteFunc(m.opened, func(s *nexmark.Sale) bool {
		if s.Auction.Expires >= now {
			return false
		}
		m.close(s)
		return true
	})
}

func (m *market) close(s *nexmark.Sale) {
	if s.Winner.Price > 0 {
		m.emit(s)
	}
	delete(m.open, s.Auction.ID)
	m.spare = append(m.spare, s)
}

// beats says that a bid wins against the best so far. That is zero if there is none: prices
// are above 0.
func beats(b *nexmark.Bid, best *nexmark.Trade) bool {
	if b.Price != best.Price {
		return b.Price > best.Price
	}
	return cmp.Or(cmp.Compare(b.DateTime, best.DateTime), cmp.Compare(b.Bidder, best.Bidder), cmp.Compare(b.Extra, best.Extra)) < 0
}

// Q4 is what the auctions of a category went for on average, its whole part, for each 10 s in
// which auctions end that were bid on: the prices of Q9, by category and the window of Expires.
func Q4(in *Events, emit func(*nexmark.Average)) {
	type key struct {
		end      nexmark.Millis
		category int64
	}
	type prices struct{ sum, count int64 }
	windows := map[key]prices{}
	Q9(in, func(s *nexmark.Sale) {
		k := key{floor(s.Auction.Expires, windowMillis) + windowMillis, s.Auction.Category}
		p := windows[k]
		windows[k] = prices{p.sum + s.Winner.Price, p.count + 1}
	})
	order := func(a, b key) int {
		return cmp.Or(cmp.Compare(a.end, b.end), cmp.Compare(a.category, b.category))
	}
	for _, k := range slices.SortedFunc(maps.Keys(windows), order) {
		emit(&nexmark.Average{Category: k.category, Price: windows[k].sum / windows[k].count, WindowEnd: k.end})
	}
}
