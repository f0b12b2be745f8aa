package actors

import (
	"sync"
	"time"

	"github.com/asynkron/protoactor-go/actor"
)

// envelope is a message on its way to an actor.
type envelope struct {
	from Ref
	m    any
	low  bool   // from the low lane
	ask  uint64 // not 0: the answer to this question of the receiver
}

// mailbox holds what waits for one actor, in three lanes: what the library's kernel says,
// what actors say, and what the actor said to itself with Yield. It is the only mailbox
// there is, in production as in simulation; what differs is who calls Run.
//
// A turn takes one message. On a Loop the loop calls turn, else the runtime calls Run.
type mailbox struct {
	run     Runtime
	loop    *Loop // nil: scheduled on its own
	invoker actor.MessageInvoker
	limit   int
	now     envelope // of the turn at hand; used by its runner only

	mu       sync.Mutex
	system   ring[any]
	user     ring[envelope]
	low      any
	hasLow   bool
	queued   bool // given to the runtime or the loop, or running
	yielded  bool // among the loop's yields
	overflow bool // the limit was reached: the actor must fail
	closed   bool // the actor is down
	stats    stats
	watchers []*cell
	pending  []*Work // Go work not yet returned
	current  any     // the message of the turn at hand, nil between turns
	since    time.Time
	idle     bool   // there was a gap before the next turn: its time is not known
	label    string // behaviour
	state    state
}

// stats count what passed through a mailbox.
type stats struct {
	highWater          int
	processed, dropped uint64
}

// full is delivered to the actor whose mailbox has reached its limit.
type full struct{ n int }

var _ actor.Mailbox = (*mailbox)(nil)

// PostSystemMessage is how the library's kernel reaches the actor.
func (m *mailbox) PostSystemMessage(msg any) {
	m.mu.Lock()
	m.system.push(msg)
	wake := !m.queued
	m.queued = true
	m.mu.Unlock()
	if wake {
		m.ready()
	}
}

// PostUserMessage is not used: our envelopes are pushed.
func (m *mailbox) PostUserMessage(msg any) { m.push(envelope{m: msg}, true) }

// RegisterHandlers is called by the library when the actor is spawned.
func (m *mailbox) RegisterHandlers(i actor.MessageInvoker, _ actor.Dispatcher) { m.invoker = i }

// Start is called by the library when all is in place. Until then the mailbox counts as
// queued, so what is told to it meanwhile waits, behind Started.
func (m *mailbox) Start() { m.ready() }

// UserMessageCount is the number of messages waiting.
func (m *mailbox) UserMessageCount() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.length()
}

func (m *mailbox) length() int {
	n := m.system.n + m.user.n
	if m.hasLow {
		n++
	}
	return n
}

// push adds e to the user lane. It returns false if the actor is down. A bounded message
// that finds the lane full is dropped, and makes the actor fail.
func (m *mailbox) push(e envelope, bounded bool) bool {
	m.mu.Lock()
	if m.closed {
		m.mu.Unlock()
		return false
	}
	if bounded && m.user.n >= m.limit {
		m.overflow = true
		m.stats.dropped++
	} else {
		m.user.push(e)
		m.stats.highWater = max(m.stats.highWater, m.user.n)
	}
	wake := !m.queued
	m.queued = true
	m.mu.Unlock()
	if wake {
		m.ready()
	}
	return true
}

// yield puts msg into the low lane, in place of what waits there.
func (m *mailbox) yield(msg any) {
	m.mu.Lock()
	m.low, m.hasLow = msg, true
	if m.loop != nil {
		wake := !m.yielded
		m.yielded = true
		m.mu.Unlock()
		if wake {
			m.loop.yield(m)
		}
		return
	}
	wake := !m.queued
	m.queued = true
	m.mu.Unlock()
	if wake {
		m.ready()
	}
}

func (m *mailbox) ready() {
	if m.loop != nil {
		m.loop.ready(m)
		return
	}
	m.run.Schedule(m)
}

// Run implements Unit.
func (m *mailbox) Run(max int) bool {
	for range max {
		if !m.step() {
			return false
		}
	}
	return !m.rest(true)
}

// step runs one turn; false: there was nothing, and the mailbox is idle.
func (m *mailbox) step() bool {
	m.mu.Lock()
	msg, ok := m.take()
	if !ok && m.hasLow {
		msg, ok = m.takeLow(), true
	}
	if !ok {
		m.queued, m.idle, m.current = false, true, nil
		m.mu.Unlock()
		return false
	}
	m.mu.Unlock()
	m.deliver(msg)
	return true
}

// rest makes the mailbox idle unless something waits.
func (m *mailbox) rest(low bool) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.system.n > 0 || m.user.n > 0 || m.overflow || low && m.hasLow {
		return false
	}
	m.queued, m.idle, m.current = false, true, nil
	return true
}

// take picks the next message but for the low lane: system messages first.
func (m *mailbox) take() (msg any, ok bool) {
	switch {
	case m.system.n > 0:
		return m.system.pop(), true
	case m.overflow:
		m.overflow = false
		m.now = envelope{m: full{m.user.n}}
	case m.user.n > 0:
		m.now = m.user.pop()
	default:
		return nil, false
	}
	m.note()
	return &m.now, true
}

func (m *mailbox) takeLow() any {
	m.now = envelope{m: m.low, low: true}
	m.low, m.hasLow = nil, false
	m.note()
	return &m.now
}

// clockEvery is how many turns in a row share one reading of the clock.
const clockEvery = 16

func (m *mailbox) note() {
	if m.idle || m.stats.processed%clockEvery == 0 {
		m.since = m.run.Now()
	}
	m.idle, m.current = false, m.now.m
	m.stats.processed++
}

func (m *mailbox) deliver(msg any) {
	if e, ok := msg.(*envelope); ok {
		m.invoker.InvokeUserMessage(e)
		m.now = envelope{}
		return
	}
	m.invoker.InvokeSystemMessage(msg)
}

// endYield drops what waits in the low lane.
func (m *mailbox) endYield() {
	m.mu.Lock()
	m.low, m.hasLow = nil, false
	m.mu.Unlock()
}

// close makes the mailbox refuse everything and returns what waited.
func (m *mailbox) close() (left []envelope, watchers []*cell) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for m.user.n > 0 {
		left = append(left, m.user.pop())
	}
	m.closed, m.low, m.hasLow, m.overflow, m.state = true, nil, false, false, gone
	watchers, m.watchers = m.watchers, nil
	return left, watchers
}
