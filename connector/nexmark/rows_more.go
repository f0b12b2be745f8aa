package nexmark

import (
	"fmt"
	"strconv"
)

// The rows of the further queries, whose columns are chosen after the public set's SQL.

// Entry is a row of q10: a bid and when it was logged, as texts: 2006-01-02 and 15:04 in UTC.
type Entry struct {
	Trade
	Day    string
	Minute string
}

// AddTo implements Row.
func (r *Entry) AddTo(d *Digest) {
	d.Add(d.Begin().Number(r.Auction).Number(r.Bidder).Number(r.Price).Number(int64(r.DateTime)).Text(r.Extra).
		Text(r.Day).Text(r.Minute))
}

// Busy is a row of q12: how many bids of somebody came in a window of the clock.
type Busy struct {
	Bidder int64
	Bids   int64
	Start  Millis
	End    Millis
}

// AddTo implements Row.
func (r *Busy) AddTo(d *Digest) {
	d.Add(d.Begin().Number(r.Bidder).Number(r.Bids).Number(int64(r.Start)).Number(int64(r.End)))
}

// Side is a row of the side input of q13.
type Side struct {
	Key   int64
	Value string
}

// sides is how many rows the side input has.
const sides = 10_000

// SideInput is what q13 looks up: the keys from 0 to 9,999, the value of k being "side-k".
func SideInput() []Side {
	all := make([]Side, sides)
	for i := range all {
		all[i] = Side{int64(i), "side-" + strconv.Itoa(i)}
	}
	return all
}

// SideKey is the key that a bid on an auction looks up.
func SideKey(auction int64) int64 { return auction % sides }

// Labelled is a row of q13: a bid and what the side input has for its auction.
type Labelled struct {
	Auction  int64
	Bidder   int64
	Price    int64
	DateTime Millis
	Value    string
}

// AddTo implements Row.
func (r *Labelled) AddTo(d *Digest) {
	d.Add(d.Begin().Number(r.Auction).Number(r.Bidder).Number(r.Price).Number(int64(r.DateTime)).Text(r.Value))
}

// Rated is a row of q14: a bid with its price in another currency, the time of day, and how
// many c its Extra has.
type Rated struct {
	Auction  int64
	Bidder   int64
	Price    int64
	Daytime  string
	DateTime Millis
	Extra    string
	Cs       int64
}

// AddTo implements Row.
func (r *Rated) AddTo(d *Digest) {
	d.Add(d.Begin().Number(r.Auction).Number(r.Bidder).Number(r.Price).Text(r.Daytime).Number(int64(r.DateTime)).Text(r.Extra).
		Number(r.Cs))
}

// Counts are all, and of those the ones of low, middle and high prices: see Statistics.
type Counts [4]int64

// MarshalText writes the four numbers with spaces between them, as in a cell of a table.
func (n Counts) MarshalText() ([]byte, error) { return fmt.Append(nil, n[0], n[1], n[2], n[3]), nil }

func (c Columns) counts(n *Counts) Columns {
	return c.Number(n[0]).Number(n[1]).Number(n[2]).Number(n[3])
}

// Daily is a row of q15: how many bids a day had, and how many different bidders and
// auctions. Day is as in Entry.
type Daily struct {
	Day      string
	Bids     Counts
	Bidders  Counts
	Auctions Counts
}

// AddTo implements Row.
func (r *Daily) AddTo(d *Digest) {
	d.Add(d.Begin().Text(r.Day).counts(&r.Bids).counts(&r.Bidders).counts(&r.Auctions))
}

// Channel is a row of q16: Daily of one channel, and the minute of its last bid as in Entry.
type Channel struct {
	Channel string
	Minute  string
	Daily
}

// AddTo implements Row.
func (r *Channel) AddTo(d *Digest) {
	d.Add(d.Begin().Text(r.Channel).Text(r.Day).Text(r.Minute).counts(&r.Bids).counts(&r.Bidders).counts(&r.Auctions))
}

// Routed is a row of q21: a bid and the number of the channel that it came by.
type Routed struct {
	Auction   int64
	Bidder    int64
	Price     int64
	Channel   string
	ChannelID string
}

// AddTo implements Row.
func (r *Routed) AddTo(d *Digest) {
	d.Add(d.Begin().Number(r.Auction).Number(r.Bidder).Number(r.Price).Text(r.Channel).Text(r.ChannelID))
}

// Folders is a row of q22: a bid and the first three folders of its URL.
type Folders struct {
	Auction int64
	Bidder  int64
	Price   int64
	Channel string
	Dir1    string
	Dir2    string
	Dir3    string
}

// AddTo implements Row.
func (r *Folders) AddTo(d *Digest) {
	d.Add(d.Begin().Number(r.Auction).Number(r.Bidder).Number(r.Price).Text(r.Channel).Text(r.Dir1).Text(r.Dir2).Text(r.Dir3))
}
