package exec

import (
	"slices"
	"time"

	"blink/graph"
	"blink/internal/mutate"
	"blink/snapshot"
)

// checkpoints is where the job is with its checkpoints. One is taken at a time:
//
//	none ──Trigger──► gathering ──all acknowledged──► storing ──► advancing ──► complete
//	  ▲                   │ time-out, decline, failure   │ failed     │ uncertain: tried again
//	  └───────────────────┴──────────────────────────────┘            └─────┐ fenced: step down
//
// It is complete when the pointer has advanced, and only then does anybody hear of it.
type checkpoints struct {
	step      checkpointStep
	id        uint64
	stop      bool
	final     bool // every task had ended before it was triggered: nothing comes behind it
	began     time.Time
	acks      map[graph.TaskID]snapshot.TaskEntry // of the tasks that have acknowledged
	whole     bool                                // the next snapshots must be whole: one could not be put on the newest complete checkpoint
	manifest  *snapshot.Manifest
	retryAt   time.Time
	nextAt    time.Time
	notBefore time.Time // for a while behind one that was given up
	highest   uint64    // of all ids seen
	concluded uint64    // every checkpoint up to it is complete or aborted
	completed uint64
	last      uint64 // the final or stop checkpoint that is complete
	lastStop  bool
	retained  []*snapshot.Manifest // the newest last
	left      []*snapshot.Manifest // newer than those, and unusable: the pointer names the first
	early     []earlyAck           // of a checkpoint in flight when we took over
}

// earlyAck is an acknowledgement and the executor that keeps it.
type earlyAck struct {
	node string
	Ack
}

type checkpointStep uint8

const (
	none checkpointStep = iota
	gathering
	storing
	advancing
)

// driveCheckpoint begins a checkpoint that is due, and gives up one that takes too long.
func (m *Machine) driveCheckpoint() {
	c := &m.cp
	switch c.step {
	case gathering, storing:
		if m.now.Sub(c.began) >= m.o.CheckpointTimeout {
			m.abort("it took too long")
		}
	case advancing:
		m.readvance()
	}
	if c.step != none || m.phase != active || !m.everyRegion(up) || m.now.Before(c.notBefore) || !m.made() {
		return
	}
	ended := m.allTasks(Ended)
	switch {
	case ended && !m.stopping && c.last == 0:
		m.checkpoint(false, true)
	case m.stopping && c.last == 0:
		m.checkpoint(!ended, ended)
	case c.last == 0 && m.o.CheckpointEvery > 0 && !m.now.Before(m.nextCheckpoint()):
		m.checkpoint(false, false)
	}
}

func (m *Machine) nextCheckpoint() time.Time {
	if m.cp.nextAt.IsZero() {
		m.cp.nextAt = m.now.Add(m.o.CheckpointEvery)
	}
	return m.cp.nextAt
}

func (m *Machine) checkpointTimes() []time.Time {
	switch c := &m.cp; {
	case c.step == gathering || c.step == storing:
		return []time.Time{c.began.Add(m.o.CheckpointTimeout)}
	case c.step == advancing:
		return []time.Time{c.retryAt}
	case c.step == none && m.phase == active && c.last == 0 && m.everyRegion(up) && m.made():
		if m.now.Before(c.notBefore) {
			return []time.Time{c.notBefore}
		}
		if m.o.CheckpointEvery > 0 {
			return []time.Time{c.nextAt}
		}
	}
	return nil
}

func (m *Machine) everyRegion(p regionPhase) bool { return m.in[p] == len(m.regions) }

func (m *Machine) allTasks(s TaskState) bool {
	for _, t := range m.tasks {
		if t.state != s {
			return false
		}
	}
	return true
}

// checkpoint triggers the next checkpoint in every task.
func (m *Machine) checkpoint(stop, final bool) {
	c := &m.cp
	c.highest++
	c.id, c.step, c.stop, c.final, c.began, c.acks = c.highest, gathering, stop, final, m.now, map[graph.TaskID]snapshot.TaskEntry{}
	m.trigger()
}

