package sim

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"blink/actors"
	"blink/graph"
	"blink/jobmaster"
	"blink/jobmaster/exec"
	"blink/jobmaster/leader"
	"blink/operator"
	"blink/protos"
	"blink/sim/world"
	"blink/taskexec"
	"blink/taskexec/exchange"
)

// jobName is the name of every simulated job.
const jobName = "job"

// GCPercent is the setting of the garbage collector that suits simulations: little lives long,
// and much is made.
const GCPercent = 800

// Timing of a simulated cluster. The lease outlasts the longest change of leader.
const (
	heartbeat  = 300 * time.Millisecond
	sessionTTL = 2 * time.Second
	// A key stays locked for up to maxLockDelay after an expiry: the seed draws it.
	maxLockDelay = time.Second
	lease        = 7 * time.Second
	drift        = 500 * time.Millisecond
	retry        = 50 * time.Millisecond

	checkpointTimeout = 5 * time.Second
	maxBackOff        = time.Second // before a restart
)

// What a failing call of a twin answers.
var (
	errUnreachable = errors.New("the service cannot be reached")
	errStoreDown   = errors.New("the object store answers 503")
	errDisk        = errors.New("input/output error")
	errDiskFull    = errors.New("no space left on device")
)

// cluster is the simulated processes and services of one job.
type cluster struct {
	w          *world.World
	scenario   *Scenario
	program    *operator.Program
	plan       *graph.Plan
	nodes      []*world.Node
	candidates []string
	leaders    *leaderService
	objects    *objectStore
	disk       *disk
	resources  *resources
	check      *checker

	callChance *world.Rand
	clocks     *world.Rand
	machines   int // for executors
	run        int // before this one
	faults     map[FaultKind]int
	active     map[FaultKind][]string
	panics     map[string]int // drills owed, by node
	jumped     map[string]bool
	result     *jobmaster.Result
	cues       []Cue  // not given yet
	triggered  uint64 // the highest checkpoint
	lastNote   string // of the JobMaster's machine
	seen       Coverage
}

func newCluster(seed uint64, s *Scenario) (*cluster, error) {
	c := &cluster{scenario: s, faults: map[FaultKind]int{}, active: map[FaultKind][]string{}, panics: map[string]int{}, jumped: map[string]bool{}, seen: Coverage{}, cues: slices.Clone(s.Cues)}
	if err := c.compile(); err != nil {
		return nil, err
	}
	s.Heartbeat, s.Lease = cmp.Or(s.Heartbeat, heartbeat), cmp.Or(s.Lease, lease)
	c.check = newChecker(c)
	c.w = world.New(seed, world.Options{
		Faults: c, Trace: s.Trace, Turn: c.check.turn,
		Call:  world.Delay{Min: 50 * time.Microsecond, Max: 2 * time.Millisecond, Tail: 8 * time.Millisecond, TailP: 0.02}, // never a renewal too late
		Lost:  func(node string) any { return exchange.Lost{Node: node} },
		Frame: func(from string, data []byte) any { return exchange.Frame{From: from, Data: data} },
		Route: route(),
	})
	c.callChance = c.w.Rand("calls")
	chance := c.w.Rand("leader")
	c.leaders = newLeaderService(c.w.Now, chance, chance.Between(0, maxLockDelay))
	c.leaders.led, c.leaders.advanced = c.check.led, c.check.advanced
	c.objects = newObjectStore()
	c.objects.deleting = c.check.deleted
	c.disk = newDisk(c.w.Rand("disk"))
	c.disk.base, c.disk.outputs = s.Workload.Base, s.Workload.Outputs
	c.resources = &resources{c: c, chance: c.w.Rand("resources")}
	c.clocks = c.w.Rand("clocks")
	if s.Workload.Control != nil {
		s.Workload.Control(Control{c})
	}
	for i := range s.Candidates {
		c.candidates = append(c.candidates, c.machine(fmt.Sprint("jm", i)))
	}
	if s.Executors == 0 {
		s.Executors = (c.plan.Slots() + s.Slots - 1) / s.Slots
	}
	c.resources.pool = c.fresh(s.Executors + s.Spare + maxReplacements)
	return c, nil
}

// machine adds a node, whose clock is a little off.
func (c *cluster) machine(name string) string {
	c.nodes = append(c.nodes, c.w.Node(name, world.Clock{Offset: c.clocks.Between(0, time.Second), Drift: int64(c.clocks.N(201)) - 100}))
	return name
}

