package sim

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"blink/actors"
	"blink/graph"
	"blink/jobmaster/exec"
	"blink/operator"
	"blink/protos"
	"blink/sim/world"
	"blink/snapshot"
)

// checker watches a run and says which invariant broke:
//
//	I1   the outputs are those of a plain sequential run, each row once
//	I2   a change of leader restarts no task
//	I3   a command of a deposed leader has no effect
//	I4   a failure restarts its region and nothing else: a region to which nothing has
//	     happened since it was whole is not restarted (so I2 is checked as I4)
//	I5   checkpoint ids grow over all leaders; one that is complete can be read whole
//	I6   a restore of it can be planned, and gives the state that was there at its barrier, in
//	     as many tasks or in another number: see restores
//	I7   after the end nothing is left: no object that no retained checkpoint needs, no slot
//	I8   a slot runs one attempt of a task; tasks return to their slot if nothing has
//	     happened to its node
//	I9   no channel carries more than its credits (checked by the tasks themselves)
//	I10  timers fire once and not early (checked by the random workload itself)
//	I11  the job ends within bounds after the last fault; when nothing has happened for a
//	     while and all tasks run, checkpoints complete within bounds
//	I12  without faults nothing restarts and nobody is given up; with them, as often as the
//	     policy allows: see storms
type checker struct {
	c        *cluster
	region   map[graph.TaskID]int
	regions  [][]graph.TaskID
	epochs   map[string]uint64 // highest epoch that each executor process has obeyed
	orders   map[string]order  // what was to be deployed, by node, task and attempt
	cancels  map[string]bool   // what was to be cancelled, alike
	live     map[graph.TaskID][]instance
	newest   map[graph.TaskID]operator.Attempt
	homes    map[graph.TaskID]home
	excuses  excuses
	restores *restores
	storms   *storms
	last     uint64 // newest complete checkpoint
	complete string // its manifest
	acting   uint64 // epoch of the newest leader
	needed   struct {
		of   string // a complete checkpoint
		keys map[string]bool
	}

	// Since when nothing is wrong, and no checkpoint has completed. It is never set back: faults
	// put it where they end.
	calm time.Duration

	restarts, leaders, checkpoints int
	expiries                       int // of leases, with a task
	runs                           int // of the job
}

// order is the newest Deploy of an attempt on a node.
type order struct {
	epoch uint64
	slot  int
}

// instance is an attempt of a task that lives.
type instance struct {
	node    string
	id      string // of its actor
	attempt operator.Attempt
	told    bool // to end
	expired bool // because the lease of its executor ran out
	calm    int  // how often something had happened to its node when it began
}

func newChecker(c *cluster) *checker {
	k := &checker{
		c: c, region: map[graph.TaskID]int{}, regions: c.plan.Regions(), epochs: map[string]uint64{},
		orders: map[string]order{}, cancels: map[string]bool{},
		live: map[graph.TaskID][]instance{}, newest: map[graph.TaskID]operator.Attempt{}, homes: map[graph.TaskID]home{},
	}
	for i, ts := range k.regions {
		for _, t := range ts {
			k.region[t] = i
		}
	}
	k.excuses, k.restores, k.storms, k.runs = newExcuses(len(k.regions)), newRestores(c), newStorms(c), 1
	return k
}

// again begins with the tasks of a job that is run again, maybe with another plan. What is
// durable goes on.
func (k *checker) again() {
	n := newChecker(k.c)
	n.last, n.complete, n.acting, n.calm = k.last, k.complete, k.acting, max(k.calm, k.c.w.Elapsed())
	n.storms.lost = k.storms.lost
	n.restarts, n.leaders, n.checkpoints, n.expiries, n.runs = k.restarts, k.leaders, k.checkpoints, k.expiries, k.runs+1
	n.excuses.disturbed, n.excuses.ill, n.excuses.frozen = k.excuses.disturbed, k.excuses.ill, k.excuses.frozen
	*k = *n
}

func (k *checker) fail(format string, args ...any) { k.c.w.Fail(fmt.Errorf(format, args...)) }

// turn sees every message just before an actor gets it.
func (k *checker) turn(n *world.Node, id string, m any) {
	switch m := m.(type) {
	case *protos.Deploy:
		k.deploy(n.Name(), m)
	case *protos.Cancel:
		k.cancel(n.Name(), m)
	case actors.Started:
		if t, attempt, ok := taskOf(id); ok {
			k.started(n, id, t, attempt)
		}
	case actors.Stopping:
		if t, attempt, ok := taskOf(id); ok {
			k.gone(n.Name(), id, t, attempt)
		}
	default:
		if actors.Kind(m) != "taskexec.cancel" {
			return
		}
		if t, attempt, ok := taskOf(id); ok {
			k.told(n.Name(), id, t, attempt)
		}
	}
}

