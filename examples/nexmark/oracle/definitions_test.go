package oracle

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"testing"

	"blink/connector/nexmark"
)

// house is a small input in which much coincides: few prices, few bidders, many events at
// one time, pauses of exactly a gap or a window.
func house(seed uint64) (events []nexmark.Event) {
	r := rand.New(rand.NewPCG(seed, 0))
	now := nexmark.Millis(r.IntN(30_000))
	persons, auctions := int64(1), int64(1)
	steps := []nexmark.Millis{1, 100, 999, 2_000, 9_999, 10_000, 10_001, 60_000, dayMillis}
	for range 600 {
		if r.IntN(5) == 0 {
			now += steps[min(r.IntN(len(steps)), r.IntN(len(steps)))]
		}
		switch kind := r.IntN(20); {
		case kind < 2:
			events = append(events, nexmark.Event{Kind: nexmark.PersonKind, Person: nexmark.Person{ID: persons,
				Name: "n", City: "c", State: []string{"OR", "ID", "CA", "WA"}[r.IntN(4)], DateTime: now}})
			persons++
		case kind < 6:
			now++ // a bid that came before is earlier
			events = append(events, nexmark.Event{Kind: nexmark.AuctionKind, Auction: nexmark.Auction{ID: auctions,
				ItemName: "i", DateTime: now, Expires: now + 1 + nexmark.Millis(r.IntN(20_000)), Seller: max(1, persons-5+r.Int64N(8)), Category: 10 + r.Int64N(2)}})
			auctions++
		default:
			events = append(events, nexmark.Event{Kind: nexmark.BidKind, Bid: nexmark.Bid{Auction: max(1, auctions-6+r.Int64N(8)),
				Bidder: 1 + r.Int64N(4), Price: []int64{1, 9_999, 10_000, 999_999, 1_000_000, 1_000_001}[r.IntN(6)], DateTime: now, Extra: []string{"a", "b"}[r.IntN(2)]}})
		}
	}
	return events
}

// begin is a beginning of the real input: too short for more than one window.
func begin(n uint64) (events []nexmark.Event) {
	g := nexmark.NewGenerator()
	for i := range n {
		var e nexmark.Event
		g.Event(i, &e)
		events = append(events, e)
	}
	return events
}

// told compares a loop with its definition, which looks at all events at once.
func told[R comparable](t *testing.T, loop func(*Events, func(*R)), definition func(all) []R) {
	t.Helper()
	inputs := [][]nexmark.Event{nil, begin(3000)}
	for seed := range uint64(60) {
		inputs = append(inputs, house(seed))
	}
	rows := 0
	for i, events := range inputs {
		count := map[R]int{}
		loop(Given(events), func(r *R) { count[*r]++; rows++ })
		for _, r := range definition(divide(events)) {
			count[r]--
		}
		for r, n := range count {
			if n != 0 {
				t.Errorf("input %d: %+d × %+v", i, n, r)
			}
		}
	}
	if rows == 0 {
		t.Error("no row at all")
	}
}

// all are the events of an input by their kind, each in its order.
type all struct {
	persons  []nexmark.Person
	auctions []nexmark.Auction
	bids     []nexmark.Bid
}

func divide(events []nexmark.Event) (a all) {
	for _, e := range events {
		switch e.Kind {
		case nexmark.PersonKind:
			a.persons = append(a.persons, e.Person)
		case nexmark.AuctionKind:
			a.auctions = append(a.auctions, e.Auction)
		case nexmark.BidKind:
			a.bids = append(a.bids, e.Bid)
		}
	}
	return a
}

// which are the elements of which something holds.
func which[T any](from []T, holds func(T) bool) (some []T) {
	for _, v := range from {
		if holds(v) {
			some = append(some, v)
		}
	}
	return some
}

// starts are the starts of all windows that have a bid or a person.
func (a all) starts(size, slide nexmark.Millis) []nexmark.Millis {
	var starts []nexmark.Millis
	add := func(t nexmark.Millis) {
		for s := t - t%slide; s > t-size; s -= slide {
			starts = append(starts, s)
		}
	}
	for _, b := range a.bids {
		add(b.DateTime)
	}
	for _, p := range a.persons {
		add(p.DateTime)
	}
	slices.Sort(starts)
	return slices.Compact(starts)
}

// bidsOf are the bids of a window.
func (a all) bidsOf(start, size nexmark.Millis) []nexmark.Bid {
	return which(a.bids, func(b nexmark.Bid) bool { return b.DateTime >= start && b.DateTime < start+size })
}

