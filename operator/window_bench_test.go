package operator

import (
	"testing"
	"time"

	"blink/internal/hash"
)

// bidders are who bids in a stream like that of Nexmark: half of the bids are of one who
// changes with time, the others of a thousand, who change more slowly.
type bidders struct{ n uint64 }

const bidsPerSecond = 9200

func (b *bidders) next(o *offer) (ts int64) {
	b.n++
	r := b.n * 0x9e3779b97f4a7c15
	r ^= r >> 29
	epoch := b.n / 46
	o.Auction = int64(epoch + r>>40%1000)
	if r>>63 != 0 {
		o.Auction = int64(epoch / 100 * 100)
	}
	return int64(b.n) * int64(time.Second) / bidsPerSecond
}

func BenchmarkSessions(b *testing.B) {
	end := &last[Pane[int64, int64]]{}
	w := newBench(b, NewWindowCount(auction, sessions(10)), end)
	in, bids, o := w.op.(Node).Input(0).(Collector[offer]), bidders{}, offer{}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		ts := bids.next(&o)
		in.Collect(&o, ts)
		if i%1000 == 0 {
			w.advance(ts - 1)
		}
	}
	if b.N > 1_000_000 && end.n == 0 {
		b.Error("no session has fired")
	}
}

func BenchmarkSessionsPlain(b *testing.B) {
	type session struct{ bids, start, end int64 }
	var all table[int64, session]
	var end last[Pane[int64, int64]]
	sum, _ := hash.Of[int64]()
	bids, o := bidders{}, offer{}
	b.ReportAllocs()
	for b.Loop() {
		ts := bids.next(&o)
		s := all.ref(sum(o.Auction), &o.Auction)
		if s.bids > 0 && ts > s.end {
			pane := Pane[int64, int64]{Key: o.Auction, Start: timeOf(s.start), End: timeOf(s.end), Value: s.bids}
			end.Collect(&pane, s.end)
			*s = session{}
		}
		if s.bids == 0 {
			s.start = ts
		}
		s.bids++
		s.end = ts + sec(10)
	}
}
