package taskexec

import (
	"context"
	"time"

	"blink/actors"
	"blink/internal/mutate"
)

// What an executor does by the clock: it reports, looks for a leader that is silent, and ends its
// tasks when its lease runs out.

// beat reports, and looks for the leader when it is silent.
func (e *Executor) beat() {
	now := e.c.Now()
	if now.Sub(e.heard) > 2*e.config.Heartbeat {
		e.look(now)
	}
	e.changed = true
	e.c.After("heartbeat", e.config.Heartbeat, heartbeat{})
}

// watchLease stops the tasks when the lease has run out, else looks again when it would. A
// lease is never cut short, so one look at a time is enough.
func (e *Executor) watchLease() {
	if e.lease.expired(e.c.Now()) {
		if !mutate.On(mutate.IgnoreLease) {
			e.expire()
		}
		return
	}
	if !e.watching {
		e.watching = true
		e.c.After("lease", e.lease.until.Sub(e.c.Now()), leaseTimer{})
	}
}

// expire stops every task: others may be starting them.
func (e *Executor) expire() {
	for _, t := range e.live() {
		if en := e.tasks[t]; !en.doomed {
			en.doomed, en.expired = true, true
			e.c.Log().Warn().Int("vertex", int(t.Vertex)).Int("subtask", t.Subtask).Uint32("attempt", en.attempt).
				Msg("stopping a task: no JobMaster has heard of this executor for longer than the lease")
			e.c.Tell(en.ref, cancel{})
		}
	}
}

// look asks who leads.
func (e *Executor) look(now time.Time) {
	if e.looking {
		return
	}
	e.looking = true
	lookup, job := e.config.Leader, e.config.Job
	e.c.Go("find the leader", func(ctx context.Context) (any, error) {
		node, id, vacant, err := lookup.Leader(ctx, job)
		return found{node, id, vacant, now}, err
	}, func(v any, err error) {
		e.looking = false
		if err != nil {
			return // asked again with the next heartbeat
		}
		f := v.(found)
		if f.vacant {
			e.lease.renew(f.asked)
			e.watchLease()
			return
		}
		e.leader = actors.Ref{Node: f.node, ID: f.id}
		e.report()
	})
}
