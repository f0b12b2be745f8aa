package nexmark

import "time"

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
