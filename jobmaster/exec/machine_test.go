package exec

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"blink/graph"
	"blink/placement"
	"blink/snapshot"
)

// stage plays all that surrounds a machine: executors that obey, a resource manager and a
// store that answer when they are let. What the machine wants is a line in said.
type stage struct {
	t         *testing.T
	m         *Machine
	now       time.Time
	executors []*player
	said      []string
	held      []Action // by kind in hold: not answered yet
	hold      map[string]bool
}

// player is an executor.
type player struct {
	node    string
	version uint64
	epoch   uint64
	tasks   map[graph.TaskID]TaskReport
	acks    []Ack
}

// twoRegions is a job of two pipelines, source to sink by key, that nothing ties together.
func twoRegions(t *testing.T) *graph.Plan {
	t.Helper()
	j := &graph.Job{Name: "job", Parallelism: 1, MaxParallelism: 8}
	for i := range 2 {
		j.Operators = append(j.Operators,
			graph.Operator{Index: 2 * i, Verb: "read", ID: fmt.Sprint("source", i), Out: "int", Source: true, Bounded: true, Parallelism: 1},
			graph.Operator{Index: 2*i + 1, Verb: "write", ID: fmt.Sprint("sink", i), Sink: true, Parallelism: 1,
				In: []graph.Edge{{From: 2 * i, Ship: graph.Hash, Key: "int"}}})
	}
	plan, err := graph.Compile(j)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(plan.Regions()); n != 2 {
		t.Fatalf("%d regions", n)
	}
	return plan
}

func newStage(t *testing.T, nodes ...string) *stage {
	s := &stage{t: t, now: time.Unix(1000, 0), hold: map[string]bool{}}
	for _, n := range nodes {
		s.executors = append(s.executors, &player{node: n, tasks: map[graph.TaskID]TaskReport{}})
	}
	s.lead(1, Recovered{Executors: nodes})
	return s
}

// lead puts a new leader in the place of the old one.
func (s *stage) lead(epoch uint64, found Recovered) {
	s.m = New(Spec{Job: "job", Plan: twoRegions(s.t), Fingerprint: "f", Epoch: epoch, Options: Options{
		CheckpointEvery: time.Hour, Restarts: RestartPolicy{Attempts: 3, BackOff: time.Millisecond, Max: time.Millisecond},
	}.Defaults()})
	s.said = nil
	s.step(found)
}

func (s *stage) step(ev Event) {
	s.t.Helper()
	for _, a := range slices.Clone(s.m.Step(s.now, ev)) {
		if s.hold[strings.TrimPrefix(fmt.Sprintf("%T", a), "exec.")] {
			s.held = append(s.held, a)
			continue
		}
		s.do(a)
	}
}

// let answers what was held.
func (s *stage) let() {
	s.t.Helper()
	held := s.held
	s.held, s.hold = nil, map[string]bool{}
	for _, a := range held {
		s.do(a)
	}
}

func (s *stage) say(format string, args ...any) {
	s.said = append(s.said, fmt.Sprintf(format, args...))
}

func (s *stage) do(a Action) {
	s.t.Helper()
	switch a := a.(type) {
	case Hello:
		s.player(a.Node).epoch = s.m.spec.Epoch
	case Deploy:
		s.say("deploy %v@%d on %s", a.Task, a.Attempt, a.Node)
		s.player(a.Node).tasks[a.Task] = TaskReport{Task: a.Task, Attempt: a.Attempt, Epoch: s.m.spec.Epoch, State: Running, Slot: a.Slot, Restored: a.Restore}
	case Cancel:
		s.say("cancel %v@%d on %s", a.Task, a.UpTo, a.Node)
		s.player(a.Node).tasks[a.Task] = TaskReport{Task: a.Task, Attempt: a.UpTo, State: Canceled}
	case Trigger:
		s.say("trigger %d", a.Checkpoint)
		p := s.player(a.Node)
		for _, t := range a.Tasks {
			p.acks = append(p.acks, Ack{Checkpoint: a.Checkpoint, Task: t.Task, Attempt: t.Attempt, Handle: snapshot.HandleOf("k", nil)})
		}
	case Finalize:
		p := s.player(a.Node)
		r := p.tasks[a.Task]
		r.Finalized = a.Checkpoint
		p.tasks[a.Task] = r
	case Enumerate:
		s.step(Enumerated{Splits: []Splits{}})
	case StoreSplits:
		s.step(SplitsStored{})
	case Place:
		var placed []PlacedUnit
		for i, u := range a.Units {
			slot := u.Previous
			if slot.Node == "" {
				slot = placement.Slot{Node: s.executors[0].node, Index: i}
			}
			placed = append(placed, PlacedUnit{Group: u.Group, Index: u.Index, Slot: slot})
		}
		s.step(Placed{Units: placed})
	case StoreManifest:
		s.step(ManifestStored{Checkpoint: a.Manifest.Checkpoint})
	case AdvancePointer:
		s.say("pointer to %d", a.Checkpoint)
		s.step(PointerAdvanced{Checkpoint: a.Checkpoint})
	case StoreResult:
		s.say("store %s", a.Result.State)
		s.step(ResultStored{})
	case Release:
		s.say("release")
		s.step(Released{})
	case Collect:
		s.say("collect up to %d", a.Newest)
		s.step(Collected{})
	case Finish:
		s.say("finish %s", a.State)
	case StepDown:
		s.say("step down")
	}
}

