package taskexec

import (
	"context"
	"fmt"
	"time"

	"blink/actors"
	"blink/graph"
	"blink/operator"
	"blink/taskexec/exchange"
)

// task is one attempt of one parallel instance of a vertex: an actor that owns a chain of
// operators, their state, and the channels before and behind them.
//
// It works in quanta. Whatever comes (a batch, a credit, a trigger, the end of blocking
// work) is noted at once, and kick asks for a quantum; a quantum (work.go) takes steps until
// its time is over or nothing can be done. Blocking work never runs in a turn: it is handed
// to Ctx.Go and comes back as a turn.
//
//	opening ──restore, Start──► running ──all input ended──► ended
//	   │                          │ stop checkpoint             │
//	   │                          ▼                             │
//	   │                       stopped                          │
//	   │                          │                             │
//	   └──failure, cancel──►   closing   ◄──────────────────────┘
//
// A stopped task goes on when the next checkpoint is triggered: the job has not stopped. One
// that has ended is at rest already, and stays ended. It goes on acknowledging checkpoints and
// committing until it is cancelled, so that no checkpoint of a running job lacks a task.
type task struct {
	spec taskSpec
	c    *actors.Ctx // of the turn at hand
	view operator.Task
	life context.Context // ends when the task closes; every blocking work has it
	kill context.CancelFunc

	phase    phase
	resting  phase  // what it was before it stopped
	restsAt  uint64 // the checkpoint behind which it stopped
	failure  error
	released bool // the operators are being closed, or are
	working  int  // blocking works in flight

	chain *chain
	in    inputs
	out   outputs
	press operator.Pressure
	src   *sourceState // nil unless the vertex reads
	sinks sinkState

	now      unit // what is being processed
	snap     snapshotState
	pace     pace // of the quantum
	counters counters
	status   status // as last told to the executor

	sent       bool // something to another process, in this turn
	dirtySince time.Time
	wakeAt     int64 // when the pending timer is due; EndTime: there is none
	reopened   int   // how often openChannels ran
	warned     int   // lines about bad data
	toldAt     time.Time
}

// phase is where a task is in its life.
type phase uint8

const (
	opening phase = iota
	running
	ended   // no more input; state at rest
	stopped // behind a stop checkpoint
	closing
)

// unit is the work in progress. Pressure, or the end of a quantum, may stop a task in the
// middle of it, and the next quantum goes on there.
//
// It advances between two records of a batch, behind a batch, and between two calls of a wake,
// and always before anything else: so what operators gather is handed on before a barrier. It
// wakes operators between two batches only; a checkpoint may come between two calls of a wake.
type unit struct {
	channel   *inChannel      // whose batch is being processed
	batch     *exchange.Batch // nil: none is
	record    int             // next record of batch
	mark      int             // next mark of batch
	advancing bool            // the chain is to be advanced, or is in the middle of it
	advanced  int64           // the mark of the input up to which the chain has advanced
	waking    bool            // operators are to be woken, or are in the middle of it
}

// taskSpec is what an executor knows when it starts a task.
type taskSpec struct {
	config  *Config
	program *operator.Program
	plan    *graph.Plan
	deploy  deployment
	ref     func(t graph.TaskID) actors.Ref // of the tasks at the other ends of its channels
}

// Messages of the executor to its tasks.
type (
	// startCheckpoint begins a checkpoint: see protos.Trigger.
	startCheckpoint struct {
		id   uint64
		stop bool
	}
	// concluded tells how far checkpoints are decided.
	concluded struct {
		concluded, completed uint64
		onto                 uint64 // the checkpoint that deltas may go onto; 0: none
	}
	// finalize publishes the result of the task's sinks.
	finalize struct{ checkpoint uint64 }
	// cancel ends the task in order.
	cancel struct{}
	// linkLost says that the connection to a node is gone.
	linkLost struct{ node string }
)

// Messages of a task to itself.
type (
	quantum struct{}
	wake    struct{}
	resume  struct{} // the rate limit or a retry is over
)

func newTask(spec taskSpec) *task {
	life, kill := context.WithCancel(context.Background())
	return &task{spec: spec, life: life, kill: kill, wakeAt: operator.EndTime}
}

