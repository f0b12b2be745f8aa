package taskexec

import (
	"fmt"
	"io"
	"math"
	"slices"
	"testing"
	"time"

	"blink/operator"
	"blink/taskexec/exchange"
)

func TestOnlyABareEOFEndsASource(t *testing.T) {
	task := &task{src: &sourceState{mark: operator.NoTime}}
	lost := fmt.Errorf("dial b: %w", io.EOF)
	if err := task.fetched(lost); err != lost || task.src.mark == operator.EndTime {
		t.Errorf("%v, and the source ends: %v", err, task.src.mark == operator.EndTime)
	}
	if err := task.fetched(io.EOF); err != nil || task.src.mark != operator.EndTime {
		t.Errorf("%v, and the source ends: %v", err, task.src.mark == operator.EndTime)
	}
}

// Reading, handing on and waking up take time of their own.
func TestARateIsReached(t *testing.T) {
	const rate, each, records = 1000, 5, 3000
	s := newStage(t, left)
	s.config.Rate, s.config.BatchRecords = rate, records+1
	for range records / each {
		s.reads = append(s.reads, make([]int, each))
	}
	s.reads[0][0], s.reads[len(s.reads)-1][each-1] = 1, 2
	var first, last time.Time
	s.on["1"] = func() { first = s.node.Now() }
	s.on["2"] = func() { last = s.node.Now() }
	s.cost = time.Second / rate / 2
	s.start(s.node.Name())
	s.pass(time.Minute)
	if got := (records - 1) / last.Sub(first).Seconds(); got < 0.99*rate || got > 1.01*rate {
		t.Errorf("%.1f records a second, want %d", got, rate)
	}
}

func TestTheRateLimitSavesLittleUp(t *testing.T) {
	s := &sourceState{rate: 10}
	s.limit(at(0), 5)
	if !s.nextAt.Equal(at(0).Add(500 * time.Millisecond)) {
		t.Errorf("after 5 records at 10 a second it goes on at %v", s.nextAt)
	}
	s.limit(at(0).Add(550*time.Millisecond), 5)
	if !s.nextAt.Equal(at(1)) {
		t.Errorf("a little behind it goes on at %v", s.nextAt)
	}
	s.limit(at(60), 10) // it was idle for a minute
	if !s.nextAt.Equal(at(61).Add(-mostBehind)) {
		t.Errorf("after 10 more it goes on at %v", s.nextAt)
	}
	s.limit(at(60), 10) // before its time
	if !s.nextAt.Equal(at(62).Add(-mostBehind)) {
		t.Errorf("what came too soon is not waited for: %v", s.nextAt)
	}
	s.rate = 1e-300
	s.limit(at(62), 512)
	s.limit(at(62), 512)
	if s.nextAt.Before(at(longestPause)) {
		t.Errorf("at nearly nothing a second it goes on at %v", s.nextAt)
	}
}

// Whoever waits for a task that reads waits for one quantum, and not for the rest of a batch.
func TestABatchOfSlowRecordsIsHandedOnByQuanta(t *testing.T) {
	s := newStage(t, left)
	s.config.BatchRecords = 1 << 20
	batch := make([]int, 1000)
	for i := range batch {
		batch[i] = i
	}
	s.reads = [][]int{batch}
	s.cost, s.on["0"] = 50*time.Microsecond, func() { s.tell(cancel{}) }
	s.start(s.node.Name())
	s.pass(20 * time.Millisecond)
	s.diary = s.diary[max(0, slices.Index(s.diary, "0")):]
	if done, most := slices.Index(s.diary, "close"), int(quantumTime/s.cost); done < 1 || done > most {
		t.Errorf("%d records are handed on before a message is heard, want some and at most %d: %v", done, most, s.diary[:min(len(s.diary), 20)])
	}
}

func TestARateIsSharedByTheTasksThatRead(t *testing.T) {
	s := newStage(t, left)
	s.config.Rate, s.deploy.sources = 10, 2
	s.reads = [][]int{{1}, {2}, {3}}
	s.start(s.node.Name())
	s.tell(exchange.Open{Address: s.channel(left), Credits: 3, Schema: s.port.SchemaHash()})
	s.is("open", "start", "1", "sends 1: 1")
	s.pass(150 * time.Millisecond)
	s.is() // the other task has its turn
	s.pass(30 * time.Millisecond)
	s.is("2", "sends 2: 2")
	s.pass(180 * time.Millisecond)
	s.follows("3")
}

func TestALimitedSourceReadsATenthOfASecondAtOnce(t *testing.T) {
	for rate, want := range map[float64]int{1e-9: 1, 5: 1, 10: 1, 25: 2, 2000: 200, 1e12: math.MaxInt32} {
		if n := mostFetched(rate); n != want {
			t.Errorf("at %v a second it reads %d at once, want %d", rate, n, want)
		}
	}
}
