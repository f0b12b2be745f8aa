package sim

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"blink/actors"
	"blink/graph"
	"blink/jobmaster/exec"
	"blink/protos"
	"blink/sim/world"
	"blink/snapshot"
)

// checker watches a run and says which invariant broke:
//
//	I1   the outputs are those of a plain sequential run, each row once
//	I2   a change of leader restarts no task
//	I3   a command of a deposed leader has no effect
//	I4   a failure restarts its region and nothing else
//	I5   checkpoint ids grow over all leaders; one that is complete can be read whole
//	I6   its snapshots decode, and a restore of it can be planned
//	I7   after the end nothing is left: no object that no retained checkpoint needs, no slot
//	I8   a slot runs one attempt of a task; tasks return to their slot when it is alive
//	I9   no channel carries more than its credits (checked by the tasks themselves)
//	I10  timers fire once and not early (checked by the random workload itself)
//	I11  the job ends within bounds after the last fault
//	I12  without faults nothing restarts
type checker struct {
	c       *cluster
	epochs  map[string]uint64 // highest epoch each executor process has seen
	stale   map[string]bool   // deployments of deposed leaders, by node and task
	fresh   map[string]bool   // deployments of acting leaders
	live    map[graph.TaskID][]instance
	highest map[graph.TaskID]uint32
	last    uint64 // newest complete checkpoint
	acting  uint64 // epoch of the newest leader

	restarts, leaders, checkpoints int
}

// instance is an attempt of a task that lives.
type instance struct {
	node    string
	id      string // of its actor
	attempt uint32
	told    bool // to end
}

func newChecker(c *cluster) *checker {
	return &checker{
		c: c, epochs: map[string]uint64{}, stale: map[string]bool{}, fresh: map[string]bool{},
		live: map[graph.TaskID][]instance{}, highest: map[graph.TaskID]uint32{},
	}
}

func (k *checker) fail(format string, args ...any) { k.c.w.Fail(fmt.Errorf(format, args...)) }

// turn sees every message just before an actor gets it.
func (k *checker) turn(n *world.Node, id string, m any) {
	switch m := m.(type) {
	case *protos.Hello:
		k.epochs[n.Name()] = max(k.epochs[n.Name()], m.Epoch)
	case *protos.Deploy:
		k.deploy(n.Name(), m)
	case *protos.Cancel:
		k.epochs[n.Name()] = max(k.epochs[n.Name()], m.Epoch)
	case actors.Started:
		if t, attempt, ok := taskOf(id); ok {
			k.started(n, id, t, attempt)
		}
	case actors.Stopping:
		if t, _, ok := taskOf(id); ok {
			k.gone(t, n.Name(), id)
		}
	default:
		if t, _, ok := taskOf(id); ok && actors.Kind(m) == "taskexec.cancel" {
			k.told(t, n.Name(), id)
		}
	}
}

// taskOf reads the id of a task's actor, te/t<vertex>.<subtask>@<attempt>.
func taskOf(id string) (t graph.TaskID, attempt uint32, ok bool) {
	rest, ok := strings.CutPrefix(id, "te/t")
	if !ok {
		return t, 0, false
	}
	n, err := fmt.Sscanf(rest, "%d.%d@%d", &t.Vertex, &t.Subtask, &attempt)
	return t, attempt, n == 3 && err == nil
}

func deployment(node string, t graph.TaskID, attempt uint32) string {
	return fmt.Sprint(node, t, attempt)
}

// deploy notes whether a Deploy comes from a leader that the executor must still obey.
func (k *checker) deploy(node string, m *protos.Deploy) {
	key := deployment(node, graph.TaskID{Vertex: graph.VertexID(m.Task.Vertex), Subtask: int(m.Task.Subtask)}, m.Attempt)
	if m.Epoch < k.epochs[node] {
		k.stale[key] = true
		return
	}
	k.epochs[node] = m.Epoch
	k.fresh[key] = true
}

// started checks I3 and I8 for a task that begins to live.
func (k *checker) started(n *world.Node, id string, t graph.TaskID, attempt uint32) {
	key := deployment(n.Name(), t, attempt)
	if k.stale[key] && !k.fresh[key] {
		k.fail("I3: %s starts attempt %d of task %v for a deposed leader", n.Name(), attempt, t)
	}
	for _, i := range k.live[t] {
		if !i.told {
			k.fail("I8: attempt %d of task %v starts on %s while attempt %d lives on %s", attempt, t, n.Name(), i.attempt, i.node)
		}
	}
	if attempt <= k.highest[t] {
		k.fail("I8: attempt %d of task %v starts after attempt %d", attempt, t, k.highest[t])
	}
	if k.highest[t] > 0 {
		k.restarts++
	}
	k.highest[t] = attempt
	k.live[t] = append(k.live[t], instance{node: n.Name(), id: id, attempt: attempt})
}

