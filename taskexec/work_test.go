package taskexec

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"blink/graph"
	"blink/operator"
	"blink/taskexec/exchange"
)

// working is a stage with the task of work running, what it began with forgotten.
func working(t *testing.T, credits int) *stage {
	t.Helper()
	s := newStage(t, work)
	s.start(s.node.Name())
	s.grant(credits)
	s.is("open", "start", "opens left", "opens right")
	return s
}

func TestWhatWasFetchedIsDeliveredBeforeACheckpoint(t *testing.T) {
	s := newStage(t, left)
	s.reads = [][]int{{1, 2, 3, 4, 5}}
	s.start(s.node.Name())
	s.tell(exchange.Open{Address: s.channel(left), Credits: 1, Schema: s.port.SchemaHash()})
	s.is("open", "start", "1", "2", "sends 1: 1 2", "3", "4")
	s.tell(startCheckpoint{id: 7})
	s.is() // it is in the middle of a batch
	s.tell(exchange.Credit{Address: s.channel(left), N: 1})
	s.is("sends 2: 3 4", "5", "snapshot", "sends 3: 5 barrier 7", "time ends", "put", "ack 7")
}

func TestEventTimeMovesBeforeTheCheckpointBehindIt(t *testing.T) {
	s := working(t, 4)
	s.send(right, "watermark 100 barrier 7")
	s.is("credits right")
	s.send(left, "1 watermark 5 barrier 7")
	s.is("1", "time 5", "credits left", "snapshot", "sends 1: 1 watermark 5 barrier 7", "put", "ack 7")
}

func TestMarksTakeEffectBetweenTheirRecords(t *testing.T) {
	s := working(t, 4)
	s.send(right, "watermark 100")
	s.is("credits right")
	s.send(left, "1 watermark 5 2 3 watermark 8 watermark 9 4")
	s.is("1", "time 5", "2", "3", "time 8", "time 9", "4",
		"sends 1: 1 watermark 5 2", "sends 2: 3 watermark 9 4", "credits left")
}

// What holds the task in the middle of a batch makes it go on at the next record, or mark, when
// it is over; and the batch is given back then.
func TestPressureStopsBetweenTwoRecords(t *testing.T) {
	s := working(t, 1)
	s.send(right, "watermark 100")
	s.is("credits right")
	s.send(left, "1 2 3 4 watermark 5 5 6 end")
	s.is("1", "2", "3", "4", "sends 1: 1 2")
	s.credit()
	s.is("sends 2: 3 4", "time 5", "5", "6")
	s.credit()
	s.is("sends 3: watermark 5 5 6", "time 100", "credits left")
}

// However much there is to do, what others want is heard soon.
func TestAQuantumEnds(t *testing.T) {
	records := make([]string, 1000)
	for i := range records {
		records[i] = fmt.Sprint(i)
	}
	var marks string
	for i := range 100 {
		marks += fmt.Sprint(" watermark ", i+1)
	}
	for _, test := range []struct {
		name    string
		batches []string
		first   string // something done in the first quantum
		cost    time.Duration
		most    int // that may be done in it
	}{
		{"at its time limit among records", []string{strings.Join(records, " ")}, "0", time.Microsecond, int(quantumTime/time.Microsecond) + 64},
		{"at its time limit among slow records", []string{strings.Join(records, " ")}, "0", 50 * time.Microsecond, int(quantumTime / time.Microsecond / 50)},
		{"at its time limit among marks", []string{marks}, "time 1", 10 * time.Microsecond, int(quantumTime / time.Microsecond / 10)},
		{"with a batch", []string{"0", "1", "2"}, "0", 0, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newStage(t, work)
			s.config.BatchRecords = 1 << 20
			s.start(s.node.Name())
			s.send(right, fmt.Sprint("watermark ", 1<<20))
			s.pass(time.Millisecond)
			s.diary = nil
			s.cost, s.on[test.first] = test.cost, func() { s.tell(cancel{}) }
			for _, b := range test.batches {
				s.send(left, b)
			}
			s.pass(20 * time.Millisecond)
			s.diary = slices.DeleteFunc(s.diary, func(line string) bool { return strings.HasPrefix(line, "credits") })
			if done := slices.Index(s.diary, "close"); done < 1 || done > test.most {
				t.Errorf("%d are done before a message is heard, want some and at most %d: %v", done, test.most, s.diary)
			}
		})
	}
}

func TestTheEndOfItsInputIsTheEndOfATask(t *testing.T) {
	s := working(t, 4)
	s.send(left, "1 end")
	s.is("1", "credits left", "sends 1: 1")
	s.send(right, "watermark 8 2 end")
	s.is("time 8", "2", "time ends", "credits right",
		fmt.Sprint("sends 2: watermark 8 2 watermark ", operator.EndTime), "sends 3: end")
	if got := s.last().phase; got != ended {
		t.Errorf("it is in phase %d, want %d", got, ended)
	}
	s.tell(startCheckpoint{id: 7}) // no checkpoint of a running job lacks a task
	s.is("snapshot", "put", "ack 7")
}

