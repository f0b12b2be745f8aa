package taskexec

import (
	"fmt"
	"testing"
	"time"
)

func TestASnapshotIsWrittenAgainBeforeItsCheckpointIsDeclined(t *testing.T) {
	s := sinking(t)
	s.fails["put"] = persistTries - 1
	s.send(work, "barrier 7")
	s.pass(5 * time.Second)
	s.is("credits work", "prepare 7", "snapshot", "put", "put", "put", "put", "ack 7")
	s.fails["put"] = persistTries
	s.send(work, "barrier 8")
	s.pass(5 * time.Second)
	s.is("credits work", "prepare 8", "snapshot", "put", "put", "put", "put", "ack 8",
		"declined: write chk/0000000008/task-3-0-2-3: no luck with put")
	s.send(work, "1") // the task lives on
	s.is("1", "credits work")
}

// Behind a stop checkpoint a task rests, until another checkpoint shows that the job goes on.
func TestAStoppedTaskGoesOnWithTheNextCheckpoint(t *testing.T) {
	s := sinking(t)
	s.tell(startCheckpoint{id: 7, stop: true})
	s.send(work, "1 barrier 7")
	s.send(work, "2")
	s.is("1", "credits work", "prepare 7", "snapshot", "put", "ack 7")
	s.complete(7)
	s.is("commit 7")
	if got := s.last().phase; got != stopped {
		t.Errorf("it is in phase %d, want %d", got, stopped)
	}
	s.tell(startCheckpoint{id: 7, stop: true}) // again
	s.is()
	s.tell(startCheckpoint{id: 8})
	s.is("2", "credits work")
	s.send(work, "3 barrier 8")
	s.send(work, "4")
	s.follows("3", "prepare 8", "snapshot", "4", "ack 8")
	if got := s.last().phase; got != running {
		t.Errorf("it is in phase %d, want %d", got, running)
	}
}

// A barrier whose checkpoint has been aborted blocks nothing.
func TestAnAbortedCheckpointLetsItsChannelsGoOn(t *testing.T) {
	s := working(t, 4)
	s.send(left, "1 barrier 7")
	s.send(left, "2")
	s.is("1", "credits left", "sends 1: 1")
	s.tell(concluded{concluded: 7})
	s.is("2", "credits left", "sends 2: 2")
	s.send(right, "3 barrier 7")
	s.send(right, "4")
	s.is("3", "credits right", "4", "sends 3: 3 4", "credits right")
}

// What a task has written for a checkpoint that is given up goes, also when the write was
// still on its way; what belongs to a complete one stays.
func TestTheSnapshotOfAnAbortedCheckpointIsDeleted(t *testing.T) {
	s := sinking(t)
	s.send(work, "barrier 7")
	s.is("credits work", "prepare 7", "snapshot", "put", "ack 7")
	s.complete(7)
	s.is("commit 7")
	s.send(work, "barrier 8")
	s.is("credits work", "prepare 8", "snapshot", "put", "ack 8")
	s.tell(concluded{concluded: 8, completed: 7})
	s.is("delete chk/0000000008/task-3-0-2-3")
	s.fails["put"] = 1
	s.send(work, "barrier 9")
	s.is("credits work", "prepare 9", "snapshot", "put")
	s.tell(concluded{concluded: 9, completed: 7})
	s.pass(5 * time.Second)
	s.is("delete chk/0000000009/task-3-0-2-3") // it is not tried again; it may have been written all the same
}

// A task that has ended is at rest as it is: others see that all of its output is there.
func TestAnEndedTaskStaysEndedBehindAStopCheckpoint(t *testing.T) {
	s := sinking(t)
	s.send(work, "1 end")
	s.is("1", "time ends", "credits work")
	s.tell(startCheckpoint{id: 7, stop: true})
	s.is("prepare 7", "snapshot", "put", "ack 7")
	s.complete(7)
	if got := s.last().phase; got != ended {
		t.Errorf("it is in phase %d, want %d", got, ended)
	}
}

// While a snapshot is encoded records flow, and messages wait for one quantum.
func TestASnapshotIsEncodedBetweenRecords(t *testing.T) {
	s := sinking(t)
	s.drains = 8
	s.cost = quantumTime // a step a quantum
	s.send(work, "1 barrier 7")
	s.send(work, "2")
	s.send(work, "3")
	s.follows("1", "prepare 7", "snapshot", "drain", "2", "drain", "3", "drain", "put", "ack 7")
}

// What a task waits for does not keep it from encoding: here it has no credit, and no input.
func TestASnapshotIsEncodedUnderBackPressure(t *testing.T) {
	s := working(t, 0)
	s.drains = 5
	s.send(left, "barrier 7")
	s.send(right, "barrier 7")
	s.send(right, "1 2 3")
	s.is("credits left", "credits right", "snapshot", "drain", "sends 1: barrier 7", "drain", "1", "2", "drain", "drain", "drain", "put", "ack 7")
}

