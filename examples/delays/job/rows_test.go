package job

import (
	"testing"
	"time"
)

func TestSplittingATallyChangesNothing(t *testing.T) {
	flights := []Flight{{Delay: -5}, {Cancelled: true}, {Delay: -3}, {Delay: 7}, {Cancelled: true}}
	var whole tally
	for _, f := range flights {
		whole.Add(f)
	}
	for cut := range len(flights) + 1 {
		var a, b tally
		for _, f := range flights[:cut] {
			a.Add(f)
		}
		for _, f := range flights[cut:] {
			b.Add(f)
		}
		if a.Merge(b); a != whole {
			t.Errorf("cut at %d: %+v, want %+v", cut, a, whole)
		}
	}
	if want := (tally{Departed: 3, Cancelled: 2, Sum: -1, Max: 7}); whole != want {
		t.Errorf("%+v, want %+v", whole, want)
	}
}

func TestDaysAreThoseOfUTCAlsoBefore1970(t *testing.T) {
	for text, want := range map[string]int64{"1970-01-01T00:00:00Z": 0, "1969-12-31T23:59:59Z": -1, "1969-12-31T00:00:00Z": -1, "2013-01-01T00:30:00+01:00": 15705} {
		at, err := time.Parse(time.RFC3339, text)
		if err != nil || dayOf(at) != want {
			t.Errorf("%s: day %d, want %d (%v)", text, dayOf(at), want, err)
		}
	}
}
