package exchange

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"blink"
	"blink/actors"
	"blink/connector/files"
	"blink/graph"
	"blink/operator"
	"blink/protos"
	"blink/snapshot/store"
	"blink/taskexec"
	"blink/taskexec/exchange"
)

// The two processes, and what their executors are told.
const (
	near = "near" // with the sources
	far  = "far"  // with all the rest

	job          = "exchange"
	executor     = "te"
	leader       = "jm"
	epoch        = 1
	registration = 1
	incarnation  = 1
)

// node is a process: an executor with the connections of production, and who gives it orders.
type node struct {
	name    string
	sys     *actors.System
	conns   *exchange.Conns
	plan    *graph.Plan
	program *operator.Program
	reports chan *protos.Report

	frames, bytes atomic.Int64 // sent
}

// Send implements exchange.Links: it counts.
func (n *node) Send(to actors.Ref, frame []byte) {
	n.frames.Add(1)
	n.bytes.Add(int64(len(frame)))
	n.conns.Send(to, frame)
}

// Flush implements exchange.Links.
func (n *node) Flush() { n.conns.Flush() }

// newNode starts an executor for the tasks of a program, with what config says of them. peer says
// where the other process listens.
func newNode(name string, p blink.Program, config taskexec.Config, peer func() string) (*node, error) {
	n := &node{name: name, reports: make(chan *protos.Report, 1024), sys: actors.New(actors.Config{Node: name})}
	config.Job, config.Program = job, func() (*operator.Program, error) { return n.program, nil }
	config.NewLoop, config.Leader, config.Links = n.sys.NewLoop, n, n
	config.Incarnation, config.Lease, config.Heartbeat = incarnation, time.Hour, time.Second
	config.Store, config.FS = store.Memory(), files.OS()
	config = config.Defaults()
	err := config.Validate()
	if err != nil {
		return nil, err
	}
	if n.program, err = p.Describe(nil); err != nil {
		return nil, err
	}
	if n.plan, err = graph.Compile(n.program.Job); err != nil {
		return nil, err
	}
	n.conns, err = exchange.Listen("127.0.0.1:0", exchange.ConnOptions{
		Node:    name,
		Find:    func(context.Context, string) (string, error) { return peer(), nil },
		Deliver: func(to actors.Ref, m any) { n.sys.Deliver(actors.Ref{}, to, m) },
		Lost:    func(peer string) { n.tell(exchange.Lost{Node: peer}) },
	})
	if err != nil {
		return nil, err
	}
	for id, make := range map[string]func() actors.Actor{ // in any order: neither speaks first
		leader:   func() actors.Actor { return (*follower)(n) },
		executor: func() actors.Actor { return taskexec.New(config) },
	} {
		if _, err := n.sys.Spawn(id, id, make); err != nil {
			return nil, errors.Join(err, n.close())
		}
	}
	return n, nil
}

// follower takes the executor's reports.
type follower node

// Receive implements actors.Actor.
func (f *follower) Receive(_ *actors.Ctx, m any) error {
	if r, ok := m.(*protos.Report); ok {
		f.reports <- r
	}
	return nil
}

// Leader implements taskexec.LeaderLookup.
func (n *node) Leader(context.Context, string) (node, id string, vacant bool, err error) {
	return n.name, leader, false, nil
}

func (n *node) tell(m any) { n.sys.Tell(actors.Ref{Node: n.name, ID: executor}, m) }

// home is the process of a vertex.
func (n *node) home(v graph.Vertex) string {
	if len(v.In) == 0 {
		return near
	}
	return far
}

// deploy starts the tasks of this process.
func (n *node) deploy() error {
	n.tell(&protos.Hello{Job: job, Epoch: epoch, LeaderNode: n.name, LeaderId: leader, Incarnation: incarnation, Registration: registration})
	var all []*protos.Location
	for _, v := range n.plan.Vertices {
		for i := range v.Parallelism {
			all = append(all, &protos.Location{Task: taskOf(v, i), Node: n.home(v), Attempt: 1})
		}
	}
	for _, v := range n.plan.Vertices {
		if n.home(v) != n.name {
			continue
		}
		for i := range v.Parallelism {
			initial, err := n.initial(v, i)
			if err != nil {
				return err
			}
			n.tell(&protos.Deploy{
				Job: job, Epoch: epoch, Task: taskOf(v, i), Attempt: 1, Slot: uint32(i), Initial: initial, Peers: all,
				Sources: uint32(v.Parallelism), Incarnation: incarnation, Registration: registration,
			})
		}
	}
	return nil
}

func taskOf(v graph.Vertex, subtask int) *protos.Task {
	return &protos.Task{Vertex: uint32(v.ID), Subtask: uint32(subtask)}
}

// initial is the split of a source's task.
func (n *node) initial(v graph.Vertex, subtask int) (all []*protos.InitialItems, err error) {
	for _, op := range v.Operators {
		enumerate := n.program.Factories[op].Splits
		if enumerate == nil {
			continue
		}
		items, err := enumerate(context.Background(), files.OS())
		if err != nil {
			return nil, err
		}
		i := items[subtask]
		all = append(all, &protos.InitialItems{Operator: n.program.Job.Operators[op].ID, Items: []*protos.Item{{Name: i.Name, Data: i.Data}}})
	}
	return all, nil
}

// wait returns when every task of this process has ended, or one has failed.
func (n *node) wait(ctx context.Context) error {
	tasks, ended := 0, map[string]bool{}
	for _, v := range n.plan.Vertices {
		if n.home(v) == n.name {
			tasks += v.Parallelism
		}
	}
	for len(ended) < tasks {
		select {
		case r := <-n.reports:
			for _, t := range r.Tasks {
				switch t.State {
				case protos.TaskState_FAILED:
					return fmt.Errorf("task %v failed: %s", t.Task, t.Failure)
				case protos.TaskState_ENDED:
					ended[t.Task.String()] = true
				}
			}
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

// close ends the tasks, which tells the tally what they have seen.
func (n *node) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	return errors.Join(n.sys.Shutdown(ctx), n.conns.Close())
}
