package sim

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"blink/operator"
	"blink/sim/world"
)

// Workload is a job to simulate.
type Workload struct {
	Name string
	// Program builds the job; it is run anew for every simulated process.
	Program program
	// Check compares what the job has written, the visible files of the simulated disk by
	// name, with what it must have written.
	Check func(files map[string]string) error
	// Base has the files that the job reads beside those of the simulated disk; nil: none.
	Base operator.FS
	// Outputs are the paths that the job writes; Base is not looked at there.
	Outputs []string
	// Rescale makes Program build the job with another parallelism; nil: it has one only.
	Rescale func()
	// Fails says that the job cannot begin: it must fail.
	Fails bool
	// Records is about how many records its sources read; 0: unknown.
	Records int
	// Covers is what a run of it meets, for coverage, such as "branch join".
	Covers []string
	// Control, unless it is nil, gets what the workload may ask of the world, before a run.
	Control func(Control)
}

// Scenario is a workload on a cluster, and what goes wrong there.
type Scenario struct {
	Workload        Workload
	Candidates      int
	Executors       int
	Spare           int // executors beyond those that the job needs
	Slots           int // of each executor
	CheckpointEvery time.Duration
	Restarts        int           // that fail the job; 0: more than will happen
	RestartsWithin  time.Duration // that are counted; 0: over the life of a leader
	MayGiveUp       bool          // a job that fails because no restart is left has ended well
	BatchRecords    int
	Credits         int     // of each channel at least
	Floating        int     // credits that the channels of a task share; 0: as many as in production
	DrainBytes      int     // of a snapshot, encoded between two quanta; 0: as ever
	Layers          int     // of a part of a snapshot at most; 0: as many as in production
	Rate            float64 // records a second of each source
	Horizon         time.Duration
	Heartbeat       time.Duration // 0: that of a small cluster
	Lease           time.Duration // 0: alike
	Faults          []Fault
	Cues            []Cue // more of them, when something is told
	// Trace gets a line for everything that happens, Story for what a person wants to follow:
	// faults, leaders, deployments, failures, checkpoints, the end. Either may be nil.
	Trace, Story func(at time.Duration, where, what string)
}

// Outcome is how a run ended.
type Outcome struct {
	Seed    uint64
	Hash    uint64 // of the trace
	Events  uint64
	Virtual time.Duration
	Faults  map[FaultKind]int
	Plan    []Fault
	Err     error // the invariant that broke; nil if none
	// Restarts of tasks, changes of leader and complete checkpoints, for coverage.
	Restarts, Leaders, Checkpoints int
	Seen                           Coverage
	Records                        int // read by the sources
}

// Calm is a scenario without faults on a small cluster, at full speed.
func Calm(w Workload) Scenario {
	return Scenario{Workload: w, Candidates: 1, Slots: 2, CheckpointEvery: 10 * time.Second, BatchRecords: 64, Credits: 4, Horizon: time.Hour}
}

var register = sync.OnceFunc(registerMessages)

// Draw makes the scenario of a seed: the workload given, or a random one if it has none.
func Draw(seed uint64, w Workload) (Scenario, error) {
	r := world.NewRand(seed).Split("scenario")
	random := w.Program == nil
	if random {
		w = Random(seed)
	}
	s := Scenario{
		Workload: w, Candidates: 1 + r.N(2), Slots: 1 + r.N(3),
		CheckpointEvery: r.Between(200*time.Millisecond, 3*time.Second),
		BatchRecords:    []int{1, 2, 4, 64}[r.N(4)], Credits: 1 + r.N(3),
		Layers: 2 + r.Split("layers").N(4), Floating: 1 + r.Split("floating").N(4),
	}
	built, err := w.Program()
	if err != nil {
		return s, err
	}
	slots, err := slotsOf(built)
	if err != nil {
		return s, err
	}
	if drain := r.Split("drain"); drain.P(0.5) {
		s.DrainBytes = 1 // a row at a time: records come while a snapshot is encoded
	}
	s.Executors, s.Spare = (slots+s.Slots-1)/s.Slots, r.N(3)
	s.Horizon = r.Between(2*time.Second, 20*time.Second)
	s.Rate = max(1, float64(w.Records)/s.Horizon.Seconds())
	var executors, candidates []string
	for i := range s.Executors + s.Spare {
		executors = append(executors, fmt.Sprint("te", i))
	}
	for i := range s.Candidates {
		candidates = append(candidates, fmt.Sprint("jm", i))
	}
	if budget := r.Split("restarts"); random && budget.P(0.15) {
		s.Restarts, s.MayGiveUp = 1+budget.N(5), true
		if budget.P(0.5) {
			s.RestartsWithin = budget.Between(500*time.Millisecond, 5*time.Second)
		}
	}
	s.Faults = drawPlan(r.Split("faults"), executors, candidates, s.Horizon)
	return s, nil
}

