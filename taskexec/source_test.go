package taskexec

import (
	"fmt"
	"io"
	"testing"
	"time"

	"blink/operator"
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

func TestTheRateLimitSavesNothingUp(t *testing.T) {
	s := &sourceState{rate: 10}
	s.limit(at(0), 5)
	if !s.nextAt.Equal(at(0).Add(500 * time.Millisecond)) {
		t.Errorf("after 5 records at 10 a second it goes on at %v", s.nextAt)
	}
	s.limit(at(60), 10) // it was idle for a minute
	if !s.nextAt.Equal(at(61)) {
		t.Errorf("after 10 more it goes on at %v", s.nextAt)
	}
	s.limit(at(60), 10) // before its time
	if !s.nextAt.Equal(at(62)) {
		t.Errorf("what came too soon is not waited for: %v", s.nextAt)
	}
	s.rate = 1e-300
	s.limit(at(62), 512)
	s.limit(at(62), 512)
	if s.nextAt.Before(at(longestPause)) {
		t.Errorf("at nearly nothing a second it goes on at %v", s.nextAt)
	}
}
