package actors

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// A question travels with a sender that names it: "id?17" is the 17th question of the actor
// id. So an answer finds its way back through any transport like every other message.
const askMark = "?"

// question is one Ask that has no answer yet.
type question struct {
	then func(reply any, err error)
	stop func() // its time-out
}

// Ask tells m to an actor and runs then, as a turn of this actor, with its answer (Reply,
// or Tell to Sender) or with an error when there is none after timeout or the actor is not
// there. Exactly one of the two happens, unless this actor stops before.
func (c *Ctx) Ask(to Ref, m any, timeout time.Duration, then func(reply any, err error)) {
	a := c.c
	if a.state != running {
		return
	}
	a.lastAsk++
	n, q := a.lastAsk, &question{then: then}
	if a.asks == nil {
		a.asks = map[uint64]*question{}
	}
	a.asks[n] = q
	q.stop = a.sys.run.AfterFunc(timeout, func() {
		err := fmt.Errorf("%w: %v was asked %s before", ErrTimeout, to, timeout)
		a.mb.push(envelope{m: unanswered{err}, ask: n}, false)
	})
	a.sys.tell(Ref{a.ref.Node, a.ref.ID + askMark + strconv.FormatUint(n, 10)}, to, m)
}

// answered handles an answer; one that comes too late is dropped.
func (c *cell) answered(n uint64, m any) {
	q := c.asks[n]
	if q == nil {
		return
	}
	delete(c.asks, n)
	q.stop()
	c.sys.run.Turn(c.ref.ID, m)
	c.guard(func() error {
		if none, ok := m.(unanswered); ok {
			q.then(nil, none.err)
		} else {
			q.then(m, nil)
		}
		return nil
	})
}

// parseAsk splits the name of a question.
func parseAsk(id string) (of string, n uint64, ok bool) {
	of, number, ok := strings.Cut(id, askMark)
	if !ok {
		return "", 0, false
	}
	n, err := strconv.ParseUint(number, 10, 64)
	return of, n, err == nil && n > 0
}
