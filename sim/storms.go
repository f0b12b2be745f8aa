package sim

import (
	"slices"
	"strings"
	"time"

	"blink/jobmaster/exec"
)

// storms checks I12: no region is restarted more often than the policy allows, a job is given
// up only when the policy says so, and no executor is, nor does one give up its leader, while
// nothing has happened that can silence either.
type storms struct {
	c     *cluster
	lives map[string]*lifetime // of the JobMasters' machines, by candidate: the policy counts for each
	lost  []string             // executors that were given up
	over  bool                 // no restart was left
}

// lifetime is what one machine has done, by its own clock.
type lifetime struct {
	attempts map[int]uint32      // by region
	deployed map[int][]time.Time // the regions' attempts
	restarts []time.Time         // the steps in which some region was taken down to be restarted
}

func newStorms(c *cluster) *storms { return &storms{c: c, lives: map[string]*lifetime{}} }

// stepped watches a step of the machine of a candidate.
func (s *storms) stepped(candidate string, ev exec.Event, actions []exec.Action) {
	if _, first := ev.(exec.Recovered); first {
		s.lives[candidate] = &lifetime{attempts: map[int]uint32{}, deployed: map[int][]time.Time{}}
	}
	l, now := s.lives[candidate], s.c.node(candidate).Now()
	struck := false
	for _, a := range actions {
		switch a := a.(type) {
		case exec.Available:
			if a.Slots == 0 {
				s.lost = append(s.lost, a.Node)
			}
		case exec.Deploy:
			s.deployed(l, a, now)
		case exec.Note:
			struck = struck || strings.Contains(a.Text, " restarts: ")
			if strings.Contains(a.Text, " no restart is left: ") {
				s.over = true
				if n, p := within(l.restarts, now, s.c.policy()), s.c.policy(); n < p.Attempts {
					s.c.check.fail("I12: the job is given up after %d restarts, and %d are allowed: %s", n, p.Attempts, a.Text)
				}
			}
		}
	}
	if struck {
		l.restarts = append(l.restarts, now)
	}
}

// deployed counts the attempts of a region. The first may have begun what was never there, or
// what was lost with an earlier leader; each of the others follows a restart.
func (s *storms) deployed(l *lifetime, d exec.Deploy, now time.Time) {
	r := s.c.check.region[d.Task]
	if d.Attempt <= l.attempts[r] {
		return // again, or another task
	}
	l.attempts[r] = d.Attempt
	l.deployed[r] = append(l.deployed[r], now)
	if n, p := within(l.deployed[r], now, s.c.policy()), s.c.policy(); n > p.Attempts+1 {
		s.c.check.fail("I12: region %d is deployed %d times, and %d restarts are allowed within %v", r, n, p.Attempts, p.Within)
	}
}

// within counts the times that a policy looks at.
func within(all []time.Time, now time.Time, p exec.RestartPolicy) (n int) {
	for _, at := range all {
		if p.Within == 0 || now.Sub(at) <= p.Within {
			n++
		}
	}
	return n
}

// silencers are the faults that can keep a heartbeat from being sent, or from coming in time.
var silencers = []FaultKind{
	CrashExecutor, LoseExecutor, CrashJobMaster, Pause, Partition, OneWay, Isolate, NoServices, ClockJump,
	BreakLink, LossyNetwork, LateMessages, LeaderErrors, SessionsLost,
}

// silenced says whether something has happened that can silence an executor or a leader.
func (s *storms) silenced() bool {
	return slices.ContainsFunc(silencers, func(k FaultKind) bool { return s.c.faults[k] > 0 })
}