// A snapshot that nobody waits for any more is given up, and nothing of it is written: its
// checkpoint is aborted, or another one has begun.
func TestTheEncodingOfAnAbortedCheckpointIsGivenUp(t *testing.T) {
	for what, end := range map[string]func(*stage){
		"it is aborted":        func(s *stage) { s.tell(concluded{concluded: 7}) },
		"another is triggered": func(s *stage) { s.tell(startCheckpoint{id: 8}) },
	} {
		s := sinking(t)
		s.drains = 1000
		s.send(work, "barrier 7")
		s.on["drain"] = func() { s.on["drain"] = nil; end(s) }
		s.pass(20 * time.Millisecond)
		if n := len(s.diary); n < 2 || s.diary[n-1] != "drop" {
			t.Errorf("%s: got %v", what, s.diary)
		}
		s.diary, s.drains = nil, 2
		s.send(work, "1 barrier 8")
		s.is("1", "credits work", "prepare 8", "snapshot", "drain", "drain", "put", "ack 8")
	}
}

func TestANewerBarrierTakesThePlaceOfASnapshotBeingEncoded(t *testing.T) {
	s := sinking(t)
	s.drains = 1000
	s.on["drain"] = func() { s.on["drain"] = nil; s.drains = 1; s.send(work, "barrier 8") }
	s.send(work, "barrier 7")
	s.follows("drain", "drop", "prepare 8", "snapshot", "drain", "put", "ack 8")
}

// A stop checkpoint rests only when its state is encoded, and nothing is done until then; one
// that is given up meanwhile lets the task go on.
func TestAStopCheckpointRestsWhenItsStateIsEncoded(t *testing.T) {
	s := sinking(t)
	s.drains = 3
	s.on["drain"] = func() {
		if s.told.phase != running {
			t.Errorf("it is in phase %d while it is encoded", s.told.phase)
		}
	}
	s.tell(startCheckpoint{id: 7, stop: true})
	s.send(work, "barrier 7")
	s.send(work, "1")
	s.is("credits work", "prepare 7", "snapshot", "drain", "drain", "drain", "put", "ack 7")
	if got := s.last().phase; got != stopped {
		t.Errorf("it is in phase %d, want %d", got, stopped)
	}
	s.tell(startCheckpoint{id: 8, stop: true})
	s.drains = 1000
	s.on["drain"] = func() { s.on["drain"] = nil; s.tell(concluded{concluded: 8, completed: 7}) }
	s.send(work, "barrier 8")
	s.follows("1", "prepare 8", "drain", "drop", "commit 7")
	s.send(work, "2")
	s.is("2", "credits work")
}

// Its input may end, or the task may be cancelled, while a snapshot is encoded.
func TestATaskMayEndWhileItsSnapshotIsEncoded(t *testing.T) {
	s := sinking(t)
	s.drains = 5
	s.send(work, "barrier 7")
	s.send(work, "end")
	s.follows("snapshot", "drain", "time ends", "drain", "put", "ack 7")
	s.drains = 1000
	s.on["drain"] = func() { s.on["drain"] = nil; s.tell(cancel{}) }
	s.tell(startCheckpoint{id: 8})
	s.follows("prepare 8", "snapshot", "drain", "close", "down")
}

// layered is a sink with state whose snapshots are deltas when they may.
func layered(t *testing.T, restored uint64) *stage {
	t.Helper()
	s := newStage(t, sink)
	s.state, s.deploy.restore, s.config.Layers = 100, restored, 4
	s.start(s.node.Name())
	s.tell(concluded{restored, restored, restored})
	s.is("open", "start", "opens work")
	return s
}

// takes has the task take a checkpoint, and says what it goes onto; 0: nothing.
func (s *stage) takes(id, onto uint64) {
	s.t.Helper()
	what := "snapshot"
	if onto != 0 {
		what = fmt.Sprint("snapshot onto ", onto)
	}
	s.send(work, fmt.Sprint("barrier ", id))
	s.follows(what, "put", fmt.Sprint("ack ", id))
	if got := s.acked.parts[0].Onto; got != onto {
		s.t.Errorf("the part of checkpoint %d goes onto %d, want %d", id, got, onto)
	}
}

// A delta goes onto the newest complete checkpoint that this attempt has written, also when one
// between was aborted; once in as many checkpoints as there may be layers, here in 7 and 11, it
// begins anew.
func TestADeltaGoesOntoTheNewestCompleteCheckpoint(t *testing.T) {
	s := layered(t, 0)
	s.takes(7, 0)
	s.complete(7)
	s.takes(8, 7)
	s.tell(concluded{8, 7, 7}) // it is aborted
	s.takes(9, 7)
	s.complete(9)
	s.takes(10, 9)
	s.complete(10)
	s.takes(11, 0)
	s.complete(11)
	s.takes(12, 11)
	s.tell(concluded{concluded: 12, completed: 12}) // the manifest cannot be read
	s.takes(13, 0)
}

func TestAnAttemptBeginsWithAWholeSnapshot(t *testing.T) {
	s := layered(t, 5)
	s.takes(8, 0)
	s.complete(8)
	s.takes(9, 8)
}

// A barrier of the checkpoint that an attempt was restored from, or of an earlier one, is none
// of its own: it may be late.
func TestATaskTakesNoCheckpointBeforeTheOneItRestored(t *testing.T) {
	s := newStage(t, sink)
	s.deploy.restore = 5
	s.start(s.node.Name())
	s.tell(startCheckpoint{id: 5})
	s.send(work, "1 barrier 5")
	s.is("open", "start", "opens work", "1", "credits work")
}
