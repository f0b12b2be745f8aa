package taskexec

import (
	"context"
	"io"
	"math"
	"time"

	"blink/operator"
)

// sourceState is how far a reading task is with its fetches.
type sourceState struct {
	op       operator.Source
	fetching bool // Fetch runs off the actor
	filled   bool // records wait to be delivered
	mark     int64
	rate     float64   // records a second of this task; 0 is no limit
	nextAt   time.Time // when the rate allows the next fetch
}

// deliver hands the records that were fetched to the chain.
func (t *task) deliver() progress {
	n, done := t.src.op.Deliver(t.pace.left)
	if t.src.rate > 0 {
		t.src.limit(t.c.Now(), n)
	}
	if done {
		t.src.filled = false
		t.now.advancing = true
	}
	t.pace.read += n
	switch {
	case !done && t.press.Held():
		return nothing
	case t.over(n), done && t.pace.read >= t.spec.config.BatchRecords:
		return whole
	}
	return part
}

// read fetches the next batch, or ends.
func (t *task) read() (progress, error) {
	s := t.src
	switch {
	case s.mark == operator.EndTime:
		return t.endOfInput(), nil
	case s.fetching || t.limited():
		return nothing, nil
	}
	s.op.Begin()
	if s.op.NonBlocking() {
		return part, t.fetched(s.op.Fetch(t.life))
	}
	s.fetching = true
	t.work("fetch", func(ctx context.Context) (any, error) { return nil, s.op.Fetch(ctx) }, func(_ any, err error) error {
		s.fetching = false
		return t.fetched(err)
	})
	return nothing, nil
}

func (t *task) fetched(err error) error {
	if err == io.EOF { // a wrapped one is a reader's failure
		t.src.mark = operator.EndTime
		return nil
	}
	t.src.filled = err == nil
	return err
}

// fetchSeconds is how much of its rate a limited source reads at once, so that it reads little
// by little.
const fetchSeconds = 0.1

// mostFetched is the number of records that a source with this rate reads at once.
func mostFetched(rate float64) int { return int(max(1, min(rate*fetchSeconds, math.MaxInt32))) }

// longestPause of the rate limit, in seconds: a hundred years, which a Duration can hold.
const longestPause = 3e9

// mostBehind bounds how far a limited source may be behind its rate and catch up. Reading, handing
// on and waking up take time, which is not lost; what longer waits have cost is.
const mostBehind = time.Duration(fetchSeconds * float64(time.Second))

// limit is told that n records were delivered by a source that has a rate.
func (s *sourceState) limit(now time.Time, n int) {
	switch behind := now.Add(-mostBehind); {
	case s.nextAt.IsZero():
		s.nextAt = now
	case s.nextAt.Before(behind):
		s.nextAt = behind
	}
	pause := min(float64(n)/s.rate, longestPause)
	s.nextAt = s.nextAt.Add(time.Duration(pause * float64(time.Second)))
}

// limited says whether the rate limit forbids a fetch now; if so it will ask again.
func (t *task) limited() bool {
	if t.src.rate <= 0 {
		return false
	}
	wait := t.src.nextAt.Sub(t.c.Now())
	if wait <= 0 {
		return false
	}
	t.c.After("rate", wait, resume{})
	return true
}
