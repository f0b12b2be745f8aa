package operator

import (
	"fmt"
	"reflect"
)

// OnError says what becomes of a record whose function returned an error.
type OnError struct {
	policy policy
	tag    AnyTag // of the dead letters
}

type policy uint8

const (
	fail policy = iota
	skip
	deadLetter
)

// The simple policies. Fail, also the zero OnError, fails the task, and its region
// restarts. Skip drops the record, counts it as "skipped" and reports it.
var (
	Fail = OnError{policy: fail}
	Skip = OnError{policy: skip}
)

// DeadLetter sends the record with its error to a side output, and counts it as
// "dead letters".
func DeadLetter[T any](t Tag[Failure[T]]) OnError { return OnError{policy: deadLetter, tag: t} }

// Failure is a record and the error it met.
type Failure[T any] struct {
	Record T
	Error  string
}

// NewTry is map with a function that may fail.
func NewTry[T, U any](f func(T) (U, error), on OnError) Spec {
	s := Spec{New: func(out Outlets) any {
		m := &tryOp[T, U]{f: f, policy: on.policy, next: outlet[U](out)}
		if on.policy == deadLetter {
			m.dead = out.Side(on.tag.Name()).(Collector[Failure[T]])
		}
		return m
	}}
	if on.policy == deadLetter {
		s.Sides = []AnyTag{on.tag}
		if want := reflect.TypeFor[Failure[T]](); on.tag.Type() != want {
			s.Err = fmt.Errorf("dead letters to %q are of %s, and the records that may fail need a Tag[%s]", on.tag.Name(), on.tag.Type(), want)
		}
	}
	return s
}

type tryOp[T, U any] struct {
	place
	f      func(T) (U, error)
	policy policy
	next   Collector[U]
	dead   Collector[Failure[T]]
	slot   U
	letter Failure[T]
	_      pad
}

func (m *tryOp[T, U]) Input(int) any { return Collector[T](m) }

// Lends is Lender.
func (m *tryOp[T, U]) Lends() Lending { return Lends }

func (m *tryOp[T, U]) Collect(in *T, ts int64) {
	m.enter(ts)
	u, err := m.f(*in)
	if err != nil {
		m.failed(in, ts, err)
		return
	}
	m.slot = u
	m.next.Collect(&m.slot, ts)
}

func (m *tryOp[T, U]) failed(in *T, ts int64, err error) {
	switch m.policy {
	case fail:
		m.fail(ts, err)
	case skip:
		m.count("skipped", 1)
		m.task.Report(m.id, "skipped: "+err.Error())
	case deadLetter:
		m.count("dead letters", 1)
		m.task.Report(m.id, err.Error())
		m.letter = Failure[T]{*in, err.Error()}
		m.dead.Collect(&m.letter, ts)
	}
}
