package nexmark

import (
	"context"
	"fmt"
	"io"
	"math"

	"blink/graph"
	"blink/operator"
)

// Options of a source of events.
type Options struct {
	// Events is how many there are; 0 stands for no end.
	Events uint64
	// Splits is how many tasks can make them, at most MaxSplits; 0 stands for 1. A job's
	// splits are found once and stay, so this is the greatest parallelism that the source can
	// ever use: tasks beyond it find nothing to do. Fewer tasks have several splits each, of which they make
	// a batch in turn; more than 32 for one task are not all read at once if there is an end,
	// and event time waits for the others. With one split the events come in the order of
	// their numbers.
	Splits int
}

// Events is a source of the first events. Split i of p makes the events n ≡ i (mod p) in
// their order, and behind every 1000th of its own a watermark 1 ms before the time of that
// one. It makes them as fast as they are taken.
//
// The places of events are used again, so an operator that changes an Event itself (Update)
// must leave alone its Kind and the fields of other kinds.
func Events(o Options) operator.SourceOf[Event] {
	g := NewGenerator()
	return newSource("events", o, func(r run, into *operator.Batch[Event]) {
		events, times := into.Slots(int(r.count))
		n := r.next
		for i := range events {
			g.Event(n, &events[i])
			times[i] = dateTime(n).nanos()
			n += r.step
		}
	})
}

// Bids is the same source with the kinds apart: the bids are its main output, and Auctions
// and Persons are side outputs. It costs less than events of which an operator takes the
// bids out.
func Bids(o Options) operator.SourceOf[Bid] {
	return newSource("bids", o, NewGenerator().bidsInto(), Auctions(), Persons())
}

// bidsInto fills batches of bids, with the other kinds at their sides.
func (g *Generator) bidsInto() func(run, *operator.Batch[Bid]) {
	auctions, persons := Auctions(), Persons()
	return func(r run, into *operator.Batch[Bid]) {
		for r.count > 0 {
			n := r.next
			switch kind, epoch, id := place(n); kind {
			case BidKind:
				bids, times := into.Slots(r.takeEpoch())
				for i := range bids {
					b := &bids[i]
					g.bid(n, epoch, b)
					times[i] = b.DateTime.nanos()
					n += r.step
				}
			case AuctionKind:
				g.auction(n, epoch, id, into.SlotTo(auctions, dateTime(n).Time()))
				r.take(1)
			default:
				g.person(n, epoch, into.SlotTo(persons, dateTime(n).Time()))
				r.take(1)
			}
		}
	}
}

// Auctions and Persons are the side outputs of the source Bids.
func Auctions() operator.Tag[Auction] { return operator.NewTag[Auction]("auctions") }
func Persons() operator.Tag[Person]   { return operator.NewTag[Person]("persons") }

func newSource[T any](name string, o Options, fill func(run, *operator.Batch[T]), sides ...operator.AnyTag) operator.SourceOf[T] {
	so := operator.SourceOptions{Name: "Nexmark " + name, Bounded: o.Events > 0, NonBlocking: true, Watermarks: true, Sides: sides}
	return operator.NewSource(so, enumerator{o}, func(_ context.Context, _ operator.FS, s Split) (operator.Reader[T, Split], error) {
		return &reader[T]{s, fill}, nil
	})
}

// MaxSplits is as many as a job can have tasks.
const MaxSplits = graph.MaxKeyGroups

// enumerator is operator.Enumerator.
type enumerator struct{ Options }

// Splits are as many as asked for, at their first events.
func (o enumerator) Splits(context.Context, operator.FS) ([]Split, error) {
	if o.Options.Splits < 0 || o.Options.Splits > MaxSplits {
		return nil, fmt.Errorf("nexmark: Options.Splits is %d: from 1 to %d, or 0 for 1", o.Options.Splits, MaxSplits)
	}
	all := make([]Split, max(o.Options.Splits, 1))
	for i := range all {
		all[i] = Split{Index: uint64(i), Of: uint64(len(all)), Next: uint64(i), End: o.end()}
	}
	return all, nil
}

// end is behind the last event. An endless source does not get there in a thousand years.
func (o Options) end() uint64 {
	if o.Events == 0 {
		return math.MaxUint64
	}
	return o.Events
}

// Split is some of the events: from Next in steps of Of, below End.
type Split struct {
	Index, Of uint64
	Next, End uint64
}

// ID sorts as Index does, so that task i begins with split i.
func (s Split) ID() string { return fmt.Sprintf("%05d of %05d", s.Index, s.Of) }

// run is events of a batch: count of them from next in steps.
type run struct{ next, step, count uint64 }

// takeEpoch takes those of the epoch of the next one, and says how many they are.
func (r *run) takeEpoch() int {
	rest := epochEvents - r.next%epochEvents
	return r.take(min(r.count, (rest-1)/r.step+1))
}

func (r *run) take(n uint64) int {
	r.next += n * r.step
	r.count -= n
	return int(n)
}

// A watermark stands behind every markEvery events of a split, which are batches of batch
// events each.
const (
	markEvery = 1000
	batch     = 500
)

// reader is operator.Reader.
type reader[T any] struct {
	at   Split
	fill func(run, *operator.Batch[T])
}

// Next makes events up to the next watermark, which stands behind a batch.
func (r *reader[T]) Next(ctx context.Context, into *operator.Batch[T]) error {
	s := &r.at
	if s.Next >= s.End {
		return io.EOF
	}
	made := s.Next / s.Of
	count := min(batch, uint64(into.Room()), markEvery-made%markEvery, (s.End-s.Next-1)/s.Of+1)
	r.fill(run{s.Next, s.Of, count}, into)
	s.Next += count * s.Of
	if (made+count)%markEvery == 0 {
		into.Watermark((dateTime(s.Next-s.Of) - 1).Time())
	}
	return ctx.Err()
}

// Position is the next event.
func (r *reader[T]) Position() Split { return r.at }

// Close has nothing to give back.
func (r *reader[T]) Close() error { return nil }
