package operator

import (
	"slices"
	"testing"

	"blink/graph"
	"blink/internal/codec"
)

// link is an Output with what it has sent.
type link[T any] struct {
	out   Output
	sent  map[int][]T
	times map[int][]int64
	dirty []int
}

func newLink[T any](t testing.TB, o OutputOptions) *link[T] {
	t.Helper()
	p, err := PortOf[T]()
	if err != nil {
		t.Fatal(err)
	}
	l := &link[T]{sent: map[int][]T{}, times: map[int][]int64{}}
	o.MaxParallelism = 128
	o.BatchBytes = 1 << 15
	o.Full = func(ch int) { l.take(ch) }
	o.Dirty = func(ch int) { l.dirty = append(l.dirty, ch) }
	l.out = p.Output(o)
	return l
}

func (l *link[T]) take(ch int) {
	b := l.out.Take(ch).(*buffer[T])
	l.sent[ch] = append(l.sent[ch], b.records...)
	l.times[ch] = append(l.times[ch], b.times...)
	l.out.Recycle(b)
}

func (l *link[T]) put(recs ...T) {
	in := l.out.Input(0).(Collector[T])
	for i := range recs {
		in.Collect(&recs[i], int64(i))
	}
}

func TestABufferIsGivenAwayWhenFull(t *testing.T) {
	l := newLink[int](t, OutputOptions{Ship: graph.Forward, Channels: 1, BatchRecords: 2})
	l.put(1, 2, 3)
	same(t, l.sent[0], 1, 2)
	same(t, l.times[0], 0, 1)
	same(t, l.dirty, 0, 0)
	if n := l.out.Len(0); n != 1 {
		t.Errorf("%d records wait, want 1", n)
	}
}

func TestABatchIsBoundedInBytes(t *testing.T) {
	l := newLink[[1 << 14]byte](t, OutputOptions{Ship: graph.Forward, Channels: 1, BatchRecords: 512})
	l.put([1 << 14]byte{}, [1 << 14]byte{})
	if len(l.sent[0]) != 2 {
		t.Errorf("%d records sent, want 2", len(l.sent[0]))
	}
}

func TestRebalanceDealsFromTheFirstChannel(t *testing.T) {
	l := newLink[int](t, OutputOptions{Ship: graph.Rebalance, Channels: 3, First: 2, BatchRecords: 1})
	l.put(1, 2, 3, 4)
	same(t, l.sent[2], 1, 4)
	same(t, l.sent[0], 2)
	same(t, l.sent[1], 3)
}

func TestBroadcastSendsToEveryChannel(t *testing.T) {
	l := newLink[int](t, OutputOptions{Ship: graph.Broadcast, Channels: 2, BatchRecords: 1})
	l.put(1, 2)
	same(t, l.sent[0], 1, 2)
	same(t, l.sent[1], 1, 2)
}

func TestHashSendsAKeyToTheTaskOfItsGroup(t *testing.T) {
	hash := func(n *uint64) uint64 { return *n * 0x9e3779b97f4a7c15 }
	l := newLink[uint64](t, OutputOptions{Ship: graph.Hash, Channels: 3, BatchRecords: 1, Hash: hash})
	for n := range uint64(100) {
		l.put(n)
		ch := graph.TaskOf(graph.KeyGroup(hash(&n), 128), 128, 3)
		if got := l.sent[ch]; len(got) == 0 || got[len(got)-1] != n {
			t.Fatalf("record %d did not go to channel %d", n, ch)
		}
	}
	if len(l.sent) != 3 {
		t.Errorf("100 keys went to %d channels, want 3", len(l.sent))
	}
}

// hashes is a head that takes the hashes of records.
type hashes struct {
	kettle[uint64]
	with []uint64
}

func (h *hashes) CollectHashed(in *uint64, ts int64, hash uint64) {
	h.Collect(in, ts)
	h.with = append(h.with, hash)
}

// TestAHashTravelsWithItsRecord also shows that a head which takes no hashes gets the records.
func TestAHashTravelsWithItsRecord(t *testing.T) {
	port, _ := PortOf[uint64]()
	out := port.Output(OutputOptions{
		Ship: graph.Hash, Hash: func(n *uint64) uint64 { return *n << 60 }, Channels: 2, MaxParallelism: 128,
		BatchRecords: 8, BatchBytes: 1 << 15, Full: func(int) {}, Dirty: func(int) {},
	})
	deliver := func(head any) {
		for n := range uint64(4) {
			out.Input(0).(Collector[uint64]).Collect(&n, int64(n))
		}
		b := out.Take(0)
		port.Deliver(b, 0, b.Len(), head, &Pressure{})
		out.Recycle(b)
	}
	h, plain := &hashes{}, &kettle[uint64]{}
	deliver(h)
	same(t, h.with, 0, 1<<60, 2<<60, 3<<60)
	same(t, h.got, 0, 1, 2, 3)
	deliver(plain)
	same(t, plain.got, 0, 1, 2, 3)
}