func TestEveryBatchGivesBackItsCreditToWhereItCameFrom(t *testing.T) {
	for _, at := range []string{"a", "far"} {
		t.Run(at, func(t *testing.T) {
			s := newStage(t, work)
			s.config.BatchRecords = 100
			s.start(at)
			s.is("open", "start", "opens left", "opens right")
			s.send(left, "1")
			s.send(left, "")
			s.send(right, "2")
			if at == s.node.Name() {
				s.is("1", "credits left", "2", "credits right", "credits left")
				return
			}
			// Two credits of four go together.
			s.is("1", "2", "credits left", "credits left")
			s.send(right, "3")
			s.is("3", "credits right", "credits right")
		})
	}
}

// However many credits go together: a sender in another process that waits until all is consumed
// has one left.
func TestASenderAlwaysGetsACreditBack(t *testing.T) {
	for granted := 1; granted <= 5; granted++ {
		s := newStage(t, work)
		s.config.BatchRecords, s.config.Credits = 100, granted
		s.start("far")
		s.is("open", "start", "opens left", "opens right")
		credits, b := granted, exchange.Batch{Address: s.channel(left), Records: s.batch(left, "1").Records}
		for b.Seq < 20 {
			for ; credits > 0; credits-- {
				b.Seq++
				s.tell(s.frame(&b))
			}
			s.pass(time.Second)
			for _, line := range s.diary {
				if line == "credits left" {
					credits++
				}
			}
			if s.diary = nil; credits == 0 {
				t.Fatalf("of %d credits none has come back when %d batches are consumed", granted, b.Seq)
			}
		}
	}
}

func TestAFrameOfAnotherDeploymentIsDropped(t *testing.T) {
	s := newStage(t, work)
	s.start("far")
	s.is("open", "start", "opens left", "opens right")
	frame := func(attempt uint32, seq uint64) exchange.Frame {
		b := s.batch(left, "1")
		b.Attempt, b.Seq = attempt, seq
		return s.frame(b)
	}
	s.tell(frame(1, 1))
	s.is()
	s.tell(frame(2, 1))
	s.is("1")
	cut := frame(2, 2)
	cut.Data = cut.Data[:len(cut.Data)-1]
	s.tell(cut)
	s.downBecause(`the edge from operator "left" to operator "work", of records of type int: from subtask 0`, "batch of int")
}

// A third node knows the addresses of channels: they are small numbers.
func TestNobodyIsHeardButTheOtherEndOfAChannel(t *testing.T) {
	s := newStage(t, work)
	s.config.BatchRecords = 1
	s.start("far")
	s.is("open", "start", "opens left", "opens right")
	output := s.channel(work)
	open := exchange.AppendOpen(nil, exchange.Open{Address: output, Credits: 1, Schema: s.port.SchemaHash()})
	credit := exchange.AppendCredit(nil, exchange.Credit{Address: output, N: 1})
	for _, step := range []struct {
		data []byte
		want []string
	}{
		{s.frame(s.batch(left, "1")).Data, []string{"1"}},
		{open, []string{"sends 1: 1"}},
		{s.frame(s.batch(left, "2")).Data, []string{"2", "credits left", "credits left"}},
		{credit, []string{"sends 2: 2"}},
	} {
		for _, other := range []string{"mallory", s.node.Name()} {
			s.tell(exchange.Frame{From: other, Data: step.data})
			s.is()
		}
		s.tell(exchange.Frame{From: s.around, Data: step.data})
		s.is(step.want...)
	}
}

// exacting is a port that refuses every batch, with what it was told of its task.
type exacting struct{ operator.Port }

func (exacting) Belong(_ operator.Records, groups int, owned graph.Range) error {
	return fmt.Errorf("the task has %v of %d groups", owned, groups)
}

func TestAFrameWithKeysOfOtherTasksFailsItsChannel(t *testing.T) {
	s := newStage(t, work)
	s.port = exacting{s.port}
	s.start("far")
	s.is("open", "start", "opens left", "opens right")
	s.send(left, "1")
	s.downBecause(`the edge from operator "left" to operator "work", of records of type int: from subtask 0`, "the task has {0 8} of 8 groups")
}

// A busy task does not keep what it has made, though its batches are not full; nor does it send
// a batch for each that came.
func TestABusyTaskSendsWhatIsOld(t *testing.T) {
	s := newStage(t, work)
	s.config.BatchRecords, s.config.BufferTimeout, s.config.Credits = 512, 5*time.Millisecond, 20
	s.start(s.node.Name())
	s.grant(20)
	s.pass(time.Millisecond)
	s.cost = time.Millisecond
	for i := range 20 {
		s.send(left, fmt.Sprint(i))
	}
	s.pass(20 * time.Millisecond)
	var sent []int
	for i, line := range s.diary {
		if strings.HasPrefix(line, "sends") {
			sent = append(sent, i)
		}
	}
	if last := slices.Index(s.diary, "19"); len(sent) < 2 || len(sent) > 5 || sent[0] > last {
		t.Errorf("%d batches are sent: %v", len(sent), s.diary)
	}
}

