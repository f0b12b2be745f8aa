package taskexec

import (
	"slices"

	"blink/actors"
	"blink/graph"
	"blink/protos"
	"blink/snapshot"
)

type (
	handle      = snapshot.Handle
	partSummary = snapshot.PartSummary
)

// report sends the executor's state to the JobMaster it obeys, except what that one holds.
// Without a JobMaster it waits: the next that is heard of gets it.
func (e *Executor) report() {
	e.changed = false
	if e.leader == (actors.Ref{}) {
		return
	}
	e.version++
	r := &protos.Report{
		Job: e.config.Job, Executor: e.c.Self().Node, Incarnation: e.config.Incarnation,
		Version: e.version, Since: e.held, Epoch: e.epoch, Slots: uint32(e.config.Slots),
		Fingerprint: e.fingerprint, Concluded: e.concluded.concluded,
	}
	if e.news > e.held {
		e.fill(r)
	}
	e.lease.reported(e.version, e.c.Now())
	e.c.Tell(e.leader, r)
}

// fill adds what the leader does not hold.
func (e *Executor) fill(r *protos.Report) {
	for _, t := range e.known {
		if en := e.tasks[t]; en.news > e.held {
			r.Tasks = append(r.Tasks, reportOf(t, en))
		}
	}
	for _, a := range e.acks {
		if a.news > e.held {
			r.Acks = append(r.Acks, ackOf(a))
		}
	}
}

func reportOf(t graph.TaskID, en *entry) *protos.TaskReport {
	r := &protos.TaskReport{
		Task: protoTask(t), Attempt: en.attempt, Epoch: en.epoch, State: en.state, Failure: en.failure, Unusable: en.unusable, Permanent: en.permanent,
		Slot: int32(en.slot), Restored: en.restored, Committed: en.status.committed, Finalized: en.status.finalized,
	}
	for _, c := range en.status.counters {
		r.Counters = append(r.Counters, &protos.Counter{Operator: c.operator, Metric: c.metric, Value: c.value})
	}
	return r
}

func ackOf(a ack) *protos.Ack {
	p := &protos.Ack{
		Checkpoint: a.checkpoint, Task: protoTask(a.task), Attempt: a.attempt, Declined: a.declined,
		Handle: &protos.Handle{Key: a.handle.Key, Size: a.handle.Size, Checksum: a.handle.Checksum},
	}
	for _, s := range a.parts {
		q := &protos.PartSummary{Operator: s.Operator, Onto: s.Onto, Items: s.Items}
		for _, st := range s.States {
			q.States = append(q.States, &protos.StateSchema{Name: st.Name, Kind: st.Kind, Schema: st.Schema})
		}
		p.Parts = append(p.Parts, q)
	}
	return p
}

// tell sends the task's status to its executor when it has changed, and now and then for
// the counters' sake.
func (t *task) tell() {
	s := status{
		attempt: t.spec.deploy.attempt, task: t.spec.deploy.task, phase: t.phase,
		committed: t.sinks.committed, finalized: t.sinks.finalized,
	}
	old, now := t.status, t.pace.at
	same := s.phase == old.phase && s.committed == old.committed && s.finalized == old.finalized
	if same && (now.Sub(t.toldAt) < t.spec.config.Heartbeat || slices.Equal(t.counters.list, old.counters)) {
		return
	}
	s.counters = slices.Clone(t.counters.list)
	t.status, t.toldAt = s, now
	t.c.Tell(t.c.Parent(), s)
}

func protoTask(t graph.TaskID) *protos.Task {
	return &protos.Task{Vertex: uint32(t.Vertex), Subtask: uint32(t.Subtask)}
}