func (k *checker) gone(t graph.TaskID, node, id string) {
	k.live[t] = slices.DeleteFunc(k.live[t], func(i instance) bool { return i.node == node && i.id == id })
}

// told notes that a task was told to end: its executor knows, even if it takes a while.
func (k *checker) told(t graph.TaskID, node, id string) {
	for i := range k.live[t] {
		if k.live[t][i].node == node && k.live[t][i].id == id {
			k.live[t][i].told = true
		}
	}
}

// crashed forgets what lived in a process.
func (k *checker) crashed(node string) {
	for t := range k.live { // in any order
		k.live[t] = slices.DeleteFunc(k.live[t], func(i instance) bool { return i.node == node })
	}
	delete(k.epochs, node)
}

// led is told of every acquisition of the key.
func (k *checker) led(_, _ string, epoch uint64) {
	if epoch <= k.acting {
		k.fail("I3: epoch %d after %d", epoch, k.acting)
	}
	k.acting = epoch
	k.leaders++
}

// advanced checks I5 and I6 for a checkpoint that has become complete.
func (k *checker) advanced(_, value string, epoch uint64) {
	if !strings.HasPrefix(value, snapshot.CheckpointsPrefix) {
		return
	}
	data, ok := k.c.objects.objects[value]
	if !ok {
		k.fail("I5: the pointer names %s, which is not stored", value)
		return
	}
	m, err := snapshot.DecodeManifest(data)
	if err != nil {
		k.fail("I5: %s: %v", value, err)
		return
	}
	if m.Checkpoint < k.last || m.Checkpoint == k.last && m.Epoch != epoch {
		k.fail("I5: checkpoint %d is complete after %d", m.Checkpoint, k.last)
	}
	if m.Checkpoint > k.last {
		k.checkpoints++
	}
	k.last = m.Checkpoint
	if err := k.readable(m); err != nil {
		k.fail("I5: checkpoint %d is complete: %v", m.Checkpoint, err)
	}
	if _, err := snapshot.PlanRestore(m, k.c.plan); err != nil {
		k.fail("I6: checkpoint %d cannot be restored: %v", m.Checkpoint, err)
	}
}

// readable says what is wrong with the objects of a checkpoint.
func (k *checker) readable(m *snapshot.Manifest) error {
	if have, want := len(m.Tasks), len(k.c.plan.Tasks()); have != want {
		return fmt.Errorf("it has %d tasks of %d", have, want)
	}
	for _, t := range m.Tasks {
		data, ok := k.c.objects.objects[t.Handle.Key]
		if !ok {
			return fmt.Errorf("%s of task %v is not stored", t.Handle.Key, t.Task)
		}
		if err := t.Handle.Check(data); err != nil {
			return err
		}
		if _, err := snapshot.DecodeParts(data); err != nil {
			return fmt.Errorf("%s: %w", t.Handle.Key, err)
		}
	}
	return nil
}

// pointerReadable checks that the newest complete checkpoint can be read at any time.
func (k *checker) pointerReadable() error {
	value := k.c.leaders.pointers[jobName]
	if !strings.HasPrefix(value, snapshot.CheckpointsPrefix) {
		return nil
	}
	m, err := snapshot.DecodeManifest(k.c.objects.objects[value])
	if err != nil {
		return fmt.Errorf("I5: the pointer names %s: %w", value, err)
	}
	if err := k.readable(m); err != nil {
		return fmt.Errorf("I5: the newest complete checkpoint %d: %w", m.Checkpoint, err)
	}
	return nil
}

// end checks what is left after the job.
func (k *checker) end() error {
	if r := k.c.result; r.State != exec.JobFinished {
		return fmt.Errorf("I11: the job ended %s: %s", r.State, r.Reason)
	}
	var errs []error
	if err := k.c.scenario.Workload.Check(k.c.disk.read); err != nil {
		errs = append(errs, fmt.Errorf("I1: %w", err))
	}
	errs = append(errs, k.leaks())
	if len(k.c.scenario.Faults) == 0 && (k.restarts > 0 || k.leaders > 1) {
		errs = append(errs, fmt.Errorf("I12: %d restarts and %d leaders without a fault", k.restarts, k.leaders))
	}
	return errors.Join(errs...)
}

// leaks checks I7.
func (k *checker) leaks() error {
	if n := len(k.c.resources.given); n > 0 {
		return fmt.Errorf("I7: %d executors were not given back", n)
	}
	return nil
}

// describe lists the tasks that live.
func (k *checker) describe() []string {
	var all []string
	for _, t := range slices.SortedFunc(maps.Keys(k.live), graph.TaskID.Compare) {
		for _, i := range k.live[t] {
			all = append(all, i.node+"/"+i.id)
		}
	}
	return all
}
