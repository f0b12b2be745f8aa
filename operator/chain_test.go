package operator

import (
	"context"
	"io"
	"testing"
	"time"

	"blink/graph"
	"blink/internal/hash"
)

// bid is a wide record.
type bid struct {
	Auction, Bidder, Price int64
	Channel, URL           string
	At                     int64
	Extra                  string
}

type offer struct{ Auction, Cents int64 }

const (
	bidKeys  = 10_000
	bidEvery = int64(100 * time.Microsecond)
)

func makeBids() []bid {
	bids := make([]bid, 1<<14)
	for i := range bids {
		n := uint64(i+1) * 0x9e3779b97f4a7c15
		bids[i] = bid{
			Auction: int64(n>>33) % bidKeys, Bidder: int64(n >> 50), Price: int64(n>>20) % 1000,
			Channel: "Apple", URL: "https://www.nexmark.com/item.htm?query=1", Extra: "none",
		}
	}
	return bids
}

func cheap(b bid) bool        { return b.Price < 900 }
func toOffer(b bid) offer     { return offer{b.Auction, b.Price * 908 / 1000} }
func auction(o offer) int64   { return o.Auction }
func bidTime(i int64) int64   { return i * bidEvery }
func bidAt(i int64) time.Time { return timeOf(bidTime(i)) }

// bidSource gives total bids of a ring.
func bidSource(ring []bid, total int64) SourceOf[bid] {
	return NewSource(SourceOptions{NonBlocking: true}, bidSplits{}, func(_ context.Context, _ FS, s bidSplit) (Reader[bid, bidSplit], error) {
		return &bidReader{s, ring, total}, nil
	})
}

type bidSplit struct{ I int64 }

func (bidSplit) ID() string { return "bids" }

type bidSplits struct{}

func (bidSplits) Splits(context.Context, FS) ([]bidSplit, error) { return make([]bidSplit, 1), nil }

type bidReader struct {
	bidSplit
	ring  []bid
	total int64
}

func (r *bidReader) Next(_ context.Context, into *Batch[bid]) error {
	for ; !into.Full(); r.I++ {
		if r.I == r.total {
			return io.EOF
		}
		*into.Slot(bidAt(r.I)) = r.ring[r.I%int64(len(r.ring))]
	}
	return nil
}

func (r *bidReader) Position() bidSplit { return r.bidSplit }

func (r *bidReader) Close() error { return nil }

// bidChain is source → filter → map → key by → window count in one task. With an exchange
// the last step is behind a port.
type bidChain struct {
	source Source
	window Advancer
	end    *last[Pane[int64, int64]]
	flush  func()
}

func newBidChain(t testing.TB, total int64, exchange bool) *bidChain {
	p := &Pressure{}
	c := &bidChain{end: &last[Pane[int64, int64]]{}, flush: func() {}}
	clocks := NewSplitClocks(1)
	add := func(s Spec, next any) *bench {
		return newBench(t, s, next, func(b *bench) { b.pressure, b.task.Pressure, b.task.Splits = p, p, clocks })
	}
	windows := add(NewWindowCount(auction, WindowOptions{Window: Tumbling(10 * time.Second)}), c.end)
	head := windows.op.(Node).Input(0)
	if exchange {
		head = c.across(t, head, p)
	}
	mapped := add(NewMap(toOffer), head)
	filtered := add(NewFilter(cheap), mapped.op.(Node).Input(0))
	src := bidSource(makeBids(), total)
	reading := add(src.Spec(), filtered.op.(Node).Input(0)).restore(initial(t, src))
	c.source, c.window = reading.op.(Source), windows.op.(Advancer)
	return c
}

// across puts a hash exchange between two tasks of the next operator before head, both of
// which feed head.
func (c *bidChain) across(t testing.TB, head any, p *Pressure) any {
	port, err := PortOf[offer]()
	if err != nil {
		t.Fatal(err)
	}
	hash, err := HashOf(auction)
	if err != nil {
		t.Fatal(err)
	}
	var out Output
	send := func(ch int) {
		b := out.Take(ch)
		port.Deliver(b, 0, b.Len(), head, p)
		out.Recycle(b)
	}
	out = port.Output(OutputOptions{
		Ship: graph.Hash, Hash: hash, Channels: 2, MaxParallelism: 128, BatchRecords: 512, BatchBytes: 1 << 15,
		Full: send, Dirty: func(int) {},
	})
	c.flush = func() { send(0); send(1) }
	return out.Input(0)
}

// run reads until n more batches are through, or the end.
func (c *bidChain) run(n int, from int64) int64 {
	for range n {
		if c.source.Fetch(context.Background()) == io.EOF {
			c.flush()
			c.window.Advance(EndTime)
			return from
		}
		k, _ := c.source.Deliver(1 << 10)
		from += int64(k)
		c.flush()
		c.window.Advance(bidTime(from-1) - 1)
	}
	return from
}

func TestTheWholeChainAllocatesNothing(t *testing.T) {
	for _, exchange := range []bool{false, true} {
		c := newBidChain(t, 1<<40, exchange)
		at := c.run(1000, 0)
		if a := testing.AllocsPerRun(200, func() { at = c.run(1, at) }); a != 0 {
			t.Errorf("exchange %v: %v allocations for %d records", exchange, a, maxBatch)
		}
		if c.end.n == 0 {
			t.Error("no window has fired")
		}
	}
}

// The plain loop is the bound: the same reader, functions, table and results, and no engine.
func BenchmarkPlainLoop(b *testing.B) {
	reader := bidReader{bidSplit{}, makeBids(), int64(b.N)}
	sum, _ := hash.Of[int64]()
	var batch Batch[bid]
	var panes table[int64, int64]
	var out last[Pane[int64, int64]]
	window, end := int64(10*time.Second), int64(10*time.Second)
	b.ReportAllocs()
	b.ResetTimer()
	for err := error(nil); err == nil; {
		batch.reset()
		err = reader.Next(context.Background(), &batch)
		for i := range batch.records {
			if batch.times[i] >= end {
				for _, s := range panes.all {
					pane := Pane[int64, int64]{Key: s.key, Start: timeOf(end - window), End: timeOf(end), Value: s.of}
					out.Collect(&pane, end-1)
				}
				panes.clear()
				end += window
			}
			if in := &batch.records[i]; in.Price < 900 {
				o := offer{in.Auction, in.Price * 908 / 1000}
				*panes.ref(sum(o.Auction), &o.Auction)++
			}
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds()/1e6, "M/s")
}

func benchmarkChain(b *testing.B, exchange bool) {
	c := newBidChain(b, int64(b.N), exchange)
	b.ReportAllocs()
	b.ResetTimer()
	c.run(b.N+1, 0)
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds()/1e6, "M/s")
}

func BenchmarkOneChain(b *testing.B) { benchmarkChain(b, false) }

func BenchmarkAcrossAnExchange(b *testing.B) { benchmarkChain(b, true) }