// trigger tells the tasks that have not acknowledged, an executor at a time.
func (m *Machine) trigger() {
	m.resendAt = m.now.Add(m.o.Resend)
	missing := map[string][]TaskAttempt{} // by node
	for _, t := range m.tasks {
		if _, acked := m.cp.acks[t.id]; !acked {
			missing[t.slot.Node] = append(missing[t.slot.Node], TaskAttempt{t.id, t.attempt})
		}
	}
	for _, e := range m.executors {
		if tasks := missing[e.node]; len(tasks) > 0 {
			m.do(Trigger{Node: e.node, Checkpoint: m.cp.id, Stop: m.cp.stop, Tasks: tasks})
		}
	}
}

func (m *Machine) resendTrigger() {
	if m.cp.step == gathering {
		m.trigger()
	}
}

// learn takes what an executor was told by an earlier leader: that one may have aborted
// checkpoints of which no trace is left, and an executor keeps no acknowledgement of an id
// that is concluded. One whose pointer may have advanced is not concluded before we know:
// whoever hears that it is, and not complete, deletes what it has written for it.
func (m *Machine) learn(concluded uint64) {
	c := &m.cp
	c.highest = max(c.highest, concluded)
	if c.step != none && c.id <= concluded {
		m.abort("an earlier leader has used its id")
	}
	if c.step == advancing {
		concluded = min(concluded, c.id-1)
	}
	c.concluded = max(c.concluded, concluded)
}

// takeAcks takes acknowledgements; they are repeated until their checkpoint is concluded.
func (m *Machine) takeAcks(node string, acks []Ack) {
	for _, a := range acks {
		m.cp.highest = max(m.cp.highest, a.Checkpoint)
		if m.phase == reconciling {
			m.cp.early = append(m.cp.early, earlyAck{node, a})
			continue
		}
		m.takeAck(earlyAck{node, a})
	}
}

func (m *Machine) takeAck(a earlyAck) {
	c, t := &m.cp, m.task(a.Task)
	if c.step != gathering || a.Checkpoint != c.id || t == nil || a.Attempt != t.attempt && !mutate.On(mutate.AttemptFence) {
		return
	}
	if a.node != t.slot.Node {
		return // attempts begin at 1 again when a leader finds none: this is another one of that number
	}
	if a.Declined != "" {
		m.abort("a task declined: " + a.Declined)
		return
	}
	entry, err := m.entry(a.Ack)
	if err != nil {
		c.whole = true // the Hello of the abort says so
		m.abort(err.Error())
		return
	}
	c.acks[a.Task] = entry
	if len(c.acks) == len(m.tasks) {
		m.store()
	}
}

// entry is what the manifest has of a task. Its older layers are known from the newest complete
// checkpoint, also by a leader that finds the acknowledgement.
func (m *Machine) entry(a Ack) (snapshot.TaskEntry, error) {
	plan := m.spec.Plan
	groups := graph.GroupRange(plan.Job.MaxParallelism, plan.Vertices[a.Task.Vertex].Parallelism, a.Task.Subtask)
	var below *snapshot.TaskEntry
	if man := m.newest(); man != nil {
		below = man.Entry(a.Task)
	}
	return snapshot.Stack(snapshot.TaskEntry{Task: a.Task, Attempt: a.Attempt, Handle: a.Handle, Groups: groups}, a.Parts, below)
}

// newest is the manifest of the newest complete checkpoint, nil if there is none or it cannot be
// read. Tasks that have restored an older one beside it write whole snapshots; the others go on
// with deltas.
func (m *Machine) newest() *snapshot.Manifest {
	c := &m.cp
	man := last(c.retained)
	if len(c.left) > 0 {
		man = c.left[0]
	}
	if man == nil || man.Checkpoint != c.completed {
		return nil
	}
	return man
}

func last(ms []*snapshot.Manifest) *snapshot.Manifest {
	if len(ms) == 0 {
		return nil
	}
	return ms[len(ms)-1]
}

// onto is the checkpoint that deltas may go onto; 0: none.
func (m *Machine) onto() uint64 {
	if man := m.newest(); man != nil && !m.cp.whole {
		return man.Checkpoint
	}
	return 0
}

