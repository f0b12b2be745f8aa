package taskexec

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"blink/actors"
	"blink/graph"
	"blink/internal/mutate"
	"blink/operator"
	"blink/protos"
	"blink/taskexec/exchange"
)

// Executor is the actor "te" of a process: the parent of its tasks and the only one that
// speaks with the JobMaster.
type Executor struct {
	config      Config
	program     *operator.Program
	fingerprint string // of its graph
	plan        *graph.Plan
	c           *actors.Ctx // of the turn at hand
	loops       []*actors.Loop

	epoch        uint64 // highest seen
	registration uint64 // of us with the leader of this epoch
	leader       actors.Ref
	heard        time.Time // of the leader
	lease        *lease
	watching     bool // the end of the lease
	concluded    concluded
	looking      bool

	version uint64
	held    uint64 // version up to which the leader knows our state; 0: it needs all of it
	news    uint64 // version of the report that told the newest change
	changed bool   // the JobMaster is to be told at once
	telling bool   // and will be, behind what waits
	tasks   map[graph.TaskID]*entry
	known   []graph.TaskID // of tasks, in order
	acks    []ack
}

// entry is what the executor knows of a task: its newest attempt here.
type entry struct {
	attempt   uint32
	epoch     uint64
	slot      int // -1: none of its attempts ran here
	state     protos.TaskState
	failure   string
	unusable  bool       // it failed because the checkpoint that it restored cannot be read
	permanent bool       // it failed in a way that every attempt would
	fence     uint32     // attempts below it are refused
	ref       actors.Ref // zero when no actor lives
	doomed    bool       // it was told to end
	expired   bool       // because the lease ran out
	restored  uint64
	status    status
	news      uint64 // version of the report that told its newest change
}

// status is what a task tells of itself.
type status struct {
	attempt   uint32
	task      graph.TaskID
	phase     phase
	committed uint64
	finalized uint64
	counters  []counter
}

// ack is a task's word on a checkpoint.
type ack struct {
	checkpoint uint64
	task       graph.TaskID
	attempt    uint32
	handle     handle
	parts      []partSummary
	declined   string
	news       uint64 // version of the report that told it first
}

// New makes the executor's actor. The config must be valid.
func New(config Config) actors.Actor {
	return &Executor{config: config, tasks: map[graph.TaskID]*entry{}}
}

type (
	tellNow    struct{}
	heartbeat  struct{}
	leaseTimer struct{}
	found      struct {
		node, id string
		vacant   bool
		asked    time.Time
	}
)

// Receive obeys the JobMaster, listens to the tasks, and reports when something changed: once
// for all that waits, since a report tells all that the JobMaster does not hold, and as many
// reports as messages would be a work that grows with their square.
func (e *Executor) Receive(c *actors.Ctx, m any) error {
	e.c = c
	switch m := m.(type) {
	case actors.Started:
		return e.start()
	case actors.Down:
		e.down(m)
	case tellNow:
		e.telling = false
		e.report()
	case heartbeat:
		e.beat()
	case leaseTimer:
		e.watching = false
		e.watchLease()
	case *protos.Hello:
		if e.obey(m.Job, m.Epoch) {
			e.hello(m)
		}
	case *protos.Deploy:
		if e.obey(m.Job, m.Epoch) {
			e.deploy(m)
		}
	case *protos.Cancel:
		if e.obey(m.Job, m.Epoch) {
			e.cancel(taskID(m.Task), m.UpTo)
		}
	case *protos.Trigger:
		if e.obey(m.Job, m.Epoch) {
			for _, t := range m.Tasks {
				e.tellTask(taskID(t.Task), t.Attempt, startCheckpoint{m.Checkpoint, m.Stop})
			}
		}
	case *protos.Finalize:
		if e.obey(m.Job, m.Epoch) {
			e.tellTask(taskID(m.Task), m.Attempt, finalize{m.Checkpoint})
		}
	case status:
		e.status(m)
	case ack:
		e.ack(m)
	case exchange.Lost:
		for _, t := range e.live() {
			e.c.Tell(e.tasks[t].ref, linkLost{m.Node})
		}
	}
	if e.changed && !e.telling {
		e.telling = true
		c.Tell(c.Self(), tellNow{})
	}
	return nil
}

