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
		{300 * time.Nanosecond, leastPerLook, 2 * leastPerLook},
		{10 * time.Microsecond, leastPerLook, leastPerLook},
	} {
		now := time.Unix(0, 0)
		var p pace
		p.begin(now)
		p.perLook = 2 * leastPerLook
		for range 10 {
			n := p.perLook
			now = now.Add(time.Duration(n) * test.record)
			p.adapt(now)
			p.look(now)
		}
		if p.perLook < test.least || p.perLook > test.most {
			t.Errorf("%v a record: %d records between two looks, want %d to %d", test.record, p.perLook, test.least, test.most)
		}
		if !p.look(p.start.Add(quantumTime)) || p.look(p.start.Add(quantumTime-1)) {
			t.Errorf("%v a record: the quantum is not over in time", test.record)
		}
	}
}
