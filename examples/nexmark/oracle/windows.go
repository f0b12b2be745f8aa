package oracle

import (
	"slices"

	"blink/connector/nexmark"
)

// The windows of Q4, Q5, Q7, Q8 and Q12, how often those of Q5 begin, and the longest pause in a
// session of Q11.
const (
	windowMillis = 10_000
	slideMillis  = 2_000
	gapMillis    = 10_000
)

func floor(t, step nexmark.Millis) nexmark.Millis { return t / step * step }

// Q5 is the auctions with the most bids in a window of 10 s, every 2 s; all of them, if there
// are several with the same number.
func Q5(in *Events, emit func(*nexmark.Hot)) {
	h := newHotness(emit)
	for b := in.nextBid(); b != nil; b = in.nextBid() {
		if b.DateTime >= h.slice+slideMillis {
			h.advance(floor(b.DateTime, slideMillis))
		}
		h.current[b.Auction]++
	}
	h.advance(h.slice + windowMillis)
}

// hotness counts in slices of 2 s, of which five are a window.
type hotness struct {
	emit    func(*nexmark.Hot)
	slice   nexmark.Millis // start of the current one
	current map[int64]int64
	counts  [windowMillis / slideMillis]map[int64]int64 // of the slices, by auction
	total   map[int64]int64                             // of the window that fires
	best    []int64
}

func newHotness(emit func(*nexmark.Hot)) *hotness {
	h := &hotness{emit: emit, total: map[int64]int64{}}
	for i := range h.counts {
		h.counts[i] = map[int64]int64{}
	}
	h.begin(0)
	return h
}

// advance begins the slice at start, and fires the windows that end by then.
func (h *hotness) advance(start nexmark.Millis) {
	for h.slice < start && h.fire() {
		h.begin(h.slice + slideMillis)
	}
	h.begin(start)
}

// begin a slice, in the place of the one that has left the window.
func (h *hotness) begin(start nexmark.Millis) {
	h.slice = start
	h.current = h.counts[start/slideMillis%nexmark.Millis(len(h.counts))]
	clear(h.current)
}

// fire emits the window that ends with the current slice, unless it is empty.
func (h *hotness) fire() bool {
	clear(h.total)
	most := int64(0)
	for _, counts := range h.counts {
		for auction, n := range counts {
			h.total[auction] += n
			most = max(most, h.total[auction])
		}
	}
	h.best = h.best[:0]
	for auction, n := range h.total {
		if n == most {
			h.best = append(h.best, auction)
		}
	}
	slices.Sort(h.best)
	for _, auction := range h.best {
		h.emit(&nexmark.Hot{WindowEnd: h.slice + slideMillis, Auction: auction, Bids: most})
	}
	return most > 0
}

// Q7 is the highest bids of each 10 s; all of them, if there are several of the same price.
func Q7(in *Events, emit func(*nexmark.Highest)) {
	var best []nexmark.Highest // all of one price
	var end nexmark.Millis
	fire := func() {
		for i := range best {
			emit(&best[i])
		}
		best = best[:0]
	}
	for b := in.nextBid(); b != nil; b = in.nextBid() {
		if b.DateTime >= end {
			fire()
			end = floor(b.DateTime, windowMillis) + windowMillis
		}
		if len(best) > 0 && b.Price < best[0].Price {
			continue
		}
		if len(best) > 0 && b.Price > best[0].Price {
			best = best[:0]
		}
		best = append(best, nexmark.Highest{Auction: b.Auction, Price: b.Price, Bidder: b.Bidder, DateTime: b.DateTime, Extra: b.Extra})
	}
	fire()
}

// Q8 is, for each 10 s, the persons who have both signed up and opened an auction in it, in
// whatever order, once each.
func Q8(in *Events, emit func(*nexmark.Newcomer)) {
	var persons []nexmark.Newcomer
	sellers := map[int64]bool{}
	var start nexmark.Millis
	fire := func() {
		for i := range persons {
			if sellers[persons[i].ID] {
				emit(&persons[i])
			}
		}
		persons = persons[:0]
		clear(sellers)
	}
	for e := in.Next(); e != nil; e = in.Next() {
		if t := e.DateTime(); t >= start+windowMillis {
			fire()
			start = floor(t, windowMillis)
		}
		switch e.Kind {
		case nexmark.PersonKind:
			persons = append(persons, nexmark.Newcomer{ID: e.Person.ID, Name: e.Person.Name, WindowStart: start})
		case nexmark.AuctionKind:
			sellers[e.Auction.Seller] = true
		}
	}
	fire()
}

// Q11 is the sessions of each bidder: the bids of which each comes 10 s or less after the one
// before it. A session ends 10 s after its last bid.
func Q11(in *Events, emit func(*nexmark.Session)) {
	place := map[int64]int{} // of a bidder in sessions
	var sessions []nexmark.Session
	for b := in.nextBid(); b != nil; b = in.nextBid() {
		i, ok := place[b.Bidder]
		if !ok {
			i = len(sessions)
			place[b.Bidder] = i
			sessions = append(sessions, nexmark.Session{Bidder: b.Bidder, Start: b.DateTime})
		}
		s := &sessions[i]
		if ok && b.DateTime > s.End {
			emit(s)
			s.Bids, s.Start = 0, b.DateTime
		}
		s.Bids++
		s.End = b.DateTime + gapMillis
	}
	for i := range sessions {
		emit(&sessions[i])
	}
}

// Q12 is how many bids of each bidder come in 10 s of the clock now, in windows aligned to 0,
// whatever their own times say. Its columns are bidder, bids, start, end. It has no digest that
// two runs share; so it is not among Queries.
func Q12(in *Events, now func() nexmark.Millis, emit func(*nexmark.Busy)) {
	place := map[int64]int{} // of a bidder in rows
	var rows []nexmark.Busy
	start := floor(now(), windowMillis)
	finish := func() {
		for i := range rows {
			emit(&rows[i])
		}
		rows = rows[:0]
		clear(place)
	}
	for b, n := in.nextBid(), 0; b != nil; b, n = in.nextBid(), n+1 {
		if n%lookEvery == 0 && now() >= start+windowMillis {
			finish()
			start = floor(now(), windowMillis)
		}
		i, ok := place[b.Bidder]
		if !ok {
			i = len(rows)
			place[b.Bidder] = i
			rows = append(rows, nexmark.Busy{Bidder: b.Bidder, Start: start, End: start + windowMillis})
		}
		rows[i].Bids++
	}
	finish()
}

// lookEvery is how many bids come between two looks at the clock.
const lookEvery = 1000
