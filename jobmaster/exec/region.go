package exec

import (
	"slices"
	"strings"
	"time"

	"blink/graph"
	"blink/internal/mutate"
	"blink/placement"
	"blink/snapshot"
)

// fail takes a region down; when nothing of it is left, and after a back-off, it starts again,
// unless the job ends with it. Repeated words on the same failure change nothing.
func (m *Machine) fail(r *region, reason string) {
	if r.down() {
		return
	}
	if m.phase == leaving {
		if !m.untold() {
			m.takeDown(r, "has failed, and the job ends", reason)
		}
		return
	}
	m.strike()
	if len(m.failures) <= m.o.Restarts.Attempts {
		m.takeDown(r, "restarts", reason)
		return
	}
	m.takeDown(r, "fails, and no restart is left", reason)
	m.leave(Finish{State: JobFailed, Reason: reason})
}

// failForGood ends the job with a region that would fail again in the same way. The region is
// cancelled with the others, when the reason is durable: see untold.
func (m *Machine) failForGood(r *region, reason string) {
	if m.phase != leaving {
		m.note("region %d fails for good: %s", r.index, reason)
		m.leave(Finish{State: JobFailed, Reason: reason, Stuck: true})
	}
}

// untold says whether the reports of failed tasks may be all that tells another leader why the
// job is stuck: a task that is cancelled does not say any more how it failed.
func (m *Machine) untold() bool { return m.result.Stuck && m.way <= recording }

// down says whether nothing of the region is wanted now.
func (r *region) down() bool {
	return r.phase == cancelling || r.phase == backingOff || r.phase == idle
}

// takeDown cancels every task of a region.
func (m *Machine) takeDown(r *region, what, reason string) {
	m.note("region %d %s: %s", r.index, what, reason)
	m.cancelRegion(r)
	m.abort("a region failed: " + reason)
	if m.phase == finalizing {
		m.phase = active
	}
}

// strike counts a failure; what fails in the same step has the same cause.
func (m *Machine) strike() {
	if !m.struck {
		m.struck, m.failures = true, append(m.failures, m.now)
	}
	if p := m.o.Restarts; p.Within > 0 {
		m.failures = slices.DeleteFunc(m.failures, func(at time.Time) bool { return m.now.Sub(at) > p.Within })
	}
}

// stranded is the end of a job whose newest checkpoint cannot be used, where older ones may
// not be, or are not there.
func stranded(reason string, older int) Finish {
	advice := "; going back to an older checkpoint may repeat output: allow it with the option allow-fallback"
	if older <= 0 {
		advice = "; no older checkpoint can be used: begin anew with an empty state dir"
	}
	return Finish{State: JobFailed, Reason: reason + advice, Stuck: true}
}

// fallBack goes back to an older checkpoint, if it may, when a task could not read the newest
// one. Others may have found the same: they restored what has been left by then.
func (m *Machine) fallBack(r TaskReport) {
	c := &m.cp
	n := len(c.retained)
	if m.phase == leaving || n == 0 || c.retained[n-1].Checkpoint != r.Restored {
		return
	}
	if !m.o.AllowFallback || n < 2 {
		m.leave(stranded(r.Failure, n-1))
		return
	}
	c.left = append(c.left, c.retained[n-1])
	c.retained = c.retained[:n-1]
	m.note("%s: going back to checkpoint %d", r.Failure, c.retained[n-2].Checkpoint)
}

func (m *Machine) cancelRegion(r *region) {
	m.move(r, cancelling)
	for _, t := range r.tasks {
		t.deploy = nil
		m.cancelClaims(t)
	}
}

func (m *Machine) cancelClaims(t *task) {
	for _, c := range t.claims {
		m.do(Cancel{c.node, t.id, c.attempt})
	}
}

// driveRegions moves every region on.
func (m *Machine) driveRegions() {
	if m.everyRegion(up) {
		return
	}
	want := false
	for _, r := range m.regions {
		switch r.phase {
		case cancelling:
			if m.gone(r) {
				m.move(r, backingOff)
				r.retryAt = m.now.Add(m.backOff())
			}
		case backingOff:
			if !m.undecided() && !m.now.Before(r.retryAt) {
				m.move(r, idle)
			}
		case deploying:
			if m.all(r, func(t *task) bool { return t.state.live() && t.state != Deploying }) {
				m.move(r, up)
			}
		case placing:
			if !m.ready(r) { // what it reads must be made again
				m.move(r, idle)
			}
		}
		if r.phase == idle && m.ready(r) {
			m.move(r, placing)
			want = true
		}
	}
	m.restartReaders()
	if want {
		m.place()
	}
}

// restartReaders restarts the regions that have not finished and read what is being made again:
// they read an attempt's output, and that attempt is gone.
func (m *Machine) restartReaders() {
	for _, r := range m.regions {
		if (r.phase == deploying || r.phase == up) && !m.ready(r) && !m.finished(r) {
			m.fail(r, "its input is made again")
		}
	}
}

