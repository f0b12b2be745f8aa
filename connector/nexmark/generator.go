package nexmark

// Generator makes events. It does not change, so many may use one. Use NewGenerator.
type Generator struct{ pools *pools }

// NewGenerator makes the strings of the events, which takes some milliseconds.
func NewGenerator() *Generator { return &Generator{newPools()} }

// Fifty events in a row are an epoch: a person, three auctions, 46 bids.
const (
	epochEvents   = 50
	epochAuctions = 3
)

// Event makes event n in e, which is the zero Event or holds one that Event has made.
func (g *Generator) Event(n uint64, e *Event) {
	switch kind, epoch, id := place(n); kind {
	case BidKind:
		e.become(BidKind)
		g.bid(n, epoch, &e.Bid)
	case AuctionKind:
		e.become(AuctionKind)
		g.auction(n, epoch, id, &e.Auction)
	default:
		e.become(PersonKind)
		g.person(n, epoch, &e.Person)
	}
}

// place says what event n is, in which epoch, and the number of an auction.
func place(n uint64) (kind Kind, epoch, auction uint64) {
	epoch, offset := n/epochEvents, n%epochEvents
	switch {
	case offset > epochAuctions:
		return BidKind, epoch, 0
	case offset > 0:
		return AuctionKind, epoch, epochAuctions*epoch + offset - 1
	default:
		return PersonKind, epoch, 0
	}
}

// become clears what an event of another kind has left.
func (e *Event) become(k Kind) {
	if e.Kind != k {
		*e = Event{Kind: k}
	}
}

// Most auctions and bids go to a few hot persons and auctions, the last whose number is a
// multiple of hotEvery. The others go to one of the last activePersons and activeAuctions,
// or to one that does not exist yet.
const (
	firstID        = 1000
	hotEvery       = 100
	activePersons  = 1000
	activeAuctions = 100
	ahead          = 10
)

func (g *Generator) bid(n, epoch uint64, b *Bid) {
	auction := epochAuctions*epoch + epochAuctions - 1 // the last one
	if r := draw(n, 0); hi(r, 2) > 0 {
		auction = auction / hotEvery * hotEvery
	} else {
		oldest := auction - min(auction, activeAuctions)
		auction = oldest + lo(r, auction-oldest+1+ahead)
	}
	bidder := epoch/hotEvery*hotEvery + 1
	if r := draw(n, 1); hi(r, 4) == 0 {
		bidder = somePerson(epoch, r)
	}
	r := draw(n, 3)
	from := cold + lo(r, 4)
	if hi(r, 2) == 0 {
		from = lo(r, cold)
	}
	b.Auction = int64(firstID + auction)
	b.Bidder = int64(firstID + bidder)
	b.Price = price(draw(n, 2))
	b.Channel, b.URL = g.pools.channels[from].name, g.pools.channels[from].url
	b.DateTime = dateTime(n)
	b.Extra = g.pools.bidExtras[hi(draw(n, 4), 1024)]
}

func (g *Generator) auction(n, epoch, id uint64, a *Auction) {
	seller := epoch / hotEvery * hotEvery
	if r := draw(n, 0); hi(r, 4) == 0 {
		seller = somePerson(epoch, r)
	}
	r1, r4 := draw(n, 1), draw(n, 4)
	a.ID = int64(firstID + id)
	a.ItemName = g.pools.items[hi(r4, 1024)]
	a.Description = g.pools.descriptions[lo(r4, 1024)]
	a.InitialBid = price(draw(n, 2))
	a.Reserve = a.InitialBid + price(draw(n, 3))
	a.DateTime = dateTime(n)
	a.Expires = a.DateTime + 1 + Millis(lo(r1, longest(n)))
	a.Seller = int64(firstID + seller)
	a.Category = int64(10 + hi(r1, 5))
	a.Extra = g.pools.auctionExtras[hi(draw(n, 5), 1024)]
}

func (g *Generator) person(n, epoch uint64, p *Person) {
	r0, r1, r2 := draw(n, 0), draw(n, 1), draw(n, 2)
	p.ID = int64(firstID + epoch)
	p.Name = g.pools.names[hi(r0, 99)]
	p.Email = g.pools.emails[lo(r0, 1024)]
	p.CreditCard = g.pools.cards[hi(r1, 1024)]
	p.City = g.pools.cities[lo(r1, 10)]
	p.State = g.pools.states[hi(r2, 6)]
	p.DateTime = dateTime(n)
	p.Extra = g.pools.personExtras[lo(r2, 1024)]
}

// somePerson is one of the last, or one of the next.
func somePerson(epoch, r uint64) uint64 {
	active := min(epoch+1, activePersons)
	return epoch + 1 - active + lo(r, active+ahead)
}

// powers of ten make prices spread evenly over six magnitudes.
var powers = [6]uint64{1, 10, 100, 1000, 10_000, 100_000}

// price is 100 to 99,999,900.
func price(r uint64) int64 {
	return int64((100_000 + lo(r, 900_000)) * powers[hi(r, 6)] / 1000)
}

// Ten events share a millisecond.
const (
	base                 = 1_700_000_000_000
	eventsPerMillisecond = 10
)

func dateTime(n uint64) Millis { return base + Millis(n/eventsPerMillisecond) }

// longest is the bound of how long an auction is open, in milliseconds: on average until a
// hundred more have been opened.
func longest(n uint64) uint64 {
	return uint64(max(2*(dateTime(n+1666)-dateTime(n)), 1))
}

// Output 8n+k of splitmix64 is draw k of event n.
const (
	seed   = 0x5EED
	golden = 0x9E3779B97F4A7C15
)

func draw(n, k uint64) uint64 { return mix(seed + (8*n+k+1)*golden) }

func mix(z uint64) uint64 {
	z = (z ^ z>>30) * 0xBF58476D1CE4E5B9
	z = (z ^ z>>27) * 0x94D049BB133111EB
	return z ^ z>>31
}

// hi is uniform in 0 … m-1 by the upper half of r, lo by the lower.
func hi(r, m uint64) uint64 { return (r >> 32) * m >> 32 }
func lo(r, m uint64) uint64 { return (r & 0xFFFFFFFF) * m >> 32 }