// fresh adds nodes for executors.
func (c *cluster) fresh(n int) (names []string) {
	for range n {
		names = append(names, c.machine(fmt.Sprint("te", c.machines)))
		c.machines++
	}
	return names
}

// maxReplacements is how many nodes there are beyond those that the job needs.
const maxReplacements = 8

func (c *cluster) node(name string) *world.Node {
	i := slices.IndexFunc(c.nodes, func(n *world.Node) bool { return n.Name() == name })
	return c.nodes[i]
}

// crash ends a process, with what it had not synced.
func (c *cluster) crash(name string) {
	if c.node(name).System() == nil {
		return
	}
	c.check.crashed(name)
	c.end(name)
}

// end ends a process for its user or the resource manager: what a crash does, and no fault.
func (c *cluster) end(name string) {
	if c.node(name).System() == nil {
		return
	}
	c.node(name).Crash()
	c.disk.crash(name)
	c.check.ended(name)
}

// revive starts a process on a node that is down and still ours.
func (c *cluster) revive(name string) {
	if c.node(name).System() != nil || c.result != nil && !slices.Contains(c.candidates, name) {
		return
	}
	if slices.Contains(c.candidates, name) {
		c.startCandidate(name)
	} else if c.resources.has(name) {
		c.startExecutor(name)
	}
}

func (c *cluster) startCandidate(name string) {
	n := c.node(name)
	sys := n.Start()
	options := exec.Options{
		Heartbeat: c.scenario.Heartbeat, Lease: c.scenario.Lease, Drift: drift, CheckpointEvery: c.scenario.CheckpointEvery,
		CheckpointTimeout: checkpointTimeout, CheckpointPause: 20 * time.Millisecond,
		Restarts: c.policy(),
	}.Defaults()
	config := jobmaster.Config{
		Job: jobName, Run: fmt.Sprint(c.run), Program: c.scenario.Workload.Program, Store: storeClient{c.objects, c.w.Call},
		FS: diskClient{c.disk, name, c.w.Call}, Leader: leaderClient{c.leaders, c.w.Call}, Resources: resourceClient{c.resources, c.w.Call},
		Options: options, Election: leader.Options{TTL: sessionTTL, Retry: retry},
		Done: func(r jobmaster.Result) { c.done(name, r) }, Stepped: func(ev exec.Event, actions []exec.Action) { c.stepped(name, ev, actions) },
	}
	c.spawn(sys, "candidate", "jm", func() actors.Actor { return jobmaster.NewCandidate(config) })
}

// policy is how often the scenario lets regions restart.
func (c *cluster) policy() exec.RestartPolicy {
	return exec.RestartPolicy{
		Attempts: cmp.Or(c.scenario.Restarts, 10_000), Within: c.scenario.RestartsWithin,
		BackOff: 50 * time.Millisecond, Max: maxBackOff,
	}
}

func (c *cluster) startExecutor(name string) {
	n := c.node(name)
	sys := n.Start()
	config := taskexec.Config{
		Job: jobName, Program: c.scenario.Workload.Program, Slots: c.scenario.Slots, NewLoop: sys.NewLoop,
		Incarnation: uint64(n.Starts()), Store: storeClient{c.objects, c.w.Call}, FS: diskClient{c.disk, name, c.w.Call},
		Leader: leader.Lookup{Service: leaderClient{c.leaders, c.w.Call}}, Links: n.Links(), Lease: c.scenario.Lease, Heartbeat: c.scenario.Heartbeat,
		BatchRecords: c.scenario.BatchRecords, Credits: c.scenario.Credits, Floating: c.scenario.Floating, DrainBytes: c.scenario.DrainBytes, Layers: c.scenario.Layers, Rate: c.scenario.Rate,
		Obeyed:       func(epoch uint64) { c.check.obeyed(name, epoch) },
		Drill:        func(string, int) func() { return func() { c.drill(name) } },
		Snapshotting: c.check.restores.taken,
	}.Defaults()
	c.spawn(sys, "executor", "te", func() actors.Actor { return taskexec.New(config) })
}

// drill panics in the task at hand if a fault asks for it.
func (c *cluster) drill(node string) {
	if c.panics[node] > 0 {
		c.panics[node]--
		panic("the plan of faults asks for a panic")
	}
}

func (c *cluster) spawn(sys *actors.System, kind, name string, make func() actors.Actor) {
	if _, err := sys.Spawn(kind, name, make); err != nil {
		c.w.Fail(err)
	}
}

