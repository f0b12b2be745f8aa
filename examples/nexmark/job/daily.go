package job

import (
	"time"

	"blink"
	"blink/connector/nexmark"
)

// Q15 is, for each day, how many bids there were, and how many different bidders and
// auctions, of all, low, middle and high prices.
func Q15(bids blink.Stream[nexmark.Bid]) blink.Stream[nexmark.Daily] {
	seen := bids.MapInto(func(b *nexmark.Bid, m *mark) { *m = markOf(b, "") })
	return perDay(seen).MapInto(func(p *blink.Pane[channelDay, daily], r *nexmark.Daily) { *r = p.Value.of(p.Key) })
}

// Q16 is Q15 for each channel, with the minute of the day's last bid on it.
func Q16(bids blink.Stream[nexmark.Bid]) blink.Stream[nexmark.Channel] {
	seen := bids.MapInto(func(b *nexmark.Bid, m *mark) { *m = markOf(b, b.Channel) })
	return perDay(seen).MapInto(func(p *blink.Pane[channelDay, daily], r *nexmark.Channel) {
		last := time.Duration(p.Value.last) * time.Minute
		*r = nexmark.Channel{Channel: p.Key.Channel, Minute: time.Time{}.Add(last).Format("15:04"), Daily: p.Value.of(p.Key)}
	})
}

// perDay counts. A set of all bidders would be too large for one state; so each bidder and
// each auction of a day has a key of its own, and says once when it is new.
func perDay(bids blink.Stream[mark]) blink.Stream[blink.Pane[channelDay, daily]] {
	bidders := bids.KeyBy(func(m mark) someoneDay { return someoneDay{m.channelDay, m.bidder} }).
		Scan(func(seen *ranks, m mark, out *blink.Out[mark]) { tellNew(seen, m, aBidder, out) }).ID("bidders")
	auctions := bids.KeyBy(func(m mark) someoneDay { return someoneDay{m.channelDay, m.auction} }).
		Scan(func(seen *ranks, m mark, out *blink.Out[mark]) { tellNew(seen, m, anAuction, out) }).ID("auctions")
	return bids.Union(bidders, auctions).
		KeyBy(func(m mark) channelDay { return m.channelDay }).
		Window(blink.Tumbling(24 * time.Hour)).Aggregate(&daily{}).ID("days")
}

// mark is a bid, or that a bidder or an auction is new.
type mark struct {
	channelDay
	bidder, auction int64
	minute          int64 // of the day
	what            what
	ranks           ranks
}

type channelDay struct {
	Channel string
	Day     int64
}

type someoneDay struct {
	channelDay
	ID int64
}

// what is counted.
type what uint8

const (
	aBid what = iota
	aBidder
	anAuction
)

// ranks is a set of ranks of prices: all, low, middle, high.
type ranks [4]bool

func markOf(b *nexmark.Bid, channel string) mark {
	m := mark{channelDay: channelDay{channel, dayOf(b.DateTime)}, bidder: b.Bidder, auction: b.Auction, minute: int64(b.DateTime) / 60_000 % (24 * 60)}
	m.ranks[0] = true
	switch {
	case b.Price < 10_000:
		m.ranks[1] = true
	case b.Price < 1_000_000:
		m.ranks[2] = true
	default:
		m.ranks[3] = true
	}
	return m
}

// tellNew emits the ranks of m that have not been seen.
func tellNew(seen *ranks, m mark, kind what, out *blink.Out[mark]) {
	news := false
	for i := range m.ranks {
		m.ranks[i] = m.ranks[i] && !seen[i]
		seen[i] = seen[i] || m.ranks[i]
		news = news || m.ranks[i]
	}
	if news {
		m.what = kind
		out.Emit(m)
	}
}

// daily adds up marks.
type daily struct {
	counts [3]nexmark.Counts // by what
	last   int64             // minute of a bid
}

// Add, Merge and Result make it an accumulator.
func (d *daily) Add(m mark) {
	for i, yes := range m.ranks {
		if yes {
			d.counts[m.what][i]++
		}
	}
	d.last = max(d.last, m.minute)
}
func (d *daily) Merge(o daily) {
	for w := range d.counts {
		for i := range d.counts[w] {
			d.counts[w][i] += o.counts[w][i]
		}
	}
	d.last = max(d.last, o.last)
}
func (d *daily) Result() daily { return *d }

func (d *daily) of(k channelDay) nexmark.Daily {
	day := time.Unix(k.Day*24*60*60, 0).UTC().Format(time.DateOnly)
	return nexmark.Daily{Day: day, Bids: d.counts[aBid], Bidders: d.counts[aBidder], Auctions: d.counts[anAuction]}
}
