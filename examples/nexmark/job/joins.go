package job

import (
	"time"

	"blink"
	"blink/connector/nexmark"
)

// wanted is the category of which Q3 and Q20 want the auctions.
const wanted = 10

// Q3 is the auctions of category 10 with their sellers, if these live in Oregon, Idaho or
// California. Whoever lives elsewhere and what else is sold is left out before anything
// travels. So a lot whose seller lives elsewhere waits for ever, as both sides of a plain join
// do. To be told of everybody, as Q20 is of every auction, would keep more: a word for each
// person, and there are more of them than of such lots.
func Q3(auctions blink.Stream[nexmark.Auction], persons blink.Stream[nexmark.Person]) blink.Stream[nexmark.Offer] {
	lots := auctions.
		MapInto(func(a *nexmark.Auction, l *lot) { *l = lot{a.ID, a.Seller, a.Category} }).
		Filter(func(l lot) bool { return l.Category == wanted }).
		KeyBy(func(l lot) int64 { return l.Seller })
	sellers := persons.
		MapInto(func(p *nexmark.Person, s *seller) { *s = seller{p.ID, p.Name, p.City, p.State} }).
		Filter(func(s seller) bool { return s.State == "OR" || s.State == "ID" || s.State == "CA" }).
		KeyBy(func(s seller) int64 { return s.ID })
	return lots.Connect(sellers).Process(&offers{}).ID("offers")
}

type lot struct{ ID, Seller, Category int64 }

type seller struct {
	ID                int64
	Name, City, State string
}

// offers joins lots and sellers, whichever comes first, without an end.
type offers struct {
	seller  blink.Value[seller]
	waiting blink.List[int64] // lots whose seller has not come, or never will
}

// ProcessLeft is told of a lot.
func (o *offers) ProcessLeft(_ *blink.Ctx[int64], l lot, out *blink.Out[nexmark.Offer]) error {
	if s, ok := o.seller.Load(); ok {
		out.Emit(nexmark.Offer{Name: s.Name, City: s.City, State: s.State, Auction: l.ID})
	} else {
		o.waiting.Append(l.ID)
	}
	return nil
}

// ProcessRight is told of a seller.
func (o *offers) ProcessRight(_ *blink.Ctx[int64], s seller, out *blink.Out[nexmark.Offer]) error {
	o.seller.Set(s)
	for id := range o.waiting.All() {
		out.Emit(nexmark.Offer{Name: s.Name, City: s.City, State: s.State, Auction: id})
	}
	o.waiting.Clear()
	return nil
}

// Q20 is the bids on auctions of category 10, each with its auction, whichever comes first.
// Auctions of other categories are told of as well: without a word of them, the bids on them
// would wait for ever.
func Q20(bids blink.Stream[nexmark.Bid], auctions blink.Stream[nexmark.Auction]) blink.Stream[nexmark.Match] {
	return bids.KeyBy(func(b nexmark.Bid) int64 { return b.Auction }).
		Connect(auctions.KeyBy(func(a nexmark.Auction) int64 { return a.ID })).
		Process(&matches{}).ID("matches")
}

type matches struct {
	auction blink.Value[nexmark.Auction] // if it is of category 10
	other   blink.Value[bool]            // if it is not
	waiting blink.List[nexmark.Bid]      // bids whose auction has not come
}

// ProcessLeft is told of a bid.
func (m *matches) ProcessLeft(_ *blink.Ctx[int64], b nexmark.Bid, out *blink.Out[nexmark.Match]) error {
	if m.other.Get() {
		return nil
	}
	if a, ok := m.auction.Load(); ok {
		out.Emit(nexmark.Match{Bid: b, Auction: a})
	} else {
		m.waiting.Append(b)
	}
	return nil
}

// ProcessRight is told of an auction.
func (m *matches) ProcessRight(_ *blink.Ctx[int64], a nexmark.Auction, out *blink.Out[nexmark.Match]) error {
	if a.Category != wanted {
		m.other.Set(true)
		m.waiting.Clear()
		return nil
	}
	m.auction.Set(a)
	for b := range m.waiting.All() {
		out.Emit(nexmark.Match{Bid: b, Auction: a})
	}
	m.waiting.Clear()
	return nil
}

