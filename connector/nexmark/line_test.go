package nexmark

import "strconv"

// appendLine appends the event as a line of text without its end, P|…, A|… or B|…, by which
// generators are compared.
func (e *Event) appendLine(b []byte) []byte {
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
