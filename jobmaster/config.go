package jobmaster

import (
	"context"
	"time"

	"blink/jobmaster/exec"
	"blink/jobmaster/leader"
	"blink/operator"
	"blink/snapshot/store"
)

// Config is what the candidates of a job are made with.
type Config struct {
	Job string
	// Run names the run of the job: its leaders share it. One that finds the result of this
	// run ends; the stop, cancel or failure of an earlier run is for that one only.
	Run       string
	Program   func() (*operator.Program, error) // run once for each JobMaster
	Store     store.Store
	FS        operator.FS // for the enumerators of sources
	Leader    leader.Service
	Resources ResourceManager
	Options   exec.Options
	Election  leader.Options

	// Observe is told, on the JobMaster's turn, what people may want to see: every note, and
	// how the job is, several times a second and when it ends. It must not block. May be nil.
	Observe func(Status)
	// Done is told once, by the candidate that led the job to its end.
	Done func(Result)
	// Stepped is told, on the JobMaster's turn, of every event and of the actions that follow.
	// It must keep neither. May be nil.
	Stepped func(ev exec.Event, actions []exec.Action)
	// OnTrigger is called when a checkpoint has been triggered; a drill may panic. May be nil.
	OnTrigger func(checkpoint uint64)
}

// ResourceManager gives and takes TaskExecutors. Methods block, for a bounded time, and are
// called off the actor.
type ResourceManager interface {
	// Declare says how many slots the job needs in total; 0 gives everything back. A demand
	// that is older than one that was heard comes late, and changes nothing.
	Declare(ctx context.Context, job string, d Demand) error
	// Executors lists the nodes of the job's executors that it believes alive, ascending.
	Executors(ctx context.Context, job string) ([]string, error)
}

// Demand is what a job needs of its resource manager.
type Demand struct {
	Epoch, Version uint64 // of the leader that says it; grows with everything that it says
	Slots          int
}

// OlderThan says whether d was said before o.
func (d Demand) OlderThan(o Demand) bool {
	return d.Epoch < o.Epoch || d.Epoch == o.Epoch && d.Version < o.Version
}

// Status is a job as people see it.
type Status struct {
	State       exec.JobState
	Epoch       uint64
	Checkpoint  uint64 // newest complete
	Checkpoints int    // completed under this JobMaster
	Bytes       int64  // of the newest complete checkpoint
	Duration    time.Duration
	Restarts    exec.Restarts // under this JobMaster
	Tasks       int
	Running     int // tasks that run or have ended
	Note        string
	Counters    []Counter
}

// Counter is what an operator has counted, over all its tasks.
type Counter = exec.Counter

// Result is how a job ended.
type Result struct {
	Run        string // that ended
	State      exec.JobState
	Reason     string
	Stuck      bool      // it ends the same way when it is run again, until somebody does what Reason says
	Checkpoint string    // the manifest of its last checkpoint, "" if there is none
	Counters   []Counter // by operator, then metric
}
