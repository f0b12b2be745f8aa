package exec

import "blink/graph"

// driveEnd leads a job whose last checkpoint is complete to its end: sinks commit, results
// are published. A failure on the way brings it back to running.
func (m *Machine) driveEnd() {
	c := &m.cp
	if c.last == 0 {
		return
	}
	if !m.everyRegion(up) {
		c.last, m.phase = 0, active // a restart from it leads here again
		return
	}
	if c.lastStop {
		m.driveStop()
		return
	}
	if !m.allCommitted() {
		return
	}
	if m.phase == active {
		m.phase = finalizing
		m.finalizeSinks()
	}
	if m.allFinalized() {
		m.leave(Finish{State: JobFinished})
	}
}

// driveStop ends a stopped job. When a task runs on, because an earlier leader has triggered
// the checkpoint for it before it knew of the stop, everybody stops again: a task rests until
// the next checkpoint is triggered.
func (m *Machine) driveStop() {
	switch {
	case !m.allAtRest():
		m.cp.last = 0
	case m.allCommitted():
		m.leave(Finish{State: JobStopped})
	}
}

// allAtRest says whether every task is at rest behind its last snapshot.
func (m *Machine) allAtRest() bool {
	for _, t := range m.tasks {
		if t.state != Stopped && t.state != Ended {
			return false
		}
	}
	return true
}

func (m *Machine) allCommitted() bool {
	for _, t := range m.tasks {
		if t.report.Committed < m.cp.last {
			return false
		}
	}
	return true
}

// publishers are the first tasks of the vertices with sinks.
func (m *Machine) publishers() []*task {
	var ts []*task
	for _, v := range m.spec.Plan.Sinks() {
		ts = append(ts, m.task(graph.TaskID{Vertex: v}))
	}
	return ts
}

func (m *Machine) finalizeSinks() {
	for _, t := range m.publishers() {
		if t.report.Finalized < m.cp.last {
			m.do(Finalize{t.slot.Node, t.id, t.attempt, m.cp.last})
		}
	}
}

func (m *Machine) resendFinalize() {
	if m.phase == finalizing {
		m.finalizeSinks()
	}
}

func (m *Machine) allFinalized() bool {
	for _, t := range m.publishers() {
		if t.report.Finalized < m.cp.last {
			return false
		}
	}
	return true
}

// leave decides how the job ends; the first word stands.
func (m *Machine) leave(result Finish) {
	if m.result.State != "" {
		return
	}
	m.result = result
	if m.phase != reconciling { // else first it must be known what lives
		m.beginLeaving()
	}
}

func (m *Machine) beginLeaving() {
	m.abort("the job ends")
	m.phase = leaving
	if m.settled {
		m.cancelAll()
	}
}

// settle is told that the result is durable, so that no later leader runs the job again, or
// that it cannot be made so: the tasks leave.
func (m *Machine) settle(durable bool) {
	if m.phase == leaving && !m.settled {
		m.settled, m.durable = true, durable
		m.cancelAll()
	}
}

func (m *Machine) cancelAll() {
	for _, r := range m.regions {
		m.cancelRegion(r)
	}
}

// driveLeaving ends the job: the result becomes durable, the tasks leave, what is left of
// them is swept.
func (m *Machine) driveLeaving() {
	if m.cp.step == advancing {
		m.readvance() // the pointer may name this checkpoint: nothing of it may be swept
		return
	}
	if !m.settled {
		if !m.storing {
			m.storing = true
			m.do(StoreResult{m.result})
		}
		return
	}
	for _, r := range m.regions {
		if !m.gone(r) {
			return
		}
	}
	if !m.sweeping {
		m.sweeping = true
		m.do(Release{})
		newest := m.cp.highest
		if m.broken || !m.durable {
			newest = m.cp.completed // what is left of the broken one is for people to look at, and the rest may be another leader's
		}
		m.do(Collect{Newest: newest, Keep: m.kept()})
	}
	if m.swept && m.released {
		m.do(m.result)
		m.phase = done
	}
}