func TestQ1AndQ2LookAtEachBidAlone(t *testing.T) {
	bid := nexmark.Bid{Auction: 246, Bidder: 7, Price: 1999, DateTime: 3, Extra: "x"}
	events := []nexmark.Event{{Kind: nexmark.PersonKind}, {Kind: nexmark.BidKind, Bid: bid}, {Kind: nexmark.BidKind, Bid: nexmark.Bid{Auction: 247}}}
	var trades []nexmark.Trade
	Q1(Given(events), func(r *nexmark.Trade) { trades = append(trades, *r) })
	if want := (nexmark.Trade{Auction: 246, Bidder: 7, Price: 1815, DateTime: 3, Extra: "x"}); len(trades) != 2 || trades[0] != want {
		t.Errorf("q1 gives %v", trades)
	}
	var picks []nexmark.Pick
	Q2(Given(events), func(r *nexmark.Pick) { picks = append(picks, *r) })
	if !slices.Equal(picks, []nexmark.Pick{{Auction: 246, Price: 1999}}) {
		t.Errorf("q2 gives %v", picks)
	}
}

func TestQ3JoinsAuctionsWithSellers(t *testing.T) {
	told(t, Q3, func(a all) (rows []nexmark.Offer) {
		for _, p := range a.persons {
			for _, u := range a.auctions {
				if u.Seller == p.ID && u.Category == 10 && p.State != "WA" && p.State != "AZ" && p.State != "WY" {
					rows = append(rows, nexmark.Offer{Name: p.Name, City: p.City, State: p.State, Auction: u.ID})
				}
			}
		}
		return rows
	})
}

// sales are the winners, by sorting all bids of each auction.
func (a all) sales() (rows []nexmark.Sale) {
	for _, u := range a.auctions {
		bids := which(a.bids, func(b nexmark.Bid) bool {
			return b.Auction == u.ID && u.DateTime <= b.DateTime && b.DateTime <= u.Expires
		})
		slices.SortFunc(bids, func(a, b nexmark.Bid) int {
			return cmp.Or(-cmp.Compare(a.Price, b.Price), cmp.Compare(a.DateTime, b.DateTime), cmp.Compare(a.Bidder, b.Bidder), cmp.Compare(a.Extra, b.Extra))
		})
		if len(bids) > 0 {
			b := bids[0]
			rows = append(rows, nexmark.Sale{Auction: u, Winner: nexmark.Trade{Auction: b.Auction, Bidder: b.Bidder, Price: b.Price, DateTime: b.DateTime, Extra: b.Extra}})
		}
	}
	return rows
}

func TestQ9FindsTheWinners(t *testing.T) { told(t, Q9, all.sales) }

func TestQ4AveragesTheWinnersByTheWindowOfExpiry(t *testing.T) {
	told(t, Q4, func(a all) (rows []nexmark.Average) {
		done := map[nexmark.Average]bool{} // without a price
		for _, s := range a.sales() {
			same := which(a.sales(), func(o nexmark.Sale) bool {
				return o.Auction.Category == s.Auction.Category && o.Auction.Expires/10_000 == s.Auction.Expires/10_000
			})
			row := nexmark.Average{Category: s.Auction.Category, WindowEnd: (s.Auction.Expires/10_000 + 1) * 10_000}
			if done[row] {
				continue
			}
			done[row] = true
			for _, o := range same {
				row.Price += o.Winner.Price
			}
			row.Price /= int64(len(same))
			rows = append(rows, row)
		}
		return rows
	})
}

func TestQ5CountsTheBidsOfEachWindow(t *testing.T) {
	told(t, Q5, func(a all) (rows []nexmark.Hot) {
		for _, start := range a.starts(10_000, 2_000) {
			count := map[int64]int64{}
			for _, b := range a.bidsOf(start, 10_000) {
				count[b.Auction]++
			}
			for auction, n := range count {
				beaten := false
				for _, m := range count {
					beaten = beaten || m > n
				}
				if !beaten {
					rows = append(rows, nexmark.Hot{WindowEnd: start + 10_000, Auction: auction, Bids: n})
				}
			}
		}
		return rows
	})
}

func TestQ7FindsTheHighestBidsOfEachWindow(t *testing.T) {
	told(t, Q7, func(a all) (rows []nexmark.Highest) {
		for _, start := range a.starts(10_000, 10_000) {
			bids := a.bidsOf(start, 10_000)
			for _, b := range bids {
				if !slices.ContainsFunc(bids, func(o nexmark.Bid) bool { return o.Price > b.Price }) {
					rows = append(rows, nexmark.Highest{Auction: b.Auction, Price: b.Price, Bidder: b.Bidder, DateTime: b.DateTime, Extra: b.Extra})
				}
			}
		}
		return rows
	})
}

func TestQ8FindsNewcomersWhoSellInTheSameWindow(t *testing.T) {
	told(t, Q8, func(a all) (rows []nexmark.Newcomer) {
		for _, p := range a.persons {
			window := p.DateTime / 10_000
			if slices.ContainsFunc(a.auctions, func(u nexmark.Auction) bool { return u.Seller == p.ID && u.DateTime/10_000 == window }) {
				rows = append(rows, nexmark.Newcomer{ID: p.ID, Name: p.Name, WindowStart: window * 10_000})
			}
		}
		return rows
	})
}

