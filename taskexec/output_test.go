package taskexec

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"blink/graph"
	"blink/operator"
	"blink/taskexec/exchange"
)

// sending is the outputs of a task with one link, broadcast over some channels, with all that
// was sent.
type sending struct {
	outputs
	t    *testing.T
	port operator.Port
	sent map[exchange.Address][]*exchange.Batch
}

func newSending(t *testing.T, channels, batchRecords int) *sending {
	t.Helper()
	port, err := operator.PortOf[int]()
	if err != nil {
		t.Fatal(err)
	}
	s := &sending{t: t, port: port, sent: map[exchange.Address][]*exchange.Batch{}}
	s.pressure = &operator.Pressure{}
	s.send = func(_ *outLink, ch *outChannel, b *exchange.Batch) error {
		s.sent[ch.addr] = append(s.sent[ch.addr], b)
		return nil
	}
	s.link(channels, batchRecords)
	return s
}

// link adds a link, of the next number.
func (s *sending) link(channels, batchRecords int) {
	l := &outLink{Link: graph.Link{ID: len(s.links), Ship: graph.Broadcast}, schema: 1, edge: `from "a" to "b"`, mark: operator.NoTime, channels: make([]outChannel, channels)}
	for i := range l.channels {
		l.channels[i].addr = toward(i)
		l.channels[i].addr.Link = l.ID
		l.channels[i].ref.Node = receiver
	}
	l.port = s.port.Output(operator.OutputOptions{
		Ship: graph.Broadcast, Channels: channels, MaxParallelism: 8, BatchRecords: batchRecords, BatchBytes: 1 << 20,
		Full: func(ch int) { s.full(l, ch) }, Dirty: func(ch int) { s.touched(l, ch) },
	})
	s.links = append(s.links, l)
}

// receiver is the node of all receivers.
const receiver = "r"

// toward is the address of the first link's channel to a subtask of the receiver.
func toward(to int) exchange.Address { return exchange.Address{To: to, Epoch: 3, Attempt: 2} }

// emit sends records, as the chain does.
func (s *sending) emit(records ...int) { s.emitOn(0, records...) }

func (s *sending) emitOn(link int, records ...int) {
	in := s.links[link].port.Input(0).(operator.Collector[int])
	for _, r := range records {
		in.Collect(&r, operator.NoTime)
	}
}

func (s *sending) open(channel, credits int) { s.t.Helper(); s.openTo(toward(channel), credits) }

func (s *sending) openTo(a exchange.Address, credits int) {
	s.t.Helper()
	m := exchange.Open{Address: a, Credits: credits, Schema: 1}
	if err := s.opened(receiver, m); err != nil {
		s.t.Error(err)
	}
}

func (s *sending) credit(channel int) {
	s.t.Helper()
	if err := s.credited(receiver, exchange.Credit{Address: toward(channel), N: 1}); err != nil {
		s.t.Error(err)
	}
}

// want compares what was sent on a channel, a text for each batch, and whether the task must
// wait.
func (s *sending) want(channel int, held bool, batches ...string) {
	s.t.Helper()
	if sent := s.told(channel); !slices.Equal(sent, batches) || s.pressure.Held() != held {
		s.t.Errorf("sent %q, held %v; want %q, %v", sent, s.pressure.Held(), batches, held)
	}
}

// waits wants that a batch holds the task, and leaves with the next credit.
func (s *sending) waits(channel int, batch string) {
	s.t.Helper()
	sent := s.told(channel)
	s.want(channel, true, sent...)
	s.credit(channel)
	s.want(channel, false, append(sent, batch)...)
}

func (s *sending) told(channel int) []string { return s.toldTo(toward(channel)) }

func (s *sending) toldTo(a exchange.Address) []string {
	var sent []string
	for _, b := range s.sent[a] {
		sent = append(sent, words(s.port, b))
	}
	return sent
}

// words is a batch in words: its number, its records, and its marks where they stand.
func words(port operator.Port, b *exchange.Batch) string {
	text, next := fmt.Sprintf("%d:", b.Seq), 0
	var got records
	upTo := func(n int) {
		got = nil
		next = port.Deliver(b.Records, next, n, operator.Collector[int](&got), &operator.Pressure{})
		for _, r := range got {
			text += fmt.Sprint(" ", r)
		}
	}
	for _, m := range b.Marks {
		upTo(m.At)
		text += " " + [...]string{"", fmt.Sprint("watermark ", int64(m.Value)), fmt.Sprint("barrier ", m.Value), "end", "idle"}[m.Kind]
	}
	upTo(b.Records.Len())
	return text
}

// records is a Collector that keeps what it gets.
type records []int

func (r *records) Collect(in *int, _ int64) { *r = append(*r, *in) }

