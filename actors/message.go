package actors

import (
	"errors"
	"fmt"
	"reflect"
)

// Actor is a unit of state with a mailbox. Receive handles one message at a time; it must
// not block and must not use c from another goroutine. An error or a panic is the failure
// of the actor: it is stopped, and its parent gets Down with Reason Failed. Nothing is ever
// restarted behind the parent's back.
type Actor interface {
	Receive(c *Ctx, m any) error
}

// Started is the first message of every actor.
type Started struct{}

// Stopping is the last message of every actor, also of one that has failed. Its timers are
// gone and the context of its Go work has ended; Go called from here still runs to its end,
// with a context that lasts, but nothing of it comes back.
type Stopping struct{}

// Down says that an actor is gone: its Go work has returned and its children were down
// before. A parent gets it once for each child, whoever calls Watch once for each call that
// was not already pending. It comes after everything that the actor told the receiver.
type Down struct {
	Ref    Ref
	Kind   string
	Reason Reason
	Err    error // of Failed: what Receive returned, or a *Panic
}

// Reason is why an actor is down.
type Reason uint8

const (
	// Stopped: on request, or with its parent.
	Stopped Reason = iota
	// Failed: Receive returned an error or panicked, or the mailbox was full.
	Failed
	// NotFound: there was no such actor when Watch was called.
	NotFound
	// NodeLost: the actor is on another node, of which nothing is known here.
	NodeLost
)

// String returns the reason in words.
func (r Reason) String() string {
	return [...]string{"stopped", "failed", "not found", "node lost"}[r]
}

// Panic is the error of an actor, or of Go work, that panicked.
type Panic struct {
	Value any
	Stack []byte
}

// Error returns "panic: " and the value; the stack is apart, since it differs between runs.
func (p *Panic) Error() string { return fmt.Sprintf("panic: %v", p.Value) }

// Unwrap returns the value if it is an error.
func (p *Panic) Unwrap() error {
	err, _ := p.Value.(error)
	return err
}

// ErrTimeout is wrapped by the error of an Ask that got no answer in time.
var ErrTimeout = errors.New("no answer in time")

// ErrNotFound is wrapped by the error of an Ask whose receiver is not there, or stopped
// before it took the question.
var ErrNotFound = errors.New("no such actor")

// Kind returns the name of a message as traces and Inspect show it: what its method Kind
// returns if it has one, else the name of its type.
func Kind(m any) string {
	switch m := m.(type) {
	case nil:
		return ""
	case interface{ Kind() string }:
		return m.Kind()
	}
	return reflect.TypeOf(m).String()
}
