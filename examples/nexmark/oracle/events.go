package oracle

import "blink/connector/nexmark"

// Events is the input of a query: it can be read once.
type Events struct {
	next, end uint64
	generator *nexmark.Generator // nil when they are given
	made      nexmark.Event
	given     []nexmark.Event
}

// Generated are the first n events of a generator.
func Generated(g *nexmark.Generator, n uint64) *Events { return &Events{end: n, generator: g} }

// Given are these events. Their times must not go back.
func Given(events []nexmark.Event) *Events {
	return &Events{end: uint64(len(events)), given: events}
}

// Next is the next event, valid until the following call, and nil behind the last one.
func (in *Events) Next() *nexmark.Event {
	if in.next == in.end {
		return nil
	}
	n := in.next
	in.next++
	if in.generator == nil {
		return &in.given[n]
	}
	in.generator.Event(n, &in.made)
	return &in.made
}

// nextBid is the next event that is a bid, and nil behind the last one.
func (in *Events) nextBid() *nexmark.Bid {
	for e := in.Next(); e != nil; e = in.Next() {
		if e.Kind == nexmark.BidKind {
			return &e.Bid
		}
	}
	return nil
}