// undecided says whether the newest complete checkpoint is unknown: nothing may be restored from
// the one before, since sinks would remove what the new one is about to make visible.
func (m *Machine) undecided() bool { return m.cp.step == advancing }

// gone is the barrier: nothing of the region may live any more.
func (m *Machine) gone(r *region) bool {
	return mutate.On(mutate.RestartWithoutBarrier) || m.all(r, func(t *task) bool { return len(t.claims) == 0 })
}

func (m *Machine) all(r *region, f func(t *task) bool) bool {
	return !slices.ContainsFunc(r.tasks, func(t *task) bool { return !f(t) })
}

func (m *Machine) backOff() time.Duration {
	n := max(0, len(m.failures)-1)
	return min(m.o.Restarts.BackOff<<min(n, 20), m.o.Restarts.Max)
}

// ready says whether a region's blocking inputs are there.
func (m *Machine) ready(r *region) bool {
	return !slices.ContainsFunc(r.inputs, func(in *region) bool { return !m.finished(in) })
}

// finished says whether every task of a region has ended, and so made all of its output.
func (m *Machine) finished(r *region) bool { return r.phase == up && m.ended(r) }

func (m *Machine) ended(r *region) bool {
	return m.all(r, func(t *task) bool { return t.state == Ended })
}

// made says whether all blocking output is there. No checkpoint is taken before: a task that
// makes it and rests behind a stop checkpoint would keep those waiting that are to read it, and
// only the next checkpoint wakes it, which waits for them.
func (m *Machine) made() bool {
	return !slices.ContainsFunc(m.makers, func(r *region) bool { return !m.ended(r) })
}

// partitionLost restarts the region of a task whose output is gone, and with it those who read
// it. What an earlier attempt has made is gone with that.
func (m *Machine) partitionLost(ev PartitionLost) {
	if t := m.task(ev.Task); t != nil && t.region.phase == up && t.attempt == ev.Attempt {
		m.fail(t.region, "the output of a finished task was lost")
	}
}

// place asks for the slots of all units that regions being placed need.
func (m *Machine) place() {
	p := Place{}
	needs := map[*region][]int{}
	for _, g := range m.spec.Plan.SlotGroups() {
		for i := range g.Slots {
			u, placed := Unit{Group: g.Name, Index: i}, -1
			for _, v := range g.Vertices {
				t := m.task(graph.TaskID{Vertex: v, Subtask: i})
				if t == nil {
					continue
				}
				if t.slot.Node != "" && t.placed > placed {
					u.Previous, placed = t.slot, t.placed // a unit is where the last of it went
				}
				if t.region.phase == placing {
					u.Tasks = append(u.Tasks, t.id)
					if units := needs[t.region]; !slices.Contains(units, len(p.Units)) {
						needs[t.region] = append(units, len(p.Units))
					}
				}
			}
			if len(u.Tasks) > 0 {
				p.Units = append(p.Units, u)
			} else if u.Previous.Node != "" {
				p.Taken = append(p.Taken, u.Previous)
			}
		}
	}
	for _, r := range m.regions {
		if units := needs[r]; units != nil {
			p.Regions = append(p.Regions, units)
		}
	}
	m.do(p)
}

// placed deploys the regions all of whose tasks have a slot now.
func (m *Machine) placed(ev Placed) {
	slots := map[graph.TaskID]placement.Slot{}
	for _, g := range m.spec.Plan.SlotGroups() {
		for _, u := range ev.Units {
			if u.Group == g.Name {
				for _, v := range g.Vertices {
					slots[graph.TaskID{Vertex: v, Subtask: u.Index}] = u.Slot
				}
			}
		}
	}
	for _, r := range m.regions {
		if r.phase == placing && m.all(r, func(t *task) bool { s, ok := slots[t.id]; return ok && m.usable(s.Node) }) {
			if err := m.findOrigin(); err != nil {
				m.leave(Finish{State: JobFailed, Reason: err.Error(), Stuck: true})
				return
			}
			m.deployRegion(r, slots)
		}
	}
	if slices.ContainsFunc(m.regions, func(r *region) bool { return r.phase == placing }) {
		m.place()
	}
}

// usable says whether an executor may get tasks.
func (m *Machine) usable(node string) bool {
	e := m.find(node)
	return e != nil && e.obeys && !e.lost
}

// deployRegion starts the next attempt of a region.
func (m *Machine) deployRegion(r *region, slots map[graph.TaskID]placement.Slot) {
	from := m.origin
	for _, t := range r.tasks {
		r.attempt = max(r.attempt, t.highest, t.attempt)
	}
	again := r.attempt > 0 // under us or an earlier leader
	r.attempt++
	m.placings++
	m.move(r, deploying)
	for _, t := range r.tasks {
		t.attempt, t.highest, t.slot, t.placed, t.state = r.attempt, r.attempt, slots[t.id], m.placings, Absent
		t.report = TaskReport{}
		t.claims = append(t.claims, claim{t.slot.Node, r.attempt})
	}
	restore := from.checkpoint
	if r.makes {
		restore = 0
	}
	if again {
		m.restarts.Tasks += len(r.tasks)
		m.restarts.Regions++
		if restore > 0 {
			m.restarts.Resumed++
		}
	}
	for _, t := range r.tasks {
		d := &Deploy{Task: t.id, Attempt: t.attempt, Slot: t.slot.Index, Node: t.slot.Node, Restore: restore}
		d.Fetches, d.Initial, d.Sources, d.Peers = from.fetches[t.id], from.initial[t.id], from.sources[t.id.Vertex], m.peers(t)
		t.deploy = d
		m.send(t)
	}
}

