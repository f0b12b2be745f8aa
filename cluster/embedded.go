package cluster

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"blink/actors"
	"blink/connector/files"
	"blink/graph"
	"blink/jobmaster"
	"blink/jobmaster/exec"
	"blink/jobmaster/leader"
	"blink/operator"
	"blink/snapshot/store"
	"blink/taskexec"
)

// program is a job that can run. make builds it anew, for every process that runs it: the
// flags of run that concern the graph are applied.
type program struct {
	name string
	make func() (*operator.Program, error)
}

// runOptions are what a runner needs besides the program.
type runOptions struct {
	stateDir string // "": state is kept in memory
	rate     float64
	// bufferTimeout is how long a batch that is not full waits for a busy task; 0: the default.
	bufferTimeout time.Duration
	restart       restartPolicy
	drills        *drills
	// allowFallback lets the job go back to an older checkpoint also where output was published
	// that cannot be taken back.
	allowFallback bool
	// stop is closed when the job shall come to rest: with a last checkpoint if there is a
	// state dir, at once if not. When the context ends, everything is let go.
	stop <-chan struct{}
}

// observer is told what goes on while a job runs; its functions may be called from anywhere.
type observer struct {
	progress func(progress) // about once a second
	note     func(string)   // a line for people: a restart, bad data, a change of leader
}

// progress is a look at a running job.
type progress struct {
	state      string // of the job, an exec.JobState
	records    int64  // read by the sources
	checkpoint uint64 // the newest complete one
	restarts   int64  // of tasks
}

// outcome is how a run ended.
type outcome struct {
	state      endState
	reason     string // of a failure
	stuck      bool   // running again fails the same way, until somebody does what reason says
	checkpoint uint64 // the newest complete one; 0: none
	counts     []count
	// what the runtime has counted
	checkpoints, leaderChanges int64
	restarts                   exec.Restarts
}

// count is what one operator has counted, over all its tasks and exactly once.
type count struct {
	operator, metric string
	value            int64
}

// endState is the last state of a job.
type endState string

// The ends of a run.
const (
	finishedState endState = "FINISHED"
	stoppedState  endState = "STOPPED" // with a checkpoint to go on from, if there is a state dir
	failedState   endState = "FAILED"
)

// ProgressEvery is how often a runner looks at the job for its observer.
const ProgressEvery = 200 * time.Millisecond

// runEmbedded runs a job in this process: leader service, object store and resource manager
// are the local twins.
func runEmbedded(ctx context.Context, p program, o runOptions, see observer) (out outcome, err error) {
	e, err := newEmbedded(p, o, see)
	if err != nil {
		return outcome{}, err
	}
	defer func() {
		slow, closing := e.close()
		if slow != nil && err == nil { // how the job ended is known and durable all the same
			see.note(slow.Error())
			slow = nil
		}
		err = errors.Join(err, slow, closing)
	}()
	if err := e.start(); err != nil {
		return outcome{}, err
	}
	ask, tick := o.stop, time.NewTicker(ProgressEvery)
	defer tick.Stop()
	for {
		select {
		case r := <-e.done:
			return e.outcome(r), nil
		case err := <-e.patience.lost:
			return e.outcome(jobmaster.Result{State: exec.JobFailed, Reason: err.Error(), Counters: e.counted()}), nil
		case <-ask:
			ask = nil
			e.system.Tell(e.candidate, e.ending())
		case <-tick.C:
			see.progress(e.progress())
		case <-ctx.Done():
			return outcome{}, context.Cause(ctx)
		}
	}
}

// embedded is a whole cluster in this process, on one actor system.
type embedded struct {
	program   program
	options   runOptions
	notes     *notes
	system    *actors.System
	leader    *leader.Local
	store     store.Store
	patience  *patience // with store and leader
	candidate actors.Ref
	done      chan jobmaster.Result

	mu      sync.Mutex // guards what follows; the JobMaster's Observe writes it
	status  jobmaster.Status
	earlier jobmaster.Status // sums over the epochs before the one at hand
	changes int64
}

