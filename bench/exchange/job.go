package exchange

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"blink"
	"blink/connector/nexmark"
	"blink/taskexec"
)

// The cases that Run measures.
const (
	Plain = "plain" // records of 140 bytes into a sink that drops them
	Count = "count" // the same, by key, into a running count of each key
	Kilo  = "kilo"  // records of 1,024 bytes into a sink that drops them
	Paced = "paced" // records of 140 bytes at a fixed rate, for their latency
)

// Cases are their names, in the order in which they are best read.
func Cases() []string { return []string{Plain, Count, Kilo, Paced} }

// sizeOf is how long the encoded records of a case are, on average.
func sizeOf(name string) int {
	if name == Kilo {
		return 1024
	}
	return 140
}

// trial is one run of a case, as both processes know it.
type trial struct {
	Case        string
	Records     int64 // of all sources
	Parallelism int
	Rate        float64 // records a second, 0: as fast as they go
	Credits     int     // 0: the default
	BatchBytes  int     // 0: the default
	Processors  int
}

// tasks is how its tasks run.
func (t trial) tasks() taskexec.Config {
	c := taskexec.Config{Slots: t.Parallelism, Rate: t.Rate, Credits: t.Credits, BatchBytes: t.BatchBytes}
	if t.Credits > 0 {
		c.Floating = -1
	}
	return c
}

// tally is what the sinks of this process have seen.
type tally struct {
	mu      sync.Mutex // guards what follows
	records int64
	late    []time.Duration // of the records of Paced
}

func (t *tally) add(records int64, late []time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.records += records
	t.late = append(t.late, late...)
}

// program describes the job of a trial.
func (t trial) program(seen *tally) blink.Program {
	return blink.Define("exchange", func(job *blink.Job) {
		job.Parallelism(t.Parallelism)
		bids := job.Read(t.source()).ID("bids")
		if t.Case != Count {
			bids.Rebalance().Write(sinkOf[nexmark.Bid](t, seen)).ID("sink")
			return
		}
		bids.KeyBy(auctionOf).Count().ID("count").Write(sinkOf[blink.KV[int64, int64]](t, seen)).ID("sink")
	})
}

func auctionOf(b nexmark.Bid) int64 { return b.Auction }

// source gives bids that are made once, again and again.
func (t trial) source() blink.Source[nexmark.Bid] {
	o := blink.SourceOptions{Name: "bids", Bounded: true, NonBlocking: true}
	each := t.Records / int64(t.Parallelism)
	bids := sync.OnceValue(func() []nexmark.Bid { return firstBids(sizeOf(t.Case)) }) // where it is read only
	return blink.NewSource(o, splits(t.Parallelism), func(_ context.Context, _ blink.FS, s split) (blink.Reader[nexmark.Bid, split], error) {
		return &reader{split: s, end: each, bids: bids(), stamped: t.Case == Paced}, nil
	})
}

// variety is how many bids are told apart: there are some thousand keys among them, as in any
// stretch of the benchmark's events.
const variety = 1 << 14

// step is how many records the source gives at once at most.
const step = 256

// firstBids are the first of Nexmark, made as long as asked.
func firstBids(size int) []nexmark.Bid {
	g, bids := nexmark.NewGenerator(), make([]nexmark.Bid, 0, variety)
	const fixed = 4*8 + 3*4 // columns of fixed width
	padding := strings.Repeat("x", size)
	for n := uint64(0); len(bids) < variety; n++ {
		var e nexmark.Event
		if g.Event(n, &e); e.Kind != nexmark.BidKind {
			continue
		}
		b := e.Bid
		if more := size - fixed - len(b.Channel) - len(b.URL); more >= 0 {
			b.Extra = padding[:more]
		}
		bids = append(bids, b)
	}
	return bids
}

// split is the bids of one source task from number Next on.
type split struct{ Index, Next int64 }

func (s split) ID() string { return fmt.Sprintf("%05d", s.Index) }

type splits int

func (n splits) Splits(context.Context, blink.FS) (all []split, err error) {
	for i := range int(n) {
		all = append(all, split{Index: int64(i)})
	}
	return all, nil
}

type reader struct {
	split
	end     int64
	bids    []nexmark.Bid
	stamped bool // Price is when it was made
}

func (r *reader) Next(_ context.Context, into *blink.Records[nexmark.Bid]) error {
	n := min(step, int64(into.Room()), r.end-r.split.Next)
	records, times := into.Slots(int(n))
	for i := range records {
		b := &records[i]
		*b = r.bids[(r.split.Next+int64(i))%variety]
		times[i] = int64(b.DateTime) * int64(time.Millisecond)
		if r.stamped {
			b.Price = time.Now().UnixNano()
		}
	}
	if r.split.Next += n; r.split.Next == r.end {
		return io.EOF
	}
	return nil
}

func (r *reader) Position() split { return r.split }

func (r *reader) Close() error { return nil }

// sinkOf counts records and drops them.
func sinkOf[T any](t trial, seen *tally) blink.Sink[T] {
	return blink.NewSink("count", func(context.Context, blink.WriterInfo) (blink.Writer[T, int64], error) {
		return &counter[T]{seen: seen, stamped: t.Case == Paced}, nil
	}, counter[T]{})
}

type counter[T any] struct {
	seen    *tally
	stamped bool
	records int64
	late    []time.Duration
}

func (c *counter[T]) Write(rec *T, _ time.Time) error {
	c.records++
	if c.stamped {
		if b, ok := any(rec).(*nexmark.Bid); ok {
			c.late = append(c.late, time.Since(time.Unix(0, b.Price)))
		}
	}
	return nil
}

// Close tells what was seen; the writers of a commit that is repeated have seen nothing.
func (c *counter[T]) Close() error {
	if c.seen != nil {
		c.seen.add(c.records, c.late)
	}
	return nil
}

func (*counter[T]) Flush(context.Context) error                                    { return nil }
func (*counter[T]) Prepare(context.Context, uint64) ([]int64, error)               { return nil, nil }
func (counter[T]) Commit(context.Context, blink.WriterInfo, uint64, []int64) error { return nil }
