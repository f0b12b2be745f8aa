package job

import (
	"strings"
	"time"

	"blink"
	"blink/connector/nexmark"
)

// Q10 is every bid with the day and the minute to whose file it belongs.
func Q10(bids blink.Stream[nexmark.Bid]) blink.Stream[nexmark.Entry] {
	return bids.MapInto(func(b *nexmark.Bid, e *nexmark.Entry) {
		at := b.DateTime.Time()
		e.Of(b)
		e.Day, e.Minute = at.Format(time.DateOnly), at.Format("15:04")
	})
}

// Q14 is the bids in a range of prices, with the time of day and what a function finds in
// their text.
func Q14(bids blink.Stream[nexmark.Bid]) blink.Stream[nexmark.Rated] {
	return bids.
		MapInto(func(b *nexmark.Bid, r *nexmark.Rated) {
			*r = nexmark.Rated{Auction: b.Auction, Bidder: b.Bidder, Price: b.Price * 908, DateTime: b.DateTime, Extra: b.Extra}
		}).
		Filter(func(r nexmark.Rated) bool { return r.Price > 1_000_000_000 && r.Price < 50_000_000_000 }).
		Update(func(r *nexmark.Rated) {
			r.Price /= 1000
			r.Daytime = daytime(r.DateTime.Time().Hour())
			r.Cs = int64(strings.Count(r.Extra, "c"))
		})
}

func daytime(hour int) string {
	switch {
	case hour >= 8 && hour <= 18:
		return "dayTime"
	case hour <= 6 || hour >= 20:
		return "nightTime"
	default:
		return "otherTime"
	}
}

// Q21 is the bids that came by a channel with a number.
func Q21(bids blink.Stream[nexmark.Bid]) blink.Stream[nexmark.Routed] {
	return bids.
		MapInto(func(b *nexmark.Bid, r *nexmark.Routed) {
			*r = nexmark.Routed{Auction: b.Auction, Bidder: b.Bidder, Price: b.Price, Channel: b.Channel, ChannelID: channelID(b)}
		}).
		Filter(func(r nexmark.Routed) bool { return r.ChannelID != "" })
}

func channelID(b *nexmark.Bid) string {
	switch strings.ToLower(b.Channel) {
	case "apple":
		return "0"
	case "google":
		return "1"
	case "facebook":
		return "2"
	case "baidu":
		return "3"
	}
	_, id, _ := strings.Cut("&"+b.URL, "&channel_id=")
	id, _, _ = strings.Cut(id, "&")
	return id
}

// Q22 is every bid with the first three folders of its URL, https://host/one/two/three/….
func Q22(bids blink.Stream[nexmark.Bid]) blink.Stream[nexmark.Folders] {
	return bids.MapInto(func(b *nexmark.Bid, f *nexmark.Folders) {
		*f = nexmark.Folders{Auction: b.Auction, Bidder: b.Bidder, Price: b.Price, Channel: b.Channel}
		rest := b.URL
		for range 3 {
			_, rest, _ = strings.Cut(rest, "/")
		}
		f.Dir1, rest, _ = strings.Cut(rest, "/")
		f.Dir2, rest, _ = strings.Cut(rest, "/")
		f.Dir3, _, _ = strings.Cut(rest, "/")
	})
}