// done is told by the candidate that led the job to its end. Others learn it from the
// pointer.
func (c *cluster) done(name string, r jobmaster.Result) {
	c.w.Note(name, "the job is "+string(r.State)+" "+r.Reason)
	if c.result != nil {
		return
	}
	if r.State == exec.JobStopped || r.State == exec.JobCanceled {
		c.w.At(0, func() { c.again(r.State == exec.JobStopped) })
		return
	}
	c.result = &r
}

// ask tells whoever may lead what the user wants.
func (c *cluster) ask(m any) {
	for _, name := range c.candidates {
		if s := c.node(name).System(); s != nil {
			s.Tell(actors.Ref{Node: name, ID: "jm"}, m)
		}
	}
}

// again is the user who runs a job again that was stopped or cancelled: all its processes
// are new.
func (c *cluster) again(rescale bool) {
	for _, name := range c.candidates {
		c.end(name)
	}
	for _, name := range c.resources.given {
		c.end(name)
	}
	c.resources.given, c.resources.demand = nil, 0
	c.run++
	c.resources.pool = append(c.resources.pool, c.fresh(c.scenario.Executors)...)
	if rescale && c.scenario.Workload.Rescale != nil {
		c.scenario.Workload.Rescale()
	}
	if err := c.compile(); err != nil {
		c.w.Fail(err)
		return
	}
	c.check.again()
	c.w.At(time.Millisecond, func() { // when the crashes have taken effect
		for _, name := range c.candidates {
			c.revive(name)
		}
	})
}

// compile makes the plan of the job as it is now.
func (c *cluster) compile() error {
	built, err := c.scenario.Workload.Program()
	if err == nil {
		c.program = built
		c.plan, err = graph.Compile(built.Job)
	}
	return err
}

// resources is the simulated resource manager: what is asked for comes late and bit by bit,
// and a node that is lost is replaced by another one.
type resources struct {
	c      *cluster
	chance *world.Rand
	pool   []string         // nodes not given away
	given  []string         // ascending by time
	heard  jobmaster.Demand // the newest
	demand int              // slots
	coming bool
	quick  bool // give all that is asked for at once
}

func (r *resources) has(node string) bool { return slices.Contains(r.given, node) }

// declare sets the demand; nodes start until it is met.
func (r *resources) declare(d jobmaster.Demand) {
	if d.OlderThan(r.heard) {
		return
	}
	r.heard, r.demand = d, d.Slots
	if d.Slots == 0 {
		for _, n := range r.given {
			r.c.end(n)
		}
		r.given = nil
		return
	}
	r.grow()
}

func (r *resources) grow() {
	if r.coming || (len(r.given)-r.c.scenario.Spare)*r.c.scenario.Slots >= r.demand || len(r.pool) == 0 {
		return
	}
	r.coming = true
	late := r.chance.Between(10*time.Millisecond, 2*time.Second)
	if r.quick {
		late = 0
	}
	r.c.w.At(late, func() {
		r.coming = false
		if r.demand == 0 || len(r.pool) == 0 {
			return
		}
		n := r.pool[0]
		r.pool = r.pool[1:]
		r.given = append(r.given, n)
		r.c.startExecutor(n)
		r.grow()
	})
}

// lose takes a node away for good.
func (r *resources) lose(node string) {
	r.given = slices.DeleteFunc(r.given, func(n string) bool { return n == node })
	r.grow()
}

// resourceClient is the resource manager as a JobMaster sees it.
type resourceClient struct {
	r    *resources
	call call
}

// Declare implements jobmaster.ResourceManager.
func (c resourceClient) Declare(_ context.Context, _ string, d jobmaster.Demand) error {
	return c.call("resources.declare", func() error { c.r.declare(d); return nil })
}

// Executors implements jobmaster.ResourceManager.
func (c resourceClient) Executors(context.Context, string) (nodes []string, err error) {
	err = c.call("resources.executors", func() error {
		nodes = slices.Sorted(slices.Values(c.r.given))
		return nil
	})
	return nodes, err
}

// registerMessages makes the control messages known to the actors of every node.
func registerMessages() {
	actors.Register(&protos.Hello{})
	actors.Register(&protos.Report{})
	actors.Register(&protos.Deploy{})
	actors.Register(&protos.Cancel{})
	actors.Register(&protos.Trigger{})
	actors.Register(&protos.Finalize{})
}

// program is what every simulated process builds its job with.
type program = func() (*operator.Program, error)
