package taskexec

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"blink/actors"
	"blink/graph"
	"blink/operator"
	"blink/taskexec/exchange"
)

// here is the address of a channel of link 0 from a subtask of the sender to task 0, in the
// deployment of these tests.
func here(from int) exchange.Address {
	return exchange.Address{Link: 0, From: from, Epoch: 3, Attempt: 2}
}

// nodeOf is where a subtask of the sender is.
func nodeOf(from int) string { return "n" + string(rune('0'+from)) }

// receiving is a task with that many channels into its head, each with two credits.
func receiving(channels int) *task {
	t := &task{chain: &chain{ops: []any{struct{}{}}}, in: inputs{align: newAligner(channels), credits: 2, mark: operator.NoTime}}
	for i := range channels {
		t.in.channels = append(t.in.channels, &inChannel{
			index: i, addr: here(i), from: graph.TaskID{Subtask: i}, mark: operator.NoTime, edge: fmt.Sprint("in ", i), spare: new(operator.Records),
			ref: actors.Ref{Node: nodeOf(i)},
		})
	}
	return t
}

// batch is the nth batch of a channel, without records.
func batch(from int, n uint64, marks ...exchange.Mark) *exchange.Batch {
	return &exchange.Batch{Address: here(from), Seq: n, Records: nothingIn{}, Marks: marks}
}

// nothingIn is Records of none.
type nothingIn struct{ operator.Records }

func (nothingIn) Len() int { return 0 }

// mark and idle are what a channel says.
func (t *task) mark(ch int, w int64) {
	t.meet(t.in.channels[ch], exchange.Mark{Kind: exchange.Watermark, Value: uint64(w)})
}

func (t *task) idle(ch int) { t.meet(t.in.channels[ch], exchange.Mark{Kind: exchange.Idle}) }

// at wants event time at a place, on some channel that is not idle.
func (t *task) at(test *testing.T, want int64) {
	test.Helper()
	if at, idle := t.inputMark(); at != want || idle {
		test.Errorf("event time is %d, idle %v, want %d", at, idle, want)
	}
}

// come lets batches arrive that must be welcome.
func come(t *testing.T, task *task, batches ...*exchange.Batch) {
	t.Helper()
	for _, b := range batches {
		if err := task.arrived(nodeOf(b.From), b); err != nil {
			t.Fatal(err)
		}
	}
}

func refuses(t *testing.T, err error, want string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("%v, want an error with %q", err, want)
	}
}

func TestABatchOfAnotherDeploymentIsDropped(t *testing.T) {
	task := receiving(1)
	for _, other := range []func(a *exchange.Address){
		func(a *exchange.Address) { a.Attempt-- },
		func(a *exchange.Address) { a.Attempt++ },
		func(a *exchange.Address) { a.Epoch-- },
		func(a *exchange.Address) { a.Link = 1 },
		func(a *exchange.Address) { a.From = 1 },
		func(a *exchange.Address) { a.To = 1 },
	} {
		b := batch(0, 1)
		other(&b.Address)
		come(t, task, b)
	}
	if ch := task.in.channels[0]; ch.heard || ch.seq != 0 || len(ch.queue) != 0 {
		t.Errorf("%d batches were taken", len(ch.queue))
	}
	come(t, task, batch(0, 1))
}

func TestAGapOrARepetitionOnAChannelIsAFailure(t *testing.T) {
	for _, n := range []uint64{1, 3} {
		task := receiving(1)
		come(t, task, batch(0, 1))
		refuses(t, task.arrived(nodeOf(0), batch(0, n)), "the connection lost some")
	}
}

func TestChannelsShareTheFloatingCredits(t *testing.T) {
	for floating, all := range map[int]map[int]int{29: {1: 32, 2: 10, 3: 6, 4: 4, 5: 4, 6: 3, 1000: 3}, -1: {1: 3, 2: 3}} {
		c := Config{Credits: 3, Floating: floating}
		for channels, want := range all {
			if have := c.creditsOf(channels); have != want {
				t.Errorf("%d floating: each of %d channels has %d credits, want %d", floating, channels, have, want)
			}
		}
	}
}

func TestASenderMayNotExceedItsCredits(t *testing.T) {
	task := receiving(1)
	come(t, task, batch(0, 1), batch(0, 2), batch(0, 3)) // the third is the reserve
	refuses(t, task.arrived(nodeOf(0), batch(0, 4)), "more than 2 batches without credit")
}

