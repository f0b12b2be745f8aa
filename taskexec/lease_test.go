package taskexec

import (
	"testing"
	"time"
)

func at(s int) time.Time { return time.Unix(int64(s), 0) }

func TestLeaseCountsFromTheReportThatTheLeaderSaw(t *testing.T) {
	l := newLease(10*time.Second, at(0))
	l.reported(1, at(2))
	l.reported(2, at(4))
	l.seen(1)
	if l.expired(at(11)) || !l.expired(at(12)) {
		t.Errorf("lease until %v, want 12 s", l.until)
	}
	l.seen(2)
	if l.expired(at(13)) || !l.expired(at(14)) {
		t.Errorf("lease until %v, want 14 s", l.until)
	}
}

func TestHelloThatHasSeenNothingRenewsNothing(t *testing.T) {
	l := newLease(10*time.Second, at(0))
	l.reported(5, at(8))
	l.seen(0)
	l.seen(3)
	if !l.expired(at(10)) {
		t.Errorf("lease until %v, want 10 s", l.until)
	}
}

func TestLeaseNeverShrinks(t *testing.T) {
	l := newLease(10*time.Second, at(0))
	l.renew(at(5))
	l.reported(1, at(1))
	l.seen(1)
	if l.expired(at(14)) {
		t.Errorf("lease until %v, want 15 s", l.until)
	}
}
