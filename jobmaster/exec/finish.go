package exec

import (
	"math"
	"slices"

	"blink/graph"
)

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

// leavingStep is how far a job is on its way out:
//
//	staying ──StoreResult──► recording ──answered──► emptying ──nothing lives──► sweeping ──► done
type leavingStep uint8

const (
	staying   leavingStep = iota
	recording             // how it ends is being made durable
	emptying              // it is durable, or cannot be made so: the tasks leave
	sweeping              // the slots and what no checkpoint needs are given back
)

func (m *Machine) beginLeaving() {
	m.abort("the job ends")
	m.phase = leaving
	if m.way == emptying { // an earlier leader has recorded it
		m.cancelAll()
	}
}

// recorded is told that the result is durable, so that no later leader runs the job again, or
// that it cannot be made so.
func (m *Machine) recorded(durable bool) {
	if m.phase == leaving && m.way == recording {
		m.way, m.durable = emptying, durable
		m.cancelAll()
	}
}

func (m *Machine) cancelAll() {
	for _, r := range m.regions {
		m.cancelRegion(r)
	}
}

// driveLeaving takes the steps that are due.
func (m *Machine) driveLeaving() {
	if m.cp.step == advancing {
		m.readvance() // the pointer may name this checkpoint: nothing of it may be swept
		return
	}
	if m.way == staying {
		m.way = recording
		m.do(StoreResult{m.result})
	}
	if m.way == emptying && !slices.ContainsFunc(m.regions, func(r *region) bool { return !m.gone(r) }) {
		m.way = sweeping
		m.do(Release{})
		m.do(Collect{Newest: m.sweepable(), Keep: m.kept()})
	}
	if m.way == sweeping && m.swept && m.released {
		m.do(m.result)
		m.phase = done
	}
}

// sweepable is the checkpoint up to which all that is not kept may go.
func (m *Machine) sweepable() uint64 {
	switch n := len(m.cp.retained); {
	case m.inherited && !m.broken:
		return math.MaxUint64 // what an earlier leader has begun and aborted is not known here
	case m.durable && !m.broken:
		return m.cp.highest
	case m.durable && n == 0:
		return 0
	case m.durable:
		return m.cp.retained[n-1].Checkpoint // what is left of the broken one is for people to look at
	}
	return m.cp.completed // the rest may be another leader's
}
