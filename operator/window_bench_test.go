package operator

import (
	"fmt"
	"testing"
	"time"

	"blink/graph"
	"blink/internal/hash"
)

// bidders are who bids in a stream like that of Nexmark: three quarters of the bids are of one
// who changes with time, the others of a thousand, who change more slowly.
type bidders struct{ n uint64 }

const bidsPerSecond = 9200

func (b *bidders) next(o *offer) (ts int64) {
	b.n++
	r := b.n * 0x9e3779b97f4a7c15
	r ^= r >> 29
	epoch := b.n / 46
	o.Auction = int64(epoch + r>>40%1000)
	if r>>62 != 0 {
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
	if w.advance(EndTime); end.n == 0 {
		b.Error("no session has fired")
	}
}

// BenchmarkManySlices is a window that fires while so many slices are ahead: it should cost the
// same however many they are.
func BenchmarkManySlices(b *testing.B) {
	for _, ahead := range []int64{1 << 8, 1 << 17} {
		b.Run(fmt.Sprint(ahead), func(b *testing.B) {
			end := &last[Pane[int64, int64]]{}
			w := newBench(b, NewWindowCount(auction, tumbling(1)), end)
			in, o := w.op.(Node).Input(0).(Collector[offer]), offer{}
			for i := range ahead {
				in.Collect(&o, sec(i))
			}
			b.ReportAllocs()
			for i := int64(0); b.Loop(); i++ {
				in.Collect(&o, sec(ahead+i))
				w.advance(sec(i + 1))
			}
		})
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

// benchmarkExchanged is what a window costs behind a hash exchange in one process, record by
// record or combined before it.
func benchmarkExchanged(b *testing.B, o WindowOptions, combined bool, next func(*offer) int64) {
	end := &last[Pane[int64, int64]]{}
	spec := NewWindowCount(auction, o)
	port, err := PortOf[offer]()
	hash, _ := HashOf(auction)
	rest := spec
	if combined {
		rest, hash = spec.Combined.Rest, spec.Combined.Hash
		port, err = spec.Combined.Port()
	}
	if err != nil {
		b.Fatal(err)
	}
	window := newBench(b, rest, end)
	head, p := window.op.(Node).Input(0), window.pressure
	var out Output
	send := func(ch int) {
		r := out.Take(ch)
		port.Deliver(r, 0, r.Len(), head, p)
		out.Recycle(r)
	}
	out = port.Output(OutputOptions{Ship: graph.Hash, Hash: hash, Channels: 2, MaxParallelism: 128, BatchRecords: 512, BatchBytes: 1 << 15, Full: send, Dirty: func(int) {}})
	in, first := out.Input(0), (*bench)(nil)
	if combined {
		first = newBench(b, spec.Combined.First, in)
		in = first.op.(Node).Input(0)
	}
	to, rec := in.(Collector[offer]), offer{}
	b.ReportAllocs()
	for i := 1; b.Loop(); i++ {
		ts := next(&rec)
		to.Collect(&rec, ts)
		if i%1000 == 0 {
			if first != nil {
				first.advance(ts - 1)
			}
			send(0)
			send(1)
			window.advance(ts - 1)
		}
	}
	if window.advance(EndTime); end.n == 0 {
		b.Error("no window has fired")
	}
}

func BenchmarkExchanged(b *testing.B) {
	distinct := func(n int64) func(*offer) int64 {
		i := int64(0)
		return func(o *offer) int64 {
			i++
			o.Auction = i * 7919 % n
			return i * int64(time.Second) / bidsPerSecond
		}
	}
	for _, w := range []WindowOptions{sliding(10, 2), sessions(10)} {
		for _, s := range []struct {
			name string
			next func(*offer) int64
		}{{"bidders", new(bidders).next}, {"distinct", distinct(9973)}} {
			b.Run(w.Window.kind+"/"+s.name+"/combined", func(b *testing.B) { benchmarkExchanged(b, w, true, s.next) })
			b.Run(w.Window.kind+"/"+s.name+"/singly", func(b *testing.B) { benchmarkExchanged(b, w, false, s.next) })
		}
	}
}
