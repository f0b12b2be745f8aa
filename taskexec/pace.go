package taskexec

import "time"

// quantumTime bounds how long a control message waits for a busy task.
const quantumTime = 200 * time.Microsecond

// A look at the clock costs as much as a few records, so there are fewer of them the faster
// records are: one behind so many.
const (
	leastPerLook = 64
	mostPerLook  = 512
)

// pace knows how much of a quantum's time is over.
type pace struct {
	start   time.Time // of the quantum
	at      time.Time // of the last look
	perLook int       // records between two looks
	left    int       // of them
	read    int       // records that the source has handed on in the quantum
}

func (p *pace) begin(now time.Time) {
	p.start, p.at, p.read = now, now, 0
	p.perLook = max(p.perLook, leastPerLook)
	p.left = p.perLook
}

// look says whether the time is over.
func (p *pace) look(now time.Time) bool {
	p.at, p.left = now, p.perLook
	return now.Sub(p.start) >= quantumTime
}

// over says whether the quantum is, n records later.
func (t *task) over(n int) bool {
	p := &t.pace
	if p.left -= n; p.left > 0 {
		return false
	}
	now := t.c.Now()
	p.adapt(now)
	return p.look(now)
}

// adapt is told when perLook records more are done.
func (p *pace) adapt(now time.Time) {
	switch took := now.Sub(p.at); {
	case took > quantumTime/2:
		p.perLook = leastPerLook
	case took < quantumTime/8:
		p.perLook = min(2*p.perLook, mostPerLook)
	}
}

// timed is the progress of a step of which nobody knows how long it took.
func (t *task) timed() progress {
	if t.pace.look(t.c.Now()) {
		return whole
	}
	return part
}
