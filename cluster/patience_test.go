package cluster

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"blink/jobmaster/leader"
	"blink/snapshot/store"
)

// trial is a patience on a clock of the test, above a store and a leader service that answer
// what the test says.
type trial struct {
	p      *patience
	at     time.Time
	notes  []string
	answer error
}

func newTrial() *trial {
	s := &trial{at: time.Unix(0, 0)}
	s.p = newPatience(func(text string) { s.notes = append(s.notes, text) })
	s.p.now = func() time.Time { return s.at }
	return s
}

type trialStore struct {
	store.Store
	s *trial
}

func (t trialStore) Put(context.Context, string, []byte) error { return t.s.answer }

type trialLeader struct {
	leader.Service
	s *trial
}

func (t trialLeader) Advance(context.Context, string, string, string, string) error {
	return t.s.answer
}

// put answers err to a Put after some time.
func (s *trial) put(after time.Duration, err error) {
	s.at, s.answer = s.at.Add(after), err
	_ = patientStore{trialStore{s: s}, s.p}.Put(context.Background(), "x", nil) // what it answers is s.answer
}

func (s *trial) advance() {
	s.answer = nil
	_ = patientLeader{trialLeader{s: s}, s.p}.Advance(context.Background(), "", "", "", "") // as above
}

func (s *trial) lost() error {
	select {
	case err := <-s.p.lost:
		return err
	default:
		return nil
	}
}

var errFull = fmt.Errorf("put chk/1: %w", syscall.ENOSPC)

func TestStateDirThatGoesOnFailingEndsTheRun(t *testing.T) {
	s := newTrial()
	s.put(0, errFull)
	s.put(diskPatience-1, errFull)
	if len(s.notes) != 1 || !strings.Contains(s.notes[0], "put chk/1: no space left on device") || s.lost() != nil {
		t.Fatalf("after a while: %q", s.notes)
	}
	s.put(0, nil) // something small finds room still
	s.put(1, errFull)
	s.put(0, errFull)
	if err := s.lost(); !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), "make room") || s.lost() != nil {
		t.Errorf("the run ends with %v", err)
	}
}

func TestCheckpointRestoresPatience(t *testing.T) {
	s := newTrial()
	s.put(0, errFull)
	s.advance()
	s.put(diskPatience, errFull)
	if s.lost() != nil || len(s.notes) != 2 {
		t.Errorf("a failure after a checkpoint ends the run; told: %q", s.notes)
	}
}

func TestAnswersAreNoFailures(t *testing.T) {
	s := newTrial()
	for _, err := range []error{store.ErrNotFound, store.ErrExists, leader.ErrFenced, leader.ErrSession, context.Canceled} {
		s.put(time.Hour, fmt.Errorf("put: %w", err))
	}
	if s.lost() != nil || len(s.notes) > 0 {
		t.Errorf("told: %q", s.notes)
	}
}