func (e *Executor) start() error {
	var err error
	if e.program, err = e.config.Program(); err != nil {
		return fmt.Errorf("build the job: %w", err)
	}
	e.fingerprint = graph.Fingerprint(e.program.Job)
	if e.plan, err = graph.Compile(e.program.Job); err != nil {
		return fmt.Errorf("compile the job: %w", err)
	}
	for i := range e.config.Slots {
		e.loops = append(e.loops, e.config.NewLoop(fmt.Sprintf("slot-%d", i)))
	}
	e.lease = newLease(e.config.Lease, e.c.Now())
	e.watchLease()
	e.beat()
	return nil
}

// obey says whether a command comes from the leader with the highest epoch seen.
func (e *Executor) obey(job string, epoch uint64) bool {
	if job != e.config.Job || epoch < e.epoch && !mutate.On(mutate.EpochFence) {
		e.changed = true // it learns of the higher epoch and steps down
		return false
	}
	if epoch > e.epoch {
		e.epoch, e.registration, e.held, e.changed = epoch, 0, 0, true
	}
	if e.config.Obeyed != nil {
		e.config.Obeyed(epoch)
	}
	return true
}

// hello learns who leads, what is concluded, and that the leader hears us.
func (e *Executor) hello(m *protos.Hello) {
	leader := actors.Ref{Node: m.LeaderNode, ID: m.LeaderId}
	if leader != e.leader {
		e.leader, e.changed = leader, true
	}
	e.heard = e.c.Now()
	if m.Incarnation == e.config.Incarnation {
		e.registration = max(e.registration, m.Registration)
		e.changed = e.changed || m.Held < e.held // it has forgotten
		e.held = m.Held
		e.lease.seen(m.Seen)
		e.watchLease()
	}
	if c := (concluded{m.Concluded, m.Completed, m.Onto}); c != e.concluded {
		e.conclude(c)
	}
}

func (e *Executor) conclude(c concluded) {
	if c.completed < e.concluded.completed {
		c.completed, c.onto = e.concluded.completed, e.concluded.onto
	}
	c.concluded = max(c.concluded, e.concluded.concluded)
	e.concluded = c
	e.acks = slices.DeleteFunc(e.acks, func(a ack) bool { return a.checkpoint <= e.concluded.concluded })
	for _, t := range e.live() {
		e.c.Tell(e.tasks[t].ref, e.concluded)
	}
}

// deploy starts an attempt, unless it runs, a lower one is still leaving, or it is stale.
func (e *Executor) deploy(m *protos.Deploy) {
	d := deploymentOf(m)
	en := e.entry(d.task)
	if !e.current(m) {
		return // on its way for too long: it was given up
	}
	switch {
	case d.attempt < en.fence && !mutate.On(mutate.AttemptFence), en.attempt == d.attempt && en.epoch == d.epoch && en.state != protos.TaskState_UNKNOWN:
		e.tell(en)
		return
	case en.ref != (actors.Ref{}):
		e.cancel(d.task, d.attempt-1)
		return // sent again when it has left
	}
	if d.slot >= len(e.loops) {
		e.refuse(en, d, fmt.Sprintf("slot %d is not among the %d of this TaskExecutor, which count from 0", d.slot, len(e.loops)))
		return
	}
	spec := taskSpec{config: &e.config, program: e.program, plan: e.plan, deploy: d, ref: peerRefs(m)}
	ref, err := e.c.Spawn("task", exchange.TaskName(d.task, d.attempt), func() actors.Actor { return newTask(spec) }, actors.OnLoop(e.loops[d.slot]))
	if err != nil {
		e.refuse(en, d, err.Error())
		return
	}
	*en = entry{attempt: d.attempt, epoch: d.epoch, slot: d.slot, fence: d.attempt, ref: ref, restored: d.restore, state: protos.TaskState_DEPLOYING}
	en.status = status{attempt: d.attempt, task: d.task, committed: d.restore}
	e.c.Tell(ref, e.concluded)
	e.tell(en)
}

// current says whether a Deploy belongs to the dealings that the leader has with us now.
func (e *Executor) current(m *protos.Deploy) bool {
	if mutate.On(mutate.IgnoreLease) {
		return true
	}
	return m.Incarnation == e.config.Incarnation && m.Registration == e.registration && !e.lease.expired(e.c.Now())
}

func (e *Executor) refuse(en *entry, d deployment, why string) {
	*en = entry{attempt: d.attempt, epoch: d.epoch, slot: -1, fence: d.attempt, state: protos.TaskState_FAILED, failure: why}
	e.tell(en)
}

