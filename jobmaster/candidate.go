package jobmaster

import (
	"context"
	"errors"
	"fmt"
	"time"

	"blink/actors"
	"blink/jobmaster/exec"
	"blink/jobmaster/leader"
	"blink/protos"
)

// Candidate is the root actor "jm" of a JobMaster process: it campaigns, and while it leads
// it has a JobMaster as its child.
type Candidate struct {
	config Config
	c      *actors.Ctx
	m      *leader.Machine
	child  actors.Ref // the JobMaster, or the one that is still leaving
	lead   *leader.Lead
	asked  any // StopJob or CancelJob, told to every JobMaster
	over   bool
}

// NewCandidate makes the actor of a candidate.
func NewCandidate(config Config) actors.Actor {
	config.Options = config.Options.Defaults()
	return &Candidate{config: config, m: leader.New(config.Election)}
}

// Messages to a Candidate.
type (
	// StopJob asks for a checkpoint and then the end; CancelJob for the end.
	StopJob   struct{}
	CancelJob struct{}
)

type (
	tick struct{}
	// deadline tells the JobMaster until when it may act.
	deadline struct{ at time.Time }
	// finished and resigned are the last words of a JobMaster.
	finished struct{ result Result }
	resigned struct {
		epoch  uint64
		reason string
	}
)

// Receive drives the election, and forwards what is meant for the JobMaster.
func (k *Candidate) Receive(c *actors.Ctx, m any) error {
	k.c = c
	switch m := m.(type) {
	case actors.Started, tick:
		k.step(leader.Tick{})
	case actors.Stopping:
		k.giveBack()
	case actors.Down:
		k.down(m)
	case *protos.Report:
		if k.lead != nil && !k.child.IsZero() {
			c.Tell(k.child, m)
		}
	case StopJob, CancelJob:
		k.asked = m
		if !k.child.IsZero() {
			c.Tell(k.child, m)
		}
	case finished:
		k.finish(m.result)
	case resigned:
		if k.lead == nil || k.lead.Epoch != m.epoch {
			return nil // it does not lead any more
		}
		c.Log().Warn().Str("reason", m.reason).Msg("the JobMaster steps down")
		k.step(leader.Resign{})
	}
	return nil
}

func (k *Candidate) step(ev leader.Event) {
	if k.over {
		return
	}
	before := k.m.Deadline()
	for _, a := range k.m.Step(k.c.Now(), ev) {
		k.do(a)
	}
	if at := k.m.Deadline(); !at.Equal(before) && k.lead != nil && !k.child.IsZero() {
		k.c.Tell(k.child, deadline{at})
	}
}

func (k *Candidate) do(a leader.Action) {
	s, job := k.config.Leader, k.config.Job
	sent := k.c.Now()
	switch a := a.(type) {
	case leader.Open:
		k.call("open a session", func(ctx context.Context) (leader.Event, error) {
			id, err := s.Open(ctx, a.TTL)
			return leader.Opened{Session: id, Sent: sent}, err
		})
	case leader.Acquire:
		me := leader.Address(k.c.Self().Node, k.c.Self().ID)
		k.call("campaign", func(ctx context.Context) (leader.Event, error) {
			epoch, ok, err := s.Acquire(ctx, job, a.Session, me)
			if !ok {
				return leader.Denied{}, err
			}
			return leader.Acquired{Epoch: epoch}, err
		})
	case leader.Renew:
		k.call("renew the session", func(ctx context.Context) (leader.Event, error) {
			return leader.Renewed{Sent: sent}, s.Renew(ctx, a.Session)
		})
	case leader.Close:
		k.c.Go("close the session", func(ctx context.Context) (any, error) {
			return nil, s.Close(ctx, a.Session)
		}, func(_ any, err error) {
			if err != nil {
				k.c.Log().Warn().Err(err).Msg("the session was not closed: it will time out")
			}
		})
	case leader.Lead:
		k.lead = &a
		k.spawn()
	case leader.Lose:
		k.lead = nil
		if !k.child.IsZero() {
			k.c.Stop(k.child)
		}
	case leader.Wake:
		k.c.After("election", a.At.Sub(sent), tick{})
	}
}

func (k *Candidate) call(what string, f func(ctx context.Context) (leader.Event, error)) {
	k.c.Go(what, func(ctx context.Context) (any, error) { return f(ctx) }, func(v any, err error) {
		if err != nil {
			k.c.Log().Debug().Err(err).Msg(what)
			k.step(leader.Failed{Gone: errors.Is(err, leader.ErrSession)})
			return
		}
		k.step(v)
	})
}

// spawn starts the JobMaster of the epoch that we lead, when the one before it has left.
func (k *Candidate) spawn() {
	if k.lead == nil || !k.child.IsZero() || k.over {
		return
	}
	lead, config, until := *k.lead, k.config, k.m.Deadline()
	self := k.c.Self()
	ref, err := k.c.Spawn("jobmaster", fmt.Sprintf("job@%d", lead.Epoch), func() actors.Actor {
		return newJobMaster(config, lead, until, self)
	})
	if err != nil {
		k.c.Log().Error().Err(err).Msg("cannot start a JobMaster")
		k.step(leader.Resign{})
		return
	}
	k.child = ref
	if k.asked != nil {
		k.c.Tell(ref, k.asked)
	}
}

func (k *Candidate) down(m actors.Down) {
	if m.Ref != k.child {
		return
	}
	k.child = actors.Ref{}
	if m.Reason == actors.Failed {
		k.c.Log().Error().Err(m.Err).Msg("the JobMaster failed: another one takes over")
		k.step(leader.Resign{})
	}
	k.spawn()
}

// finish ends the campaign: the job is over.
func (k *Candidate) finish(r Result) {
	if k.over {
		return
	}
	k.over = true
	k.giveBack()
	k.c.StopAll(func() { k.config.Done(r) })
}

// giveBack releases the key, so that another candidate need not wait for the time-out.
func (k *Candidate) giveBack() {
	if k.lead != nil {
		k.do(leader.Close{Session: k.lead.Session})
	}
}

// failedResult is the result of a job that cannot begin.
func failedResult(err error) Result {
	return Result{State: exec.JobFailed, Reason: err.Error(), Stuck: true}
}
