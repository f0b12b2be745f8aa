package taskexec

import (
	"context"
	"testing"
	"time"

	"blink/operator"
)

// eventClock is what a task knows of an EventTime operator.
type eventClock interface {
	operator.Opener
	operator.Node
	operator.Advancer
	operator.Idler
	operator.Waker
	operator.Snapshotter
}

// listening is an EventTime operator that is idle after a minute, and a sink whose Prepare takes
// as long as it rests.
type listening struct {
	writer
	clock eventClock
	rests time.Duration
}

func (c *listening) Open(t *operator.Task, id string) error { return c.clock.Open(t, id) }
func (c *listening) Start(context.Context) error            { return nil }
func (c *listening) Input(i int) any                        { return c.clock.Input(i) }
func (c *listening) Advance(in int64) (int64, bool)         { return c.clock.Advance(in) }
func (c *listening) Idle() bool                             { return c.clock.Idle() }
func (c *listening) Wake(now int64) bool                    { return c.clock.Wake(now) }
func (c *listening) Full() bool                             { return false }
func (c *listening) Prepare(context.Context, uint64) error  { c.s.w.Sleep(c.rests); return nil }
func (c *listening) Snapshot(o operator.SnapshotOptions) (operator.Frozen, error) {
	return c.clock.Snapshot(o)
}

// silent is a stage whose task has had its last record half a minute ago, before a checkpoint at
// which it rests for so long.
func silent(t *testing.T, rests time.Duration) *stage {
	t.Helper()
	s := newStage(t, work)
	s.made = func(to operator.Outlets) any {
		c := &listening{writer: writer{player: player{s: s}}, rests: rests}
		spec := operator.NewEventTime(func(n int) time.Time { return time.Unix(int64(n), 0) }, operator.Ascending().Idle(time.Minute))
		c.clock = spec.New(to).(eventClock)
		return c
	}
	s.start(s.node.Name())
	s.grant(9)
	s.send(left, "1")
	s.is("opens left", "opens right", "credits left", "sends 1: 1 watermark 999999999")
	s.pass(30 * time.Second)
	return s
}

// The time in which a task takes nothing is not silence: while its sinks prepare.
func TestATaskIsNotIdleForTheTimeItRests(t *testing.T) {
	s := silent(t, 45*time.Second)
	s.send(left, "barrier 7")
	s.send(right, "barrier 7")
	s.pass(50 * time.Second)
	s.follows("sends 2: barrier 7", "put", "ack 7")
	s.pass(20 * time.Second)
	s.is()
	s.pass(10 * time.Second)
	s.is("sends 3: idle")
}

// Nor is it while it has stopped, and the job goes on after all.
func TestATaskIsNotIdleForTheTimeItWasStopped(t *testing.T) {
	s := silent(t, 0)
	s.tell(startCheckpoint{id: 7, stop: true})
	s.send(left, "barrier 7")
	s.send(right, "barrier 7")
	s.pass(45 * time.Second)
	s.follows("sends 2: barrier 7", "put", "ack 7")
	s.tell(startCheckpoint{id: 8})
	s.pass(25 * time.Second)
	s.is()
	s.pass(10 * time.Second)
	s.is("sends 3: idle")
}

// Nor is it while what has come waits for the barrier of another channel.
func TestATaskIsNotIdleWhileInputIsAtHand(t *testing.T) {
	s := silent(t, 0)
	s.send(left, "barrier 7")
	s.send(left, "2")
	s.is("credits left")
	s.pass(45 * time.Second)
	s.is()
	s.send(right, "barrier 7")
	s.follows("sends 2: barrier 7", "sends 3: 2 watermark 1999999999")
}

// What is sent at once, such as a barrier, has waited for no credit.
func TestSendingDoesNotEndSilence(t *testing.T) {
	s := silent(t, 0)
	s.send(left, "barrier 7")
	s.send(right, "barrier 7")
	s.follows("sends 2: barrier 7", "put", "ack 7")
	s.pass(35 * time.Second)
	s.is("sends 3: idle")
}
