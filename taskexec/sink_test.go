package taskexec

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

// sinking is a stage with the task of sink running, what it began with forgotten.
func sinking(t *testing.T) *stage {
	t.Helper()
	s := newStage(t, sink)
	s.start(s.node.Name())
	s.is("open", "start", "opens work")
	return s
}

// complete tells that checkpoint id is.
func (s *stage) complete(id uint64) { s.tell(concluded{id, id, id}) }

// First everything is prepared and stored; it becomes visible when the checkpoint is complete,
// and not when the task's own part of it is.
func TestASinkCommitsWhatIsPartOfACompleteCheckpoint(t *testing.T) {
	s := sinking(t)
	s.send(work, "1 barrier 7")
	s.is("1", "credits work", "prepare 7", "snapshot", "put", "ack 7")
	s.pass(time.Second)
	s.is()
	s.complete(7)
	s.is("commit 7")
	s.complete(7) // again
	s.tell(concluded{6, 6, 6})
	s.is()
}

func TestNoRecordIsTakenWhileASinkPrepares(t *testing.T) {
	s := sinking(t)
	s.send(work, "1 barrier 7")
	s.send(work, "2")
	s.follows("prepare 7", "snapshot", "2")
}

func TestAFullSinkIsFlushedBeforeAnythingElse(t *testing.T) {
	s := sinking(t)
	s.room = 2
	s.send(work, "1 2 3 4 barrier 7")
	s.is("1", "2", "flush", "3", "4", "flush", "credits work", "prepare 7", "snapshot", "put", "ack 7")
	s.fails["flush"] = 1
	s.send(work, "5 6")
	s.downBecause("no luck with flush")
}

func TestAnAbortedCheckpointIsNotCommitted(t *testing.T) {
	s := sinking(t)
	s.send(work, "1 barrier 7")
	s.follows("ack 7")
	s.tell(concluded{concluded: 7})
	s.pass(time.Second)
	s.is("delete chk/0000000007/task-3-0-2-3")
	s.send(work, "2 barrier 8")
	s.follows("prepare 8", "snapshot", "put", "ack 8")
	s.complete(8) // with what was prepared for 7
	s.is("commit 8")
}

// Calls on a writer never overlap, which player.blocking sees.
func TestASinkDoesOneThingAfterTheOther(t *testing.T) {
	s := sinking(t)
	s.on["prepare 8"] = func() { s.complete(7) }
	s.on["commit 7"] = func() { s.send(work, "3 barrier 9") }
	s.send(work, "1 barrier 7")
	s.follows("ack 7")
	s.send(work, "2 barrier 8")
	s.follows("prepare 8", "snapshot", "commit 7", "3", "prepare 9", "snapshot")
}

func TestALaterCommitTakesThePlaceOfOneThatFailed(t *testing.T) {
	s := sinking(t)
	s.fails["commit 7"] = 1
	s.on["commit 7"] = func() { s.send(work, "2 barrier 8") }
	s.send(work, "1 barrier 7")
	s.follows("ack 7")
	s.complete(7)
	s.follows("commit 7", "prepare 8", "ack 8")
	s.complete(8)
	s.pass(time.Second)
	s.is("commit 8")
	if got := s.last().committed; got != 8 {
		t.Errorf("it has committed %d, want 8", got)
	}
}

func TestACommitIsRepeatedUntilItSucceeds(t *testing.T) {
	s := sinking(t)
	s.fails["commit 7"] = 3
	s.complete(7)
	s.is("commit 7")
	s.complete(7) // no reason to hurry
	s.is()
	s.pass(2 * time.Second)
	s.is("commit 7", "commit 7", "commit 7")
	if got := s.last().committed; got != 7 {
		t.Errorf("it has committed %d, want 7", got)
	}
}

func TestACommitThatGoesOnFailingFailsTheTask(t *testing.T) {
	s := sinking(t)
	s.fails["commit 7"] = 1 << 20
	s.complete(7)
	s.pass(maxCommitTries * maxCommitBackOff)
	if tries := slices.Index(s.diary, "close"); tries != maxCommitTries {
		t.Errorf("it is tried %d times, want %d", tries, maxCommitTries)
	}
	s.downBecause(fmt.Sprintf("commit checkpoint 7, tried %d times: no luck", maxCommitTries))
}

func TestASinkThatCannotPrepareFailsItsTask(t *testing.T) {
	s := sinking(t)
	s.fails["prepare 7"] = 1
	s.send(work, "1 barrier 7")
	s.downBecause("checkpoint 7: no luck with prepare 7")
}

func TestAResultIsPublishedOnceAndBehindItsCommit(t *testing.T) {
	s := sinking(t)
	s.tell(finalize{7})
	s.pass(time.Second)
	s.is()
	s.complete(7)
	s.is("commit 7", "finalize 7")
	s.tell(finalize{7})
	s.complete(8)
	s.is("commit 8")
	if got := s.last().finalized; got != 7 {
		t.Errorf("it has published %d, want 7", got)
	}
}

func TestAResultThatCannotBePublishedFailsTheTask(t *testing.T) {
	s := sinking(t)
	s.fails["finalize 7"] = 1
	s.tell(finalize{7})
	s.complete(7)
	s.downBecause("publish the result: no luck")
}