func (s *stage) player(node string) *player {
	s.t.Helper()
	for _, p := range s.executors {
		if p.node == node {
			return p
		}
	}
	s.t.Fatalf("no executor %s", node)
	return nil
}

// report lets every executor report, a few times, while time goes on.
func (s *stage) report() {
	s.t.Helper()
	for range 5 {
		for _, p := range s.executors {
			p.version++
			r := Reported{Node: p.node, Incarnation: 1, Version: p.version, Epoch: p.epoch, Fingerprint: "f", Acks: slices.Clone(p.acks)}
			for _, t := range s.m.spec.Plan.Tasks() {
				if task, ok := p.tasks[t]; ok {
					r.Tasks = append(r.Tasks, task)
				}
			}
			s.step(r)
		}
		s.now = s.now.Add(100 * time.Millisecond)
		s.step(Tick{})
	}
}

// change changes what an executor reports of its tasks that live.
func (s *stage) change(change func(r *TaskReport)) {
	for _, p := range s.executors {
		for t, r := range p.tasks { // any order: each alike
			if r.State.live() {
				change(&r)
				p.tasks[t] = r
			}
		}
	}
}

// fail lets a task of the first executor break.
func (s *stage) fail(id graph.TaskID) {
	r := s.executors[0].tasks[id]
	r.State, r.Failure = Failed, "it broke"
	s.executors[0].tasks[id] = r
}

func (s *stage) heard(want string) bool {
	return slices.ContainsFunc(s.said, func(line string) bool { return strings.HasPrefix(line, want) })
}

func (s *stage) wants(lines ...string) {
	s.t.Helper()
	for _, l := range lines {
		if !s.heard(l) {
			s.t.Errorf("no %q in %q", l, s.said)
		}
	}
}

func (s *stage) never(lines ...string) {
	s.t.Helper()
	for _, l := range lines {
		if s.heard(l) {
			s.t.Errorf("%q in %q", l, s.said)
		}
	}
}

// running brings the job up.
func running(t *testing.T) *stage {
	t.Helper()
	s := newStage(t, "te0")
	s.report()
	if s.m.State() != JobRunning || s.m.Alive() != 4 {
		t.Fatalf("%s, %d tasks: %q", s.m.State(), s.m.Alive(), s.said)
	}
	s.said = nil
	return s
}

func TestFailureRestartsOnlyItsRegion(t *testing.T) {
	s := running(t)
	s.fail(graph.TaskID{Vertex: 0})
	s.report()
	s.wants("deploy {0 0}@2", "deploy {1 0}@2")
	s.never("cancel {2 0}", "cancel {3 0}", "deploy {2 0}", "deploy {3 0}")
	if s.m.State() != JobRunning || s.m.Restarts() != 2 {
		t.Errorf("%s after %d restarts", s.m.State(), s.m.Restarts())
	}
}

func TestANewLeaderAdoptsWhatRuns(t *testing.T) {
	s := running(t)
	s.lead(2, Recovered{Splits: []Splits{}, Executors: []string{"te0"}})
	s.report()
	s.never("deploy", "cancel")
	if s.m.State() != JobRunning || s.m.Alive() != 4 {
		t.Errorf("%s, %d tasks", s.m.State(), s.m.Alive())
	}
}

