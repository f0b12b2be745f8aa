package leader

import "time"

// Options of an election.
type Options struct {
	TTL   time.Duration // of the session
	Retry time.Duration // between two attempts to acquire
}

// Machine is the election of one candidate:
//
//	idle ──Open──► opening ──Opened──► campaigning ──Acquired──► leading
//	  ▲               │ failed              │ session gone          │ session gone, deadline, Resign
//	  └───────────────┴─────────────────────┴───────────────────────┘
//
// It makes one call at a time. Invariant: leading implies that now < Deadline was true at the
// last step.
type Machine struct {
	o       Options
	state   state
	session string
	epoch   uint64
	proven  time.Time // the session cannot end before
	next    time.Time // when to act again
	calling bool
}

type state uint8

const (
	idle state = iota
	campaigning
	leading
)

// New returns the machine of a candidate that wants to lead. It begins with Tick.
func New(o Options) *Machine { return &Machine{o: o} }

// Events.
type (
	// Tick says that time has passed.
	Tick struct{}
	// Opened, Acquired, Denied and Renewed are the answers to the calls. Sent is when the
	// call was made.
	Opened struct {
		Session string
		Sent    time.Time
	}
	Acquired struct{ Epoch uint64 }
	Denied   struct{}
	Renewed  struct{ Sent time.Time }
	// Failed says that a call failed; Gone that the session has ended.
	Failed struct{ Gone bool }
	// Resign says that this candidate cannot lead at present: the session is closed and the
	// campaign begins anew.
	Resign struct{}
)

// Event is one of the types above.
type Event any

// Actions, to be done in order.
type (
	// Open, Acquire, Renew and Close are calls of Service.
	Open    struct{ TTL time.Duration }
	Acquire struct{ Session string }
	Renew   struct{ Session string }
	Close   struct{ Session string }
	// Lead says that this candidate leads with Epoch, as long as Deadline is not past.
	Lead struct {
		Session string
		Epoch   uint64
	}
	// Lose ends that.
	Lose struct{}
	// Wake asks for a Tick at that time.
	Wake struct{ At time.Time }
)

// Action is one of the types above.
type Action any

// Deadline is when a leader must stop acting unless a renewal succeeds; zero when this
// candidate does not lead.
func (m *Machine) Deadline() time.Time {
	if m.state != leading {
		return time.Time{}
	}
	return m.proven
}

// Step takes what happened and returns what is to be done.
func (m *Machine) Step(now time.Time, ev Event) []Action {
	as := m.expire(now)
	switch ev := ev.(type) {
	case Opened:
		m.calling = false
		m.state, m.session, m.next = campaigning, ev.Session, now
		m.prove(ev.Sent)
	case Acquired:
		m.calling = false
		if m.state == campaigning && now.Before(m.proven) {
			m.state, m.epoch = leading, ev.Epoch
			as = append(as, Lead{m.session, m.epoch})
			m.next = now.Add(m.o.TTL / 4)
		}
	case Denied:
		m.calling = false
		m.next = now.Add(m.o.Retry)
	case Renewed:
		m.calling = false
		if m.state != idle {
			m.prove(ev.Sent)
			m.next = now.Add(m.o.TTL / 4)
		}
	case Failed:
		m.calling = false
		m.next = now.Add(m.o.Retry)
		if ev.Gone {
			as = append(as, m.drop(false)...)
		}
	case Resign:
		as = append(as, m.drop(true)...)
		m.next = now.Add(m.o.Retry)
	}
	return append(as, m.act(now)...)
}

// prove notes that the session cannot end within its time-out, less a margin for clocks that
// differ, after sent.
func (m *Machine) prove(sent time.Time) {
	if until := sent.Add(m.o.TTL - m.o.TTL/8); until.After(m.proven) {
		m.proven = until
	}
}

// drop forgets the session.
func (m *Machine) drop(close bool) []Action {
	var as []Action
	if m.state == leading {
		as = append(as, Lose{})
	}
	if close && m.session != "" {
		as = append(as, Close{m.session})
	}
	m.state, m.session, m.epoch, m.proven = idle, "", 0, time.Time{}
	return as
}

// expire drops a session that may have ended. An answer that comes later does not revive it:
// whoever leads has stopped at the deadline.
func (m *Machine) expire(now time.Time) []Action {
	if m.state == idle || now.Before(m.proven) {
		return nil
	}
	m.next = now
	return m.drop(true)
}

// act makes the next call that is due.
func (m *Machine) act(now time.Time) []Action {
	as := m.expire(now)
	if !m.calling && !now.Before(m.next) {
		m.calling = true
		switch m.state {
		case idle:
			as = append(as, Open{m.o.TTL})
		case campaigning:
			as = append(as, m.campaign(now))
		case leading:
			as = append(as, Renew{m.session})
		}
	}
	at := m.next
	if m.state != idle && m.proven.Before(at) || m.calling {
		at = m.proven
	}
	if at.After(now) {
		as = append(as, Wake{at})
	}
	return as
}

// campaign renews the session when half of its time is over, else tries to acquire.
func (m *Machine) campaign(now time.Time) Action {
	if m.proven.Sub(now) < m.o.TTL/2 {
		return Renew{m.session}
	}
	return Acquire{m.session}
}
