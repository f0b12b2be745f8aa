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
	epoch        uint64 // of the leader that speaks
	registration uint64
	report       *protos.Report // the last that it got
	reports      int            // how many it got
	vacant       bool           // nobody holds the leader's key
	obeyed       []uint64
}

// reigning is an executor that has heard of the leader of epoch 3, in registration 8.
func reigning(t *testing.T) *reign {
	t.Helper()
	r := &reign{stage: newStage(t, sink), epoch: 3, registration: 8}
	r.deploy.epoch, r.around = r.epoch, "far"
	r.config.Slots, r.config.Heartbeat, r.config.Lease, r.config.Leader = 2, time.Minute, 5*time.Minute, r
	r.config.Obeyed = func(epoch uint64) { r.obeyed = append(r.obeyed, epoch) }
	for _, epoch := range []uint64{2, 3, 4} {
		r.spawn(leader(epoch), func(_ *actors.Ctx, m any) error {
			if m, is := m.(*protos.Report); is && epoch == r.epoch {
				r.report, r.reports = m, r.reports+1
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
	return &protos.Hello{Job: "job", Epoch: r.epoch, LeaderNode: r.node.Name(), LeaderId: leader(r.epoch), Incarnation: 1, Registration: r.registration}
}

// seen is a Hello of a leader that has seen the last report.
func (r *reign) seen() *protos.Hello {
	h := r.hello()
	h.Seen = r.report.GetVersion()
	return h
}

func vertex(v uint32) *protos.Task { return &protos.Task{Vertex: v} }

func (r *reign) deployOf(v, attempt uint32) *protos.Deploy {
	d := &protos.Deploy{Job: "job", Epoch: r.epoch, Task: vertex(v), Attempt: attempt, Incarnation: 1, Registration: r.registration}
	for peer := range names {
		d.Peers = append(d.Peers, &protos.Location{Task: vertex(uint32(peer)), Node: r.around, Attempt: attempt})
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

// What a leader orders that has been deposed, or that of another job, changes nothing, but is
// answered: whoever still listens to it learns of the newer epoch.
func TestOnlyTheLeaderOfTheHighestEpochIsObeyed(t *testing.T) {
	r := reigning(t)
	r.orders(r.deployOf(sink, 1))
	r.shows("sink 3.1 RUNNING")
	r.epoch = 2
	old := r.hello()
	old.Concluded, old.Completed = 9, 9
	stale := []any{old, r.deployOf(work, 1), r.deployOf(sink, 2), r.cancelOf(sink, 1), r.triggerOf(9, sink, 1),
		&protos.Finalize{Job: "job", Epoch: 2, Task: vertex(sink), Attempt: 1, Checkpoint: 9}}
	r.epoch = 3
	other := r.cancelOf(sink, 1)
	other.Job, other.Epoch = "other", 9
	for _, m := range append(stale, other) {
		r.answers(m, "sink 3.1 RUNNING")
		if r.report.Epoch != 3 || r.report.Concluded != 0 {
			t.Errorf("after %T it is in epoch %d with %d concluded, want 3 and 0", m, r.report.Epoch, r.report.Concluded)
		}
	}
	r.opens(1)
	if i := slices.IndexFunc(r.obeyed, func(epoch uint64) bool { return epoch != 3 }); i >= 0 {
		t.Errorf("it has obeyed the leader of epoch %d", r.obeyed[i])
	}
}

func TestADeployIsRefusedUnlessItBelongsToTheDealingsOfNow(t *testing.T) {
	for _, test := range []struct {
		name  string
		spoil func(r *reign, d *protos.Deploy)
	}{
		{"of another process", func(_ *reign, d *protos.Deploy) { d.Incarnation = 2 }},
		{"of an earlier registration", func(_ *reign, d *protos.Deploy) { d.Registration-- }},
		{"of a later registration", func(_ *reign, d *protos.Deploy) { d.Registration++ }},
		{"of a leader that has not greeted", func(r *reign, d *protos.Deploy) { d.Epoch++ }},
		{"when the lease has run out", func(r *reign, _ *protos.Deploy) { r.pass(r.config.Lease) }},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := reigning(t)
			d := r.deployOf(sink, 1)
			test.spoil(r, d)
			r.orders(d)
			r.opens(0)
		})
	}
}

func TestADeployThatIsRepeatedStartsOnce(t *testing.T) {
	r := reigning(t)
	r.orders(r.deployOf(sink, 1), r.deployOf(sink, 1))
	r.orders(r.deployOf(sink, 1))
	r.shows("sink 3.1 RUNNING")
	r.opens(1)
	r.orders(exchange.Lost{Node: "far"})
	const lost = "sink 3.1 FAILED connection to far lost: it carried the edge from operator \"work\" to operator \"sink\", of records of type int"
	r.shows(lost)
	r.answers(r.deployOf(sink, 1), lost) // also when it has failed
	r.opens(1)
}

func TestADeployThatCannotBeIsAFailure(t *testing.T) {
	r := reigning(t)
	d := r.deployOf(sink, 1)
	d.Slot = 2
	r.answers(d, "sink 3.1 FAILED slot 2 is not among the 2 of this TaskExecutor, which count from 0")
}

// An attempt starts only when nothing of the one before is left; until then its Deploy ends
// that one, and is to be repeated.
func TestAnAttemptWaitsForTheOneBefore(t *testing.T) {
	r := reigning(t)
	r.orders(r.deployOf(sink, 1))
	r.on["close"] = func() { r.order(r.deployOf(sink, 2)) }
	r.orders(r.deployOf(sink, 2))
	r.shows("sink 3.1 CANCELED")
	r.opens(1)
	r.orders(r.deployOf(sink, 2))
	r.shows("sink 3.2 RUNNING")
	r.opens(2)
}

// A cancelled attempt is reported as such when nothing of it is left, and neither it nor an
// earlier one is ever started again.
func TestACancelEndsAttemptsUpToOne(t *testing.T) {
	r := reigning(t)
	r.orders(r.deployOf(sink, 4))
	r.orders(r.cancelOf(sink, 3))
	r.shows("sink 3.4 RUNNING")
	r.on["close"] = func() { r.w.Sleep(5 * time.Second) }
	r.orders(r.cancelOf(sink, 5), r.cancelOf(sink, 5))
	r.shows("sink 3.4 RUNNING")
	r.pass(5 * time.Second)
	r.shows("sink 3.5 CANCELED")
	r.answers(r.deployOf(sink, 5), "sink 3.5 CANCELED")
	r.orders(r.cancelOf(work, 6), r.deployOf(work, 6)) // it was never here
	r.shows("work 0.6 CANCELED", "sink 3.5 CANCELED")
	r.opens(1)
	r.orders(r.deployOf(sink, 6), r.deployOf(work, 7))
	r.shows("work 3.7 RUNNING", "sink 3.6 RUNNING")
}

func TestAFailureIsReportedUntilItIsCancelled(t *testing.T) {
	r := reigning(t)
	r.fails["start"] = 1
	r.orders(r.deployOf(sink, 1))
	r.shows(`sink 3.1 FAILED operator "sink": start: no luck with start`)
	r.orders(r.cancelOf(sink, 1))
	r.shows("sink 3.1 CANCELED")
}

func TestAnAcknowledgementIsKeptUntilItsCheckpointIsConcluded(t *testing.T) {
	r := reigning(t)
	r.orders(r.deployOf(sink, 1))
	r.toTask(1)
	r.send(work, "1 barrier 7")
	r.orders(r.hello())
	r.send(work, "2 barrier 8")
	r.orders()
	r.shows("sink 3.1 RUNNING", "ack 7 of sink 1", "ack 8 of sink 1")
	r.epoch = 4 // which has heard of neither
	r.answers(r.hello(), "sink 3.1 RUNNING", "ack 7 of sink 1", "ack 8 of sink 1")
	h := r.hello()
	h.Concluded, h.Completed = 7, 7
	r.orders(h)
	r.orders(r.hello()) // that comes late
	r.send(work, "3 barrier 9")
	r.orders()
	r.shows("sink 3.1 RUNNING", "ack 8 of sink 1", "ack 9 of sink 1")
	if task := r.report.Tasks[0]; r.report.Concluded != 7 || task.Committed != 7 {
		t.Errorf("%d is concluded and %d committed, want 7", r.report.Concluded, task.Committed)
	}
}

func TestAnOrderReachesTheAttemptThatItNames(t *testing.T) {
	r := reigning(t)
	h := r.hello()
	h.Concluded, h.Completed = 6, 6
	r.orders(h, r.deployOf(sink, 2))
	r.toTask(2)
	r.send(work, "end")
	finalize := func(attempt uint32) *protos.Finalize {
		return &protos.Finalize{Job: "job", Epoch: 3, Task: vertex(sink), Attempt: attempt, Checkpoint: 6}
	}
	for _, other := range []uint32{1, 3} {
		r.orders(r.triggerOf(7, sink, other), finalize(other))
	}
	r.pass(2 * time.Minute)
	r.shows("sink 3.2 ENDED")
	if f := r.report.Tasks[0].Finalized; f != 0 {
		t.Errorf("it has published %d", f)
	}
	r.orders(r.triggerOf(7, sink, 2), finalize(2))
	r.shows("sink 3.2 ENDED", "ack 7 of sink 2")
	if f := r.report.Tasks[0].Finalized; f != 6 {
		t.Errorf("it has published %d, want 6", f)
	}
}

// TestManyOrdersAreAnsweredByFewReports tells a hundred orders at once, which wait together.
// Each report holds all that the leader does not know: one for each would be ten thousand tasks.
func TestManyOrdersAreAnsweredByFewReports(t *testing.T) {
	r := reigning(t)
	r.orders(r.deployOf(sink, 2), r.deployOf(work, 2))
	r.reports = 0
	for range 50 {
		r.order(r.deployOf(work, 2))
		r.order(r.deployOf(sink, 2))
	}
	r.pass(3 * time.Second)
	if r.shows("work 3.2 RUNNING", "sink 3.2 RUNNING"); r.reports > 2 {
		t.Errorf("%d reports of 100 orders that came together", r.reports)
	}
	r.orders(r.cancelOf(work, 2), r.cancelOf(sink, 2))
	r.reports = 0
	r.orders(r.cancelOf(work, 2), r.cancelOf(sink, 2))
	if r.reports != 0 {
		t.Errorf("%d reports of what was told before", r.reports)
	}
}

// The leader says up to which report it knows the state; it may have forgotten.
func TestAReportLeavesOutWhatTheLeaderHolds(t *testing.T) {
	r := reigning(t)
	r.orders(r.deployOf(3, 2))
	if n := len(r.report.Tasks); n != 1 || r.report.Since != 0 {
		t.Fatalf("%d tasks since %d", n, r.report.Since)
	}
	h := r.seen()
	h.Held = r.report.Version
	r.orders(h)
	r.pass(time.Minute)
	if n := len(r.report.Tasks); n != 0 || r.report.Since != h.Held {
		t.Errorf("%d tasks since %d, and it holds %d", n, r.report.Since, h.Held)
	}
	version := r.report.Version
	h = r.seen()
	r.orders(h) // it holds nothing any more
	if n := len(r.report.Tasks); n != 1 || r.report.Since != 0 || r.report.Version == version {
		t.Errorf("%d tasks since %d in report %d", n, r.report.Since, r.report.Version)
	}
}

// A leader that hears nothing of an executor starts its tasks elsewhere: they end before.
func TestTasksEndWithTheLease(t *testing.T) {
	r := reigning(t)
	r.orders(r.deployOf(sink, 1), r.deployOf(work, 1))
	r.orders(r.seen())
	r.pass(r.config.Lease - time.Minute)
	another := r.seen() // meant for a process that was here before
	another.Incarnation = 0
	r.orders(r.hello(), another)
	r.shows("work 3.1 RUNNING", "sink 3.1 RUNNING")
	r.pass(time.Minute)
	const gone = "FAILED stopped by its executor: the lease ran out"
	r.shows("work 3.1 "+gone, "sink 3.1 "+gone)
	r.orders(r.seen())
	r.orders(r.deployOf(sink, 2))
	r.shows("work 3.1 "+gone, "sink 3.2 RUNNING")
}

func TestALeaseIsRenewedByALeaderThatHearsUs(t *testing.T) {
	r := reigning(t)
	r.orders(r.deployOf(sink, 1))
	for range 4 {
		r.pass(r.config.Lease / 2)
		r.orders(r.seen())
	}
	r.shows("sink 3.1 RUNNING")
}

func TestTasksLiveOnWhileNobodyLeads(t *testing.T) {
	r := reigning(t)
	r.orders(r.deployOf(sink, 1))
	r.vacant = true
	r.pass(3 * r.config.Lease)
	r.shows("sink 3.1 RUNNING")
	r.vacant = false
	r.pass(2 * r.config.Lease)
	r.shows("sink 3.1 FAILED stopped by its executor: the lease ran out")
}