func TestQ11CutsTheBidsOfABidderAtLongPauses(t *testing.T) {
	told(t, Q11, func(a all) (rows []nexmark.Session) {
		// A session begins with a bid that has none of the same bidder in the 10 s before it.
		times := map[int64][]nexmark.Millis{}
		for _, b := range a.bids {
			times[b.Bidder] = append(times[b.Bidder], b.DateTime)
		}
		for bidder, at := range times {
			var row nexmark.Session
			for i, now := range at {
				if i == 0 || now-at[i-1] > 10_000 {
					row = nexmark.Session{Bidder: bidder, Start: now}
				}
				row.Bids++
				row.End = now + 10_000
				if i == len(at)-1 || at[i+1]-now > 10_000 {
					rows = append(rows, row)
				}
			}
		}
		return rows
	})
}

func TestQ17SumsUpTheDaySoFar(t *testing.T) {
	told(t, Q17, func(a all) (rows []nexmark.Statistics) {
		for i, b := range a.bids {
			day := int64(b.DateTime) / 86_400_000
			var prices []int64
			for _, o := range a.bids[:i+1] {
				if o.Auction == b.Auction && int64(o.DateTime)/86_400_000 == day {
					prices = append(prices, o.Price)
				}
			}
			count := func(from, below int64) int64 {
				return int64(len(which(prices, func(p int64) bool { return from <= p && p < below })))
			}
			sum := int64(0)
			for _, p := range prices {
				sum += p
			}
			n := int64(len(prices))
			rows = append(rows, nexmark.Statistics{Auction: b.Auction, Day: day, Bids: n,
				Low: count(0, 10_000), Middle: count(10_000, 1_000_000), High: count(1_000_000, 1<<60),
				Min: slices.Min(prices), Max: slices.Max(prices), Average: sum / n, Sum: sum})
		}
		return rows
	})
}

// trade is a bid as a row of q18, put together here once more.
func trade(b nexmark.Bid) nexmark.Trade {
	return nexmark.Trade{Auction: b.Auction, Bidder: b.Bidder, Price: b.Price, DateTime: b.DateTime, Extra: b.Extra}
}

func TestQ18GivesBidsThatAreAboveAllBeforeThem(t *testing.T) {
	told(t, Q18, func(a all) (rows []nexmark.Trade) {
		for i, b := range a.bids {
			if !slices.ContainsFunc(a.bids[:i], func(o nexmark.Bid) bool {
				return o.Auction == b.Auction && o.Bidder == b.Bidder && cmp.Or(cmp.Compare(o.DateTime, b.DateTime), cmp.Compare(o.Price, b.Price)) >= 0
			}) {
				rows = append(rows, trade(b))
			}
		}
		return rows
	})
}

func TestQ19RanksABidBehindTheEarlierOnesThatAreNotLower(t *testing.T) {
	told(t, Q19, func(a all) (rows []nexmark.Ranked) {
		for i, b := range a.bids {
			above := which(a.bids[:i], func(o nexmark.Bid) bool { return o.Auction == b.Auction && o.Price >= b.Price })
			if rank := len(above) + 1; rank <= 10 {
				rows = append(rows, nexmark.Ranked{Trade: trade(b), Rank: int64(rank)})
			}
		}
		return rows
	})
}

func TestQ20JoinsBidsWithTheirAuctions(t *testing.T) {
	told(t, Q20, func(a all) (rows []nexmark.Match) {
		for _, b := range a.bids {
			for _, u := range a.auctions {
				if u.ID == b.Auction && u.Category == 10 {
					rows = append(rows, nexmark.Match{Bid: b, Auction: u})
				}
			}
		}
		return rows
	})
}

// Q4 and Q9 rest on it.
func TestBidsBeforeTheirAuctionAreEarlier(t *testing.T) {
	in := Generated(nexmark.NewGenerator(), million)
	last := map[int64]nexmark.Millis{} // bid on an auction that has not come
	seen := map[int64]bool{}
	for e := in.Next(); e != nil; e = in.Next() {
		switch e.Kind {
		case nexmark.BidKind:
			if !seen[e.Bid.Auction] {
				last[e.Bid.Auction] = e.Bid.DateTime
			}
		case nexmark.AuctionKind:
			seen[e.Auction.ID] = true
			if at, early := last[e.Auction.ID]; early && at >= e.Auction.DateTime {
				t.Fatalf("auction %d, opened at %d, had a bid at %d before it", e.Auction.ID, e.Auction.DateTime, at)
			}
		}
	}
}
