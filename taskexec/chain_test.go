package taskexec

import (
	"context"
	"errors"
	"slices"
	"testing"

	"blink/operator"
)

// clocked is an operator that moves event time by lag, and lets itself be stopped once.
type clocked struct {
	lag   int64
	tired bool // it stops by itself the next time
	seen  []int64
	woken []int64
}

func (c *clocked) Advance(in int64) (int64, bool) {
	if c.tired {
		c.tired = false
		return 0, false
	}
	c.seen = append(c.seen, in)
	return in - c.lag, true
}

func (c *clocked) Wake(now int64) bool {
	if c.tired {
		c.tired = false
		return false
	}
	c.woken = append(c.woken, now)
	return true
}

// tree is a chain of the operators that are fed by those at parents, and a plain one at its end
// behind the last.
func tree(parents []int, ops ...*clocked) *chain {
	c := &chain{parent: append(parents, len(ops)-1)}
	for i, op := range ops {
		c.ops, c.index, c.marks = append(c.ops, op), append(c.index, 10+i), append(c.marks, operator.NoTime)
	}
	c.ops, c.index, c.marks = append(c.ops, struct{}{}), append(c.index, 10+len(ops)), append(c.marks, operator.NoTime)
	return c
}

func TestEventTimeGoesDownTheTree(t *testing.T) {
	head, left, right := &clocked{lag: 5}, &clocked{lag: 1}, &clocked{lag: 10}
	c := tree([]int{-1, 0, 0}, head, left, right)
	if !c.advance(100, &operator.Pressure{}) {
		t.Fatal("held")
	}
	for i, want := range []int64{95, 94, 85, 85} { // the last has no clock of its own
		if got := c.mark(10 + i); got != want {
			t.Errorf("behind operator %d it is %d, want %d", i, got, want)
		}
	}
}

func TestTheTimeBehindAnOperatorNeverGoesBack(t *testing.T) {
	op := &clocked{}
	c := tree([]int{-1}, op)
	c.advance(100, &operator.Pressure{})
	op.lag = 50
	c.advance(101, &operator.Pressure{})
	if got := c.mark(10); got != 100 {
		t.Errorf("it went back to %d", got)
	}
}

func TestWhatWasHeldGoesOnBehindTheOperatorsThatAreDone(t *testing.T) {
	first, second := &clocked{}, &clocked{tired: true}
	c, press := tree([]int{-1, 0}, first, second), &operator.Pressure{}
	if c.advance(100, press) {
		t.Error("an operator stopped by itself, and the advance is done")
	}
	press.Hold()
	if c.advance(100, press) {
		t.Error("an output holds, and the advance is done")
	}
	press.Release()
	if !c.advance(100, press) || !slices.Equal(first.seen, []int64{100}) || !slices.Equal(second.seen, []int64{100}) {
		t.Errorf("advanced %v and %v, want each once", first.seen, second.seen)
	}
	if !c.advance(200, press) || !slices.Equal(first.seen, []int64{100, 200}) {
		t.Errorf("advanced %v, want the next time as well", first.seen)
	}
}

// Between the two calls the first may have asked to be woken again.
func TestAWakeThatWasHeldBeginsAnew(t *testing.T) {
	first, second := &clocked{}, &clocked{tired: true}
	c, press := tree([]int{-1, 0}, first, second), &operator.Pressure{}
	if c.wake(7, press) {
		t.Error("an operator stopped by itself, and the wake is done")
	}
	press.Hold()
	if c.wake(8, press) {
		t.Error("an output holds, and the wake is done")
	}
	press.Release()
	if !c.wake(9, press) || !slices.Equal(first.woken, []int64{7, 9}) || !slices.Equal(second.woken, []int64{9}) {
		t.Errorf("woken %v and %v", first.woken, second.woken)
	}
}

// unstartable is an operator whose start fails.
type unstartable struct{ err error }

func (u unstartable) Start(context.Context) error { return u.err }

func TestAnOperatorThatDoesNotStartIsNamedOnce(t *testing.T) {
	bare := errors.New("no room")
	for want, err := range map[string]error{
		`operator "sink": start: no room`:     bare,
		`operator "sink" (job.go:7): no room`: &operator.UserError{Operator: "sink", At: "job.go:7", Time: operator.NoTime, Err: bare},
	} {
		task := &task{chain: &chain{ids: []string{"sink"}, ops: []any{unstartable{err}}}}
		if _, said := task.startOperators(t.Context()); said == nil || said.Error() != want {
			t.Errorf("said %v, want %s", said, want)
		}
	}
}