func TestMarksThatCannotBeAreRefused(t *testing.T) {
	barrier := exchange.Mark{Kind: exchange.Barrier, Value: 1}
	for _, marks := range [][]exchange.Mark{{barrier, barrier}, {{At: 1, Kind: exchange.End}}} {
		task := receiving(1)
		task.phase = running
		come(t, task, batch(0, 1, marks...))
		_, err := task.step()
		refuses(t, err, "malformed")
	}
}

// What came in a frame is lent, and so is, by a task that has seen such records, all that it
// sends: an operator may have kept some.
func TestRecordsOfAFrameAreLentAndNoOthers(t *testing.T) {
	port, err := operator.PortOf[string]()
	if err != nil {
		t.Fatal(err)
	}
	s, task := newSending(t, 1, 1), receiving(1)
	s.open(0, 9)
	task.phase, task.in.channels[0].port = running, port
	lends := func(want bool) {
		t.Helper()
		task.now.batch = nil
		if did, err := task.step(); did != part || err != nil || task.press.Lent.Any() != want {
			t.Errorf("lent: %v, want %v (%v)", task.press.Lent, want, err)
		}
		s.lent = task.out.lent
		s.emit(1)
		if sent := s.sent[toward(0)]; sent[len(sent)-1].Lent.Any() != (want || len(sent) > 2) {
			t.Errorf("of what it sends is lent: %v", sent[len(sent)-1].Lent)
		}
	}
	come(t, task, batch(0, 1))
	lends(false)
	frame, err := port.Output(operator.OutputOptions{Channels: 1}).Take(0).AppendTo(nil)
	if err != nil {
		t.Fatal(err)
	}
	come(t, task, &exchange.Batch{Address: here(0), Seq: 2, Data: frame})
	lends(true)
	come(t, task, batch(0, 3))
	lends(false)
}

func TestChannelsAreServedInTurnAndEachInOrder(t *testing.T) {
	task := receiving(3)
	come(t, task, batch(0, 1), batch(0, 2), batch(0, 3), batch(2, 1), batch(2, 2))
	var order []int
	var last [3]uint64
	for ch, b := task.in.pick(); b != nil; ch, b = task.in.pick() {
		if order = append(order, ch.index); b.Seq != last[ch.index]+1 {
			t.Errorf("channel %d: batch %d after %d", ch.index, b.Seq, last[ch.index])
		}
		last[ch.index] = b.Seq
	}
	if !slices.Equal(order, []int{0, 2, 0, 2, 0}) {
		t.Errorf("served %v", order)
	}
}

func TestAChannelThatBroughtItsBarrierWaitsForTheOthers(t *testing.T) {
	task := receiving(2)
	come(t, task, batch(0, 1), batch(0, 2), batch(1, 1))
	task.meet(task.in.channels[0], exchange.Mark{Kind: exchange.Barrier, Value: 7})
	for range 2 {
		if ch, _ := task.in.pick(); ch != nil && ch.index == 0 {
			t.Fatal("a batch from behind the barrier is taken")
		}
	}
	task.meet(task.in.channels[1], exchange.Mark{Kind: exchange.Barrier, Value: 7})
	if id, ok := task.in.align.ready(); !ok || id != 7 {
		t.Errorf("checkpoint %d is due: %v, want 7", id, ok)
	}
	task.in.align.conclude(7)
	if ch, b := task.in.pick(); ch == nil || ch.index != 0 || b.Seq != 1 {
		t.Error("what waited behind the barrier does not go on")
	}
}

func TestEventTimeIsThatOfTheSlowestChannel(t *testing.T) {
	task := receiving(3)
	task.mark(0, 50)
	task.mark(1, 40)
	task.at(t, operator.NoTime) // one channel has said nothing
	task.mark(2, -10)
	task.at(t, -10)
	task.mark(2, 60)
	task.at(t, 40)
	defer func() {
		if r := recover(); !strings.Contains(fmt.Sprint(r), "watermark 30 after 40") {
			t.Errorf("a promise is taken back, and it says %v", r)
		}
	}()
	task.mark(1, 30)
}