// After the last fault is mended, a job must end within these times, beside the time that
// its records take at their rate (for each fault once more, since a restart begins again
// with the newest checkpoint, if there is one): every wait of the protocol once.
const (
	settle = 2*(lease+drift) + 4*sessionTTL + maxLockDelay + latest
	// A restart, a checkpoint that runs into its time-out and one that does not, and a commit
	// or a result that waits for its longest back-off, twice over.
	slack = 2 * (maxBackOff + 2*checkpointTimeout + 5*time.Second)
)

// Run simulates a scenario under a seed, until the job has ended or a checker objects.
func Run(seed uint64, s Scenario) Outcome {
	register()
	out := Outcome{Seed: seed, Plan: s.Faults}
	c, err := newCluster(seed, &s)
	if err != nil {
		out.Err = err
		return out
	}
	defer c.w.Close()
	limit := s.Horizon
	for _, f := range s.Faults {
		c.w.At(f.At, func() { c.happen(f) })
		limit = max(limit, f.At+f.For)
	}
	faults := len(s.Faults)
	for _, q := range s.Cues {
		for _, f := range q.Faults {
			limit += f.At + f.For
			faults++
		}
	}
	for _, name := range c.candidates {
		c.startCandidate(name)
	}
	c.w.At(progressEvery, c.check.progress)
	limit += settle + slack + time.Duration(1+faults)*s.Horizon
	err = c.w.RunUntil(func() bool { return c.result != nil }, limit)
	if errors.Is(err, world.ErrLate) {
		err = fmt.Errorf("I11: the job has not ended %v after the last fault: %s", settle+slack, c.describe())
	}
	if err == nil {
		if err = c.w.RunUntil(c.settled, settle); err == nil || errors.Is(err, world.ErrLate) {
			err = c.check.end()
		}
	}
	out.Hash, out.Events, out.Virtual, out.Faults, out.Err = c.w.Hash(), c.w.Events(), c.w.Elapsed(), c.faults, err
	for _, name := range s.Workload.Covers {
		c.seen[name]++
	}
	out.Seen, out.Records = c.seen, c.read()
	out.Restarts, out.Leaders, out.Checkpoints = c.check.restarts, c.check.leaders, c.check.checkpoints
	return out
}

// settled says whether nothing of the job is left: no executor, and nobody who leads.
func (c *cluster) settled() bool {
	c.leaders.expire()
	l := c.leaders.keys[jobName]
	return len(c.resources.given) == 0 && (l == nil || l.entry.Session == "")
}

// read is how many records the sources have read.
func (c *cluster) read() int {
	n := 0
	if c.result != nil {
		for _, x := range c.result.Counters {
			if x.Metric == "read" {
				n += int(x.Value)
			}
		}
	}
	return n
}

func (c *cluster) describe() string {
	s := "nobody leads"
	if l := c.leaders.keys[jobName]; l != nil && l.entry.Session != "" {
		s = "leader " + l.entry.Value
	}
	live := c.check.describe()
	slices.Sort(live)
	return fmt.Sprintf("%s, pointer %q, tasks %v%s", s, c.leaders.pointers[jobName], live, c.lastNote)
}
