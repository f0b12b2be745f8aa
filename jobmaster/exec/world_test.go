package exec

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"blink/graph"
	"blink/placement"
	"blink/snapshot"
)

// What surrounds a machine in the tests of this package: a plan, processes that run tasks, and
// what outlives a leader. The scripts deliver every message at once; the property test delays,
// loses and repeats them.

// planOf makes the plan of links "0-1" (pipelined) and "0=1" (blocking) between vertices that
// have parallelism tasks each; "2" is a vertex alone. Vertices joined by pipelined links share
// slots.
func planOf(t testing.TB, parallelism int, links ...string) *graph.Plan {
	t.Helper()
	j := &graph.Job{Name: "job", Parallelism: parallelism, MaxParallelism: 8}
	for _, l := range links {
		var from, to int
		n, err := fmt.Sscanf(strings.Replace(l, "=", "-", 1), "%d-%d", &from, &to)
		if n == 0 {
			t.Fatalf("link %q: %v", l, err)
		}
		for n := len(j.Operators); n <= max(from, to); n++ {
			j.Operators = append(j.Operators, graph.Operator{Index: n, Verb: "verb", ID: fmt.Sprint("op", n), Source: true, Sink: true, Slot: fmt.Sprint("group", n)})
		}
		if n == 1 {
			continue
		}
		a, b := &j.Operators[from], &j.Operators[to]
		a.Sink, b.Source = false, false
		b.In = append(b.In, graph.Edge{From: from, Ship: graph.Hash, Key: "int"})
		if a.Blocking = strings.Contains(l, "="); !a.Blocking {
			b.Slot = a.Slot
		}
	}
	plan, err := graph.Compile(j)
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

// splits are those of the first operator, which is a source in every plan.
var splits = []Splits{{Operator: "op0", Items: []snapshot.Item{{Name: "split"}}}}

// vault is what outlives a leader.
type vault struct {
	splits    bool
	manifests map[string]*snapshot.Manifest
	pointer   string // the manifest of the newest complete checkpoint
	over      *Finish
}

// recovered is what a leader finds that takes over now.
func (v *vault) recovered(nodes []string) Recovered {
	r := Recovered{Executors: nodes, Over: v.over}
	if v.splits {
		r.Splits = splits
	}
	if newest := v.manifests[v.pointer]; newest != nil {
		for _, k := range slices.Backward(newest.Older) {
			r.Manifests = append(r.Manifests, v.manifests[k])
		}
		r.Manifests, r.Newest = append(r.Manifests, newest), newest.Checkpoint
	}
	return r
}

// serve does what a leader asks of what outlives it, and returns the answer; nil to other
// actions.
func (v *vault) serve(a Action) Event {
	switch a := a.(type) {
	case Enumerate:
		return Enumerated{splits}
	case StoreSplits:
		v.splits = true
		return SplitsStored{}
	case StoreManifest:
		v.manifests[a.Manifest.Key()] = a.Manifest
		return ManifestStored{a.Manifest.Checkpoint}
	case AdvancePointer:
		v.pointer = a.Key
		return PointerAdvanced{a.Checkpoint}
	case StoreResult:
		v.over = &a.Result
		return ResultStored{}
	case Release:
		return Released{}
	case Collect:
		return Collected{}
	}
	return nil
}

// complete is the id of the newest complete checkpoint.
func (v *vault) complete() uint64 {
	if m := v.manifests[v.pointer]; m != nil {
		return m.Checkpoint
	}
	return 0
}

// addressee is the executor to which an action is sent, "" if it is not.
func addressee(a Action) string {
	switch a := a.(type) {
	case Hello:
		return a.Node
	case Deploy:
		return a.Node
	case Cancel:
		return a.Node
	case Trigger:
		return a.Node
	case Finalize:
		return a.Node
	}
	return ""
}

// offers are the nodes with free slots, ascending.
type offers []string

// take notes whether a node may get tasks.
func (o *offers) take(a Available) {
	*o = slices.DeleteFunc(*o, func(n string) bool { return n == a.Node })
	if a.Slots > 0 {
		*o = append(*o, a.Node)
		slices.Sort(*o)
	}
}

// assign finds slots among those of the nodes, two each; false if there are too few for any
// region.
func assign(p Place, nodes offers) (Placed, bool) {
	var offers []placement.Offer
	for _, n := range nodes {
		o := placement.Offer{Node: n, Slots: 2}
		for _, s := range p.Taken {
			if s.Node == n {
				o.Taken = append(o.Taken, s.Index)
			}
		}
		offers = append(offers, o)
	}
	var units []placement.Unit
	for _, u := range p.Units {
		units = append(units, placement.Unit{Group: u.Group, Index: u.Index, Previous: u.Previous})
	}
	assigned, _ := placement.Place(units, p.Regions, offers)
	var placed Placed
	for _, a := range assigned {
		placed.Units = append(placed.Units, PlacedUnit{Group: units[a.Unit].Group, Index: units[a.Unit].Index, Slot: a.Slot})
	}
	return placed, len(assigned) > 0
}

// process is a TaskExecutor as package taskexec has it, but for the tasks' work: it obeys the
// highest epoch, refuses what is late, stops its tasks when its lease runs out, and reports what
// its leader does not hold of its state.
type process struct {
	node         string
	incarnation  uint64
	version      uint64
	epoch        uint64
	registration uint64
	fingerprint  string
	length       time.Duration        // of the lease
	lease        time.Time            // its end
	sent         map[uint64]time.Time // reports, by version
	seen         Hello                // what is concluded and complete
	tasks        []*instance          // by task
	acks         []Ack
	discarded    map[string]bool // snapshots of aborted checkpoints; may be shared
	atEnd        map[string]bool // snapshots of tasks that had ended; may be shared

	held uint64                  // version up to which the leader knows the state
	last Reported                // the state of the last report, whole
	news map[graph.TaskID]uint64 // version that told a task's newest change
	told map[string]uint64       // version that told an acknowledgement first
}

// instance is what a process knows of a task: its newest attempt there.
type instance struct {
	TaskReport
	doomed   bool   // it was told to end
	fence    uint32 // attempts below it are refused
	done     uint64 // newest checkpoint that it has taken or given up
	stopAt   uint64 // newest stop checkpoint that it was told of
	behind   uint64 // the stop checkpoint that it rests behind
	before   TaskState
	hangs    bool // it takes no snapshot
	declines string
	chain    snapshot.Chain // of its operator
}

// stackable is how many layers the model's tasks may have.
const stackable = 3

func startProcess(node string, incarnation uint64, lease time.Duration, now time.Time) *process {
	return &process{
		node: node, incarnation: incarnation, fingerprint: "f",
		length: lease, lease: now.Add(lease), sent: map[uint64]time.Time{}, news: map[graph.TaskID]uint64{}, told: map[string]uint64{}, discarded: map[string]bool{}, atEnd: map[string]bool{},
	}
}

// task finds or adds what is known of a task.
func (p *process) task(id graph.TaskID) *instance {
	i, ok := slices.BinarySearchFunc(p.tasks, id, func(in *instance, id graph.TaskID) int { return in.Task.Compare(id) })
	if !ok {
		p.tasks = slices.Insert(p.tasks, i, &instance{TaskReport: TaskReport{Task: id, Slot: -1}})
	}
	return p.tasks[i]
}

// obey carries out what the leader of an epoch has sent.
func (p *process) obey(a Action, epoch uint64, now time.Time) {
	if epoch < p.epoch {
		return
	}
	if epoch > p.epoch {
		p.epoch, p.registration, p.held = epoch, 0, 0
	}
	switch a := a.(type) {
	case Hello:
		p.hello(a)
	case Deploy:
		p.deploy(a, now)
	case Cancel:
		p.cancel(a.Task, a.UpTo)
	case Trigger:
		for _, t := range a.Tasks {
			if in := p.task(t.Task); in.Attempt == t.Attempt {
				if in.State == Stopped && a.Checkpoint > in.behind { // the job goes on
					in.State = in.before
				}
				p.trigger(in, a.Checkpoint, a.Stop)
			}
		}
	case Finalize:
		if in := p.task(a.Task); in.Attempt == a.Attempt && in.State.live() && a.Checkpoint <= in.Committed {
			in.Finalized = a.Checkpoint
		}
	}
}

func (p *process) hello(a Hello) {
	if a.Incarnation == p.incarnation {
		p.registration, p.held = max(p.registration, a.Registration), a.Held
		if until := p.sent[a.Seen].Add(p.length); until.After(p.lease) {
			p.lease = until
		}
	}
	if a.Completed >= p.seen.Completed {
		p.seen.Completed, p.seen.Onto = a.Completed, a.Onto
	}
	p.seen.Concluded = max(p.seen.Concluded, a.Concluded)
	p.acks = slices.DeleteFunc(p.acks, func(a Ack) bool {
		if a.Checkpoint > p.seen.Completed && a.Checkpoint <= p.seen.Concluded {
			p.discarded[a.Handle.Key] = true
		}
		return a.Checkpoint <= p.seen.Concluded
	})
	for _, in := range p.tasks {
		if in.State.live() {
			p.conclude(in)
		}
	}
}

// conclude tells a task what is decided: it commits.
func (p *process) conclude(in *instance) {
	in.done = max(in.done, p.seen.Concluded)
	in.Committed = max(in.Committed, p.seen.Completed)
	in.chain.Concluded(p.seen.Concluded, p.seen.Completed)
}

func (p *process) deploy(a Deploy, now time.Time) {
	in := p.task(a.Task)
	switch {
	case a.Incarnation != p.incarnation || a.Registration != p.registration || !now.Before(p.lease):
	case a.Attempt < in.fence || a.Attempt == in.Attempt && in.Epoch == p.epoch && in.State != Absent:
	case in.State.live():
		p.cancel(a.Task, a.Attempt-1)
	default:
		*in = instance{fence: a.Attempt, done: a.Restore, TaskReport: TaskReport{
			Task: a.Task, Attempt: a.Attempt, Epoch: p.epoch, State: Deploying, Slot: a.Slot, Restored: a.Restore, Committed: a.Restore,
		}}
		p.conclude(in)
	}
}

func (p *process) cancel(id graph.TaskID, upTo uint32) {
	in := p.task(id)
	in.fence = max(in.fence, upTo+1)
	switch {
	case in.Attempt > upTo:
	case in.State.live():
		in.doomed = true
	default:
		in.Attempt, in.State, in.Failure = upTo, Canceled, ""
	}
}

// gone is told that nothing of a task is left: it has left in order, or failed.
func (in *instance) gone(failure string) {
	in.doomed, in.State, in.Failure = false, Canceled, ""
	switch {
	case in.Attempt < in.fence:
		in.Attempt = in.fence - 1
	case failure != "":
		in.State, in.Failure = Failed, failure
	}
}

// trigger begins a checkpoint; a task that rests behind an earlier one goes on.
func (p *process) trigger(in *instance, id uint64, stop bool) {
	if in.State == Stopped && id > in.behind {
		in.State = in.before
	}
	if stop {
		in.stopAt = max(in.stopAt, id)
	}
	p.snapshot(in, id)
}

// snapshot takes a checkpoint in a task that runs or has ended.
func (p *process) snapshot(in *instance, id uint64) {
	if id <= in.done || in.hangs || in.State != Running && in.State != Ended {
		return
	}
	in.done = id
	key := snapshot.TaskKey(id, in.Task, in.Attempt, in.Epoch)
	p.atEnd[key] = in.State == Ended
	if in.stopAt == id && in.State != Ended {
		in.before, in.State, in.behind = in.State, Stopped, id
	}
	onto := in.chain.Onto(id, p.seen.Onto, stackable)
	in.chain.Took(id, onto)
	p.acks = append(p.acks, Ack{
		Checkpoint: id, Task: in.Task, Attempt: in.Attempt, Declined: in.declines,
		Handle: snapshot.Handle{Key: key}, Parts: []snapshot.PartSummary{{Operator: fmt.Sprint("op", in.Task.Vertex), Onto: onto}},
	})
}

// watchLease stops every task when the lease has run out, and says whether it has stopped any.
func (p *process) watchLease(now time.Time) (stopped bool) {
	for _, in := range p.tasks {
		if in.State.live() && !now.Before(p.lease) {
			in.gone("the lease ran out")
			stopped = true
		}
	}
	return stopped
}

// state is all that there is to report.
func (p *process) state() Reported {
	r := Reported{
		Node: p.node, Incarnation: p.incarnation, Epoch: p.epoch, Fingerprint: p.fingerprint, Slots: 2,
		Concluded: p.seen.Concluded, Acks: slices.Clone(p.acks),
	}
	for _, in := range p.tasks {
		r.Tasks = append(r.Tasks, in.TaskReport)
	}
	return r
}

// changed says whether there is more to tell than at the last report.
func (p *process) changed() bool { return !reflect.DeepEqual(p.state(), p.last) }

func (p *process) report(now time.Time) Reported {
	p.version++
	p.sent[p.version] = now
	r, before := p.state(), p.last
	p.last = p.state()
	r.Version, r.Since = p.version, p.held
	r.Tasks = slices.DeleteFunc(r.Tasks, func(t TaskReport) bool {
		if !slices.ContainsFunc(before.Tasks, func(b TaskReport) bool { return reflect.DeepEqual(b, t) }) {
			p.news[t.Task] = p.version
		}
		return p.held > 0 && p.news[t.Task] <= p.held
	})
	r.Acks = slices.DeleteFunc(r.Acks, func(a Ack) bool {
		key := fmt.Sprint(a.Checkpoint, a.Task, a.Attempt, a.Handle.Key)
		if p.told[key] == 0 {
			p.told[key] = p.version
		}
		return p.told[key] <= p.held
	})
	return r
}
