package exec

import (
	"slices"
	"strings"
	"time"

	"blink/graph"
	"blink/internal/mutate"
	"blink/placement"
)

// recovered begins reconciling with the executors that the resource manager lists.
func (m *Machine) recovered(ev Recovered) {
	m.began = m.now
	m.splits, m.known = ev.Splits, ev.Splits != nil
	for _, node := range ev.Executors {
		m.executor(node)
	}
	m.cp.retained = ev.Manifests
	// Also if it is broken: sinks commit up to it, and its number is not used again.
	m.cp.completed, m.cp.concluded, m.cp.highest = ev.Newest, ev.Newest, ev.Newest
	switch {
	case ev.Over != nil:
		m.way, m.durable, m.inherited, m.broken = emptying, true, true, ev.Broken != ""
		m.leave(*ev.Over) // what is left of it
	case ev.Broken == "":
	case !m.o.AllowFallback || len(ev.Manifests) == 0:
		m.broken = true
		m.leave(stranded("the newest checkpoint cannot be used: "+ev.Broken, len(ev.Manifests)))
	default:
		m.note("the newest checkpoint cannot be used (%s): going back to checkpoint %d", ev.Broken, ev.Manifests[len(ev.Manifests)-1].Checkpoint)
	}
}

// executor finds or adds the executor of a node.
func (m *Machine) executor(node string) *executor {
	i, ok := m.search(node)
	if !ok {
		e := &executor{node: node, heard: m.now}
		m.register(e)
		m.executors = slices.Insert(m.executors, i, e)
		m.watch(e)
		m.hello(e)
	}
	return m.executors[i]
}

// find finds the executor of a node, nil if there is none.
func (m *Machine) find(node string) *executor {
	if i, ok := m.search(node); ok {
		return m.executors[i]
	}
	return nil
}

func (m *Machine) search(node string) (at int, found bool) {
	return slices.BinarySearchFunc(m.executors, node, func(e *executor, n string) int { return strings.Compare(e.node, n) })
}

// register begins a registration of an executor.
func (m *Machine) register(e *executor) {
	m.registrations++
	e.registration = m.registrations
}

// expiry is when an executor that stays silent is given up: its own lease has run out by
// then, since it counts from a report that we heard. The lease of one that does not obey us
// yet may have been renewed by an earlier leader, until that one noticed that it leads no
// longer.
func (m *Machine) expiry(e *executor) time.Time {
	heard := e.heard
	if other := m.began.Add(m.o.Handover); !e.obeys && heard.Before(other) {
		heard = other
	}
	return heard.Add(m.o.Lease + m.o.Drift)
}

// watch looks at an executor when it may have to be given up.
func (m *Machine) watch(e *executor) {
	if at := m.expiry(e); m.expires.IsZero() || at.Before(m.expires) {
		m.expires = at
	}
}

// expireExecutors gives up those that were silent for too long. When all slots are given back,
// silence says nothing any more: the resource manager ends them.
func (m *Machine) expireExecutors() {
	if m.expires.IsZero() || m.now.Before(m.expires) || m.way == sweeping {
		return
	}
	m.expires = time.Time{}
	for _, e := range m.executors {
		switch {
		case e.lost:
		case m.now.Before(m.expiry(e)):
			m.watch(e)
		default:
			e.lost = true
			m.register(e) // what we sent in the old registration is refused from now on
			m.forget(e, "executor "+e.node+" was lost")
		}
	}
}

// forget drops all claims on an executor's process: it has stopped its tasks, or is gone.
func (m *Machine) forget(e *executor, why string) {
	e.reported, e.held = nil, 0
	if e.obeys {
		e.obeys = false
		m.do(Available{Node: e.node})
	}
	var struck []*region
	for _, t := range m.tasks {
		n := len(t.claims)
		t.claims = slices.DeleteFunc(t.claims, func(c claim) bool { return c.node == e.node })
		if len(t.claims) < n && t.slot.Node == e.node {
			struck = append(struck, t.region)
		}
	}
	for _, r := range struck {
		m.fail(r, why)
	}
}