// taskOf reads the id of a task's actor, te/t<vertex>.<subtask>@<attempt>.
func taskOf(id string) (t graph.TaskID, attempt uint32, ok bool) {
	rest, ok := strings.CutPrefix(id, "te/t")
	if !ok {
		return t, 0, false
	}
	task, number, _ := strings.Cut(rest, "@")
	vertex, subtask, _ := strings.Cut(task, ".")
	v, err1 := strconv.Atoi(vertex)
	s, err2 := strconv.Atoi(subtask)
	n, err3 := strconv.ParseUint(number, 10, 32)
	return graph.TaskID{Vertex: graph.VertexID(v), Subtask: s}, uint32(n), errors.Join(err1, err2, err3) == nil
}

func deployment(node string, t graph.TaskID, attempt uint32) string {
	return fmt.Sprint(node, t, attempt)
}

// deploy notes what a leader asks for. That nobody obeys a deposed one is checked in obeyed.
func (k *checker) deploy(node string, m *protos.Deploy) {
	key := deployment(node, graph.TaskID{Vertex: graph.VertexID(m.Task.Vertex), Subtask: int(m.Task.Subtask)}, m.Attempt)
	if m.Epoch >= k.orders[key].epoch {
		k.orders[key] = order{m.Epoch, int(m.Slot)}
	}
}

// cancel notes which attempts a leader wants to end.
func (k *checker) cancel(node string, m *protos.Cancel) {
	t := graph.TaskID{Vertex: graph.VertexID(m.Task.Vertex), Subtask: int(m.Task.Subtask)}
	for n := m.UpTo; n > 0; n-- { // also those whose actor has not begun yet
		if d := deployment(node, t, n); k.ordered(d) {
			k.cancels[d] = true
		}
	}
}

func (k *checker) ordered(deployment string) bool { _, ok := k.orders[deployment]; return ok }

// obeyed checks I3 for a command that an executor carries out.
func (k *checker) obeyed(node string, epoch uint64) {
	if epoch < k.epochs[node] {
		k.fail("I3: %s obeys epoch %d after epoch %d", node, epoch, k.epochs[node])
	}
	k.epochs[node] = epoch
}

// started checks I2 to I4 and I8 for a task that begins to live.
func (k *checker) started(n *world.Node, id string, t graph.TaskID, attempt uint32) {
	o, ordered := k.orders[deployment(n.Name(), t, attempt)]
	if !ordered {
		k.fail("I3: %s starts attempt %d of task %v, which no leader has asked for", n.Name(), attempt, t)
	}
	now := operator.Attempt{Epoch: o.epoch, N: attempt}
	k.alone(n, t, now)
	before, again := k.newest[t]
	if again && now.Compare(before) <= 0 {
		k.fail("I8: attempt %v of task %v starts after attempt %v", now, t, before)
	}
	if again {
		k.restarts++
		if k.excuses.of(k.region[t]) == "" {
			k.fail("I4: attempt %v of task %v starts, and nothing has happened to attempt %v of its region %d", now, t, before, k.region[t])
		}
		k.returned(n, t, o.slot)
	}
	k.newest[t] = now
	k.homes[t] = home{n.Name(), n.Starts(), o.slot, k.disturbances(n.Name())}
	k.live[t] = append(k.live[t], instance{node: n.Name(), id: id, attempt: now, calm: k.excuses.disturbed[n.Name()]})
	k.c.say(n.Name(), "attempt %v of task %v begins", now, t)
	if k.whole(k.region[t]) {
		k.excuses.clear(k.region[t])
	}
}

// alone checks the barrier of I8: when an attempt of a region begins, nothing of an earlier
// one lives. Where the leader could not wait for that, the lease has ended it; where it
// could not be told yet, its node stands still.
func (k *checker) alone(n *world.Node, t graph.TaskID, now operator.Attempt) {
	for _, u := range k.regions[k.region[t]] {
		for _, i := range k.live[u] {
			if i.attempt.Compare(now) < 0 && !i.expired && i.calm == k.excuses.disturbed[i.node] {
				k.fail("I8: attempt %v of task %v starts on %s while attempt %v of task %v lives on %s", now, t, n.Name(), i.attempt, u, i.node)
			}
			if u == t && !i.told && k.c.w.Elapsed() > k.excuses.frozen[i.node] {
				k.fail("I8: attempt %v of task %v starts on %s while attempt %v lives on %s", now, t, n.Name(), i.attempt, i.node)
			}
		}
	}
}