// Nor does what it brings when it is active again take event time back.
func TestAnIdleChannelHoldsNoEventTime(t *testing.T) {
	task := receiving(3)
	task.idle(1)
	task.at(t, operator.NoTime)
	task.mark(0, 50)
	task.mark(2, 40)
	task.at(t, 40)
	task.mark(1, 10) // active again
	task.mark(2, 45)
	task.at(t, 40)
	task.mark(1, 42)
	task.at(t, 42)
	task.idle(1)
	task.idle(2)
	task.at(t, 50)
	for _, over := range []exchange.Mark{{Kind: exchange.Watermark, Value: uint64(operator.EndTime)}, {Kind: exchange.End}} {
		task.meet(task.in.channels[0], over)
		if at, idle := task.inputMark(); at != 50 || !idle {
			t.Errorf("event time is %d, idle %v, when one channel has ended and the others are idle", at, idle)
		}
	}
	task.meet(task.in.channels[1], exchange.Mark{Kind: exchange.End})
	task.meet(task.in.channels[2], exchange.Mark{Kind: exchange.End})
	task.at(t, operator.EndTime)
}

// What has come ends the silence, also before its turn.
func TestAChannelIsNotIdleWhileABatchWaits(t *testing.T) {
	task := receiving(2)
	task.mark(0, 5)
	task.idle(0)
	task.mark(1, 40)
	task.at(t, 40)
	come(t, task, batch(0, 1, exchange.Mark{Kind: exchange.Watermark, Value: 45}))
	task.mark(1, 50)
	task.at(t, 40)
}

// Then event time has come as far as on any of them, whichever became idle first.
func TestEventTimeOfIdleChannelsIsThatOfTheOneAhead(t *testing.T) {
	for first := range 2 {
		task := receiving(2)
		task.mark(0, 50)
		task.mark(1, 40)
		task.idle(first)
		task.idle(1 - first)
		if at, idle := task.inputMark(); at != 50 || !idle {
			t.Errorf("event time is %d, idle %v, want 50", at, idle)
		}
	}
}

func TestAChannelThatHasEndedHoldsNoEventTime(t *testing.T) {
	task := receiving(2)
	end := func(ch int) { task.meet(task.in.channels[ch], exchange.Mark{Kind: exchange.End}) }
	task.meet(task.in.channels[1], exchange.Mark{Kind: exchange.Watermark, Value: 5})
	end(0)
	task.at(t, 5) // that of the channel that is left
	end(1)
	task.at(t, operator.EndTime)
}

func TestTheInputEndsWithTheLastOfTheChannels(t *testing.T) {
	task := receiving(3)
	for i := range task.in.channels {
		if task.in.align.allEnded() {
			t.Errorf("all channels have ended after %d", i)
		}
		task.meet(task.in.channels[i], exchange.Mark{Kind: exchange.End})
	}
	if !task.in.align.allEnded() {
		t.Error("a channel has not ended")
	}
}

func TestALostConnectionFailsTheTasksWhoseChannelsItCarried(t *testing.T) {
	task := receiving(2)
	task.chain.links = []*outLink{{edge: "out", channels: []outChannel{{to: graph.TaskID{Vertex: 4}, ref: actors.Ref{Node: "far"}}}}}
	refuses(t, task.linkLost("n1"), "connection to n1 lost: it carried the edge in 1")
	refuses(t, task.linkLost("far"), "connection to far lost: it carried the edge out")
	if err := task.linkLost("elsewhere"); err != nil {
		t.Errorf("a connection of others is lost: %v", err)
	}
}

// order is the channels that are picked, as long as there is something.
func (in *inputs) order() (order []int) {
	for ch, b := in.pick(); b != nil; ch, b = in.pick() {
		order = append(order, ch.index)
	}
	return order
}

func TestTheChannelFurthestBehindIsPickedMostOften(t *testing.T) {
	task := receiving(2)
	for n := uint64(1); n <= 3; n++ {
		come(t, task, batch(0, n), batch(1, n))
	}
	task.in.channels[0].mark, task.in.channels[1].mark = 20, 10
	if have := task.in.order(); !slices.Equal(have, []int{1, 1, 1, 0, 0, 0}) {
		t.Errorf("picked %v", have)
	}
}

// Event time stands still on channel 0, and every channel always has something.
func TestNoChannelWaitsForOneThatStandsStill(t *testing.T) {
	task := receiving(3)
	task.in.channels[1].mark, task.in.channels[2].mark = 1, 2
	come(t, task, batch(0, 1), batch(1, 1), batch(2, 1))
	var picked [3]uint64
	for range 120 {
		ch, _ := task.in.pick()
		picked[ch.index]++
		come(t, task, batch(ch.index, picked[ch.index]+1))
	}
	if picked[1] < 10 || picked[2] < 10 {
		t.Errorf("picked %v times", picked)
	}
}
