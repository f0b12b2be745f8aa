package job

import (
	"time"

	"blink"
)

// Day is an airport on a day: the key of rain.csv.
type Day struct {
	Day    int64 // since 1970, in UTC
	Origin string
}

// RainRow is a line of rain.csv.
type RainRow struct {
	Day       string `csv:"day"`
	Origin    string `csv:"origin"`
	Rain      int64  `csv:"rain_flights"`
	RainDelay int64  `csv:"rain_delay_minutes"`
	Dry       int64  `csv:"dry_flights"`
	DryDelay  int64  `csv:"dry_delay_minutes"`
	Unmatched int64  `csv:"unmatched_flights"`
}

// rain adds up a day at an airport, and gives the total at the end of the input.
type rain struct {
	total blink.Value[RainRow]
	end   blink.Timer
}

// Process adds one departure.
func (r *rain) Process(_ *blink.Ctx[Day], o Outcome, _ *blink.Out[RainRow]) error {
	t := r.total.Ref()
	switch o.Weather {
	case Rainy:
		t.Rain++
		t.RainDelay += o.Delay
	case Dry:
		t.Dry++
		t.DryDelay += o.Delay
	case Unmatched:
		t.Unmatched++
	}
	r.end.Set(atEnd)
	return nil
}

// OnTimer gives the total.
func (r *rain) OnTimer(c *blink.Ctx[Day], _ *blink.Timer, out *blink.Out[RainRow]) error {
	t := r.total.Get()
	t.Origin = c.Key().Origin
	t.Day = time.Unix(c.Key().Day*secondsPerDay, 0).UTC().Format(time.DateOnly)
	out.Emit(t)
	return nil
}