func TestWhatANewLeaderStartsAgainCountsAsRestarted(t *testing.T) {
	s := running(t)
	delete(s.executors[0].tasks, graph.TaskID{Vertex: 0})
	s.lead(2, Recovered{Splits: []Splits{}, Executors: []string{"te0"}})
	s.report()
	s.wants("cancel {1 0}@1", "deploy {0 0}@2", "deploy {1 0}@2")
	if s.m.Restarts() != 2 {
		t.Errorf("%d restarts", s.m.Restarts())
	}
}

func TestTheLastCheckpointIsOneTriggeredAfterTheEnd(t *testing.T) {
	s := running(t)
	s.hold["AdvancePointer"] = true
	s.now = s.now.Add(time.Hour)
	s.report()
	s.wants("trigger 1")
	s.change(func(r *TaskReport) { r.State, r.Committed = Ended, 9 }) // records came behind its barrier
	s.report()
	s.let()
	s.never("store FINISHED")
	s.report()
	s.wants("trigger 2", "pointer to 2", "store FINISHED", "release", "finish FINISHED")
	if result, gone := slices.Index(s.said, "store FINISHED"), slices.IndexFunc(s.said, func(l string) bool { return strings.HasPrefix(l, "cancel") }); gone < result {
		t.Errorf("tasks leave before the result is stored: %q", s.said)
	}
}

func TestNothingIsSweptWhileThePointerMayMove(t *testing.T) {
	s := running(t)
	s.hold["AdvancePointer"] = true
	s.now = s.now.Add(time.Hour)
	s.report()
	s.step(CancelRequested{})
	s.report()
	s.never("collect", "finish")
	s.let()
	s.report()
	s.wants("pointer to 1", "collect up to 1", "finish CANCELED")
}

func TestARegionWaitsForAPointerThatMayMove(t *testing.T) {
	s := running(t)
	s.hold["AdvancePointer"] = true
	s.now = s.now.Add(time.Hour)
	s.report()
	s.fail(graph.TaskID{Vertex: 0})
	s.report()
	s.wants("cancel {1 0}@1")
	s.never("deploy")
	s.let()
	s.report()
	s.wants("pointer to 1", "deploy {0 0}@2", "deploy {1 0}@2")
	if r := s.executors[0].tasks[graph.TaskID{Vertex: 0}].Restored; r != 1 {
		t.Errorf("restored from checkpoint %d, the pointer names 1", r)
	}
}

func TestTheJobIsOverWhenItsSlotsAreBack(t *testing.T) {
	s := running(t)
	s.hold["Release"] = true
	s.step(CancelRequested{})
	s.report()
	s.wants("collect")
	s.never("finish")
	s.let()
	s.wants("finish CANCELED")
}

func TestALeaderThatFindsAResultOnlyCleansUp(t *testing.T) {
	s := running(t)
	s.lead(2, Recovered{Splits: []Splits{}, Executors: []string{"te0"}, Over: &Finish{State: JobFinished}})
	s.report()
	s.never("deploy", "store")
	s.wants("release", "finish FINISHED")
}

func TestAnExecutorOfAnotherVersionGetsNoTasks(t *testing.T) {
	s := running(t)
	s.step(Reported{Node: "stranger", Incarnation: 1, Version: 1, Epoch: 1, Fingerprint: "g"})
	s.report()
	s.never("deploy", "cancel", "finish")
}

func TestALaterLeaderEndsTheEarlierOne(t *testing.T) {
	s := running(t)
	s.step(Reported{Node: "te0", Incarnation: 1, Version: 1_000, Epoch: 7, Fingerprint: "f"})
	s.wants("step down")
}

func TestAnUnusableCheckpointEndsTheJobUnlessAnOlderOneIsAllowed(t *testing.T) {
	older := &snapshot.Manifest{Job: "job", Checkpoint: 3, Epoch: 1, MaxParallelism: 8}
	for _, allowed := range []bool{false, true} {
		s := running(t)
		s.m = New(Spec{Job: "job", Plan: twoRegions(t), Fingerprint: "f", Epoch: 2, Options: Options{AllowFallback: allowed}.Defaults()})
		s.said = nil
		s.step(Recovered{Manifests: []*snapshot.Manifest{older}, Broken: "checksum", Splits: []Splits{}, Executors: []string{"te0"}})
		s.report()
		if failed := s.heard("finish FAILED"); failed == allowed {
			t.Errorf("allowed %v: %q", allowed, s.said)
		}
	}
}
