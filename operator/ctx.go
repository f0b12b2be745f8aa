package operator

import "time"

// Ctx is the record or timer at hand, and a processor's only clock. It is valid during the
// call that it was given to.
type Ctx[K any] struct {
	key   K
	ts    int64
	mark  int64
	place *place
}

// Key of the record or timer.
func (c *Ctx[K]) Key() K { return c.key }

// Time of the record or timer in UTC; the zero time if the record has no timestamp.
func (c *Ctx[K]) Time() time.Time { return timeOf(c.ts) }

// Watermark is how far event time has come: records up to it are not expected any more. The
// zero time before the first watermark.
func (c *Ctx[K]) Watermark() time.Time { return timeOf(c.mark) }

// Ended says that the input has ended. Event time is at its end then, and every timer fires.
func (c *Ctx[K]) Ended() bool { return c.mark == EndTime }

// Now is processing time. In a simulation it is virtual.
func (c *Ctx[K]) Now() time.Time { return c.place.task.Now().UTC() }

// Count adds to a metric of the operator.
func (c *Ctx[K]) Count(metric string, by int64) { c.place.count(metric, by) }
