package jobmaster

import (
	"blink/actors"
	"blink/graph"
	"blink/jobmaster/exec"
	"blink/protos"
	"blink/snapshot"
)

// Messages of the wire in the machine's terms, and back.

func eventOf(r *protos.Report) exec.Reported {
	ev := exec.Reported{
		Node: r.Executor, Incarnation: r.Incarnation, Version: r.Version, Epoch: r.Epoch, Fingerprint: r.Fingerprint,
		Since: r.Since, Slots: int(r.Slots), Concluded: r.Concluded,
	}
	for _, t := range r.Tasks {
		task := exec.TaskReport{
			Task: taskID(t.Task), Attempt: t.Attempt, Epoch: t.Epoch, State: stateOf(t.State), Failure: t.Failure, Unusable: t.Unusable, Permanent: t.Permanent,
			Slot: int(t.Slot), Restored: t.Restored, Committed: t.Committed, Finalized: t.Finalized,
		}
		for _, c := range t.Counters {
			task.Counters = append(task.Counters, exec.Counter{Operator: c.Operator, Metric: c.Metric, Value: c.Value})
		}
		ev.Tasks = append(ev.Tasks, task)
	}
	for _, a := range r.Acks {
		ev.Acks = append(ev.Acks, ackOf(a))
	}
	return ev
}

func stateOf(s protos.TaskState) exec.TaskState {
	switch s {
	case protos.TaskState_DEPLOYING:
		return exec.Deploying
	case protos.TaskState_RUNNING:
		return exec.Running
	case protos.TaskState_ENDED:
		return exec.Ended
	case protos.TaskState_STOPPED:
		return exec.Stopped
	case protos.TaskState_FAILED:
		return exec.Failed
	case protos.TaskState_CANCELED:
		return exec.Canceled
	}
	return exec.Absent
}

func ackOf(a *protos.Ack) exec.Ack {
	out := exec.Ack{
		Checkpoint: a.Checkpoint, Task: taskID(a.Task), Attempt: a.Attempt, Declined: a.Declined,
		Handle: snapshot.Handle{Key: a.Handle.GetKey(), Size: a.Handle.GetSize(), Checksum: a.Handle.GetChecksum()},
	}
	for _, p := range a.Parts {
		sum := snapshot.PartSummary{Operator: p.Operator, Onto: p.Onto, Items: p.Items}
		for _, s := range p.States {
			sum.States = append(sum.States, snapshot.StateSchema{Name: s.Name, Kind: s.Kind, Schema: s.Schema})
		}
		out.Parts = append(out.Parts, sum)
	}
	return out
}

func helloOf(a exec.Hello, job string, epoch uint64, leader actors.Ref) *protos.Hello {
	return &protos.Hello{
		Job: job, Epoch: epoch, LeaderNode: leader.Node, LeaderId: leader.ID,
		Concluded: a.Concluded, Completed: a.Completed, Onto: a.Onto, Seen: a.Seen, Held: a.Held,
		Incarnation: a.Incarnation, Registration: a.Registration,
	}
}

func deployOf(a exec.Deploy, job string, epoch uint64) *protos.Deploy {
	d := &protos.Deploy{
		Job: job, Epoch: epoch, Task: protoTask(a.Task), Attempt: a.Attempt, Slot: uint32(a.Slot),
		Restore: a.Restore, Sources: uint32(a.Sources), Incarnation: a.Incarnation, Registration: a.Registration,
	}
	for _, f := range a.Fetches {
		d.Fetches = append(d.Fetches, &protos.Fetch{
			Handle:   &protos.Handle{Key: f.Handle.Key, Size: f.Handle.Size, Checksum: f.Handle.Checksum},
			Operator: f.Operator, GroupFrom: uint32(f.Groups.From), GroupTo: uint32(f.Groups.To), Items: f.Items,
		})
	}
	for _, s := range a.Initial {
		items := &protos.InitialItems{Operator: s.Operator}
		for _, it := range s.Items {
			items.Items = append(items.Items, &protos.Item{Name: it.Name, Data: it.Data})
		}
		d.Initial = append(d.Initial, items)
	}
	for _, p := range a.Peers {
		d.Peers = append(d.Peers, &protos.Location{Task: protoTask(p.Task), Node: p.Node, Attempt: p.Attempt})
	}
	return d
}

func taskID(t *protos.Task) graph.TaskID {
	return graph.TaskID{Vertex: graph.VertexID(t.GetVertex()), Subtask: int(t.GetSubtask())}
}

func protoTask(t graph.TaskID) *protos.Task {
	return &protos.Task{Vertex: uint32(t.Vertex), Subtask: uint32(t.Subtask)}
}
