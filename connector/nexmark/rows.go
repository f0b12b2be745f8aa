package nexmark

import "fmt"

// The rows of the queries' results. The fields of each are its columns, in their order.

// Trade is a row of q0, q1 and q18: a bid without the place that it came from.
type Trade struct {
	Auction  int64
	Bidder   int64
	Price    int64
	DateTime Millis
	Extra    string
}

// Of makes r the trade of a bid. It sets field by field: a literal of more than four words is
// built aside and copied, for which the processor waits longer than all the rest takes.
func (r *Trade) Of(b *Bid) {
	r.Auction, r.Bidder, r.Price = b.Auction, b.Bidder, b.Price
	r.DateTime, r.Extra = b.DateTime, b.Extra
}

// AddTo implements Row.
func (r *Trade) AddTo(d *Digest) {
	d.Add(d.Begin().Number(r.Auction).Number(r.Bidder).Number(r.Price).Number(int64(r.DateTime)).Text(r.Extra))
}

// Pick is a row of q2: what was bid on some auction.
type Pick struct {
	Auction int64
	Price   int64
}

// AddTo implements Row.
func (r *Pick) AddTo(d *Digest) { d.Add(d.Begin().Number(r.Auction).Number(r.Price)) }

// Offer is a row of q3: an auction and who sells.
type Offer struct {
	Name    string
	City    string
	State   string
	Auction int64
}

// AddTo implements Row.
func (r *Offer) AddTo(d *Digest) {
	d.Add(d.Begin().Text(r.Name).Text(r.City).Text(r.State).Number(r.Auction))
}

// Average is a row of q4: what the auctions of a category went for on average.
type Average struct {
	Category  int64
	Price     int64
	WindowEnd Millis
}

// AddTo implements Row.
func (r *Average) AddTo(d *Digest) {
	d.Add(d.Begin().Number(r.Category).Number(r.Price).Number(int64(r.WindowEnd)))
}

// Hot is a row of q5: an auction that no other one had more bids than in a window.
type Hot struct {
	WindowEnd Millis
	Auction   int64
	Bids      int64
}

// AddTo implements Row.
func (r *Hot) AddTo(d *Digest) {
	d.Add(d.Begin().Number(int64(r.WindowEnd)).Number(r.Auction).Number(r.Bids))
}

// Highest is a row of q7: a bid that none of its window is above.
type Highest struct {
	Auction  int64
	Price    int64
	Bidder   int64
	DateTime Millis
	Extra    string
}

// Of makes r a row of a bid: see Trade.Of.
func (r *Highest) Of(b *Bid) {
	r.Auction, r.Price, r.Bidder = b.Auction, b.Price, b.Bidder
	r.DateTime, r.Extra = b.DateTime, b.Extra
}

// AddTo implements Row.
func (r *Highest) AddTo(d *Digest) {
	d.Add(d.Begin().Number(r.Auction).Number(r.Price).Number(r.Bidder).Number(int64(r.DateTime)).Text(r.Extra))
}

// Newcomer is a row of q8: a person who has opened an auction in the window of signing up.
type Newcomer struct {
	ID          int64
	Name        string
	WindowStart Millis
}

// AddTo implements Row.
func (r *Newcomer) AddTo(d *Digest) {
	d.Add(d.Begin().Number(r.ID).Text(r.Name).Number(int64(r.WindowStart)))
}

// Sale is a row of q9: an auction and the bid that has won it. Its columns are those of
// the public set's SQL: the auction's, then auction, bidder, price, dateTime and extra of
// the bid.
type Sale struct {
	Auction Auction
	Winner  Trade
}

// AddTo implements Row.
func (r *Sale) AddTo(d *Digest) {
	a, b := &r.Auction, &r.Winner
	d.Add(d.Begin().Number(a.ID).Text(a.ItemName).Text(a.Description).Number(a.InitialBid).Number(a.Reserve).
		Number(int64(a.DateTime)).Number(int64(a.Expires)).Number(a.Seller).Number(a.Category).Text(a.Extra).
		Number(b.Auction).Number(b.Bidder).Number(b.Price).Number(int64(b.DateTime)).Text(b.Extra))
}

// Session is a row of q11: a bidder's bids without a long pause. End is the first instant
// at which a bid is certain not to be late for it: that of the last one and the gap.
type Session struct {
	Bidder int64
	Bids   int64
	Start  Millis
	End    Millis
}

// AddTo implements Row.
func (r *Session) AddTo(d *Digest) {
	d.Add(d.Begin().Number(r.Bidder).Number(r.Bids).Number(int64(r.Start)).Number(int64(r.End)))
}

// Statistics is a row of q17: how the bids on an auction were on a day up to one of them.
// Day counts from 1970-01-01, which is 0. Low prices are below 10,000, high ones
// 1,000,000 and more, middle ones between. Average is the whole part of Sum ÷ Bids.
type Statistics struct {
	Auction int64
	Day     int64
	Bids    int64
	Low     int64
	Middle  int64
	High    int64
	Min     int64
	Max     int64
	Average int64
	Sum     int64
}

// AddTo implements Row.
func (r *Statistics) AddTo(d *Digest) {
	d.Add(d.Begin().Number(r.Auction).Number(r.Day).Number(r.Bids).Number(r.Low).Number(r.Middle).Number(r.High).
		Number(r.Min).Number(r.Max).Number(r.Average).Number(r.Sum))
}

// Ranked is a row of q19: a bid and its place among its auction's ten highest, from 1.
type Ranked struct {
	Trade
	Rank int64
}

// AddTo implements Row.
func (r *Ranked) AddTo(d *Digest) {
	d.Add(d.Begin().Number(r.Auction).Number(r.Bidder).Number(r.Price).Number(int64(r.DateTime)).Text(r.Extra).
		Number(r.Rank))
}

// Match is a row of q20: a bid, all of it, and what it was on, without the number.
type Match struct {
	Bid     Bid
	Auction Auction
}

// AddTo implements Row.
func (r *Match) AddTo(d *Digest) {
	b, a := &r.Bid, &r.Auction
	d.Add(d.Begin().Number(b.Auction).Number(b.Bidder).Number(b.Price).Text(b.Channel).Text(b.URL).
		Number(int64(b.DateTime)).Text(b.Extra).
		Text(a.ItemName).Text(a.Description).Number(a.InitialBid).Number(a.Reserve).Number(int64(a.DateTime)).
		Number(int64(a.Expires)).Number(a.Seller).Number(a.Category).Text(a.Extra))
}

// The columns of the rows below are chosen after the public set's SQL.

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
