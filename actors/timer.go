package actors

import "time"

// timer is one keyed timer. It is told to the actor when it fires, and counts only if it is
// still the one of its key: so a timer that was cancelled or replaced in the meantime never
// shows.
type timer struct {
	key  string
	m    any
	stop func()
}

// Kind names the timer in Inspect.
func (t *timer) Kind() string { return "timer " + t.key }

// After tells m to this actor after d. There is one timer for each key: a new one takes the
// place of the old. Timers end when the actor stops.
func (c *Ctx) After(key string, d time.Duration, m any) {
	a := c.c
	if a.state != running {
		return
	}
	c.Cancel(key)
	t := &timer{key: key, m: m}
	if a.timers == nil {
		a.timers = map[string]*timer{}
	}
	a.timers[key] = t
	t.stop = a.sys.run.AfterFunc(d, func() { a.mb.push(envelope{m: t}, false) })
}

// Cancel ends the timer of a key, if there is one: its message does not come any more.
func (c *Ctx) Cancel(key string) {
	if t := c.c.timers[key]; t != nil {
		t.stop()
		delete(c.c.timers, key)
	}
}

func (c *cell) fired(t *timer) {
	if c.timers[t.key] == t {
		delete(c.timers, t.key)
		c.tellActor(t.m)
	}
}

func (c *cell) stopTimers() {
	// Any order will do: each is ended for itself.
	for _, t := range c.timers {
		t.stop()
	}
	// Any order will do: each is ended for itself.
	for _, q := range c.asks {
		q.stop()
	}
	c.timers = nil
}