// whole says whether every task of a region lives once, at the newest attempt, on a node
// with which nothing is wrong.
func (k *checker) whole(region int) bool {
	for _, t := range k.regions[region] {
		if len(k.live[t]) != 1 || k.live[t][0].told || k.live[t][0].attempt.N != k.live[k.regions[region][0]][0].attempt.N ||
			k.excuses.ill[k.live[t][0].node] > 0 {
			return false
		}
	}
	return true
}

// gone is told that an attempt ends. One that nobody has told to has failed.
func (k *checker) gone(node, id string, t graph.TaskID, attempt uint32) {
	if i := k.find(node, id, t); i != nil && !i.told {
		k.excuses.excuse(k.region[t], fmt.Sprintf("attempt %d of task %v failed", attempt, t))
	}
	k.live[t] = slices.DeleteFunc(k.live[t], func(i instance) bool { return i.node == node && i.id == id })
	k.c.say(node, "attempt %d of task %v has left", attempt, t)
}

// told notes that an attempt was told to end: by its leader, or by its executor whose lease
// ran out.
func (k *checker) told(node, id string, t graph.TaskID, attempt uint32) {
	i := k.find(node, id, t)
	if i == nil || i.told {
		return
	}
	i.told = true
	if k.cancels[deployment(node, t, attempt)] {
		return
	}
	i.expired = true
	k.expiries++
	k.excuses.excuse(k.region[t], "the lease of "+node+" ran out")
}

func (k *checker) find(node, id string, t graph.TaskID) *instance {
	for i := range k.live[t] {
		if k.live[t][i].node == node && k.live[t][i].id == id {
			return &k.live[t][i]
		}
	}
	return nil
}

// crashed excuses what lived in a process, and forgets it.
func (k *checker) crashed(node string) {
	k.disturbed(node, "crashed")
	k.c.say(node, "crashes")
	k.ended(node)
}

// ended forgets what lived in a process.
func (k *checker) ended(node string) {
	for t := range k.live { // in any order
		k.live[t] = slices.DeleteFunc(k.live[t], func(i instance) bool { return i.node == node })
	}
	delete(k.epochs, node)
}

// disturbed excuses the regions with tasks on a node to which something has happened.
func (k *checker) disturbed(node, what string) {
	k.excuses.disturbed[node]++
	for t, is := range k.live { // in any order
		if slices.ContainsFunc(is, func(i instance) bool { return i.node == node }) {
			k.excuses.excuse(k.region[t], node+" "+what)
		}
	}
}

// led is told of every acquisition of the key.
func (k *checker) led(_, value string, epoch uint64) {
	if epoch <= k.acting {
		k.fail("I3: epoch %d after %d", epoch, k.acting)
	}
	k.acting = epoch
	k.c.say("leader", "%s leads with epoch %d", value, epoch)
	if k.c.result == nil { // else it only learns of the end
		k.leaders++
	}
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
	first := m.Checkpoint > k.last // the pointer may be told again
	if first {
		k.checkpoints++
		k.c.layered(m)
	}
	k.last, k.complete, k.calm = m.Checkpoint, value, max(k.calm, k.c.w.Elapsed())
	if err := k.readable(m); err != nil {
		k.fail("I5: checkpoint %d is complete: %v", m.Checkpoint, err)
	}
	if _, err := snapshot.PlanRestore(m, k.c.plan); err != nil {
		k.fail("I6: checkpoint %d cannot be restored: %v", m.Checkpoint, err)
	}
	if !first {
		return
	}
	if err := k.restores.compare(m); err != nil {
		k.fail("I6: checkpoint %d: %w", m.Checkpoint, err)
	}
}

// readable says what is wrong with the objects of a checkpoint.
func (k *checker) readable(m *snapshot.Manifest) error {
	if have, want := len(m.Tasks), len(k.c.plan.Tasks()); have != want {
		return fmt.Errorf("it has %d tasks of %d", have, want)
	}
	for i := range m.Tasks {
		for _, h := range m.Tasks[i].Layers() {
			data, ok := k.c.objects.objects[h.Key]
			if !ok {
				return fmt.Errorf("%s of task %v is not stored", h.Key, m.Tasks[i].Task)
			}
			if err := h.Check(data); err != nil {
				return err
			}
			if _, err := snapshot.DecodeParts(data); err != nil {
				return fmt.Errorf("%s: %w", h.Key, err)
			}
		}
	}
	return nil
}

// deleted checks I5 for an object that is deleted: the newest complete checkpoint must not
// need it.
func (k *checker) deleted(key string) {
	value := k.c.leaders.pointers[jobName]
	if !strings.HasPrefix(value, snapshot.CheckpointsPrefix) {
		return
	}
	if k.needed.of != value {
		k.needed.of, k.needed.keys = value, map[string]bool{value: true}
		if m, err := snapshot.DecodeManifest(k.c.objects.objects[value]); err == nil {
			for _, o := range m.Objects(value) {
				k.needed.keys[o] = true
			}
		}
	}
	if k.needed.keys[key] {
		k.fail("I5: %s is deleted, and the newest complete checkpoint %s needs it", key, value)
	}
}