const (
	embeddedNode      = "local"
	embeddedHeartbeat = 200 * time.Millisecond
	embeddedSession   = 15 * time.Second
	embeddedLease     = time.Minute
	electionRetry     = 20 * time.Millisecond
	shutdownTime      = 10 * time.Second
)

func newEmbedded(p program, o runOptions, see observer) (*embedded, error) {
	e := &embedded{program: p, options: o, notes: newNotes(see.note), done: make(chan jobmaster.Result, 1)}
	e.patience = newPatience(e.notes.tell)
	e.system = actors.New(actors.Config{Node: embeddedNode, Log: e.notes.log()})
	coordination, objects := "", store.Memory()
	var err error
	if o.stateDir != "" {
		coordination = filepath.Join(o.stateDir, leaderDir)
		if objects, err = store.Files(filepath.Join(o.stateDir, objectsDir)); err != nil {
			e.notes.close()
			return nil, err
		}
	}
	e.store = patientStore{objects, e.patience}
	if e.leader, err = leader.NewLocal(coordination); err != nil {
		e.notes.close()
		return nil, err
	}
	return e, nil
}

// start spawns the candidate; executors come when the job asks for slots.
func (e *embedded) start() error {
	built, err := e.program.make()
	if err != nil {
		return err
	}
	plan, err := graph.Compile(built.Job)
	if err != nil {
		return err
	}
	options := exec.Options{
		Heartbeat: embeddedHeartbeat, Lease: embeddedLease, CheckpointEvery: built.Job.CheckpointEvery,
		Restarts:      exec.RestartPolicy{Attempts: e.options.restart.Attempts, Within: restartWithin, BackOff: e.options.restart.First, Max: e.options.restart.Most},
		AllowFallback: e.options.allowFallback || withdrawable(plan),
	}.Defaults()
	election := leader.Options{TTL: embeddedSession, Retry: electionRetry}
	if err := options.Validate(exec.Election{SessionTimeout: election.TTL, Campaign: election.Retry, Announcement: embeddedHeartbeat}); err != nil {
		return err
	}
	config := jobmaster.Config{
		Job: e.program.name, Run: rand.Text(), Program: e.program.make, Store: e.store, FS: files.OS(), Leader: patientLeader{e.leader, e.patience},
		Resources: &localResources{alive: e.hasExecutor, start: e.startExecutor}, Options: options, Election: election,
		Observe: e.observe, Done: func(r jobmaster.Result) { e.done <- r }, OnTrigger: e.drill,
	}
	e.candidate, err = e.system.Spawn("candidate", "jm", func() actors.Actor { return jobmaster.NewCandidate(config) })
	return err
}

// executorID is the actor of the TaskExecutor.
const executorID = "te"

func (e *embedded) hasExecutor() bool {
	_, alive := e.system.Inspect(actors.Ref{Node: embeddedNode, ID: executorID})
	return alive
}

// startExecutor makes the TaskExecutor of this process.
func (e *embedded) startExecutor(slots int, incarnation uint64) error {
	config := taskexec.Config{
		Job: e.program.name, Program: e.program.make, Slots: slots, NewLoop: e.system.NewLoop, Incarnation: incarnation,
		Store: e.store, FS: files.OS(), Leader: leader.Lookup{Service: e.leader}, Lease: embeddedLease, Heartbeat: embeddedHeartbeat,
		Rate: e.options.rate, BufferTimeout: e.options.bufferTimeout, Drill: e.options.drills.of,
	}.Defaults()
	if err := config.Validate(); err != nil {
		return err
	}
	_, err := e.system.Spawn("executor", executorID, func() actors.Actor { return taskexec.New(config) })
	return err
}

