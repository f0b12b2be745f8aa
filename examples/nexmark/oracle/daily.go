package oracle

import (
	"slices"
	"time"

	"blink/connector/nexmark"
)

func day(t nexmark.Millis) string    { return t.Time().Format(time.DateOnly) }
func minute(t nexmark.Millis) string { return t.Time().Format("15:04") }

// Q10 is every bid with the day and the minute to whose file it belongs. Its columns are
// auction, bidder, price, dateTime, extra, day, minute.
func Q10(in *Events, emit func(*nexmark.Entry)) {
	var r nexmark.Entry
	last := nexmark.Millis(-1) // the minute of Day and Minute, since 1970
	for b := in.nextBid(); b != nil; b = in.nextBid() {
		if m := b.DateTime / 60_000; m != last {
			last, r.Day, r.Minute = m, day(b.DateTime), minute(b.DateTime)
		}
		r.Of(b)
		emit(&r)
	}
}

// Q15 is, for each day with bids, how many there were, and how many different bidders and
// auctions, each for all prices, low, middle and high ones: final counts, a row a day. Its
// columns are day, bids ×4, bidders ×4, auctions ×4.
func Q15(in *Events, emit func(*nexmark.Daily)) {
	perDay(in, func(*nexmark.Bid) string { return "" }, func(r *nexmark.Channel) { emit(&r.Daily) })
}

// Q16 is Q15 for each channel, with the minute of the day's last bid on it. Its columns are
// channel, day, minute and the counts of Q15.
func Q16(in *Events, emit func(*nexmark.Channel)) {
	perDay(in, func(b *nexmark.Bid) string { return b.Channel }, emit)
}

// perDay counts by day and channel. Event time does not go back, so a day is over when the
// next one begins.
func perDay(in *Events, channel func(*nexmark.Bid) string, emit func(*nexmark.Channel)) {
	var all []*distinct
	byChannel := map[string]*distinct{}
	today := nexmark.Millis(-1)
	finish := func() {
		for _, d := range all {
			d.Bidders, d.Auctions = count(d.bidders), count(d.auctions)
			emit(&d.Channel)
		}
		all = all[:0]
		clear(byChannel)
	}
	for b := in.nextBid(); b != nil; b = in.nextBid() {
		if d := b.DateTime / dayMillis; d != today {
			finish()
			today = d
		}
		d := byChannel[channel(b)]
		if d == nil {
			d = &distinct{bidders: map[int64][4]bool{}, auctions: map[int64][4]bool{}}
			d.Channel.Channel, d.Day = channel(b), day(b.DateTime)
			byChannel[d.Channel.Channel] = d
			all = append(all, d)
		}
		d.add(b)
	}
	finish()
}

// distinct has who and what has been seen, for all prices and for each rank of them.
type distinct struct {
	nexmark.Channel
	bidders, auctions map[int64][4]bool
}

func (d *distinct) add(b *nexmark.Bid) {
	rank := 1 + slices.IndexFunc([]int64{10_000, 1_000_000, 1 << 62}, func(below int64) bool { return b.Price < below })
	d.Bids[0]++
	d.Bids[rank]++
	d.Minute = minute(b.DateTime)
	who, what := d.bidders[b.Bidder], d.auctions[b.Auction]
	who[0], who[rank], what[0], what[rank] = true, true, true, true
	d.bidders[b.Bidder], d.auctions[b.Auction] = who, what
}

func count(seen map[int64][4]bool) (n nexmark.Counts) {
	for _, s := range seen {
		for i, yes := range s {
			if yes {
				n[i]++
			}
		}
	}
	return n
}
