package operator

import (
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// UserError is an error or panic of user code: what the task fails with.
type UserError struct {
	Operator string // id
	At       string // base file name and line of the verb; empty if the task does not know
	Time     int64  // event time of the record or timer at hand, NoTime if it has none
	Err      error
}

func (e *UserError) Error() string {
	s := fmt.Sprintf("operator %q", e.Operator)
	if e.At != "" {
		s += " (" + e.At + ")"
	}
	if e.Time != NoTime {
		s += ", at event time " + timeOf(e.Time).Format(time.RFC3339Nano)
	}
	return s + ": " + e.Err.Error()
}

func (e *UserError) Unwrap() error { return e.Err }

// Permanent marks an error that every attempt would meet, such as damaged input: the job fails
// at once instead of restarting. What a person has to do belongs into its text.
func Permanent(err error) error { return permanent{err} }

type permanent struct{ error }

func (p permanent) Unwrap() error { return p.error }

// IsPermanent says whether an error is, or wraps, one that Permanent has marked.
func IsPermanent(err error) bool {
	var p permanent
	return errors.As(err, &p)
}

// place is where in a task an operator stands. Operators that call user code embed it.
type place struct {
	task     *Task
	pressure *Pressure
	id       string
	number   int
}

// Open is Opener.
func (pl *place) Open(t *Task, id string) error {
	pl.task, pl.id, pl.pressure = t, id, t.Pressure
	pl.number = t.Pressure.enlist(t, id)
	return nil
}

// enter notes that this operator's user code runs next, on a record of time ts.
func (pl *place) enter(ts int64) {
	pl.pressure.at, pl.pressure.time = pl.number, ts
}

// fail ends the task with an error of user code.
func (pl *place) fail(ts int64, err error) {
	pl.enter(ts)
	panic(pl.pressure.blame(err))
}

func (pl *place) count(metric string, by int64) { pl.task.Count(pl.id, metric, by) }

// culprits knows the operators of a task whose user code may fail.
type culprits struct {
	operators []UserError // id and place
	at        int         // who is at work
	time      int64       // of the record at hand
}

func (c *culprits) enlist(t *Task, id string) int {
	e := UserError{Operator: id}
	if t.Where != nil {
		e.At = t.Where(id)
	}
	c.operators = append(c.operators, e)
	return len(c.operators) - 1
}

// catch is deferred around everything that runs a chain.
func (c *culprits) catch() {
	r := recover()
	if r == nil {
		return
	}
	if s, ok := r.(string); ok && strings.HasPrefix(s, "invariant: ") {
		panic(s)
	}
	if e, ok := r.(*UserError); ok {
		panic(e)
	}
	panic(c.blame(fmt.Errorf("panic: %v%s", r, panicSite())))
}

func (c *culprits) blame(err error) *UserError {
	e := UserError{Err: err, Time: c.time}
	if c.at < len(c.operators) {
		e.Operator, e.At = c.operators[c.at].Operator, c.operators[c.at].At
	}
	return &e
}

// userError is err as a failure of the operator with this id, away from any record.
func (t *Task) userError(id string, err error) error {
	e := &UserError{Operator: id, Time: NoTime, Err: err}
	if t.Where != nil {
		e.At = t.Where(id)
	}
	return e
}

// guard is deferred around user code that runs off the actor: it turns a panic into *err.
func (t *Task) guard(id string, err *error) {
	if r := recover(); r != nil {
		*err = t.userError(id, fmt.Errorf("panic: %v%s", r, panicSite()))
	}
}

// panicSite is the first frame below the panic that is not of package runtime.
func panicSite() string {
	var pcs [64]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs[:])])
	panicked := false
	for {
		f, more := frames.Next()
		if strings.HasPrefix(f.Function, "runtime.") {
			panicked = panicked || strings.Contains(f.Function, "panic")
		} else if panicked {
			return fmt.Sprintf(" (at %s:%d)", filepath.Base(f.File), f.Line)
		}
		if !more {
			return ""
		}
	}
}
