package oracle

import (
	"strings"

	"blink/connector/nexmark"
)

// Q13 is every bid with what a side input has for its auction. Its columns are auction,
// bidder, price, dateTime, value; the side input is nexmark.SideInput, the key
// nexmark.SideKey.
func Q13(in *Events, emit func(*nexmark.Labelled)) {
	values := map[int64]string{}
	for _, s := range nexmark.SideInput() {
		values[s.Key] = s.Value
	}
	var r nexmark.Labelled
	for b := in.nextBid(); b != nil; b = in.nextBid() {
		r = nexmark.Labelled{Auction: b.Auction, Bidder: b.Bidder, Price: b.Price, DateTime: b.DateTime, Value: values[nexmark.SideKey(b.Auction)]}
		emit(&r)
	}
}

// Q14 is the bids whose price in another currency (Q1, not rounded) is above 1,000,000 and
// below 50,000,000, with the time of day in UTC: dayTime from 8:00 to 18:59, nightTime to 6:59
// and from 20:00 on, otherTime between; and with how many c Extra has. Its columns are
// auction, bidder, price, time of day, dateTime, extra, number of c.
func Q14(in *Events, emit func(*nexmark.Rated)) {
	var r nexmark.Rated
	for b := in.nextBid(); b != nil; b = in.nextBid() {
		if thousandths := b.Price * 908; thousandths > 1_000_000_000 && thousandths < 50_000_000_000 {
			r = nexmark.Rated{Auction: b.Auction, Bidder: b.Bidder, Price: thousandths / 1000, Daytime: daytime(b.DateTime),
				DateTime: b.DateTime, Extra: b.Extra, Cs: int64(strings.Count(b.Extra, "c"))}
			emit(&r)
		}
	}
}

func daytime(t nexmark.Millis) string {
	switch hour := t.Time().Hour(); {
	case hour >= 8 && hour <= 18:
		return "dayTime"
	case hour <= 6 || hour >= 20:
		return "nightTime"
	default:
		return "otherTime"
	}
}

// Q21 is the bids that came by a channel with a number: that of apple, google, facebook and
// baidu, in whatever case, is 0, 1, 2 and 3; of another one it is what follows channel_id= in
// the URL, at its beginning or behind an &, up to the next &. The URLs of the generator have
// none. Its columns are auction, bidder, price, channel, number.
func Q21(in *Events, emit func(*nexmark.Routed)) {
	known := map[string]string{"apple": "0", "google": "1", "facebook": "2", "baidu": "3"}
	var r nexmark.Routed
	for b := in.nextBid(); b != nil; b = in.nextBid() {
		id, ok := known[strings.ToLower(b.Channel)]
		if !ok {
			id, ok = channelID(b.URL)
		}
		if ok {
			r = nexmark.Routed{Auction: b.Auction, Bidder: b.Bidder, Price: b.Price, Channel: b.Channel, ChannelID: id}
			emit(&r)
		}
	}
}

func channelID(url string) (id string, ok bool) {
	for _, part := range strings.Split(url, "&") {
		if id, ok := strings.CutPrefix(part, "channel_id="); ok {
			return id, true
		}
	}
	return "", false
}

// Q22 is every bid with the first three folders of its URL. Its columns are auction, bidder,
// price, channel, first, second, third folder.
func Q22(in *Events, emit func(*nexmark.Folders)) {
	var r nexmark.Folders
	for b := in.nextBid(); b != nil; b = in.nextBid() {
		part := strings.SplitN(b.URL, "/", 7)
		r = nexmark.Folders{Auction: b.Auction, Bidder: b.Bidder, Price: b.Price, Channel: b.Channel, Dir1: part[3], Dir2: part[4], Dir3: part[5]}
		emit(&r)
	}
}
