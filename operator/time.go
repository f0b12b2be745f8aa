package operator

import (
	"fmt"
	"math"
	"time"
)

// timeOf is ts as a time.Time in UTC; the zero time stands for NoTime.
func timeOf(ts int64) time.Time {
	if ts == NoTime {
		return time.Time{}
	}
	return time.Unix(0, ts).UTC()
}

// Seconds that have Unix nanoseconds.
const (
	firstSecond = math.MinInt64/int64(time.Second) + 1
	lastSecond  = math.MaxInt64/int64(time.Second) - 1
)

// stampOf is t in Unix nanoseconds; NoTime stands for the zero time. It refuses what
// nanoseconds cannot express.
func stampOf(t time.Time) (int64, error) {
	if s := t.Unix(); s >= firstSecond && s <= lastSecond {
		return s*int64(time.Second) + int64(t.Nanosecond()), nil
	}
	if t.IsZero() {
		return NoTime, nil
	}
	return NoTime, fmt.Errorf("time %v is outside of the years 1678 to 2261", t)
}

// before is ts - d, or NoTime where there is no such time.
func before(ts, d int64) int64 {
	if ts < NoTime+d {
		return NoTime
	}
	return ts - d
}

// after is ts + d, or EndTime where there is no such time.
func after(ts, d int64) int64 {
	if ts > EndTime-d {
		return EndTime
	}
	return ts + d
}
