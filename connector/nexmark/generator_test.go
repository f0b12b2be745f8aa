package nexmark

import (
	"hash/fnv"
	"testing"
)

func TestTheFirstMillionEventsAreTheDefinedOnes(t *testing.T) {
	g := NewGenerator()
	var e Event
	var text []byte
	var sum uint64
	for n := range uint64(1_000_000) {
		g.Event(n, &e)
		text = e.appendLine(text[:0])
		h := fnv.New64a()
		h.Write(text)
		sum += h.Sum64()
	}
	if sum != 0x3a3a60d0415f32ea {
		t.Errorf("check sum %016x, want 3a3a60d0415f32ea", sum)
	}
}

func TestLinesHaveTheFieldsInTheirOrder(t *testing.T) {
	for _, c := range []struct {
		e    Event
		want string
	}{
		{Event{Kind: PersonKind, Person: Person{1, "n", "e", "c", "y", "s", 2, "x"}}, "P|1|n|e|c|y|s|2|x"},
		{Event{Kind: AuctionKind, Auction: Auction{1, "i", "d", 2, 3, 4, 5, 6, 7, "x"}}, "A|1|i|d|2|3|4|5|6|7|x"},
		{Event{Kind: BidKind, Bid: Bid{1, 2, 3, "c", "u", 4, ""}}, "B|1|2|3|c|u|4|"},
	} {
		if have := string(c.e.appendLine(nil)); have != c.want {
			t.Errorf("have %s, want %s", have, c.want)
		}
	}
}

func TestAnEventDoesNotDependOnWhatWasMadeBefore(t *testing.T) {
	g := NewGenerator()
	var reused Event
	for n := uint64(10_000); n > 0; n-- {
		var e Event
		g.Event(n*7919, &e)
		g.Event(n*7919, &reused)
		if e != reused {
			t.Fatalf("event %d is %+v, and %+v in a used place", n*7919, e, reused)
		}
	}
}

func TestEventsFarAwayAreInTheirRanges(t *testing.T) {
	g := NewGenerator()
	var e Event
	for n := uint64(1) << 50; n < 1<<50+10_000; n++ {
		g.Event(n, &e)
		epoch := int64(n / 50)
		switch e.Kind {
		case BidKind:
			if b := e.Bid; b.Price < 100 || b.Price > 99_999_900 || b.Auction > firstID+3*epoch+12 || b.Auction < firstID+3*epoch-100 ||
				b.Bidder < firstID+epoch-1000 || b.Bidder > firstID+epoch+10 {
				t.Fatalf("event %d, epoch %d: %+v", n, epoch, b)
			}
		case AuctionKind:
			if a := e.Auction; a.Expires <= a.DateTime || a.Expires > a.DateTime+334 || a.Reserve <= a.InitialBid || a.Category < 10 || a.Category > 14 {
				t.Fatalf("event %d: %+v", n, a)
			}
		}
	}
}

func TestMakingAnEventAllocatesNothing(t *testing.T) {
	g := NewGenerator()
	var e Event
	n := uint64(0)
	if allocs := testing.AllocsPerRun(10_000, func() { g.Event(n, &e); n++ }); allocs != 0 {
		t.Errorf("%v allocations an event", allocs)
	}
}

func BenchmarkPools(b *testing.B) {
	for b.Loop() {
		NewGenerator()
	}
}

// BenchmarkEvent is g, the unit in which the engine's costs are told.
func BenchmarkEvent(b *testing.B) {
	g := NewGenerator()
	var e Event
	n := uint64(0)
	for b.Loop() {
		g.Event(n, &e)
		n++
	}
}

// BenchmarkEventsOfABatch makes them in the places of a batch, one behind the other.
func BenchmarkEventsOfABatch(b *testing.B) {
	g := NewGenerator()
	batch := make([]Event, 512)
	n := uint64(0)
	for b.Loop() {
		g.Event(n, &batch[n%512])
		n++
	}
}
