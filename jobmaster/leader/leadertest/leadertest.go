package leadertest

import (
	"context"
	"errors"
	"testing"
	"time"

	"blink/jobmaster/leader"
)

// Run runs the suite. ttl is a time-out that the service can take; nothing waits for it.
func Run(t *testing.T, ttl time.Duration, fresh func(t *testing.T) leader.Service) {
	ctx := context.Background()
	open := func(t *testing.T, s leader.Service) string {
		t.Helper()
		id, err := s.Open(ctx, ttl)
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	acquire := func(t *testing.T, s leader.Service, session, value string) (uint64, bool) {
		t.Helper()
		epoch, ok, err := s.Acquire(ctx, "job", session, value)
		if err != nil {
			t.Fatal(err)
		}
		return epoch, ok
	}
	t.Run("one session at a time holds a key", func(t *testing.T) {
		s := fresh(t)
		a, b := open(t, s), open(t, s)
		first, ok := acquire(t, s, a, "a")
		if !ok || first == 0 {
			t.Fatalf("epoch %d, %v", first, ok)
		}
		if _, ok := acquire(t, s, b, "b"); ok {
			t.Error("two hold the key")
		}
		if again, ok := acquire(t, s, a, "a"); !ok || again != first {
			t.Errorf("the holder got epoch %d, %v, had %d", again, ok, first)
		}
		if e, err := s.Get(ctx, "job"); err != nil || e.Session != a || e.Value != "a" || e.Epoch != first {
			t.Errorf("%+v, %v", e, err)
		}
	})
	t.Run("epochs grow", func(t *testing.T) {
		s := fresh(t)
		last := uint64(0)
		for range 3 {
			a := open(t, s)
			epoch, ok := acquire(t, s, a, "x")
			if !ok || epoch <= last {
				t.Fatalf("epoch %d, %v after %d", epoch, ok, last)
			}
			last = epoch
			if err := s.Close(ctx, a); err != nil {
				t.Fatal(err)
			}
			if e, err := s.Get(ctx, "job"); err != nil || e.Session != "" {
				t.Errorf("held by %q after Close, %v", e.Session, err)
			}
		}
	})
	t.Run("only the holder advances the pointer", func(t *testing.T) {
		s := fresh(t)
		a, b := open(t, s), open(t, s)
		acquire(t, s, a, "a")
		if err := s.Advance(ctx, "job", a, "one"); err != nil {
			t.Fatal(err)
		}
		if err := s.Advance(ctx, "job", b, "two"); !errors.Is(err, leader.ErrFenced) {
			t.Errorf("a stranger: %v", err)
		}
		if err := s.Close(ctx, a); err != nil {
			t.Fatal(err)
		}
		acquire(t, s, b, "b")
		if err := s.Advance(ctx, "job", a, "three"); !errors.Is(err, leader.ErrFenced) {
			t.Errorf("the old leader: %v", err)
		}
		if v, err := s.Pointer(ctx, "job"); err != nil || v != "one" {
			t.Errorf("pointer %q, %v", v, err)
		}
	})
	t.Run("an ended session gets nothing", func(t *testing.T) {
		s := fresh(t)
		a := open(t, s)
		if err := errors.Join(s.Renew(ctx, a), s.Close(ctx, a), s.Close(ctx, a)); err != nil {
			t.Fatal(err)
		}
		if err := s.Renew(ctx, a); !errors.Is(err, leader.ErrSession) {
			t.Errorf("renew: %v", err)
		}
		if _, _, err := s.Acquire(ctx, "job", a, "a"); !errors.Is(err, leader.ErrSession) {
			t.Errorf("acquire: %v", err)
		}
	})
	t.Run("a fresh key is vacant and points nowhere", func(t *testing.T) {
		s := fresh(t)
		e, err := s.Get(ctx, "other")
		p, pErr := s.Pointer(ctx, "other")
		if e != (leader.Entry{}) || p != "" || err != nil || pErr != nil {
			t.Errorf("%+v, %q, %v, %v", e, p, err, pErr)
		}
	})
}