// progressEvery is how often progress is looked at.
const progressEvery = 500 * time.Millisecond

// progress checks I11 for checkpoints: with all tasks running and no fault, one must complete
// within the interval, the time-out of one that a fault has spoiled, and what it takes until a
// leader is there again and late messages have come.
func (k *checker) progress() {
	if k.c.result != nil {
		return
	}
	k.c.w.At(progressEvery, k.progress)
	now := k.c.w.Elapsed()
	for r := range k.regions {
		if !k.whole(r) {
			k.calm = max(k.calm, now)
		}
	}
	bound := k.c.scenario.CheckpointEvery + checkpointTimeout + 2*sessionTTL + maxLockDelay + latest
	if now > k.calm+bound {
		k.fail("I11: all tasks run and nothing has happened for %v, and no checkpoint has completed: %s", bound, k.c.describe())
	}
}

// end checks what is left after the job.
func (k *checker) end() error {
	var errs []error
	switch r := k.c.result; {
	case k.c.scenario.Workload.Fails:
		if r.State != exec.JobFailed {
			errs = append(errs, fmt.Errorf("I11: the job ended %s, and it has no input", r.State))
		}
	case r.State == exec.JobFailed && k.c.scenario.MayGiveUp && k.storms.over:
	case r.State != exec.JobFinished:
		return fmt.Errorf("I11: the job ended %s: %s", r.State, r.Reason)
	default:
		if err := k.c.scenario.Workload.Check(k.c.disk.visible()); err != nil {
			errs = append(errs, fmt.Errorf("I1: %w", err))
		}
	}
	errs = append(errs, k.leaks())
	if len(k.c.faults) == 0 && (k.restarts > 0 || k.leaders > 1) {
		errs = append(errs, fmt.Errorf("I12: %d restarts and %d leaders without a fault", k.restarts, k.leaders))
	}
	if n := len(k.storms.lost) + k.expiries; n > 0 && !k.storms.silenced() {
		errs = append(errs, fmt.Errorf("I12: executors %v were given up and %d tasks lost their lease, and nothing has silenced anybody", k.storms.lost, k.expiries))
	}
	return errors.Join(errs...)
}

// leaks checks I7.
func (k *checker) leaks() error {
	var errs []error
	if n := len(k.c.resources.given); n > 0 {
		errs = append(errs, fmt.Errorf("I7: %d executors were not given back", n))
	}
	if tasks := k.describe(); len(tasks) > 0 {
		errs = append(errs, fmt.Errorf("I7: tasks live after the end: %v", tasks))
	}
	if l := k.c.leaders.keys[jobName]; l != nil && l.entry.Session != "" && k.c.leaders.sessions[l.entry.Session] != nil {
		errs = append(errs, fmt.Errorf("I7: %s still holds the job's lock", l.entry.Value))
	}
	return errors.Join(append(errs, k.orphans())...)
}

// orphans looks for objects that no retained checkpoint needs. What a process that crashed
// or was cut off wrote too late, or could not delete, may stay. So may what belongs to a
// checkpoint behind the newest complete one when the run's end could not be stored: for all
// that its leader knows, another leader has begun that one.
func (k *checker) orphans() error {
	if k.last == 0 || k.excuses.any() {
		return nil
	}
	newest, err := snapshot.DecodeManifest(k.c.objects.objects[k.complete])
	if err != nil {
		return fmt.Errorf("I7: retained checkpoint %s: %w", k.complete, err)
	}
	keep := map[string]bool{}
	for _, key := range append(slices.Clone(newest.Older), newest.Key()) {
		m, err := snapshot.DecodeManifest(k.c.objects.objects[key])
		if err != nil {
			return fmt.Errorf("I7: retained checkpoint %s: %w", key, err)
		}
		for _, o := range m.Objects(key) {
			keep[o] = true
		}
	}
	for _, key := range k.c.objects.keys(snapshot.CheckpointsPrefix) {
		id, _ := snapshot.CheckpointOf(key)
		if !keep[key] && !(k.excuses.ending && id > newest.Checkpoint) {
			return fmt.Errorf("I7: no retained checkpoint needs %s", key)
		}
	}
	failed := k.c.faults[StoreErrors] + k.c.faults[LeaderErrors] // calls that were carried out all the same
	for _, key := range k.c.objects.keys("result-") {
		if key != k.c.leaders.pointers[jobName] && k.leaders == k.runs && failed == 0 {
			return fmt.Errorf("I7: the pointer does not name %s", key)
		}
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
