package taskexec

import (
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