// Operators ask again for what is due later whenever they are woken.
func TestATaskIsWokenAtTheEarliestTimeAskedFor(t *testing.T) {
	s := working(t, 0)
	start := s.node.Now()
	after := func(d time.Duration) { s.player.task.WakeAt(start.Add(d).UnixNano()) }
	s.on["1"] = func() { after(time.Second); after(2 * time.Second); after(time.Second) }
	s.send(left, "1")
	s.is("1", "credits left")
	s.pass(900 * time.Millisecond)
	s.is()
	s.pass(100 * time.Millisecond)
	s.is("wake")
	s.pass(2 * time.Second)
	s.is()
}

// The clock of the machine may be set back while a timer runs: it is then too early for what an
// operator wants done, which asks once more for the time that it has asked for.
func TestWhatIsWokenTooEarlyIsWokenAgain(t *testing.T) {
	s := working(t, 0)
	at := s.node.Now().Add(time.Second).UnixNano()
	ask := func() { s.player.task.WakeAt(at) }
	s.on["1"] = ask
	s.on["wake"] = func() {
		if s.node.Now().UnixNano() < at {
			ask()
		}
	}
	s.send(left, "1")
	s.is("1", "credits left")
	s.node.Jump(-time.Minute)
	s.pass(time.Second)
	s.is("wake")
	s.pass(time.Minute)
	s.is("wake")
}

// A time that has come is not put off by a later one that is asked for before it is heard of.
func TestADueTimeIsNotPutOff(t *testing.T) {
	s := working(t, 4)
	start := s.node.Now()
	s.on["1"] = func() { s.player.task.WakeAt(start.Add(time.Second).UnixNano()) }
	s.on["2"] = func() {
		s.node.Jump(time.Second)
		s.player.task.WakeAt(start.Add(time.Hour).UnixNano())
	}
	s.send(left, "1 2")
	s.is("1", "2", "sends 1: 1 2", "credits left")
	s.pass(time.Second)
	s.is("wake")
}

// What is due is much: a checkpoint does not wait for all of it. What operators have gathered by
// then is in front of the barrier.
func TestACheckpointInTheMiddleOfAWakeFindsNothingBetweenOperators(t *testing.T) {
	s := newStage(t, left)
	s.config.Rate = 1e-6 // one record, and a long pause
	s.reads = [][]int{{1}}
	s.wakes, s.cost = 3, quantumTime // a step a quantum
	s.on["1"] = func() { s.player.task.WakeAt(s.node.Now().UnixNano()) }
	s.on["wake"] = func() { s.tell(startCheckpoint{id: 7}) }
	s.start(s.node.Name())
	s.tell(exchange.Open{Address: s.channel(left), Credits: 4, Schema: s.port.SchemaHash()})
	s.is("open", "start", "1", "wake", "snapshot", "put", "ack 7", "sends 1: 1 barrier 7", "wake", "wake")
}

// Nothing is emitted behind the end of event time.
func TestATaskIsNotWokenBehindTheEndOfEventTime(t *testing.T) {
	s := working(t, 4)
	s.cost = quantumTime // a step a quantum
	s.on["time ends"] = func() { s.player.task.WakeAt(s.node.Now().UnixNano()) }
	s.send(left, "end")
	s.send(right, "end")
	s.is("credits left", "time ends", "credits right", fmt.Sprint("sends 1: watermark ", operator.EndTime, " end"))
}

// What is injected into an operator counts all that it reads, whatever channel it comes on.
func TestADrillCountsTheRecordsOfAllInputsTogether(t *testing.T) {
	s := newStage(t, work)
	s.config.Drill = func(op string, _ int) func() {
		read := 0
		return func() {
			if read++; op == names[work] && read == 3 {
				panic("a drill")
			}
		}
	}
	s.start(s.node.Name())
	s.is("open", "start", "opens left", "opens right")
	s.grant(4)
	s.send(left, "1 2")
	s.is("1", "2", "sends 1: 1 2", "credits left")
	s.send(right, "3")
	s.downBecause("a drill")
}

// A task is idle when all of its channels are, and is not any more with the first record, though
// it makes nothing of it.
func TestATaskIsIdleWhenAllItsChannelsAre(t *testing.T) {
	s := working(t, 9)
	s.send(right, "watermark 8")
	s.is("credits right")
	s.send(left, "watermark 5 1 idle")
	s.is("time 5", "1", "time 8", "credits left", "sends 1: watermark 5 1 watermark 8")
	s.send(right, "idle")
	s.is("credits right", "sends 2: idle")
	s.send(right, "idle")
	s.is("credits right")
	s.send(left, "watermark 5")
	s.is("credits left", "sends 3: watermark 8") // what it has said before holds
	s.send(left, "idle watermark 7 idle")
	s.is("credits left", "sends 4: watermark 8 idle")
	s.send(left, "2")
	s.is("2", "credits left", "sends 5: 2")
	s.send(right, "watermark 9 end")
	s.is("credits right")
	s.send(left, "idle")
	s.is("credits left", "sends 6: idle")
	s.send(left, "end")
	s.is("time ends", "credits left", fmt.Sprint("sends 7: watermark ", operator.EndTime), "sends 8: end")
}
