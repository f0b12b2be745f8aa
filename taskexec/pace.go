package taskexec

import "time"

// quantumTime bounds how long a control message waits for a busy task.
const quantumTime = 200 * time.Microsecond

// mostPerLook is how many records there are between two looks at the clock at most. A look costs
// as much as a few fast records, so there are fewer of them the faster records are; of slow ones,
// and at first, there is one behind each.
const mostPerLook = 512

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
	p.perLook = max(p.perLook, 1)
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
	p.adapt(now, p.perLook-p.left)
	return p.look(now)
}

// adapt is told when n records more are done.
func (p *pace) adapt(now time.Time, n int) {
	switch took := now.Sub(p.at); {
	case took > quantumTime/2:
		p.perLook = min(max(1, int(int64(n)*int64(quantumTime/4)/int64(took))), mostPerLook)
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