func TestNothingIsSentBeforeTheReceiverIsReady(t *testing.T) {
	s := newSending(t, 1, 2)
	s.barrier(7) // the reserve is a right that the receiver grants too
	s.emit(1, 2)
	s.want(0, true)
	s.open(0, 2)
	s.want(0, false, "1: barrier 7", "2: 1 2")
}

func TestABatchNeedsACreditAndTheTaskWaitsForIt(t *testing.T) {
	s := newSending(t, 1, 2)
	s.open(0, 2)
	s.emit(1, 2, 3, 4)
	s.want(0, false, "1: 1 2", "2: 3 4")
	s.emit(5, 6)
	s.waits(0, "3: 5 6")
}

func TestEveryFullChannelHoldsTheTask(t *testing.T) {
	s := newSending(t, 2, 2)
	s.open(0, 1)
	s.open(1, 1)
	s.emit(1, 2, 3, 4)
	s.credit(0)
	s.want(0, true, "1: 1 2", "2: 3 4")
	s.credit(1)
	s.want(1, false, "1: 1 2", "2: 3 4")
}

func TestOneBatchWithABarrierOrAnEndGoesWithoutACredit(t *testing.T) {
	s := newSending(t, 1, 2)
	s.open(0, 1)
	s.emit(1, 2, 3)
	s.barrier(7)
	s.want(0, false, "1: 1 2", "2: 3 barrier 7")
	s.end() // the reserve is used
	s.waits(0, "3: end")
}

func TestABarrierOvertakesNothing(t *testing.T) {
	s := newSending(t, 1, 2)
	s.open(0, 1)
	s.emit(1, 2, 3, 4)
	s.barrier(7)
	s.want(0, true, "1: 1 2")
	s.credit(0)
	s.want(0, false, "1: 1 2", "2: 3 4", "3: barrier 7")
}

func TestAWatermarkTravelsWithTheNextBatch(t *testing.T) {
	s := newSending(t, 1, 2)
	s.open(0, 2)
	s.watermark(s.links[0], 5)
	s.watermark(s.links[0], 8) // nothing came between: it stands for both
	s.watermark(s.links[0], 6) // a promise is not taken back
	s.emit(1)
	s.watermark(s.links[0], 9)
	s.want(0, false)
	s.emit(2)
	s.want(0, false, "1: watermark 8 1 watermark 9 2")
}

// It is said once, and again when records or a watermark have come between; when it is not so any
// more and nothing comes, the last watermark says that.
func TestALinkSaysWhenItIsIdle(t *testing.T) {
	s := newSending(t, 1, 3)
	s.open(0, 9)
	l := s.links[0]
	s.watermark(l, 5)
	s.idle(l)
	s.idle(l)
	s.flush()
	s.want(0, false, "1: watermark 5 idle")
	s.idle(l)
	s.active(l)
	s.active(l)
	s.idle(l)
	s.flush()
	s.want(0, false, "1: watermark 5 idle", "2: watermark 5 idle")
	s.emit(1)
	s.idle(l)
	s.emit(2, 3)
	s.idle(l)
	s.watermark(l, 9)
	s.idle(l)
	s.watermark(l, 10)
	s.active(l)
	s.emit(4, 5, 6)
	s.idle(l)
	s.end()
	s.idle(l)
	s.active(l)
	s.flush()
	s.want(0, false, "1: watermark 5 idle", "2: watermark 5 idle", "3: 1 2 3", "4: watermark 10 4 5 6", "5: idle end")
}

// Whatever is said when, and whenever it is sent: who reads all of it knows in the end what the
// sender does, and there is not more than one mark for what takes the one before back.
func TestWhoReadsAChannelKnowsWhetherItIsIdle(t *testing.T) {
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 2))
		s := newSending(t, 1, 3)
		s.open(0, 1000)
		l, idle, back := s.links[0], false, 0
		for i := range 40 {
			was := idle
			switch r.IntN(5) {
			case 0:
				s.emit(i)
				idle = false
			case 1:
				s.watermark(l, int64(i))
				idle = false
			case 2, 3:
				s.idle(l)
				idle = true
			case 4:
				s.active(l)
				idle = false
			}
			if was && !idle {
				back++
			}
			if r.IntN(3) > 0 {
				continue
			}
			s.flush()
			told, marks := false, 0
			for _, b := range s.told(0) {
				for _, word := range strings.Fields(b)[1:] {
					if told = word == "idle"; told {
						marks++
					}
				}
			}
			if told != idle {
				t.Fatalf("seed %d: idle %v, want %v: %q", seed, told, idle, s.told(0))
			}
			if marks > back+1 {
				t.Fatalf("seed %d: %d marks, and %d times it was taken back: %q", seed, marks, back, s.told(0))
			}
		}
	}
}

