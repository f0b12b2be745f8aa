package actors

import "sync"

// Loop runs the turns of several actors one after the other, as if they shared one
// goroutine: passing a message between them costs no wake-up. What waits for any of them is
// served in the order of arrival, one message a turn; only when nothing waits does one actor
// get the message it told itself with Yield, each in its turn. So a message waits for one
// yielded turn at most, besides what came before it.
//
// A Loop without work holds no goroutine and needs no closing.
type Loop struct {
	name string
	run  Runtime

	mu     sync.Mutex
	active bool // given to the runtime, or running
	busy   ring[*mailbox]
	yields ring[*mailbox]
}

// Name returns the name given to NewLoop.
func (l *Loop) Name() string { return l.name }

func (l *Loop) ready(m *mailbox) { l.add(&l.busy, m) }
func (l *Loop) yield(m *mailbox) { l.add(&l.yields, m) }

func (l *Loop) add(to *ring[*mailbox], m *mailbox) {
	l.mu.Lock()
	to.push(m)
	wake := !l.active
	l.active = true
	l.mu.Unlock()
	if wake {
		l.run.Schedule(l)
	}
}

// Run implements Unit.
func (l *Loop) Run(max int) bool {
	for range max {
		if !l.step() {
			return false
		}
	}
	return !l.rest()
}

func (l *Loop) rest() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.active = l.busy.n > 0 || l.yields.n > 0
	return !l.active
}

// step runs one turn; false: there was nothing, and the loop is idle.
func (l *Loop) step() bool {
	l.mu.Lock()
	switch {
	case l.busy.n > 0:
		m := l.busy.pop()
		l.mu.Unlock()
		l.turn(m)
	case l.yields.n > 0:
		m := l.yields.pop()
		l.mu.Unlock()
		m.lowTurn()
	default:
		l.active = false
		l.mu.Unlock()
		return false
	}
	return true
}

// turn runs one turn of m and puts it behind the others if it has more.
func (l *Loop) turn(m *mailbox) {
	m.mu.Lock()
	msg, ok := m.take()
	m.mu.Unlock()
	if ok {
		m.deliver(msg)
	}
	if !m.rest(false) {
		l.mu.Lock()
		l.busy.push(m)
		l.mu.Unlock()
	}
}

// lowTurn runs the turn that the actor asked for with Yield.
func (m *mailbox) lowTurn() {
	m.mu.Lock()
	m.yielded = false
	if !m.hasLow {
		m.mu.Unlock()
		return
	}
	msg := m.takeLow()
	m.mu.Unlock()
	m.deliver(msg)
	m.mu.Lock()
	m.current = nil
	m.mu.Unlock()
}