func (m *Machine) send(t *task) {
	d := *t.deploy
	if e := m.find(t.slot.Node); e != nil {
		d.Incarnation, d.Registration = e.incarnation, e.registration
		m.do(d)
	}
}

// origin is what a deployment starts from.
type origin struct {
	manifest   *snapshot.Manifest
	checkpoint uint64 // that is restored; 0: none
	fetches    map[graph.TaskID][]snapshot.Fetch
	initial    map[graph.TaskID][]Splits // of tasks that are not restored
	sources    map[graph.VertexID]int    // tasks of a vertex that have a split
}

// findOrigin makes origin the newest complete checkpoint, or the splits of the sources; these
// also for the regions that make blocking output.
func (m *Machine) findOrigin() error {
	var newest *snapshot.Manifest
	if n := len(m.cp.retained); n > 0 {
		newest = m.cp.retained[n-1]
	}
	if m.origin != nil && m.origin.manifest == newest {
		return nil
	}
	o := &origin{manifest: newest, sources: map[graph.VertexID]int{}}
	if newest != nil {
		fetches, err := snapshot.PlanRestore(newest, m.spec.Plan)
		if err != nil {
			return err
		}
		o.checkpoint, o.fetches = newest.Checkpoint, fetches
	}
	if newest == nil || len(m.makers) > 0 {
		o.initial = m.deal()
	}
	for _, t := range m.tasks {
		if t.region.makes { // it would go on behind what it has made
			delete(o.fetches, t.id)
		} else if newest != nil {
			delete(o.initial, t.id)
		}
		if m.reads(t.id, o) {
			o.sources[t.id.Vertex]++
		}
	}
	m.origin = o
	return nil
}

// peers are the tasks at the other ends of a task's channels.
func (m *Machine) peers(t *task) []Location {
	var ids []graph.TaskID
	v := &m.spec.Plan.Vertices[t.id.Vertex]
	for _, l := range v.In {
		ids = append(ids, m.spec.Plan.Links[l].Senders(t.id.Subtask)...)
	}
	for _, l := range v.Out {
		ids = append(ids, m.spec.Plan.Links[l].Receivers(t.id.Subtask)...)
	}
	slices.SortFunc(ids, graph.TaskID.Compare)
	var ps []Location
	for _, id := range slices.Compact(ids) {
		p := m.task(id)
		ps = append(ps, Location{id, p.slot.Node, p.attempt})
	}
	return ps
}

// deal gives the splits of every source to its tasks, as a restore would.
func (m *Machine) deal() map[graph.TaskID][]Splits {
	dealt := map[graph.TaskID][]Splits{}
	for _, s := range m.splits {
		v := m.vertexOf(s.Operator)
		if v == nil {
			continue
		}
		items := slices.Clone(s.Items)
		slices.SortFunc(items, func(a, b snapshot.Item) int { return strings.Compare(a.Name, b.Name) })
		for i := range v.Parallelism {
			mine := Splits{Operator: s.Operator}
			for k := i; k < len(items); k += v.Parallelism {
				mine.Items = append(mine.Items, items[k])
			}
			id := graph.TaskID{Vertex: v.ID, Subtask: i}
			dealt[id] = append(dealt[id], mine)
		}
	}
	return dealt
}

// vertexOf is the vertex with the operator of that id, nil if there is none.
func (m *Machine) vertexOf(operator string) *graph.Vertex {
	for i := range m.spec.Plan.Vertices {
		v := &m.spec.Plan.Vertices[i]
		if slices.ContainsFunc(v.Operators, func(o int) bool { return m.spec.Plan.Job.Operators[o].ID == operator }) {
			return v
		}
	}
	return nil
}

// reads says whether a task has a split.
func (m *Machine) reads(id graph.TaskID, o *origin) bool {
	head := m.spec.Plan.Job.Operators[m.spec.Plan.Vertices[id.Vertex].Operators[0]]
	if !head.Source {
		return false
	}
	return slices.ContainsFunc(o.fetches[id], func(f snapshot.Fetch) bool {
		return f.Operator == head.ID && slices.ContainsFunc(f.Items, func(name string) bool { return !snapshot.IsCounter(name) })
	}) || slices.ContainsFunc(o.initial[id], func(s Splits) bool { return len(s.Items) > 0 })
}

// enumerated makes the splits durable before anything is read.
func (m *Machine) enumerated(ev Enumerated) {
	if m.phase == starting && !m.known {
		m.splits = ev.Splits
		m.do(StoreSplits(ev))
	}
}
