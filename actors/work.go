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
	a := c.c
	if a.state == gone {
		return
	}
	w := &Work{what: what, since: c.Now(), then: then, err: errEnded}
	ctx := a.workContext()
	a.works++
	a.mb.remember(w)
	a.sys.run.Go(a.ref.ID, what, func() {
		defer func() { a.mb.push(envelope{m: w}, false) }()
		a.mb.begin(w)
		w.v, w.err = a.perform(ctx, work)
	})
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
