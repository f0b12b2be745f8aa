package leadertest

import (
	"testing"
	"time"

	"blink/jobmaster/leader"
)

// Timed is a service whose clock the suite moves.
type Timed struct {
	leader.Service
	Pass      func(time.Duration)
	TTL       time.Duration // of sessions
	Ends      time.Duration // after its last renewal a session has ended
	LockDelay time.Duration
}

// RunTimed runs the part of the suite in which time passes.
func RunTimed(t *testing.T, fresh func(t *testing.T) Timed) {
	for _, c := range []struct {
		name string
		test func(s timed)
	}{
		{"a session lives for its time-out after each renewal", renewed},
		{"a session that nobody renews loses its keys", expired},
		{"a key stays locked for the lock delay after an expiry", delayed},
		{"a key that is given back is free at once", released},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := fresh(t)
			c.test(timed{service{t, s.Service, s.TTL}, s})
		})
	}
}

type timed struct {
	service
	clock Timed
}

func renewed(s timed) {
	a := s.open()
	s.acquire("job", a)
	for range 5 {
		s.clock.Pass(s.ttl - 1)
		s.check(s.Renew(background, a))
	}
	s.clock.Pass(s.ttl - 1)
	s.holds("job", a)
	s.check(s.Advance(background, "job", a, "", "one"))
}

func expired(s timed) {
	a := s.open()
	epoch := s.acquire("job", a)
	s.check(s.Advance(background, "job", a, "", "one"))
	s.clock.Pass(s.clock.Ends)
	if e := s.holds("job", ""); e.Epoch != epoch || e.Value != "value of "+a {
		s.t.Errorf("got %+v of the last holder, of epoch %d", e, epoch)
	}
	s.over("job", a)
	s.points("job", "one")
	s.check(s.Close(background, a))
}

func delayed(s timed) {
	a := s.open()
	before := s.acquire("job", a)
	s.clock.Pass(s.clock.Ends)
	s.holds("job", "") // so the service has noticed
	b := s.open()
	s.denied("job", b)
	s.clock.Pass(s.clock.LockDelay - 1)
	s.denied("job", b)
	s.acquire("other", b)
	s.clock.Pass(1)
	if epoch := s.acquire("job", b); epoch <= before {
		s.t.Errorf("epoch %d after %d", epoch, before)
	}
	s.over("job", a)
	s.points("job", "")
}

func released(s timed) {
	a, b := s.open(), s.open()
	s.acquire("job", a)
	s.check(s.Close(background, a))
	s.acquire("job", b)
}
