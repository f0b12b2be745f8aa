package taskexec

import (
	"testing"
	"time"
)

// Fast records are looked at rarely, slow ones as often as at first, so that a quantum of either
// ends in time.
func TestLooksAtTheClockFollowThePace(t *testing.T) {
	for _, test := range []struct {
		record      time.Duration
		least, most int // records between two looks, in the end
	}{
		{10 * time.Nanosecond, mostPerLook, mostPerLook},
		{300 * time.Nanosecond, 64, 256},
		{10 * time.Microsecond, 2, 10},
		{100 * time.Microsecond, 1, 1},
		{time.Second, 1, 1},
	} {
		now := time.Unix(0, 0)
		var p pace
		p.begin(now)
		for range 10 {
			n := p.perLook
			now = now.Add(time.Duration(n) * test.record)
			p.adapt(now, n)
			p.look(now)
		}
		if took := time.Duration(p.perLook) * test.record; took > quantumTime/2 && p.perLook > 1 {
			t.Errorf("%v a record: %v between two looks", test.record, took)
		}
		if p.perLook < test.least || p.perLook > test.most {
			t.Errorf("%v a record: %d records between two looks, want %d to %d", test.record, p.perLook, test.least, test.most)
		}
		if !p.look(p.start.Add(quantumTime)) || p.look(p.start.Add(quantumTime-1)) {
			t.Errorf("%v a record: the quantum is not over in time", test.record)
		}
	}
}