// reported takes an executor's state, unless it is older than what we know.
func (m *Machine) reported(r Reported) {
	if r.Epoch > m.spec.Epoch {
		m.stepDown("executor " + r.Node + " obeys a later leader")
		return
	}
	if r.Fingerprint != m.spec.Fingerprint {
		m.foreign(r)
		return
	}
	e := m.executor(r.Node)
	if r.Incarnation < e.incarnation || r.Incarnation == e.incarnation && r.Version <= e.version {
		if !mutate.On(mutate.TrustStaleReport) {
			return
		}
	}
	if r.Incarnation != e.incarnation {
		if e.incarnation != 0 {
			m.register(e)
			m.forget(e, "executor "+e.node+" was started anew")
		}
		e.incarnation, e.foreign = r.Incarnation, false
	}
	e.version, e.heard, e.lost = r.Version, m.now, false
	defer m.watch(e)
	if r.Epoch < m.spec.Epoch || r.Since > e.held {
		m.hello(e) // what it says may change until it obeys us, or adds to what we do not know
		return
	}
	e.hold(r)
	if !e.obeys {
		e.obeys = true
		m.do(Available{e.node, r.Slots})
		m.hello(e)
	}
	m.learn(r.Concluded)
	m.takeAcks(r.Node, r.Acks)
	if m.phase != reconciling {
		m.compare(e)
	}
}

// hold takes what a report tells of the tasks.
func (e *executor) hold(r Reported) {
	e.held = r.Version
	if r.Since == 0 {
		e.reported = slices.Clone(r.Tasks)
		return
	}
	for _, t := range r.Tasks {
		i, known := slices.BinarySearchFunc(e.reported, t.Task, func(k TaskReport, id graph.TaskID) int { return k.Task.Compare(id) })
		if known {
			e.reported[i] = t
		} else {
			e.reported = slices.Insert(e.reported, i, t)
		}
	}
}

// foreign hears of an executor that runs another version of the job's program: it may be left
// over from before the job was changed, and run tasks of the earlier version that nobody may
// run twice. It gets no tasks, is not told that it is heard, and so is given up when its lease
// has run out; the process that ran before it on its node is gone.
func (m *Machine) foreign(r Reported) {
	e := m.find(r.Node)
	if e == nil || e.lost || r.Incarnation < e.incarnation || r.Incarnation == e.incarnation && e.foreign {
		return
	}
	m.note("executor %s gets no tasks: it runs another version of the job's program; deploy the same binary everywhere", e.node)
	if e.incarnation != 0 {
		m.forget(e, "executor "+e.node+" was started anew")
	}
	e.incarnation, e.version, e.foreign, e.heard = r.Incarnation, 0, true, m.now
	m.watch(e)
}

// dismiss forgets the executors that were given up and that nothing names any more.
func (m *Machine) dismiss() {
	if !slices.ContainsFunc(m.executors, func(e *executor) bool { return e.lost }) {
		return
	}
	named := map[string]bool{}
	for _, t := range m.tasks {
		named[t.slot.Node] = true
		for _, c := range t.claims {
			named[c.node] = true
		}
	}
	m.executors = slices.DeleteFunc(m.executors, func(e *executor) bool { return e.lost && !named[e.node] })
}

// endReconciling adopts what runs, once every executor has answered or was given up; or
// cancels it, when the job is to end.
func (m *Machine) endReconciling() {
	for _, e := range m.executors {
		if !e.obeys && !e.lost {
			return
		}
	}
	m.phase, m.placings = active, 1
	for _, e := range m.executors {
		m.claim(e)
	}
	if m.result.State != "" {
		m.beginLeaving()
		return
	}
	if m.foundLost(); m.phase == leaving {
		return
	}
	for _, r := range m.regions {
		m.adopt(r)
	}
	m.resumeCheckpoint()
	if !m.known && !slices.ContainsFunc(m.regions, func(r *region) bool { return r.phase == up || r.phase == deploying }) && m.cp.completed == 0 {
		m.phase = starting
		m.do(Enumerate{})
	}
}