// Receive notes what came and asks for a quantum. A failure closes the task in order first;
// the last turn returns it.
func (t *task) Receive(c *actors.Ctx, m any) error {
	t.c = c
	if m == (actors.Stopping{}) {
		t.endWithProcess()
		return nil
	}
	if t.phase == closing {
		if _, ok := m.(closed); ok {
			return t.leave()
		}
		return nil
	}
	if err := t.turn(func() error { return t.receive(m) }); err != nil {
		t.close(err)
		return nil
	}
	if _, worked := m.(quantum); !worked {
		t.kick() // a quantum asks for the next one itself
	}
	return nil
}

// turn does what the task has a turn for, and lets go what it sends to other processes.
func (t *task) turn(f func() error) error {
	err := guarded(f)
	if t.sent {
		t.sent = false
		t.spec.config.Links.Flush()
	}
	return err
}

// guarded turns a panic, of user code or ours, into an error.
func guarded(f func() error) (err error) {
	defer func() {
		if r := recover(); r == nil {
			return
		} else if e, ok := r.(error); ok {
			err = e
		} else {
			err = fmt.Errorf("panic: %v", r)
		}
	}()
	return f()
}

func (t *task) receive(m any) error {
	switch m := m.(type) {
	case actors.Started:
		return t.open()
	case quantum:
		return t.quantum()
	case *exchange.Batch, exchange.Credit, exchange.Open:
		return t.take(t.c.Self().Node, m)
	case exchange.Frame:
		return t.decode(m)
	case startCheckpoint:
		t.triggered(m)
	case concluded:
		t.concluded(m)
	case finalize:
		t.sinks.finalizing = max(t.sinks.finalizing, m.checkpoint)
		t.sinkWork()
	case cancel:
		t.close(nil)
	case linkLost:
		return t.linkLost(m.node)
	case wake:
		t.now.waking, t.wakeAt = true, operator.EndTime
	case resume:
	case call:
		m.f()
		t.sinkWork()
	case reopen:
		t.openChannels()
	case actors.Down:
	default:
		return fmt.Errorf("unknown message %T", m)
	}
	return nil
}

// kick asks for a quantum; asking twice is harmless.
func (t *task) kick() {
	if t.phase != opening && t.phase != closing {
		t.c.Yield(quantum{})
	}
}

// work runs blocking work off the actor. then is a turn of the task; it is not called when
// the task is closing by then.
func (t *task) work(what string, f func(ctx context.Context) (any, error), then func(v any, err error) error) {
	t.working++
	life := t.life
	t.c.Go(what, func(context.Context) (any, error) { return f(life) }, func(v any, err error) {
		t.working--
		if t.phase == closing {
			t.closeWhenIdle()
			return
		}
		if err := t.turn(func() error { return then(v, err) }); err != nil {
			t.close(err)
			return
		}
		t.kick()
	})
}

// close stops taking anything, waits for the blocking work in flight and then closes the
// operators; the actor stops when that is done.
func (t *task) close(reason error) {
	t.phase, t.failure = closing, reason
	t.kill()
	t.closeWhenIdle()
}

func (t *task) closeWhenIdle() {
	if t.working > 0 {
		return
	}
	t.working++ // nothing follows
	t.released = true
	t.c.Go("close", func(context.Context) (any, error) { return nil, t.chain.close() }, func(_ any, err error) {
		if err != nil { // it changes nothing any more: the task leaves, and what it did is durable or is done again
			t.c.Log().Warn().Err(err).Msg("close")
		}
		t.c.Tell(t.c.Self(), closed{})
	})
}

// closed is the last message of a task to itself.
type closed struct{}

// closeWithin is how long the operators of a task may take to close when their process ends.
const closeWithin = 5 * time.Second

// endWithProcess closes the operators of a task that ends with its process, or with its executor,
// and not because it was told to.
func (t *task) endWithProcess() {
	t.kill()
	if !t.released {
		t.c.Last("close", closeWithin, func(context.Context) error { return t.chain.close() })
	}
}

// leave ends the actor: as failed when there is a reason.
func (t *task) leave() error {
	if t.failure == nil {
		t.c.Stop(t.c.Self())
	}
	return t.failure
}
