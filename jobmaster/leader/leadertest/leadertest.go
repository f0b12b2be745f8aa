package leadertest

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"blink/jobmaster/leader"
)

// Run runs the suite. ttl is a time-out that the service can take; nothing waits for it.
func Run(t *testing.T, ttl time.Duration, fresh func(t *testing.T) leader.Service) {
	for _, c := range []struct {
		name string
		test func(s service)
	}{
		{"a fresh key is vacant and points nowhere", vacant},
		{"one session at a time holds a key", exclusive},
		{"epochs grow", growing},
		{"only the holder advances the pointer", fenced},
		{"the pointer moves on from where it was", forward},
		{"an ended session gets nothing", ended},
		{"keys have nothing to do with each other", apart},
		{"of candidates that come at once one leads", contested},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(service{t, fresh(t), ttl}) })
	}
}

var background = context.Background()

// service is a Service whose calls succeed, or end the test.
type service struct {
	t *testing.T
	leader.Service
	ttl time.Duration
}

func (s service) check(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// is checks that a call was refused with want.
func (s service) is(what string, err, want error) {
	s.t.Helper()
	if !errors.Is(err, want) {
		s.t.Errorf("%s: got %v, want %v", what, err, want)
	}
}

func (s service) open() string {
	s.t.Helper()
	id, err := s.Open(background, s.ttl)
	s.check(err)
	return id
}

// acquire returns the epoch of a session that gets the key.
func (s service) acquire(key, session string) uint64 {
	s.t.Helper()
	epoch, ok, err := s.Acquire(background, key, session, "value of "+session)
	s.check(err)
	if !ok || epoch == 0 {
		s.t.Fatalf("%s does not get %s: epoch %d, %v", session, key, epoch, ok)
	}
	return epoch
}

func (s service) denied(key, session string) {
	s.t.Helper()
	epoch, ok, err := s.Acquire(background, key, session, "value of "+session)
	s.check(err)
	if ok {
		s.t.Errorf("%s gets %s in epoch %d", session, key, epoch)
	}
}

// holds checks who holds the key: "" for nobody.
func (s service) holds(key, session string) leader.Entry {
	s.t.Helper()
	e, err := s.Get(background, key)
	s.check(err)
	if e.Session != session {
		s.t.Errorf("%s is held by %q, want %q", key, e.Session, session)
	}
	return e
}

func (s service) points(key, want string) {
	s.t.Helper()
	v, err := s.Pointer(background, key)
	s.check(err)
	if v != want {
		s.t.Errorf("%s points to %q, want %q", key, v, want)
	}
}

// over checks that a session gets nothing any more.
func (s service) over(key, session string) {
	s.t.Helper()
	s.is("renew", s.Renew(background, session), leader.ErrSession)
	_, _, err := s.Acquire(background, key, session, "late")
	s.is("acquire", err, leader.ErrSession)
	s.is("advance", s.Advance(background, key, session, "", "late"), leader.ErrFenced)
}

func vacant(s service) {
	if e := s.holds("job", ""); e != (leader.Entry{}) {
		s.t.Errorf("got %+v", e)
	}
	s.points("job", "")
	s.is("advance", s.Advance(background, "job", s.open(), "", "one"), leader.ErrFenced)
	s.points("job", "")
}

func exclusive(s service) {
	a, b := s.open(), s.open()
	first := s.acquire("job", a)
	s.denied("job", b)
	if again := s.acquire("job", a); again != first {
		s.t.Errorf("the holder got epoch %d when it asked again, and had %d", again, first)
	}
	if e := s.holds("job", a); e.Value != "value of "+a || e.Epoch != first {
		s.t.Errorf("got %+v of epoch %d", e, first)
	}
}

func growing(s service) {
	last := uint64(0)
	for range 3 {
		a := s.open()
		epoch := s.acquire("job", a)
		if epoch <= last {
			s.t.Fatalf("epoch %d after %d", epoch, last)
		}
		last = epoch
		s.check(s.Close(background, a))
		if e := s.holds("job", ""); e.Value != "value of "+a || e.Epoch != epoch {
			s.t.Errorf("got %+v of the last holder, of epoch %d", e, epoch)
		}
	}
}

func fenced(s service) {
	a, b := s.open(), s.open()
	s.acquire("job", a)
	s.check(s.Advance(background, "job", a, "", "one"))
	s.is("a stranger", s.Advance(background, "job", b, "one", "two"), leader.ErrFenced)
	s.check(s.Close(background, a))
	s.points("job", "one")
	s.acquire("job", b)
	s.is("the old leader", s.Advance(background, "job", a, "one", "three"), leader.ErrFenced)
	s.points("job", "one")
	s.check(s.Advance(background, "job", b, "one", "four"))
	s.points("job", "four")
}

func forward(s service) {
	a := s.open()
	s.acquire("job", a)
	s.check(s.Advance(background, "job", a, "", "one"))
	s.check(s.Advance(background, "job", a, "", "one")) // its answer was lost
	s.check(s.Advance(background, "job", a, "one", "two"))
	s.is("a call that comes late", s.Advance(background, "job", a, "", "one"), leader.ErrFenced)
	s.points("job", "two")
}

func ended(s service) {
	a, b := s.open(), s.open()
	s.acquire("job", a)
	s.check(errors.Join(s.Renew(background, a), s.Close(background, a), s.Close(background, a)))
	s.over("job", a)
	s.check(s.Renew(background, b))
	s.acquire("job", b)
	s.check(s.Close(background, a)) // what it held is not its own any more
	s.holds("job", b)
}

func apart(s service) {
	a, b := s.open(), s.open()
	s.acquire("job", a)
	s.acquire("other", b)
	s.check(s.Advance(background, "job", a, "", "one"))
	s.is("the holder of another key", s.Advance(background, "other", a, "", "two"), leader.ErrFenced)
	s.points("other", "")
	s.check(s.Close(background, a))
	s.holds("job", "")
	s.holds("other", b)
}

func contested(s service) {
	var all sync.WaitGroup
	epochs := make([]uint64, 8)
	for i := range epochs {
		all.Go(func() {
			id, err := s.Open(background, s.ttl)
			if err == nil {
				epochs[i], _, err = s.Acquire(background, "job", id, id)
			}
			if err == nil && epochs[i] > 0 {
				err = s.Advance(background, "job", id, "", "one")
			}
			if err != nil {
				s.t.Error(err)
			}
		})
	}
	all.Wait()
	leaders := 0
	for _, e := range epochs {
		if e > 0 {
			leaders++
		}
	}
	if leaders != 1 {
		s.t.Errorf("%d lead, in epochs %v", leaders, epochs)
	}
	s.points("job", "one")
}