func TestABatchHoldsABoundedNumberOfMarks(t *testing.T) {
	s := newSending(t, 1, 2*exchange.MaxMarks)
	s.open(0, 2)
	for i := range exchange.MaxMarks {
		s.want(0, false)
		s.emit(i)
		s.watermark(s.links[0], int64(i))
	}
	if sent := s.sent[toward(0)]; len(sent) != 1 || len(sent[0].Marks) != exchange.MaxMarks {
		t.Errorf("%d batches are sent", len(sent))
	}
}

func TestFlushSendsWhatHasGatheredWhereThereIsACredit(t *testing.T) {
	s := newSending(t, 2, 2)
	s.open(0, 1)
	s.emit(1)
	s.flush()
	s.want(0, false, "1: 1")
	s.want(1, false) // it is not ready
	s.emit(2)
	s.flush()
	s.want(0, true, "1: 1") // the other one is full
	s.open(1, 1)
	s.want(1, false, "1: 1 2")
	s.credit(0)
	s.flush()
	s.want(0, false, "1: 1", "2: 2")
}

// A round of a link is as many full batches as it has channels.
func TestALinkOfFewRecordsKeepsPaceWithOneOfMany(t *testing.T) {
	s := newSending(t, 2, 2)
	s.link(1, 100)
	few := s.links[1].channels[0].addr
	s.open(0, 9)
	s.open(1, 9)
	s.openTo(few, 2)
	rare := func(batches ...string) {
		t.Helper()
		if sent := s.toldTo(few); !slices.Equal(sent, batches) {
			t.Errorf("sent %q, want %q", sent, batches)
		}
	}
	s.emitOn(1, 7, 8)
	s.emit(1)
	rare()
	s.emit(2)
	rare("1: 7 8")
	s.want(1, false, "1: 1 2")
	s.emitOn(1, 9)
	s.emit(3)
	rare("1: 7 8")
	s.emit(4)
	rare("1: 7 8", "2: 9")
	s.emitOn(1, 10) // without a credit it waits, and holds nobody
	s.emit(5, 6)
	rare("1: 7 8", "2: 9")
	s.want(0, false, "1: 1 2", "2: 3 4", "3: 5 6")
}

func TestWhatKeepsPaceLeavesBeforeTheFullBatch(t *testing.T) {
	s := newSending(t, 1, 2)
	s.link(1, 100)
	var order []int
	s.send = func(l *outLink, _ *outChannel, _ *exchange.Batch) error {
		order = append(order, l.ID)
		return nil
	}
	s.open(0, 9)
	s.openTo(s.links[1].channels[0].addr, 9)
	s.emitOn(1, 7)
	s.emit(1, 2)
	if !slices.Equal(order, []int{1, 0}) {
		t.Errorf("batches leave on the links %v, want 1 and 0", order)
	}
}

func TestNothingFollowsTheEnd(t *testing.T) {
	s := newSending(t, 1, 2)
	s.open(0, 5)
	s.emit(1)
	s.end()
	s.end()
	s.barrier(7)
	s.watermark(s.links[0], 5)
	s.flush()
	s.want(0, false, "1: 1 end")
}

func TestOpeningAgainGrantsNothing(t *testing.T) {
	s := newSending(t, 1, 2)
	s.open(0, 1)
	s.emit(1, 2)
	s.open(0, 1)
	s.emit(3, 4)
	s.want(0, true, "1: 1 2")
}

func TestOtherDeploymentsNeitherOpenNorCredit(t *testing.T) {
	s := newSending(t, 1, 2)
	other := toward(0)
	other.Attempt++
	if err := s.opened(receiver, exchange.Open{Address: other, Credits: 9, Schema: 1}); err != nil || s.links[0].channels[0].open {
		t.Errorf("opened by another deployment: %v", err)
	}
	s.open(0, 1)
	if err := s.credited(receiver, exchange.Credit{Address: other, N: 1}); err != nil {
		t.Error(err)
	}
	s.emit(1, 2, 3, 4)
	s.want(0, true, "1: 1 2")
}

func TestAReceiverWithOtherRecordsIsRefused(t *testing.T) {
	s := newSending(t, 1, 2)
	err := s.opened(receiver, exchange.Open{Address: toward(0), Credits: 1, Schema: 2})
	refuses(t, err, `from "a" to "b"`)
	refuses(t, err, "both processes must run the same binary")
}

