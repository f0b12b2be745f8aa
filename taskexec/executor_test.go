package taskexec

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"blink/actors"
	"blink/protos"
	"blink/taskexec/exchange"
)

// reign is a stage with an executor and the leaders that it obeys. The executor looks a minute
// apart at its heart, so what a test waits for comes because of what it did.
type reign struct {
	*stage
	epoch   uint64 // of the leader that speaks
	session uint64
	report  *protos.Report // the last that it got
	vacant  bool           // nobody holds the leader's key
	obeyed  []uint64
}

// reigning is an executor that has heard of the leader of epoch 3, in session 8.
func reigning(t *testing.T) *reign {
	t.Helper()
	r := &reign{stage: newStage(t, sink), epoch: 3, session: 8}
	r.deploy.epoch = r.epoch
	r.config.Slots, r.config.Heartbeat, r.config.Lease, r.config.Leader = 2, time.Minute, 5*time.Minute, r
	r.config.Obeyed = func(epoch uint64) { r.obeyed = append(r.obeyed, epoch) }
	for _, epoch := range []uint64{2, 3, 4} {
		r.spawn(leader(epoch), func(_ *actors.Ctx, m any) error {
			if m, is := m.(*protos.Report); is && epoch == r.epoch {
				r.report = m
			}
			return nil
		})
	}
	executor := New(r.config)
	r.spawn("te", executor.Receive)
	r.orders(r.hello())
	return r
}

// leader is the name of the actor that leads in an epoch.
func leader(epoch uint64) string { return fmt.Sprint("jm-", epoch) }

// Leader is LeaderLookup.
func (r *reign) Leader(context.Context, string) (node, id string, vacant bool, err error) {
	return r.node.Name(), leader(r.epoch), r.vacant, nil
}

// orders tells the executor something, and gives it time to carry it out.
func (r *reign) orders(messages ...any) {
	r.t.Helper()
	for _, m := range messages {
		r.order(m)
	}
	r.pass(3 * time.Second)
}

func (r *reign) order(m any) { r.sys.Tell(actors.Ref{Node: r.node.Name(), ID: "te"}, m) }

func (r *reign) hello() *protos.Hello {
	return &protos.Hello{Job: "job", Epoch: r.epoch, LeaderNode: r.node.Name(), LeaderId: leader(r.epoch), Incarnation: 1, Session: r.session}
}

// seen is a Hello of a leader that has seen the last report.
func (r *reign) seen() *protos.Hello {
	h := r.hello()
	h.Seen = r.report.GetVersion()
	return h
}

func vertex(v uint32) *protos.Task { return &protos.Task{Vertex: v} }

func (r *reign) deployOf(v, attempt uint32) *protos.Deploy {
	d := &protos.Deploy{Job: "job", Epoch: r.epoch, Task: vertex(v), Attempt: attempt, Incarnation: 1, Session: r.session}
	for peer := range names {
		d.Peers = append(d.Peers, &protos.Location{Task: vertex(uint32(peer)), Node: "far", Attempt: attempt})
	}
	return d
}

func (r *reign) cancelOf(v, upTo uint32) *protos.Cancel {
	return &protos.Cancel{Job: "job", Epoch: r.epoch, Task: vertex(v), UpTo: upTo}
}

func (r *reign) triggerOf(checkpoint uint64, v, attempt uint32) *protos.Trigger {
	return &protos.Trigger{Job: "job", Epoch: r.epoch, Checkpoint: checkpoint, Tasks: []*protos.TaskAttempt{{Task: vertex(v), Attempt: attempt}}}
}

// toTask has the messages of a test go to an attempt of sink.
func (r *reign) toTask(attempt uint32) {
	r.deploy.attempt, r.seq = attempt, [3]uint64{}
	r.self = actors.Ref{Node: r.node.Name(), ID: "te/" + exchange.TaskName(r.deploy.task, attempt)}
}

// answers wants a new report with these tasks and acknowledgements when something is ordered.
func (r *reign) answers(order any, want ...string) {
	r.t.Helper()
	r.report = nil
	r.orders(order)
	r.shows(want...)
}

// shows wants these tasks and acknowledgements in the last report.
func (r *reign) shows(want ...string) {
	r.t.Helper()
	if r.report == nil {
		r.t.Fatal("it reports nothing")
	}
	var got []string
	for _, t := range r.report.Tasks {
		if t.State != protos.TaskState_UNKNOWN {
			text := fmt.Sprintf("%s %d.%d %v %s", names[t.Task.Vertex], t.Epoch, t.Attempt, t.State, t.Failure)
			got = append(got, strings.TrimSpace(text))
		}
	}
	for _, a := range r.report.Acks {
		got = append(got, fmt.Sprintf("ack %d of %s %d", a.Checkpoint, names[a.Task.Vertex], a.Attempt))
	}
	if !slices.Equal(got, want) {
		r.t.Errorf("it reports %q, want %q", got, want)
	}
}

func (r *reign) opens(want int) {
	r.t.Helper()
	others := slices.DeleteFunc(slices.Clone(r.diary), func(line string) bool { return line == "open" })
	if opens := len(r.diary) - len(others); opens != want {
		r.t.Errorf("%d tasks have been started, want %d", opens, want)
	}
}

func TestADeployThatIsRepeatedStartsOnce(t *testing.T) {
	r := reigning(t)
	r.orders(r.deployOf(sink, 1), r.deployOf(sink, 1))
	r.orders(r.deployOf(sink, 1))
	r.shows("sink 3.1 RUNNING")
	r.opens(1)
	r.orders(exchange.Lost{Node: "far"})
	const lost = "sink 3.1 FAILED connection to far lost: it carried the channel from task {2 0}"
	r.shows(lost)
	r.answers(r.deployOf(sink, 1), lost) // also when it has failed
	r.opens(1)
}

func TestADeployThatCannotBeIsAFailure(t *testing.T) {
	r := reigning(t)
	d := r.deployOf(sink, 1)
	d.Slot = 2
	r.answers(d, "sink 3.1 FAILED slot 2 of 2")
}
