package oracle

import "blink/connector/nexmark"

// Q0 passes every bid on.
func Q0(in *Events, emit func(*nexmark.Trade)) {
	var r nexmark.Trade // out of the loop, so that there is one
	for b := in.nextBid(); b != nil; b = in.nextBid() {
		r.Of(b)
		emit(&r)
	}
}

// Q1 is every bid with its price in another currency: price · 908 ÷ 1000, its whole part.
func Q1(in *Events, emit func(*nexmark.Trade)) {
	var r nexmark.Trade
	for b := in.nextBid(); b != nil; b = in.nextBid() {
		r.Of(b)
		r.Price = r.Price * 908 / 1000
		emit(&r)
	}
}

// Q2 is the bids on auctions whose number is a multiple of 123.
func Q2(in *Events, emit func(*nexmark.Pick)) {
	var r nexmark.Pick
	for b := in.nextBid(); b != nil; b = in.nextBid() {
		if b.Auction%123 == 0 {
			r = nexmark.Pick{Auction: b.Auction, Price: b.Price}
			emit(&r)
		}
	}
}

const dayMillis = 24 * 60 * 60 * 1000

// Q17 is, for each bid, the statistics of its auction's bids of its day, up to and with it.
func Q17(in *Events, emit func(*nexmark.Statistics)) {
	type key struct{ auction, day int64 }
	days := map[key]*nexmark.Statistics{}
	for b := in.nextBid(); b != nil; b = in.nextBid() {
		k := key{b.Auction, int64(b.DateTime / dayMillis)}
		s := days[k]
		if s == nil {
			s = &nexmark.Statistics{Auction: k.auction, Day: k.day, Min: b.Price, Max: b.Price}
			days[k] = s
		}
		addPrice(s, b.Price)
		emit(s)
	}
}

func addPrice(s *nexmark.Statistics, price int64) {
	switch {
	case price < 10_000:
		s.Low++
	case price < 1_000_000:
		s.Middle++
	default:
		s.High++
	}
	s.Bids++
	s.Min, s.Max = min(s.Min, price), max(s.Max, price)
	s.Sum += price
	s.Average = s.Sum / s.Bids
}

// Q18 is every bid that becomes the last one of its bidder on its auction: it is later than
// that one, or of the same time and higher.
func Q18(in *Events, emit func(*nexmark.Trade)) {
	type key struct{ bidder, auction int64 }
	type last struct {
		at    nexmark.Millis
		price int64
	}
	lasts := map[key]last{}
	var r nexmark.Trade
	for b := in.nextBid(); b != nil; b = in.nextBid() {
		k := key{b.Bidder, b.Auction}
		if l, ok := lasts[k]; ok && (b.DateTime < l.at || b.DateTime == l.at && b.Price <= l.price) {
			continue
		}
		lasts[k] = last{b.DateTime, b.Price}
		r.Of(b)
		emit(&r)
	}
}

// Q19 is every bid that enters the ten highest of its auction, with the rank at which it
// does. It ranks behind earlier bids of the same price. Nothing is said of bids that it
// moves down or out.
func Q19(in *Events, emit func(*nexmark.Ranked)) {
	tops := map[int64]*ranking{}
	var r nexmark.Ranked
	for b := in.nextBid(); b != nil; b = in.nextBid() {
		t := tops[b.Auction]
		if t == nil {
			t = &ranking{}
			tops[b.Auction] = t
		}
		if rank := t.enter(b.Price); rank > 0 {
			r.Of(b)
			r.Rank = int64(rank)
			emit(&r)
		}
	}
}

// ranking has the highest prices, in falling order.
type ranking struct {
	prices [10]int64
	n      int
}

// enter puts a price in its place, and says which that is, from 1; 0 if there is none.
func (t *ranking) enter(price int64) int {
	i := t.n
	for i > 0 && t.prices[i-1] < price {
		i--
	}
	if i == len(t.prices) {
		return 0
	}
	t.n = min(t.n+1, len(t.prices))
	copy(t.prices[i+1:t.n], t.prices[i:])
	t.prices[i] = price
	return i + 1
}
