package job

import (
	"time"

	"blink"
	"blink/connector/nexmark"
)

// Q5 is the auctions with the most bids in a window of 10 s, every 2 s, ties included. The
// bids are counted by auction; then all counts of one window meet, which is 2 s long for
// them: they come at its end.
func Q5(bids blink.Stream[nexmark.Bid]) blink.Stream[nexmark.Hot] {
	return bids.MapInto(func(b *nexmark.Bid, auction *int64) { *auction = b.Auction }).
		KeyBy(func(auction int64) int64 { return auction }).
		Window(blink.Sliding(10*time.Second, 2*time.Second)).Count().ID("counts").
		MapInto(func(p *blink.Pane[int64, int64], h *nexmark.Hot) {
			*h = nexmark.Hot{WindowEnd: nexmark.Millis(p.End.UnixMilli()), Auction: p.Key, Bids: p.Value}
		}).
		KeyBy(func(h nexmark.Hot) nexmark.Millis { return h.WindowEnd }).
		Window(blink.Tumbling(2 * time.Second)).AllMaxBy(func(h nexmark.Hot) int64 { return h.Bids }).ID("hottest")
}

// Q7 is the highest bids of each 10 s, ties included. All bids have the same key; so one task
// has the result, and the others combine what they see before they send it there. Columns are
// picked of the highest only: it would take longer than to compare.
func Q7(bids blink.Stream[nexmark.Bid]) blink.Stream[nexmark.Highest] {
	return bids.
		KeyBy(func(nexmark.Bid) int8 { return 0 }).
		Window(blink.Tumbling(10 * time.Second)).AllMaxBy(func(b nexmark.Bid) int64 { return b.Price }).ID("highest").
		MapInto(func(b *nexmark.Bid, h *nexmark.Highest) { h.Of(b) })
}

// Q11 is the sessions of each bidder: a bid up to 10 s after the one before it belongs to the
// same.
func Q11(bids blink.Stream[nexmark.Bid]) blink.Stream[nexmark.Session] {
	return bids.MapInto(func(b *nexmark.Bid, bidder *int64) { *bidder = b.Bidder }).
		KeyBy(func(bidder int64) int64 { return bidder }).
		Window(blink.Session(10 * time.Second)).Count().ID("sessions").
		MapInto(func(p *blink.Pane[int64, int64], s *nexmark.Session) {
			*s = nexmark.Session{Bidder: p.Key, Bids: p.Value, Start: nexmark.Millis(p.Start.UnixMilli()), End: nexmark.Millis(p.End.UnixMilli())}
		})
}

// Q12 is how many bids of each bidder come within 10 s of the clock, whatever their own times
// say: so its rows differ from run to run.
func Q12(bids blink.Stream[nexmark.Bid]) blink.Stream[nexmark.Busy] {
	return bids.MapInto(func(b *nexmark.Bid, bidder *int64) { *bidder = b.Bidder }).
		KeyBy(func(bidder int64) int64 { return bidder }).
		Process(&busy{window: blink.Timer{Processing: true}}).ID("busy")
}

// busy counts until the window of the clock is over, or the input is.
type busy struct {
	bids   blink.Value[int64]
	window blink.Timer // at the end of the window
	ended  blink.Timer // in event time, behind all events
}

// Process is told of a bid.
func (b *busy) Process(c *blink.Ctx[int64], _ int64, _ *blink.Out[nexmark.Busy]) error {
	n := b.bids.Ref()
	if *n++; *n == 1 {
		b.window.Set(c.Now().Truncate(10 * time.Second).Add(10 * time.Second))
		b.ended.Set(time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC))
	}
	return nil
}

// OnTimer emits what has been counted. The other timer has nothing more to say.
func (b *busy) OnTimer(c *blink.Ctx[int64], t *blink.Timer, out *blink.Out[nexmark.Busy]) error {
	end, n := c.Time(), b.bids.Get()
	if t == &b.ended {
		end, _ = b.window.Pending()
	}
	b.bids.Clear()
	b.window.Clear()
	b.ended.Clear()
	out.Emit(nexmark.Busy{Bidder: c.Key(), Bids: n, Start: nexmark.Millis(end.UnixMilli() - windowMillis), End: nexmark.Millis(end.UnixMilli())})
	return nil
}