// resumeCheckpoint goes on with the checkpoint that was in flight when we took over, if
// every region was adopted; else it is aborted by its id.
func (m *Machine) resumeCheckpoint() {
	c := &m.cp
	early := c.early
	c.early = nil
	if c.highest <= c.concluded {
		return
	}
	if !m.everyRegion(deploying) || !m.made() {
		c.concluded = c.highest
		return
	}
	c.id, c.step, c.began, c.acks = c.highest, gathering, m.now, map[graph.TaskID]snapshot.TaskEntry{}
	c.stop, c.final = m.stopping, false // we do not know what had ended when it was triggered
	m.trigger()
	for _, a := range early {
		m.takeAck(a)
	}
}

// store writes the manifest of the checkpoint that everybody has acknowledged.
func (m *Machine) store() {
	c := &m.cp
	c.step = storing
	man := &snapshot.Manifest{
		Job: m.spec.Job, Fingerprint: m.spec.Fingerprint, Checkpoint: c.id, Epoch: m.spec.Epoch,
		MaxParallelism: m.spec.Plan.Job.MaxParallelism,
	}
	for _, t := range m.tasks {
		man.Tasks = append(man.Tasks, c.acks[t.id])
	}
	for i := len(c.retained) - 1; i >= 0 && len(man.Older) < m.o.Retained-1; i-- {
		man.Older = append(man.Older, c.retained[i].Key())
	}
	c.manifest = man
	m.do(StoreManifest{man})
}

func (m *Machine) manifestStored(id uint64) {
	if m.cp.step != storing || m.cp.id != id {
		return
	}
	m.cp.step = advancing
	if mutate.On(mutate.DeleteBeforePointer) {
		m.do(Collect{Newest: id, Keep: m.cp.manifest.Objects(m.cp.manifest.Key())})
	}
	m.advance()
}

// readvance tries again what has failed, when the back-off is over.
func (m *Machine) readvance() {
	if c := &m.cp; !c.retryAt.IsZero() && !m.now.Before(c.retryAt) {
		c.retryAt = time.Time{}
		m.advance()
	}
}

func (m *Machine) advance() { m.do(AdvancePointer{m.cp.id, m.cp.manifest.Key()}) }

// pointerAdvanced completes the checkpoint: now sinks may commit, and only now may what it
// replaces be deleted.
func (m *Machine) pointerAdvanced(id uint64) {
	c := &m.cp
	if c.step != advancing || c.id != id {
		return
	}
	c.retained = append(c.retained, c.manifest)
	if n := len(c.retained); n > m.o.Retained {
		c.retained = c.retained[n-m.o.Retained:]
	}
	c.completed, c.left, c.whole = id, nil, false
	m.conclude()
	if c.stop || c.final {
		c.last, c.lastStop = id, c.stop
	}
	m.helloAll()
	m.do(Collect{Newest: id, Keep: m.kept()})
}

// kept are the objects of all retained checkpoints, and of those that cannot be used: somebody
// may look at them until another one is complete.
func (m *Machine) kept() []string {
	var keep []string
	for _, man := range slices.Concat(m.cp.retained, m.cp.left) {
		if mutate.On(mutate.DeleteLayer) {
			man = flat(man)
		}
		keep = append(keep, man.Objects(man.Key())...)
	}
	return keep
}

// flat is a manifest without older layers, for a mutation.
func flat(man *snapshot.Manifest) *snapshot.Manifest {
	one := *man
	one.Tasks = slices.Clone(man.Tasks)
	for i := range one.Tasks {
		one.Tasks[i].Below = nil
	}
	return &one
}

// abort gives up the checkpoint in flight. One whose pointer may have advanced is beyond
// that: it is pursued until we know.
func (m *Machine) abort(reason string) {
	if m.cp.step != gathering && m.cp.step != storing {
		return
	}
	m.note("checkpoint %d is aborted: %s", m.cp.id, reason)
	m.conclude()
	m.cp.notBefore = m.now.Add(m.o.Resend)
	m.helloAll()
}

func (m *Machine) conclude() {
	c := &m.cp
	c.concluded = max(c.concluded, c.id)
	c.step, c.acks, c.manifest, c.retryAt = none, nil, nil, time.Time{}
	c.nextAt = time.Time{}
	if m.o.CheckpointEvery > 0 {
		c.nextAt = c.began.Add(m.o.CheckpointEvery)
		if soonest := m.now.Add(m.o.CheckpointPause); c.nextAt.Before(soonest) {
			c.nextAt = soonest
		}
	}
}
