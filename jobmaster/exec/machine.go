package exec

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"blink/graph"
	"blink/placement"
)

// Machine is one job under one leader. It is used by one goroutine.
type Machine struct {
	spec  Spec
	o     Options
	now   time.Time // of the step at hand
	out   []Action
	phase phase

	executors     []*executor // ascending by node
	tasks         []*task     // by vertex, then subtask
	first         []int       // index in tasks of each vertex's first
	regions       []*region
	makers        []*region         // those that write to blocking links
	in            [regionPhases]int // how many regions are in each phase
	expires       time.Time         // no executor is given up before; zero: there is none to give up
	began         time.Time
	splits        []Splits
	known         bool    // splits
	origin        *origin // of the last deployment
	registrations uint64  // of executors, so far
	failures      []time.Time
	struck        bool // one was counted in this step: what else fails has the same cause
	cp            checkpoints
	stopping      bool // StopRequested
	result        Finish
	broken        bool // the job cannot go on because its newest checkpoint is unusable
	way           leavingStep
	durable       bool // the result
	inherited     bool // it was recorded by an earlier leader
	released      bool // the former is done
	swept         bool // the latter is done
	helloAt       time.Time
	resendAt      time.Time
	restarts      Restarts
	placings      int // regions that were given slots; those found alive count as one
}

type phase uint8

const (
	reconciling phase = iota
	starting
	active
	finalizing
	leaving
	done
)

// executor is a TaskExecutor as we know it.
type executor struct {
	node        string
	incarnation uint64
	version     uint64
	// registration numbers our dealings with it: a new one begins when it was given up, so that
	// a Deploy of the old one, late on its way, is refused.
	registration uint64
	heard        time.Time    // of a report
	obeys        bool         // it has reported under our epoch
	lost         bool         // given up; until it reports again
	foreign      bool         // it runs another program
	held         uint64       // version up to which reported is its state; 0: it is not known
	reported     []TaskReport // ascending by task
}

// task is what we want and know of a task.
type task struct {
	id      graph.TaskID
	region  *region
	attempt uint32 // deployed last, by us or adopted
	slot    placement.Slot
	placed  int       // m.placings when it got its slot
	state   TaskState // of that attempt, as reported
	deploy  *Deploy   // not yet reported
	highest uint32    // of all attempts seen
	claims  []claim   // instances that may live
	report  TaskReport
}

// claim is an instance of a task that may live on a node, until its executor reports that
// nothing up to the attempt is left, or is given up.
type claim struct {
	node    string
	attempt uint32
}

// region is a pipelined region.
type region struct {
	index   int
	tasks   []*task
	phase   regionPhase
	attempt uint32
	retryAt time.Time
	inputs  []*region // regions whose blocking output it reads
	makes   bool      // it writes to a blocking link: every attempt makes all of that anew
}

type regionPhase uint8

const (
	idle regionPhase = iota
	placing
	deploying
	up
	cancelling
	backingOff
	regionPhases = iota
)

// move puts a region into a phase.
func (m *Machine) move(r *region, p regionPhase) {
	m.in[r.phase]--
	r.phase = p
	m.in[p]++
}

// New returns the machine of a job under a new leader. Its first event is Recovered.
func New(spec Spec) *Machine {
	m := &Machine{spec: spec, o: spec.Options}
	for _, v := range spec.Plan.Vertices {
		m.first = append(m.first, len(m.tasks))
		for i := range v.Parallelism {
			m.tasks = append(m.tasks, &task{id: graph.TaskID{Vertex: v.ID, Subtask: i}})
		}
	}
	for i, ids := range spec.Plan.Regions() {
		r := &region{index: i}
		for _, id := range ids {
			t := m.task(id)
			t.region = r
			r.tasks = append(r.tasks, t)
		}
		m.regions = append(m.regions, r)
	}
	m.in[idle] = len(m.regions)
	m.connectRegions()
	return m
}

