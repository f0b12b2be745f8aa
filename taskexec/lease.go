package taskexec

import "time"

// lease is how long a TaskExecutor may let its tasks run without its JobMaster.
//
// A JobMaster gives an executor up when it has heard nothing of it for lease plus a bound
// on clock drift, counted from the arrival of the last report. So what renews is not that a
// message came, which says nothing about whether ours arrive, but that the leader has seen
// a report of ours: the lease then counts from the time that report was sent. Seeing the
// leader's key vacant renews too, since a later leader starts counting later.
type lease struct {
	length time.Duration
	until  time.Time
	sent   []sentReport // ascending by version; bounded by maxSent
}

type sentReport struct {
	version uint64
	at      time.Time
}

// maxSent bounds the reports remembered; older ones renew nothing.
const maxSent = 1024

func newLease(length time.Duration, now time.Time) *lease {
	return &lease{length: length, until: now.Add(length)}
}

// reported is told that a report was sent.
func (l *lease) reported(version uint64, at time.Time) {
	if len(l.sent) == maxSent {
		l.sent = append(l.sent[:0], l.sent[1:]...)
	}
	l.sent = append(l.sent, sentReport{version, at})
}

// seen is told the newest version that the acting leader has seen.
func (l *lease) seen(version uint64) {
	n := 0
	for n < len(l.sent) && l.sent[n].version <= version {
		n++
	}
	if n == 0 {
		return
	}
	if l.sent[n-1].version == version {
		l.renew(l.sent[n-1].at)
	}
	l.sent = append(l.sent[:0], l.sent[n:]...)
}

// renew counts the lease anew from at.
func (l *lease) renew(at time.Time) {
	if until := at.Add(l.length); until.After(l.until) {
		l.until = until
	}
}

func (l *lease) expired(now time.Time) bool { return !now.Before(l.until) }
