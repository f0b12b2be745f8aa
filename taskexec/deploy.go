package taskexec

import (
	"blink/actors"
	"blink/graph"
	"blink/protos"
	"blink/snapshot"
	"blink/taskexec/exchange"
)

// deployment is protos.Deploy in our terms.
type deployment struct {
	task    graph.TaskID
	attempt uint32
	epoch   uint64
	slot    int
	restore uint64
	fetches []fetch
	initial []initialItems
	sources int
}

type initialItems struct {
	operator string
	items    []snapshot.Item
}

// fetch is a piece of a restored checkpoint that a task needs.
type fetch struct {
	handle   handle
	operator string
	groups   graph.Range
	items    []string
}

func deploymentOf(m *protos.Deploy) deployment {
	d := deployment{
		task: taskID(m.Task), attempt: m.Attempt, epoch: m.Epoch, slot: int(m.Slot),
		restore: m.Restore, sources: int(m.Sources),
	}
	for _, f := range m.Fetches {
		d.fetches = append(d.fetches, fetch{
			handle:   handle{Key: f.Handle.GetKey(), Size: f.Handle.GetSize(), Checksum: f.Handle.GetChecksum()},
			operator: f.Operator,
			groups:   graph.Range{From: int(f.GroupFrom), To: int(f.GroupTo)},
			items:    f.Items,
		})
	}
	for _, i := range m.Initial {
		items := initialItems{operator: i.Operator}
		for _, it := range i.Items {
			items.items = append(items.items, snapshot.Item{Name: it.Name, Data: it.Data})
		}
		d.initial = append(d.initial, items)
	}
	return d
}

// peerRefs finds the actors of the tasks at the other ends of a deployed task's channels.
func peerRefs(m *protos.Deploy) func(graph.TaskID) actors.Ref {
	refs := map[graph.TaskID]actors.Ref{}
	for _, p := range m.Peers {
		t := taskID(p.Task)
		refs[t] = actors.Ref{Node: p.Node, ID: "te/" + exchange.TaskName(t, p.Attempt)}
	}
	return func(t graph.TaskID) actors.Ref { return refs[t] }
}

func taskID(t *protos.Task) graph.TaskID {
	return graph.TaskID{Vertex: graph.VertexID(t.GetVertex()), Subtask: int(t.GetSubtask())}
}