// ending is what an interrupt asks the JobMaster for: a checkpoint first if it can be used.
func (e *embedded) ending() any {
	if e.options.stateDir == "" {
		return jobmaster.CancelJob{}
	}
	return jobmaster.StopJob{}
}

// drill lets the JobMaster die while a checkpoint is in flight, if that was asked for.
func (e *embedded) drill(checkpoint uint64) {
	if e.options.drills.jobMasterDies(checkpoint) {
		panic(fmt.Sprintf("drill: the JobMaster dies while checkpoint %d is in flight", checkpoint))
	}
}

// observe keeps what the JobMaster shows, and adds up what earlier ones did.
func (e *embedded) observe(s jobmaster.Status) {
	e.mu.Lock()
	if e.status.Epoch != 0 && s.Epoch != e.status.Epoch {
		e.earlier.Checkpoints += e.status.Checkpoints
		e.earlier.Restarts = e.restarts()
		e.changes++
	}
	e.status = s
	e.mu.Unlock()
	if s.Note != "" {
		e.notes.tell(s.Note)
	}
}

func (e *embedded) progress() progress {
	e.mu.Lock()
	defer e.mu.Unlock()
	p := progress{state: string(e.status.State), checkpoint: e.status.Checkpoint, restarts: int64(e.restarts().Tasks)}
	for _, c := range e.status.Counters {
		if c.Metric == metricRead {
			p.records += c.Value
		}
	}
	return p
}

// counted is what the tasks had counted when the JobMaster was last heard.
func (e *embedded) counted() []jobmaster.Counter {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.status.Counters
}

// restarts are those of all epochs. The caller holds mu.
func (e *embedded) restarts() exec.Restarts { return e.earlier.Restarts.Plus(e.status.Restarts) }

func (e *embedded) outcome(r jobmaster.Result) outcome {
	e.mu.Lock()
	defer e.mu.Unlock()
	out := outcome{
		reason: r.Reason, stuck: r.Stuck, checkpoint: e.status.Checkpoint,
		checkpoints: int64(e.status.Checkpoints + e.earlier.Checkpoints),
		restarts:    e.restarts(), leaderChanges: e.changes,
	}
	switch r.State {
	case exec.JobFinished:
		out.state = finishedState
	case exec.JobStopped, exec.JobCanceled:
		out.state = stoppedState
	default:
		out.state = failedState
	}
	for _, c := range r.Counters {
		out.counts = append(out.counts, count{c.Operator, c.Metric, c.Value})
	}
	return out
}

// close ends every actor and gives the folder back. slow says that actors live on.
func (e *embedded) close() (slow, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), shutdownTime)
	defer cancel()
	slow, err = e.system.Shutdown(ctx), e.leader.Unlock()
	e.notes.close()
	return slow, err
}

// withdrawable says whether every sink can take back what it has published: files of bounded
// jobs appear at the end only.
func withdrawable(plan *graph.Plan) bool {
	for _, o := range plan.Job.Operators {
		if !o.Sink {
			continue
		}
		if file, ok := files.OutputOf(o.Target); !ok || file.Folder() {
			return false
		}
	}
	return true
}

// localResources is the resource manager of one process: it starts the executor when slots
// are asked for, and another one when it has failed.
type localResources struct {
	alive func() bool
	start func(slots int, incarnation uint64) error

	mu      sync.Mutex
	started uint64 // guarded by mu: how often
}

// Declare implements jobmaster.ResourceManager. What was started stays, so it does not matter
// whose word it is.
func (r *localResources) Declare(_ context.Context, _ string, d jobmaster.Demand) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if d.Slots == 0 || r.started > 0 && r.alive() {
		return nil
	}
	r.started++
	return r.start(d.Slots, r.started)
}

// Executors implements jobmaster.ResourceManager.
func (r *localResources) Executors(context.Context, string) ([]string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.started == 0 {
		return nil, nil
	}
	return []string{embeddedNode}, nil
}