// claim notes every instance that an executor reported alive, and the best one of each task.
func (m *Machine) claim(e *executor) {
	for _, r := range e.reported {
		t := m.task(r.Task)
		if t == nil {
			m.do(Cancel{e.node, r.Task, r.Attempt})
			continue
		}
		if !r.State.live() {
			if r.Attempt >= t.highest && r.Slot >= 0 && t.state == Absent {
				t.slot = placement.Slot{Node: e.node, Index: r.Slot} // it may come back there
			}
			t.highest = max(t.highest, r.Attempt)
			continue
		}
		t.highest = max(t.highest, r.Attempt)
		t.claims = append(t.claims, claim{e.node, r.Attempt})
		if t.state == Absent || r.Attempt > t.attempt || r.Attempt == t.attempt && r.Epoch > t.report.Epoch {
			t.attempt, t.state, t.report = r.Attempt, r.State, r
			m.stopping = m.stopping || r.State == Stopped
			t.slot = placement.Slot{Node: e.node, Index: r.Slot}
			t.placed = 1 // what lives comes before what has left
		}
	}
}

// foundLost ends the job if the newest attempt of a task has failed for good.
func (m *Machine) foundLost() {
	for _, e := range m.executors {
		for _, r := range e.reported {
			t := m.task(r.Task)
			if t != nil && r.State == Failed && r.Permanent && r.Attempt >= t.highest && len(t.claims) == 0 {
				m.failForGood(t.region, r.Failure)
			}
		}
	}
}

// adopt takes over a region all of whose tasks live at one attempt of one leader, and of
// which nothing else lives; else what lives of it is cancelled and it starts again.
func (m *Machine) adopt(r *region) {
	whole, alive := true, false
	for _, t := range r.tasks {
		alive = alive || len(t.claims) > 0
		whole = whole && len(t.claims) == 1 && t.attempt == r.tasks[0].attempt && t.report.Epoch == r.tasks[0].report.Epoch
	}
	switch {
	case whole:
		r.attempt = r.tasks[0].attempt
		m.move(r, deploying)
	case alive:
		m.move(r, up)
		m.fail(r, "not all of its tasks were running when a new leader took over")
	}
}

// compare holds an executor's report against what we want of it.
func (m *Machine) compare(e *executor) {
	for _, r := range e.reported {
		t := m.task(r.Task)
		if t == nil {
			if r.State.live() {
				m.do(Cancel{e.node, r.Task, r.Attempt})
			}
			continue
		}
		t.highest = max(t.highest, r.Attempt)
		ours := t.slot.Node == e.node && t.attempt == r.Attempt && t.region.phase >= deploying && t.region.phase <= cancelling
		switch {
		case r.State == Canceled:
			t.claims = slices.DeleteFunc(t.claims, func(c claim) bool { return c.node == e.node && c.attempt <= r.Attempt })
			if ours && t.region.phase != cancelling {
				m.fail(t.region, "its executor "+e.node+" has stopped a task")
			}
		case !ours && r.State.live():
			m.do(Cancel{e.node, r.Task, r.Attempt}) // nobody wants it
		case ours && t.region.phase != cancelling:
			m.observe(t, r)
		}
	}
}

// observe takes the report of a task where we want it.
func (m *Machine) observe(t *task, r TaskReport) {
	t.deploy = nil
	t.state, t.report = r.State, r
	m.stopping = m.stopping || r.State == Stopped // an earlier leader was asked
	switch {
	case r.State != Failed:
	case r.Permanent:
		m.failForGood(t.region, r.Failure)
	default:
		m.fail(t.region, r.Failure)
		if r.Unusable {
			m.fallBack(r)
		}
	}
}
