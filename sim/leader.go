package sim

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"blink/jobmaster/leader"
	"blink/sim/world"
)

// leaderService is the simulated Consul: sessions, locks with a lock delay, and a pointer
// that only the holder may advance. It keeps what leader.Service promises and is otherwise
// as unhelpful as the real one may be: a session expires anywhere between one and two time-
// outs after it was last renewed, and a key stays locked for a while after an expiry.
type leaderService struct {
	now       func() time.Time
	chance    *world.Rand
	lockDelay time.Duration
	index     uint64
	sessions  map[string]*session
	keys      map[string]*lock
	pointers  map[string]string

	// advanced is told of every pointer that was advanced, and by whom.
	advanced func(key, value string, epoch uint64)
	// led is told of every acquisition.
	led func(key, value string, epoch uint64)
}

type session struct {
	ttl     time.Duration
	expires time.Time
}

type lock struct {
	entry  leader.Entry
	closed time.Time // nobody may acquire before
}

func newLeaderService(now func() time.Time, c *world.Rand, lockDelay time.Duration) *leaderService {
	return &leaderService{
		now: now, chance: c, lockDelay: lockDelay,
		sessions: map[string]*session{}, keys: map[string]*lock{}, pointers: map[string]string{},
		advanced: func(string, string, uint64) {}, led: func(string, string, uint64) {},
	}
}

// expire invalidates the sessions whose time is over.
func (s *leaderService) expire() {
	for _, id := range slices.Sorted(maps.Keys(s.sessions)) {
		if !s.now().Before(s.sessions[id].expires) {
			s.invalidate(id)
		}
	}
}

// invalidate ends a session: its locks are free after the lock delay.
func (s *leaderService) invalidate(id string) {
	delete(s.sessions, id)
	for _, k := range slices.Sorted(maps.Keys(s.keys)) {
		if l := s.keys[k]; l.entry.Session == id {
			s.index++
			l.entry.Session, l.closed = "", s.now().Add(s.lockDelay)
		}
	}
}

// invalidateAll is what a fail-over of the service may do to its clients.
func (s *leaderService) invalidateAll() {
	for _, id := range slices.Sorted(maps.Keys(s.sessions)) {
		s.invalidate(id)
	}
}

func (s *leaderService) open(ttl time.Duration) string {
	s.index++
	id := fmt.Sprint("session-", s.index)
	s.sessions[id] = &session{ttl: ttl}
	s.touch(id)
	return id
}

func (s *leaderService) touch(id string) {
	x := s.sessions[id]
	x.expires = s.now().Add(x.ttl + s.chance.Between(0, x.ttl))
}

func (s *leaderService) acquire(key, id, value string) (uint64, bool) {
	l := s.keys[key]
	if l == nil {
		l = &lock{}
		s.keys[key] = l
	}
	switch {
	case l.entry.Session == id:
		return l.entry.Epoch, true
	case l.entry.Session != "" || s.now().Before(l.closed):
		return 0, false
	}
	s.index++
	l.entry = leader.Entry{Session: id, Value: value, Epoch: s.index}
	s.led(key, value, s.index)
	return s.index, true
}

func (s *leaderService) advance(key, id, was, value string) error {
	l := s.keys[key]
	if l == nil || id == "" || l.entry.Session != id || s.pointers[key] != was && s.pointers[key] != value {
		return leader.ErrFenced
	}
	s.pointers[key] = value
	s.advanced(key, value, l.entry.Epoch)
	return nil
}

// release closes a session in order: no lock delay.
func (s *leaderService) release(id string) {
	delete(s.sessions, id)
	for _, k := range slices.Sorted(maps.Keys(s.keys)) {
		if l := s.keys[k]; l.entry.Session == id {
			s.index++
			l.entry.Session = ""
		}
	}
}

// leaderClient is the service as one process sees it: every call takes time, and may fail
// before or after it was carried out.
type leaderClient struct {
	s    *leaderService
	call call
}

// call is how a simulated service is reached from inside blocking work: see world.World.Call.
type call func(op string, f func() error) error

func (c leaderClient) with(op, session string, f func() error) error {
	return c.call("leader."+op, func() error {
		c.s.expire()
		if session != "" && c.s.sessions[session] == nil {
			return fmt.Errorf("%s: %w", session, leader.ErrSession)
		}
		return f()
	})
}

func (c leaderClient) Open(_ context.Context, ttl time.Duration) (id string, err error) {
	err = c.with("open", "", func() error { id = c.s.open(ttl); return nil })
	return id, err
}

func (c leaderClient) Renew(_ context.Context, session string) error {
	return c.with("renew", session, func() error { c.s.touch(session); return nil })
}

func (c leaderClient) Close(_ context.Context, session string) error {
	return c.call("leader.close", func() error { c.s.release(session); return nil })
}

func (c leaderClient) Acquire(_ context.Context, key, session, value string) (epoch uint64, ok bool, err error) {
	err = c.with("acquire", cmp.Or(session, "none"), func() error { epoch, ok = c.s.acquire(key, session, value); return nil })
	return epoch, ok, err
}

func (c leaderClient) Get(_ context.Context, key string) (e leader.Entry, err error) {
	err = c.with("get", "", func() error {
		if l := c.s.keys[key]; l != nil {
			e = l.entry
		}
		return nil
	})
	return e, err
}

func (c leaderClient) Advance(_ context.Context, key, session, was, value string) error {
	return c.with("advance", "", func() error { return c.s.advance(key, session, was, value) })
}

func (c leaderClient) Pointer(_ context.Context, key string) (v string, err error) {
	err = c.with("pointer", "", func() error { v = c.s.pointers[key]; return nil })
	return v, err
}