// Q8 is, for each 10 s, the persons who have both signed up and opened an auction in it, once
// each.
func Q8(auctions blink.Stream[nexmark.Auction], persons blink.Stream[nexmark.Person]) blink.Stream[nexmark.Newcomer] {
	openings := auctions.MapInto(func(a *nexmark.Auction, o *opening) { *o = opening{a.Seller, windowOf(a.DateTime)} }).
		KeyBy(func(o opening) int64 { return o.Seller })
	signups := persons.
		MapInto(func(p *nexmark.Person, n *nexmark.Newcomer) {
			*n = nexmark.Newcomer{ID: p.ID, Name: p.Name, WindowStart: windowOf(p.DateTime)}
		}).
		KeyBy(func(n nexmark.Newcomer) int64 { return n.ID })
	return openings.Connect(signups).Process(&newcomers{}).ID("newcomers")
}

// opening says that somebody has opened an auction in a window.
type opening struct {
	Seller int64
	Window nexmark.Millis
}

// windowMillis is the length of the windows of Q8 and Q12.
const windowMillis = 10_000

func windowOf(t nexmark.Millis) nexmark.Millis { return t / windowMillis * windowMillis }

// newcomers joins openings and signing up within a window, whichever comes first. Openings
// in other windows than that of the person are dropped as soon as this is known.
type newcomers struct {
	person blink.Value[signup]
	opened blink.List[nexmark.Millis] // the windows of openings while the person is unknown
	end    blink.Timer                // of the window behind which nothing is needed
}

type signup struct {
	nexmark.Newcomer
	told bool // the row is out
}

// ProcessLeft is told of an opening.
func (n *newcomers) ProcessLeft(_ *blink.Ctx[int64], o opening, out *blink.Out[nexmark.Newcomer]) error {
	p, ok := n.person.Load()
	switch {
	case ok && p.WindowStart == o.Window && !p.told:
		out.Emit(p.Newcomer)
		n.person.Ref().told = true
	case !ok && !n.hasOpened(o.Window):
		n.opened.Append(o.Window)
		if end, ok := n.end.Pending(); !ok || endOf(o.Window).After(end) {
			n.end.Set(endOf(o.Window))
		}
	}
	return nil
}

// ProcessRight is told that somebody has signed up, which happens once.
func (n *newcomers) ProcessRight(_ *blink.Ctx[int64], p nexmark.Newcomer, out *blink.Out[nexmark.Newcomer]) error {
	told := n.hasOpened(p.WindowStart)
	if told {
		out.Emit(p)
	}
	n.person.Set(signup{p, told})
	n.opened.Clear()
	n.end.Set(endOf(p.WindowStart))
	return nil
}

// OnTimer forgets what has no more to come.
func (n *newcomers) OnTimer(*blink.Ctx[int64], *blink.Timer, *blink.Out[nexmark.Newcomer]) error {
	n.person.Clear()
	n.opened.Clear()
	return nil
}

func (n *newcomers) hasOpened(window nexmark.Millis) bool {
	for w := range n.opened.All() {
		if w == window {
			return true
		}
	}
	return false
}

// endOf is the last instant of a window.
func endOf(window nexmark.Millis) time.Time { return (window + windowMillis - 1).Time() }

// Q13 is every bid with what a side input has for its auction: a small table, read once.
func Q13(bids blink.Stream[nexmark.Bid], sides blink.Stream[nexmark.Side]) blink.Stream[nexmark.Labelled] {
	return bids.
		MapInto(func(b *nexmark.Bid, l *nexmark.Labelled) {
			*l = nexmark.Labelled{Auction: b.Auction, Bidder: b.Bidder, Price: b.Price, DateTime: b.DateTime}
		}).
		KeyBy(func(l nexmark.Labelled) int64 { return nexmark.SideKey(l.Auction) }).
		Connect(sides.KeyBy(func(s nexmark.Side) int64 { return s.Key })).
		Process(&labels{}).ID("labels")
}

// labels keeps the rows of the side input, and bids until theirs has come.
type labels struct {
	value   blink.Value[string]
	waiting blink.List[nexmark.Labelled]
}

// ProcessLeft is told of a bid.
func (s *labels) ProcessLeft(_ *blink.Ctx[int64], l nexmark.Labelled, out *blink.Out[nexmark.Labelled]) error {
	var ok bool
	if l.Value, ok = s.value.Load(); ok {
		out.Emit(l)
	} else {
		s.waiting.Append(l)
	}
	return nil
}

// ProcessRight is told of a row of the side input.
func (s *labels) ProcessRight(_ *blink.Ctx[int64], side nexmark.Side, out *blink.Out[nexmark.Labelled]) error {
	s.value.Set(side.Value)
	for l := range s.waiting.All() {
		l.Value = side.Value
		out.Emit(l)
	}
	s.waiting.Clear()
	return nil
}