// connectRegions notes which regions make blocking output, and which read it.
func (m *Machine) connectRegions() {
	for i := range m.spec.Plan.Links {
		l := &m.spec.Plan.Links[i]
		if !l.Blocking {
			continue
		}
		for k := range l.FromTasks {
			from := m.task(graph.TaskID{Vertex: l.From, Subtask: k}).region
			if !from.makes {
				from.makes, m.makers = true, append(m.makers, from)
			}
			for _, to := range l.Receivers(k) {
				if r := m.task(to).region; !slices.Contains(r.inputs, from) {
					r.inputs = append(r.inputs, from)
				}
			}
		}
	}
}

// task finds a task of the plan, nil if it has none.
func (m *Machine) task(id graph.TaskID) *task {
	if id.Vertex < 0 || int(id.Vertex) >= len(m.first) || id.Subtask < 0 || id.Subtask >= m.spec.Plan.Vertices[id.Vertex].Parallelism {
		return nil
	}
	return m.tasks[m.first[id.Vertex]+id.Subtask]
}

// Step takes what happened at now and returns what is to be done, in order. After Finish or
// StepDown it does nothing. The actions are valid until the next step.
func (m *Machine) Step(now time.Time, ev Event) []Action {
	m.now, m.out, m.struck = now, m.out[:0], false
	if m.phase == done {
		return nil
	}
	m.take(ev)
	if m.phase != done {
		m.drive()
	}
	return m.out
}

func (m *Machine) take(ev Event) {
	switch ev := ev.(type) {
	case Recovered:
		m.recovered(ev)
	case Tick:
	case Reported:
		m.reported(ev)
	case Placed:
		m.placed(ev)
	case Enumerated:
		m.enumerated(ev)
	case EnumerateFailed:
		m.leave(Finish{State: JobFailed, Reason: ev.Reason})
	case SplitsStored:
		if m.phase == starting {
			m.phase, m.known = active, true
		}
	case ManifestStored:
		m.manifestStored(ev.Checkpoint)
	case StoreFailed:
		if m.cp.step == storing && m.cp.id == ev.Checkpoint {
			m.abort("its manifest cannot be stored: " + ev.Reason)
		}
	case PointerAdvanced:
		m.pointerAdvanced(ev.Checkpoint)
	case AdvanceFailed:
		if m.cp.step == advancing && m.cp.id == ev.Checkpoint {
			m.cp.retryAt = m.now.Add(m.o.Resend)
		}
	case Fenced:
		m.stepDown("the pointer was not ours to advance")
	case Collected:
		m.swept = m.phase == leaving && m.way == sweeping
	case Released:
		m.released = m.phase == leaving && m.way == sweeping
	case ResultStored:
		m.recorded(true)
	case ResultNotStored:
		m.note("the result is not stored: %s", ev.Reason)
		m.recorded(false)
	case PartitionLost:
		m.partitionLost(ev)
	case StopRequested:
		m.stopping = m.stopping || m.phase < finalizing
	case CancelRequested:
		m.leave(Finish{State: JobCanceled})
	default:
		panic(fmt.Sprintf("invariant: exec: unknown event %T", ev))
	}
}

// drive does what has become due, whatever the event was.
func (m *Machine) drive() {
	m.expireExecutors()
	if m.phase == reconciling {
		m.endReconciling()
	}
	if m.phase == active || m.phase == finalizing {
		m.driveRegions()
		m.driveCheckpoint()
		m.driveEnd()
	}
	if m.phase == leaving {
		m.driveLeaving()
	}
	if m.phase == done {
		return
	}
	m.sayHello()
	m.resend()
	m.do(Wake{m.due()})
}

func (m *Machine) do(a Action) { m.out = append(m.out, a) }

func (m *Machine) note(format string, args ...any) { m.do(Note{fmt.Sprintf(format, args...)}) }

func (m *Machine) stepDown(reason string) {
	m.do(StepDown{reason})
	m.phase = done
}

// sayHello greets every executor with each heartbeat.
func (m *Machine) sayHello() {
	if m.now.Before(m.helloAt) {
		return
	}
	m.helloAt = m.now.Add(m.o.Heartbeat)
	if m.phase > reconciling {
		m.dismiss()
	}
	m.helloAll()
}

