package cluster

import (
	"context"
	"io"
	"testing"
	"time"

	"blink"
	"blink/operator"
)

// The job of the benchmark below is that of BenchmarkOneChain in package operator, here as a
// user writes it: source → filter → map → key by → count by window, with what a cluster adds,
// two tasks a stage or one, joined by channels with credits, under actors and a JobMaster.

// trade is a wide record.
type trade struct {
	Auction, Bidder, Price int64
	Channel, URL           string
	At                     int64
	Extra                  string
}

type sale struct{ Auction, Cents int64 }

const (
	tradeKeys  = 10_000
	tradeEvery = int64(100 * time.Microsecond)
)

func cheapTrade(t trade) bool     { return t.Price < 900 }
func saleOf(t trade) sale         { return sale{t.Auction, t.Price * 908 / 1000} }
func auctionOf(s sale) int64      { return s.Auction }
func tradeTime(t trade) time.Time { return time.Unix(0, t.At) }

// trades is a source of n records in every one of its splits.
func trades(splits int, n int64) blink.Source[trade] {
	ring := make([]trade, 1<<14)
	for i := range ring {
		x := uint64(i+1) * 0x9e3779b97f4a7c15
		ring[i] = trade{
			Auction: int64(x>>33) % tradeKeys, Bidder: int64(x >> 50), Price: int64(x>>20) % 1000,
			Channel: "Apple", URL: "https://www.nexmark.com/item.htm?query=1", Extra: "none",
		}
	}
	o := blink.SourceOptions{Name: "trades", Bounded: true, NonBlocking: true}
	return blink.NewSource(o, tradeSplits(splits), func(_ context.Context, _ blink.FS, s tradeSplit) (blink.Reader[trade, tradeSplit], error) {
		return &tradeReader{s, ring, n}, nil
	})
}

type tradeSplit struct {
	Name string
	Next int64
}

func (s tradeSplit) ID() string { return s.Name }

type tradeSplits int

func (n tradeSplits) Splits(context.Context, blink.FS) (all []tradeSplit, err error) {
	for i := range int(n) {
		all = append(all, tradeSplit{Name: string(rune('a' + i))})
	}
	return all, nil
}

type tradeReader struct {
	tradeSplit
	ring  []trade
	total int64
}

func (r *tradeReader) Next(_ context.Context, into *blink.Records[trade]) error {
	for ; !into.Full(); r.tradeSplit.Next++ {
		at := r.tradeSplit.Next
		if at == r.total {
			return io.EOF
		}
		t := into.Slot(time.Time{})
		*t = r.ring[at%int64(len(r.ring))]
		t.At = at * tradeEvery
	}
	return nil
}

func (r *tradeReader) Position() tradeSplit { return r.tradeSplit }

func (r *tradeReader) Close() error { return nil }

// nowhere is a sink that drops what it gets.
type nowhere struct{}

func (nowhere) Write(*blink.Pane[int64, int64], time.Time) error                { return nil }
func (nowhere) Flush(context.Context) error                                     { return nil }
func (nowhere) Prepare(context.Context, uint64) ([]int64, error)                { return nil, nil }
func (nowhere) Close() error                                                    { return nil }
func (nowhere) Commit(context.Context, blink.WriterInfo, uint64, []int64) error { return nil }

func dropped() blink.Sink[blink.Pane[int64, int64]] {
	return blink.NewSink("nowhere", func(context.Context, blink.WriterInfo) (blink.Writer[blink.Pane[int64, int64], int64], error) {
		return nowhere{}, nil
	}, nowhere{})
}

// BenchmarkEmbeddedJob tells records per CPU-second of the whole process, start and end of
// the job included.
func BenchmarkEmbeddedJob(b *testing.B) {
	for _, parallelism := range []int{1, 2} {
		b.Run(map[int]string{1: "1x1", 2: "2x2"}[parallelism], func(b *testing.B) {
			p := program{"trades", func() (*operator.Program, error) {
				job := blink.NewJob("trades", nil).Parallelism(parallelism).CheckpointEvery(time.Second)
				job.Read(trades(parallelism, int64(b.N)/int64(parallelism))).ID("trades").
					EventTime(tradeTime, blink.Ascending()).
					Filter(cheapTrade).Map(saleOf).
					KeyBy(auctionOf).Window(blink.Tumbling(10 * time.Second)).Count().ID("windows").
					Write(dropped())
				return job.Program()
			}}
			see := observer{progress: func(progress) {}, note: func(string) {}}
			b.ReportAllocs()
			before := cpuTime()
			out, err := runEmbedded(context.Background(), p, runOptions{drills: &drills{}}, see)
			if err != nil || out.state != finishedState {
				b.Fatal(out.state, out.reason, err)
			}
			b.ReportMetric(float64(b.N)/(cpuTime()-before).Seconds()/1e6, "M/CPU-s")
		})
	}
}