// Whatever the speed of both ends: the receiver never gets more than it has granted, every
// record arrives once and in order, and barriers stand where they were put.
func TestAChannelIsBoundedAndLosesNothing(t *testing.T) {
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 1))
		s, in := newSending(t, 1, 2), receiving(1)
		in.in.channels[0].addr, in.in.credits = toward(0), 1+r.IntN(3)
		var sent, got []string
		arrived, n := 0, 0
		arrive := func() {
			if sent := s.sent[toward(0)]; arrived < len(sent) {
				if err := in.arrived(nodeOf(0), sent[arrived]); err != nil {
					t.Fatalf("seed %d: %v", seed, err)
				}
				arrived++
			}
		}
		consume := func() {
			if _, b := in.in.pick(); b != nil {
				got = append(got, strings.Fields(words(s.port, b))[1:]...)
				s.credit(0)
			}
		}
		for range 200 {
			switch r.IntN(8) {
			case 0:
				s.open(0, in.in.credits)
			case 1, 2:
				arrive()
			case 3, 4:
				consume()
			case 5:
				s.flush()
			case 6:
				if !s.pressure.Held() {
					n++
					s.barrier(uint64(n))
					sent = append(sent, "barrier", fmt.Sprint(n))
				}
			default:
				if !s.pressure.Held() {
					n++
					s.emit(n)
					sent = append(sent, fmt.Sprint(n))
				}
			}
		}
		s.open(0, in.in.credits)
		s.end()
		for range 400 {
			arrive()
			consume()
		}
		if sent = append(sent, "end"); fmt.Sprint(got) != fmt.Sprint(sent) || s.pressure.Held() {
			t.Fatalf("seed %d: sent %v\ngot %v", seed, sent, got)
		}
	}
}

// A batch is too large for a frame here when it has more than two records.
func TestABatchTooLargeForAFrameGoesInPieces(t *testing.T) {
	s := newSending(t, 1, 5)
	deliver := s.send
	s.send = func(l *outLink, ch *outChannel, b *exchange.Batch) error {
		if b.Records.Len() > 2 {
			return errTooLarge
		}
		return deliver(l, ch, b)
	}
	s.open(0, 2)
	s.emit(1, 2)
	s.watermark(s.links[0], 50)
	s.emit(3)
	s.watermark(s.links[0], 60)
	s.emit(4)
	s.barrier(7)
	s.want(0, false, "1: 1 2 watermark 50", "2: 3 watermark 60 4 barrier 7")
	s.emit(5, 6, 7, 8, 9)
	s.want(0, true, "1: 1 2 watermark 50", "2: 3 watermark 60 4 barrier 7")
	s.waitsOn(0, "3: 5 6", "4: 7", "5: 8 9")
}

// waitsOn wants that batches hold the task until the last of them has left, one for a credit.
func (s *sending) waitsOn(channel int, batches ...string) {
	s.t.Helper()
	sent := s.told(channel)
	for i, b := range batches {
		s.want(channel, true, sent...)
		s.credit(channel)
		sent = append(sent, b)
		s.want(channel, i < len(batches)-1, sent...)
	}
}

// A receiver that grants without end would have the sender fill the memory.
func TestMoreCreditsThanBatchesWereSentAreRefused(t *testing.T) {
	s := newSending(t, 1, 1)
	s.open(0, 2)
	s.emit(1)
	s.credit(0)
	s.emit(2, 3)
	for n, credits := range []int{3, 1 << 32, -1, 0} {
		err := s.credited(receiver, exchange.Credit{Address: toward(0), N: credits})
		if err == nil || !strings.Contains(err.Error(), "credits") {
			t.Errorf("case %d, %d credits for two batches: %v", n, credits, err)
		}
	}
	if err := s.credited(receiver, exchange.Credit{Address: toward(0), N: 2}); err != nil {
		t.Error(err)
	}
}

// stubborn cannot be encoded; or it is as long as a frame by itself.
type stubborn struct{ unwilling bool }

func (s stubborn) MarshalBinary() ([]byte, error) {
	if s.unwilling {
		return nil, errors.New("not today")
	}
	return make([]byte, exchange.MaxFrame), nil
}

func (*stubborn) UnmarshalBinary([]byte) error { return nil }

func TestARecordThatCannotBeSentIsToldWithItsOperators(t *testing.T) {
	port, err := operator.PortOf[stubborn]()
	if err != nil {
		t.Fatal(err)
	}
	l := &outLink{edge: `from operator "a" to operator "b", of records of type stubborn`}
	encode := func(s stubborn, n int) error {
		out := port.Output(operator.OutputOptions{Channels: 1, BatchRecords: 9, BatchBytes: 1 << 20, Full: func(int) {}, Dirty: func(int) {}})
		for range n {
			out.Input(0).(operator.Collector[stubborn]).Collect(&s, operator.NoTime)
		}
		_, err := l.encode(&exchange.Batch{Records: out.Take(0)})
		return err
	}
	refuses(t, encode(stubborn{unwilling: true}, 1), l.edge+": encode a batch: ")
	refuses(t, encode(stubborn{}, 1), l.edge+": a record takes 671")
	if err := encode(stubborn{}, 2); err != errTooLarge {
		t.Errorf("%v, want that it is cut", err)
	}
}