// cancel ends every attempt up to upTo, and refuses them from now on. The report says so
// when nothing of them is left.
func (e *Executor) cancel(t graph.TaskID, upTo uint32) {
	en := e.entry(t)
	en.fence = max(en.fence, upTo+1)
	switch {
	case en.attempt > upTo:
		e.tell(en)
	case en.ref == (actors.Ref{}):
		if en.attempt < upTo || en.state != protos.TaskState_CANCELED {
			en.attempt, en.state, en.failure = upTo, protos.TaskState_CANCELED, ""
			e.tell(en)
		}
	case !en.doomed:
		en.doomed = true
		e.c.Tell(en.ref, cancel{})
	}
}

// down is told that a task's actor, with its blocking work, is gone.
func (e *Executor) down(m actors.Down) {
	for _, t := range e.live() {
		en := e.tasks[t]
		if en.ref != m.Ref {
			continue
		}
		en.ref = actors.Ref{}
		en.state, en.failure, en.unusable, en.permanent = protos.TaskState_CANCELED, "", false, false
		switch {
		case m.Reason == actors.Failed:
			en.state, en.failure = protos.TaskState_FAILED, m.Err.Error()
			en.unusable, en.permanent = errors.Is(m.Err, errCorrupt), operator.IsPermanent(m.Err)
		case en.expired:
			en.state, en.failure = protos.TaskState_FAILED, "stopped by its executor: the lease ran out"
		}
		if en.attempt < en.fence {
			en.attempt, en.state = en.fence-1, protos.TaskState_CANCELED
		}
		e.tell(en)
	}
}

// tell has the leader told of a task at once.
func (e *Executor) tell(en *entry) {
	e.note(&en.news)
	e.changed = true
}

// note has something told with the next report.
func (e *Executor) note(news *uint64) {
	e.news = e.version + 1
	*news = e.news
}

func (e *Executor) entry(t graph.TaskID) *entry {
	if e.tasks[t] == nil {
		e.tasks[t] = &entry{slot: -1}
		at, _ := slices.BinarySearchFunc(e.known, t, graph.TaskID.Compare)
		e.known = slices.Insert(e.known, at, t)
	}
	return e.tasks[t]
}

func (e *Executor) tellTask(t graph.TaskID, attempt uint32, m any) {
	if en := e.tasks[t]; en != nil && en.attempt == attempt && en.ref != (actors.Ref{}) {
		e.c.Tell(en.ref, m)
	}
}

// live lists the tasks whose actor lives, in order.
func (e *Executor) live() []graph.TaskID {
	return slices.DeleteFunc(slices.Clone(e.known), func(t graph.TaskID) bool { return e.tasks[t].ref == (actors.Ref{}) })
}

// status takes a task's word on itself.
func (e *Executor) status(s status) {
	en := e.tasks[s.task]
	if en == nil || en.attempt != s.attempt || en.ref == (actors.Ref{}) {
		return
	}
	old := en.status
	en.status, en.state = s, s.phase.state()
	e.note(&en.news)
	switch {
	case s.phase != old.phase || s.finalized != old.finalized:
		e.changed = true
	case s.committed != old.committed:
		e.changed = e.changed || e.allCommitted()
	}
}

// allCommitted says whether every task has committed what is complete: the leader waits for
// the last one.
func (e *Executor) allCommitted() bool {
	for _, en := range e.tasks { // any order: all are asked
		if en.ref != (actors.Ref{}) && en.status.committed < e.concluded.completed {
			return false
		}
	}
	return true
}

func (p phase) state() protos.TaskState {
	switch p {
	case running:
		return protos.TaskState_RUNNING
	case ended:
		return protos.TaskState_ENDED
	case stopped:
		return protos.TaskState_STOPPED
	}
	return protos.TaskState_DEPLOYING
}

// ack keeps a task's acknowledgement until its checkpoint is concluded. The leader is told at
// once when it is the last one here, for it waits for that; else with the next report.
func (e *Executor) ack(a ack) {
	if a.checkpoint <= e.concluded.concluded {
		return
	}
	e.note(&a.news)
	e.acks = append(e.acks, a)
	e.changed = e.changed || a.declined != "" || e.allAcknowledged(a.checkpoint)
}

func (e *Executor) allAcknowledged(checkpoint uint64) bool {
	missing := 0
	for _, en := range e.tasks { // any order: they are counted
		if en.ref != (actors.Ref{}) {
			missing++
		}
	}
	for _, a := range e.acks {
		if a.checkpoint == checkpoint {
			missing--
		}
	}
	return missing <= 0
}
