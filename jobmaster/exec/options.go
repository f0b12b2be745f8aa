package exec

import (
	"errors"
	"fmt"
	"time"

	"blink/graph"
)

// Spec is the job that a Machine runs.
type Spec struct {
	Job         string
	Plan        *graph.Plan
	Fingerprint string
	Epoch       uint64 // of this leader
	Options     Options
}

// Options of a running job.
type Options struct {
	Heartbeat time.Duration // between two Hellos
	Lease     time.Duration // how long an executor lets its tasks run unheard
	Drift     time.Duration // by how much clocks may differ over a lease
	Handover  time.Duration // how long an earlier leader may go on acting beside this one
	Resend    time.Duration // until what shows no effect is sent again

	CheckpointEvery   time.Duration // 0: only at the end and when stopping
	CheckpointTimeout time.Duration
	CheckpointPause   time.Duration // at least between the end of one and the next
	Retained          int           // complete checkpoints that are kept

	Restarts RestartPolicy
	// AllowFallback says that every sink can take back what it has published, or that
	// duplicates are accepted: then an unusable checkpoint may be left for an older one.
	AllowFallback bool
}

// RestartPolicy bounds how often regions restart.
type RestartPolicy struct {
	Attempts int           // failures within Within before the job fails
	Within   time.Duration // 0: over the whole life of this leader
	BackOff  time.Duration // before the first restart; doubles with each failure within Within
	Max      time.Duration // longest back-off
}

// Defaults fills in what is zero.
func (o Options) Defaults() Options {
	def := func(d *time.Duration, v time.Duration) {
		if *d == 0 {
			*d = v
		}
	}
	def(&o.Heartbeat, time.Second)
	def(&o.Lease, time.Minute)
	def(&o.Drift, o.Lease/20)
	def(&o.Resend, o.Heartbeat/2)
	def(&o.CheckpointTimeout, 10*time.Minute)
	if o.Restarts == (RestartPolicy{}) {
		o.Restarts.Attempts, o.Restarts.Within = 10, 10*time.Minute
	}
	def(&o.Restarts.BackOff, 100*time.Millisecond)
	def(&o.Restarts.Max, 30*time.Second)
	if o.Retained == 0 {
		o.Retained = 2
	}
	return o
}

// Election is what a lease must outlast: see Validate.
type Election struct{ SessionTimeout, LockDelay, Campaign, Announcement time.Duration }

// Validate refuses options that contradict each other. The lease must be longer than the
// longest time that a change of leader may take, or healthy tasks would stop.
func (o Options) Validate(e Election) error {
	var errs []error
	if least := 2*e.SessionTimeout + e.LockDelay + e.Campaign + e.Announcement; o.Lease <= least {
		errs = append(errs, fmt.Errorf("lease of %v: it must be longer than two session time-outs, lock delay, election and announcement together, %v", o.Lease, least))
	}
	if o.Lease <= 2*o.Heartbeat {
		errs = append(errs, fmt.Errorf("lease of %v with a heartbeat of %v: it must be longer than two heartbeats", o.Lease, o.Heartbeat))
	}
	if o.CheckpointEvery < 0 {
		errs = append(errs, fmt.Errorf("checkpoint interval of %v: it must not be negative", o.CheckpointEvery))
	}
	if o.Retained < 1 {
		errs = append(errs, fmt.Errorf("%d retained checkpoints: at least 1", o.Retained))
	}
	return errors.Join(errs...)
}
