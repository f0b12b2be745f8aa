package nexmark

import (
	"strconv"
	"time"
)

// Millis is a time in Unix milliseconds.
type Millis int64

// Time is m in UTC.
func (m Millis) Time() time.Time { return time.UnixMilli(int64(m)).UTC() }

func (m Millis) nanos() int64 { return int64(m) * int64(time.Millisecond) }

// Person has signed up.
type Person struct {
	ID         int64
	Name       string
	Email      string
	CreditCard string
	City       string
	State      string
	DateTime   Millis
	Extra      string
}

// Auction has been opened by the person Seller. Bids count up to and including Expires.
type Auction struct {
	ID          int64
	ItemName    string
	Description string
	InitialBid  int64
	Reserve     int64
	DateTime    Millis
	Expires     Millis
	Seller      int64
	Category    int64
	Extra       string
}

// Bid is an offer of the person Bidder. Its auction or bidder may appear a little later.
type Bid struct {
	Auction  int64
	Bidder   int64
	Price    int64
	Channel  string
	URL      string
	DateTime Millis
	Extra    string
}

// Kind says which of its three an Event is; an Event without one is none.
type Kind uint8

// The kinds.
const (
	PersonKind Kind = iota + 1
	AuctionKind
	BidKind
)

// Event is a Bid, an Auction or a Person. The fields of the other two are zero. It is large,
// and made to be filled in place and passed by pointer.
type Event struct {
	Kind    Kind
	Bid     Bid
	Auction Auction
	Person  Person
}

// DateTime is when the event happened.
func (e *Event) DateTime() Millis {
	switch e.Kind {
	case BidKind:
		return e.Bid.DateTime
	case AuctionKind:
		return e.Auction.DateTime
	default:
		return e.Person.DateTime
	}
}

// AppendLine appends the event as a line of text without its end, P|…, A|… or B|…, by which
// generators are compared.
func (e *Event) AppendLine(b []byte) []byte {
	l := line(b)
	switch e.Kind {
	case BidKind:
		v := &e.Bid
		return l.text("B").number(v.Auction).number(v.Bidder).number(v.Price).bar(v.Channel).bar(v.URL).
			number(int64(v.DateTime)).bar(v.Extra)
	case AuctionKind:
		v := &e.Auction
		return l.text("A").number(v.ID).bar(v.ItemName).bar(v.Description).number(v.InitialBid).number(v.Reserve).
			number(int64(v.DateTime)).number(int64(v.Expires)).number(v.Seller).number(v.Category).bar(v.Extra)
	default:
		v := &e.Person
		return l.text("P").number(v.ID).bar(v.Name).bar(v.Email).bar(v.CreditCard).bar(v.City).bar(v.State).
			number(int64(v.DateTime)).bar(v.Extra)
	}
}

// line is text that grows.
type line []byte

func (l line) text(s string) line  { return append(l, s...) }
func (l line) bar(s string) line   { return append(append(l, '|'), s...) }
func (l line) number(v int64) line { return strconv.AppendInt(append(l, '|'), v, 10) }
