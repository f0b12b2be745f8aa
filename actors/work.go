package actors

import (
	"context"
	"errors"
	"slices"
	"time"
)

// Work is one piece of blocking work of an actor, from Go to the turn with its result.
type Work struct {
	what  string
	since time.Time
	begun bool // guarded by the mailbox
	last  bool // see Last
	over  bool // the actor, which stops, does not wait for it any more
	then  func(v any, err error)
	v     any
	err   error
}

// Kind names the work in traces and Inspect.
func (w *Work) Kind() string { return "done: " + w.what }

var errEnded = errors.New("work ended without returning")

// Go runs work where it may block, on no goroutine of the actor, and then runs then (nil:
// nothing) as a turn of it. work owns only its arguments. A panic in it becomes a *Panic as
// err. ctx ends when the actor stops; the actor is down only when work has returned, and
// then is dropped if it has stopped by then. what names the work in Inspect.
func (c *Ctx) Go(what string, work func(ctx context.Context) (any, error), then func(v any, err error)) {
	if c.c.state != gone {
		c.work(what, work, then)
	}
}

func (c *Ctx) work(what string, work func(ctx context.Context) (any, error), then func(v any, err error)) *Work {
	a := c.c
	w := &Work{what: what, since: c.Now(), then: then, err: errEnded}
	ctx := a.workContext()
	a.works++
	a.mb.remember(w)
	a.sys.run.Go(a.ref.ID, what, func() {
		defer func() { a.mb.push(envelope{m: w}, false) }()
		a.mb.begin(w)
		w.v, w.err = a.perform(ctx, work)
	})
	return w
}

// lastWork is what Last was told.
type lastWork struct {
	what   string
	within time.Duration
	work   func(ctx context.Context) error
}

// overdue says that the last work has not returned in time.
type overdue struct {
	w      *Work
	within time.Duration
}

// Last runs blocking work as the last thing of an actor that stops: when its children are down
// and all its Go work has returned. It is for the turn of Stopping; a second call takes the
// place of the first. An error is logged. What has not returned within its time is left
// behind, and the actor is down without it. In a process that crashes it does not run.
func (c *Ctx) Last(what string, within time.Duration, work func(ctx context.Context) error) {
	c.c.last = &lastWork{what, within, work}
}

func (c *cell) beginLast() {
	l := c.last
	c.last = nil
	w := c.ctx.work(l.what, func(ctx context.Context) (any, error) { return nil, l.work(ctx) }, nil)
	w.last = true
	c.sys.run.AfterFunc(l.within, func() { c.mb.push(envelope{m: overdue{w, l.within}}, false) })
}

// ended ends the wait of an actor that stops for one of its works, which has returned err or
// is left behind for that reason.
func (c *cell) ended(w *Work, err error) {
	if w.over {
		return
	}
	w.over = true
	c.mb.forget(w)
	c.works--
	if w.last && err != nil {
		c.ctx.Log().Warn().Err(err).Msg(w.what)
	}
	c.settle()
}

func (c *cell) perform(ctx context.Context, work func(ctx context.Context) (any, error)) (v any, err error) {
	defer func() {
		if p := (*Panic)(nil); errors.As(err, &p) {
			c.sys.run.Failed(c.ref.ID, err)
		}
	}()
	defer rescue(&err)
	return work(ctx)
}

// workContext is what Go work gets: it ends with the actor, but work begun while stopping
// lasts.
func (c *cell) workContext() context.Context {
	if c.state == stopping {
		return context.Background()
	}
	if c.life == nil {
		c.life, c.endLife = context.WithCancel(context.Background())
	}
	return c.life
}

func (c *cell) endWork() {
	if c.endLife != nil {
		c.endLife()
	}
}

// returned runs the turn with the result of w.
func (c *cell) returned(w *Work) {
	c.works--
	c.mb.forget(w)
	c.sys.run.Turn(c.ref.ID, w)
	if w.then != nil {
		c.guard(func() error { w.then(w.v, w.err); return nil })
	}
}

func (m *mailbox) remember(w *Work) {
	m.mu.Lock()
	m.pending = append(m.pending, w)
	m.mu.Unlock()
}

func (m *mailbox) begin(w *Work) {
	m.mu.Lock()
	w.begun = true
	m.mu.Unlock()
}

func (m *mailbox) forget(w *Work) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if i := slices.Index(m.pending, w); i >= 0 {
		m.pending = slices.Delete(m.pending, i, i+1)
	}
}
