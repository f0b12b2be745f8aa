package operator

import (
	"encoding/binary"
	"fmt"
	"time"

	"blink/snapshot"
)

// Watermarks says how far event time has come, given the timestamps seen.
type Watermarks struct{ bound, idle time.Duration }

// BoundedOutOfOrder follows the highest timestamp of each split at a distance d.
func BoundedOutOfOrder(d time.Duration) Watermarks { return Watermarks{bound: d} }

// Ascending is for timestamps that never go back within a split.
func Ascending() Watermarks { return Watermarks{} }

// Idle lets a split that is silent for d stop holding event time back, until its next record.
// Time spent waiting for credit, or for sinks at a checkpoint, does not count. When all splits of a task are idle, the tasks
// behind it do not wait for it either; when those that it waits for are idle too, a task behind
// is idle itself, and so on. Event time does not go back for what comes then: it may be late.
func (w Watermarks) Idle(d time.Duration) Watermarks { w.idle = d; return w }

func (w Watermarks) String() string {
	s := fmt.Sprintf("out of order by ≤ %v", w.bound)
	if w.idle != 0 {
		s += fmt.Sprintf(", idle after %v", w.idle)
	}
	return s
}

func (w Watermarks) check() error {
	if w.bound < 0 || w.idle < 0 {
		return fmt.Errorf("watermarks %v: a duration must not be negative", w)
	}
	return nil
}

// NewEventTime gives records their timestamps and makes watermarks from them, split by
// split when it stands in the chain of a source.
func NewEventTime[T any](at func(T) time.Time, w Watermarks) Spec {
	return Spec{
		New: func(out Outlets) any {
			return &eventTime[T]{at: at, clock: clock{w: w, mark: NoTime}, next: nextOf(outlet[T](out))}
		},
		Err: w.check(),
	}
}

type eventTime[T any] struct {
	place
	at    func(T) time.Time
	clock clock
	next  next[T]
	times [chunk]int64
	_     pad
}

func (m *eventTime[T]) Open(t *Task, id string) error {
	m.clock.open(t, id)
	return m.place.Open(t, id)
}

func (m *eventTime[T]) Input(int) any { return Collector[T](m) }

// Lends is Lender.
func (m *eventTime[T]) Lends() Lending { return Passes }

func (m *eventTime[T]) Collect(in *T, old int64) {
	m.enter(old)
	ts, err := stampOf(m.at(*in))
	if err != nil {
		m.fail(old, err)
	}
	m.clock.see(ts)
	m.next.Collect(in, ts)
}

// CollectBatch is BatchCollector.
func (m *eventTime[T]) CollectBatch(in []T, old []int64) {
	for len(in) > 0 {
		times := m.times[:min(chunk, len(in))]
		for i := range times {
			m.enter(old[i])
			ts, err := stampOf(m.at(in[i]))
			if err != nil {
				m.fail(old[i], err)
			}
			m.clock.see(ts)
			times[i] = ts
		}
		m.next.collect(in[:len(times)], times)
		in, old = in[len(times):], old[len(times):]
	}
}

// Advance is Advancer. What comes before does not count, except the end of input.
func (m *eventTime[T]) Advance(in int64) (int64, bool) { return m.clock.advance(in), true }

// Idle is Idler.
func (m *eventTime[T]) Idle() bool { return m.clock.silent }

// Wake is Waker: it looks for splits that have become idle.
func (m *eventTime[T]) Wake(now int64) bool { m.clock.wake(now); return true }

// Snapshot is Snapshotter. The clocks of a source's splits are stored with the splits.
func (m *eventTime[T]) Snapshot(SnapshotOptions) (Frozen, error) {
	p := snapshot.Part{Operator: m.id}
	if !m.task.Splits.sourced {
		name := fmt.Sprintf("clock-%05d", m.task.Subtask)
		p.Items = []snapshot.Item{{Name: name, Data: binary.LittleEndian.AppendUint64(nil, uint64(m.clock.highest()[0]))}}
	}
	return Copied(p), nil
}

// Restore is Restorer. Of several clocks the earliest is safe.
func (m *eventTime[T]) Restore(parts []snapshot.Part) error {
	restored := EndTime
	for _, p := range parts {
		for _, item := range p.Items {
			if len(item.Data) != 8 {
				return fmt.Errorf("operator %q: clock %s has %d bytes, want 8", m.id, item.Name, len(item.Data))
			}
			restored = min(restored, int64(binary.LittleEndian.Uint64(item.Data)))
		}
	}
	if restored != EndTime && !m.task.Splits.sourced {
		m.clock.highest()[0] = restored
	}
	return nil
}