// As many buffers as were under way come back at once, and the next ones are these.
func TestBuffersThatComeBackTogetherAreFilledAgain(t *testing.T) {
	port, _ := PortOf[int]()
	out := port.Output(OutputOptions{
		Ship: graph.Rebalance, Channels: 2, BatchRecords: 8, BatchBytes: 1 << 15, Full: func(int) {}, Dirty: func(int) {},
	})
	taken := func(n int) (all []Records) {
		for i := range n {
			all = append(all, out.Take(i%2))
		}
		return all
	}
	first := taken(1000)
	for _, b := range first {
		out.Recycle(b)
	}
	taken(2) // the two that were being filled
	again := 0
	for _, b := range taken(1000) {
		if slices.Contains(first, b) {
			again++
		}
	}
	if again != 2+underWay {
		t.Errorf("%d of 1000 buffers were filled again", again)
	}
}

func TestDeliveryStopsBehindTheRecordThatMetPressure(t *testing.T) {
	p := &Pressure{}
	out := &kettle[int]{limit: 2, p: p}
	port, _ := PortOf[int]()
	r := &buffer[int]{records: []int{1, 2, 3}, times: []int64{4, 5, 6}}
	at := port.Deliver(r, 0, 3, Collector[int](out), p)
	if at != 2 || len(out.got) != 2 {
		t.Errorf("stopped at %d with %v", at, out.got)
	}
	p.Release()
	at = port.Deliver(r, at, 3, Collector[int](out), p)
	if same(t, out.got, 1, 2, 3); at != 3 {
		t.Errorf("stopped at %d", at)
	}
}

type trade struct {
	Symbol string
	Price  float64
	Tags   []string
}

func TestADecodedBatchIsTheOneEncoded(t *testing.T) {
	port, err := PortOf[trade]()
	if err != nil {
		t.Fatal(err)
	}
	sent := &buffer[trade]{records: []trade{{"A", 1, nil}, {"B", 2, []string{"x"}}}, times: []int64{1, NoTime}, codec: codecFor[trade](port)}
	data, err := sent.AppendTo(nil)
	if err != nil {
		t.Fatal(err)
	}
	var got Records
	for range 2 { // the second time into what the first gave
		if got, err = port.Decode(data, got); err != nil {
			t.Fatal(err)
		}
		same(t, got.(*buffer[trade]).records, sent.records...)
		same(t, got.(*buffer[trade]).times, sent.times...)
	}
	for n := range data {
		if _, err := port.Decode(data[:n], nil); err == nil {
			t.Errorf("the first %d of %d bytes were taken for a batch", n, len(data))
		}
	}
	if _, err := port.Decode(append(data, 0), nil); err == nil {
		t.Error("a byte too many was taken")
	}
}

func TestAPortAllocatesNothing(t *testing.T) {
	for _, ship := range []graph.Ship{graph.Forward, graph.Hash, graph.Rebalance, graph.Broadcast} {
		channels := 4
		if ship == graph.Forward {
			channels = 1
		}
		port, _ := PortOf[trade]()
		var out Output
		end, p := &last[trade]{}, &Pressure{}
		out = port.Output(OutputOptions{
			Ship: ship, Channels: channels, MaxParallelism: 128, BatchRecords: 16, BatchBytes: 1 << 15,
			Hash:  func(in *trade) uint64 { return uint64(len(in.Symbol)) << 60 },
			Dirty: func(int) {},
			Full: func(ch int) {
				b := out.Take(ch)
				port.Deliver(b, 0, b.Len(), Collector[trade](end), p)
				out.Recycle(b)
			},
		})
		in, rec := out.Input(0).(Collector[trade]), trade{Symbol: "ABC"}
		for range 1000 {
			in.Collect(&rec, 1)
		}
		if a := testing.AllocsPerRun(1000, func() { in.Collect(&rec, 1) }); a != 0 {
			t.Errorf("ship %v: %v allocations a record", ship, a)
		}
		if end.n == 0 {
			t.Errorf("ship %v: nothing arrived", ship)
		}
	}
}

func codecFor[T any](p Port) *codec.Codec[T] { return p.(*port[T]).codec }
