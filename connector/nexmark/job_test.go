package nexmark_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"blink"
	"blink/blinktest"
	"blink/connector/nexmark"
)

// tally is how many events of a kind there were, and which: the sum of their numbers, as far
// as an event tells its number.
type tally struct {
	Kind nexmark.Kind
	N    int64
	Sum  int64
}

// Add, Merge and Result make it an accumulator.
func (t *tally) Add(e nexmark.Event) {
	t.Kind = e.Kind
	t.N++
	t.Sum += e.Person.ID + e.Auction.ID*7 + e.Bid.Price + int64(e.DateTime())
}
func (t *tally) Merge(o tally) { t.Kind, t.N, t.Sum = o.Kind, t.N+o.N, t.Sum+o.Sum }
func (t *tally) Result() tally { return *t }

const events = 20_000

// tallies counts by kind and second of event time.
func tallies(in blink.Stream[nexmark.Event]) blink.Stream[tally] {
	return in.KeyBy(func(e nexmark.Event) nexmark.Kind { return e.Kind }).
		Window(blink.Tumbling(time.Second)).Aggregate(&tally{}).ID("tallies").
		Map(func(p blink.Pane[nexmark.Kind, tally]) tally { return p.Value })
}

// expected are the same tallies by a plain loop.
func expected() []tally {
	g := nexmark.NewGenerator()
	sums := map[string]*tally{}
	var e nexmark.Event
	for n := range uint64(events) {
		g.Event(n, &e)
		key := fmt.Sprint(e.DateTime()/1000, e.Kind)
		if sums[key] == nil {
			sums[key] = &tally{}
		}
		sums[key].Add(e)
	}
	var all []tally
	for _, t := range sums {
		all = append(all, *t)
	}
	return sorted(all)
}

func sorted(all []tally) []tally {
	slices.SortFunc(all, func(a, b tally) int { return int(a.Sum - b.Sum) })
	return all
}

// TestEventsAreCountedOnceWhateverFails also says that no event is late: a watermark would
// have closed its window, and the tally lacked it.
func TestEventsAreCountedOnceWhateverFails(t *testing.T) {
	for name, c := range map[string]struct{ splits, parallelism int }{
		"a split a task":        {3, 3},
		"several splits a task": {5, 2},
		"a task without splits": {1, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out := new(blinktest.Sink[tally])
			blinktest.Run(t, func(job *blink.Job) {
				in := job.Read(nexmark.Events(nexmark.Options{Events: events, Splits: c.splits}))
				tallies(in).Write(out.To())
			}, out, blinktest.Seeds(10), blinktest.Parallelism(c.parallelism))
			if have, want := sorted(out.Records()), expected(); !slices.Equal(have, want) {
				t.Errorf("have %v\nwant %v", have, want)
			}
		})
	}
}

func TestBidsAuctionsAndPersonsAreAllThereWhateverFails(t *testing.T) {
	out := new(blinktest.Sink[nexmark.Kind])
	blinktest.Run(t, func(job *blink.Job) {
		bids := job.Read(nexmark.Bids(nexmark.Options{Events: events / 10, Splits: 2}))
		kinds := bids.Map(func(nexmark.Bid) nexmark.Kind { return nexmark.BidKind }).ID("bids").Union(
			bids.Side(nexmark.Auctions()).Map(func(nexmark.Auction) nexmark.Kind { return nexmark.AuctionKind }).ID("auctions"),
			bids.Side(nexmark.Persons()).Map(func(nexmark.Person) nexmark.Kind { return nexmark.PersonKind }).ID("persons"))
		kinds.Write(out.To())
	}, out, blinktest.Seeds(5), blinktest.Parallelism(2))
	count := map[nexmark.Kind]int{}
	for _, k := range out.Records() {
		count[k]++
	}
	if count[nexmark.PersonKind] != events/10*2/100 || count[nexmark.AuctionKind] != events/10*6/100 || count[nexmark.BidKind] != events/10*92/100 {
		t.Errorf("counted %v", count)
	}
}