// Slowest tells how far event time has come on several ways, each of which has been told Active
// or Idle: as far as on the active one that is behind most. When all are idle it has come as far
// as on any: this does not depend on which became idle first. The zero value knows of none.
type Slowest struct {
	active, idle bool
	low, high    int64 // of the active, of the idle
}

// Active is told of a way that has come as far as at.
func (s *Slowest) Active(at int64) {
	if !s.active || at < s.low {
		s.active, s.low = true, at
	}
}

// Idle is told of one that nobody has to wait for.
func (s *Slowest) Idle(at int64) {
	if !s.idle || at > s.high {
		s.idle, s.high = true, at
	}
}

// Time is how far event time has come, EndTime if there is no way, and whether all are idle.
func (s *Slowest) Time() (at int64, idle bool) {
	switch {
	case s.active:
		return s.low, false
	case s.idle:
		return s.high, true
	}
	return EndTime, false
}

// clock follows the highest timestamps of the splits of a task.
type clock struct {
	w      Watermarks
	mark   int64 // the watermark so far
	splits *SplitClocks
	id     string
	high   []int64 // by split; live in splits

	// Only with Idle:
	task   *Task
	active []int64 // processing time when the split was last known to be active
	heard  []bool  // it had a record since
	waited []bool  // nobody had begun to read it then
	idle   []bool
	silent bool          // no split is active, and not all have ended
	free   int           // releases of Pressure at the last look
	rested time.Duration // of Pressure, alike
}

func (c *clock) open(t *Task, id string) {
	c.splits, c.id, c.task = t.Splits, id, t
}

// highest is made when first needed: a source may learn of its splits after Open.
func (c *clock) highest() []int64 {
	if len(c.high) != len(c.splits.Ended) {
		c.high = c.splits.Of(c.id)
		n := len(c.high)
		c.active, c.heard, c.waited, c.idle = make([]int64, n), make([]bool, n), make([]bool, n), make([]bool, n)
		c.touch()
	}
	return c.high
}

func (c *clock) see(ts int64) {
	at := c.splits.Current
	if at >= len(c.high) {
		c.highest()
	}
	if ts > c.high[at] {
		c.high[at] = ts
	}
	if c.w.idle > 0 {
		c.heard[at] = true
	}
}

func (c *clock) advance(in int64) int64 {
	if in == EndTime {
		c.mark, c.silent = EndTime, false
		return c.mark
	}
	high := c.highest()
	c.listen()
	var all Slowest
	for i, at := range high {
		switch {
		case c.splits.Ended[i]:
		case c.idle[i]:
			all.Idle(at)
		default:
			all.Active(at)
		}
	}
	var at int64
	if at, c.silent = all.Time(); at != EndTime { // which comes with the end of input
		c.mark = max(c.mark, before(at, int64(c.w.bound)+1))
	}
	return c.mark
}

// listen notes which splits had records since the last look, or were begun to be read.
func (c *clock) listen() {
	if c.w.idle == 0 {
		return
	}
	now := c.task.Now().UnixNano()
	for i, waits := range c.splits.Waiting {
		if waits || c.waited[i] || c.heard[i] {
			c.waited[i], c.heard[i], c.idle[i], c.active[i] = waits, false, false, now
		}
	}
}

// touch starts the silence of all splits anew.
func (c *clock) touch() {
	if c.w.idle == 0 {
		return
	}
	now := c.task.Now().UnixNano()
	for i := range c.active {
		c.active[i] = now
	}
	c.task.WakeAt(now + int64(c.w.idle))
}

func (c *clock) wake(now int64) {
	if c.w.idle == 0 || len(c.highest()) == 0 {
		return
	}
	c.listen()
	if p := c.task.Pressure; p.Held() || p.releases != c.free {
		c.free = p.releases
		c.touch()
		return
	}
	rest := int64(c.task.Pressure.rested - c.rested)
	c.rested = c.task.Pressure.rested
	next := EndTime
	for i, since := range c.active {
		since = min(now, since+rest)
		c.active[i] = since
		if c.idle[i] || c.splits.Ended[i] {
			continue
		}
		if c.idle[i] = now-since >= int64(c.w.idle); !c.idle[i] {
			next = min(next, since+int64(c.w.idle))
		}
	}
	if next == EndTime {
		next = now + int64(c.w.idle)
	}
	c.task.WakeAt(next)
}