func (m *Machine) helloAll() {
	for _, e := range m.executors {
		m.hello(e)
	}
}

func (m *Machine) hello(e *executor) {
	m.do(Hello{
		Node: e.node, Incarnation: e.incarnation, Registration: e.registration, Seen: e.version, Held: e.held,
		Concluded: m.cp.concluded, Completed: m.cp.completed, Onto: m.onto(),
	})
}

// resend repeats what no report has shown the effect of.
func (m *Machine) resend() {
	if m.now.Before(m.resendAt) {
		return
	}
	m.resendAt = m.now.Add(m.o.Resend)
	for _, t := range m.tasks {
		if t.deploy != nil && t.region.phase == deploying {
			m.send(t)
		}
		if t.region.phase == cancelling {
			m.cancelClaims(t)
		}
	}
	m.resendTrigger()
	m.resendFinalize()
}

// due is when something is to be done even if nothing happens.
func (m *Machine) due() time.Time {
	at := m.helloAt
	sooner := func(t time.Time) {
		if !t.IsZero() && t.Before(at) {
			at = t
		}
	}
	if m.waiting() {
		sooner(m.resendAt)
	}
	if m.in[backingOff] > 0 && !m.undecided() {
		for _, r := range m.regions {
			if r.phase == backingOff {
				sooner(r.retryAt)
			}
		}
	}
	if m.way != sweeping {
		sooner(m.expires)
	}
	for _, t := range m.checkpointTimes() {
		sooner(t)
	}
	if !at.After(m.now) {
		at = m.now.Add(time.Millisecond)
	}
	return at
}

// waiting says whether something sent has shown no effect yet.
func (m *Machine) waiting() bool {
	if m.cp.step == gathering || m.phase == finalizing {
		return true
	}
	return m.in[deploying]+m.in[cancelling] > 0
}

// Restarts are what a leader has deployed again after failures.
type Restarts struct {
	Tasks   int
	Regions int // of these tasks, each time
	Resumed int // of the regions, those that went on from a complete checkpoint
}

// Plus adds those of another leader.
func (r Restarts) Plus(o Restarts) Restarts {
	return Restarts{r.Tasks + o.Tasks, r.Regions + o.Regions, r.Resumed + o.Resumed}
}

// Restarts are those of this leader.
func (m *Machine) Restarts() Restarts { return m.restarts }

// State is the job's state for people.
func (m *Machine) State() JobState {
	switch m.phase {
	case reconciling:
		return JobReconciling
	case starting:
		return JobStarting
	case leaving, done:
		if m.result.State != "" {
			return m.result.State
		}
	}
	if slices.ContainsFunc(m.regions, func(r *region) bool { return r.phase != up }) {
		return JobStarting
	}
	return JobRunning
}

// Alive is the number of tasks that run or have ended.
func (m *Machine) Alive() int {
	n := 0
	for _, t := range m.tasks {
		if t.state.live() && t.state != Deploying && t.region.phase >= deploying && t.region.phase <= up {
			n++
		}
	}
	return n
}

// Counters are what all tasks have counted, each task by its newest report, summed by
// operator and metric and ascending by both.
func (m *Machine) Counters() []Counter {
	var all []Counter
	for _, t := range m.tasks {
		all = append(all, t.report.Counters...)
	}
	slices.SortFunc(all, func(a, b Counter) int {
		return cmp.Or(strings.Compare(a.Operator, b.Operator), strings.Compare(a.Metric, b.Metric))
	})
	sums := all[:0]
	for _, c := range all {
		if n := len(sums); n > 0 && sums[n-1].Operator == c.Operator && sums[n-1].Metric == c.Metric {
			sums[n-1].Value += c.Value
			continue
		}
		sums = append(sums, c)
	}
	return sums
}

// Completed is the newest complete checkpoint, 0 if there is none.
func (m *Machine) Completed() uint64 { return m.cp.completed }
