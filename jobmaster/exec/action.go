package exec

import (
	"time"

	"blink/graph"
	"blink/placement"
	"blink/snapshot"
)

// Action is what is to be done: one of the types of this file. Those that are sent to a
// TaskExecutor may be lost; the machine repeats them.
type Action any

type (
	// Hello announces this leader to an executor and renews its lease.
	Hello struct {
		Node         string
		Incarnation  uint64 // of the process that is meant; 0: any
		Registration uint64 // of it with us; see executor.registration
		Seen         uint64 // newest version of its reports
		Held         uint64 // version up to which we know its state; 0: we need all of it
		Concluded    uint64
		Completed    uint64
		Onto         uint64 // the checkpoint that deltas may go onto: Completed, or 0 when it cannot be read
	}
	// Deploy starts an attempt of a task.
	Deploy struct {
		Node         string
		Incarnation  uint64
		Registration uint64
		Task         graph.TaskID
		Attempt      uint32
		Slot         int
		Restore      uint64
		Fetches      []snapshot.Fetch
		Initial      []Splits
		Peers        []Location
		Sources      int
	}
	// Cancel ends every attempt of a task up to one.
	Cancel struct {
		Node string
		Task graph.TaskID
		UpTo uint32
	}
	// Trigger begins a checkpoint in tasks of an executor.
	Trigger struct {
		Node       string
		Checkpoint uint64
		Stop       bool
		Tasks      []TaskAttempt
	}
	// Finalize publishes the result of a sink's vertex.
	Finalize struct {
		Node       string
		Task       graph.TaskID
		Attempt    uint32
		Checkpoint uint64
	}
	// Enumerate asks for the splits of every source.
	Enumerate struct{}
	// StoreSplits makes them durable.
	StoreSplits struct{ Splits []Splits }
	// Place asks for a slot for each unit, none of those that others have; it replaces an
	// earlier Place. A region is of use whole only: the answer gives slots to all of its
	// units or to none.
	Place struct {
		Units   []Unit
		Regions [][]int // the units of each region, by index
		Taken   []placement.Slot
	}
	// StoreResult makes it durable how the job ends: no later leader of this run runs it again.
	StoreResult struct{ Result Finish }
	// Release gives all slots back.
	Release struct{}
	// Available says how many slots of an executor may get tasks; 0: it is given up.
	Available struct {
		Node  string
		Slots int
	}
	// StoreManifest writes a checkpoint's manifest.
	StoreManifest struct{ Manifest *snapshot.Manifest }
	// AdvancePointer makes it the newest complete checkpoint, if we still lead.
	AdvancePointer struct {
		Checkpoint uint64
		Key        string
	}
	// Collect deletes the objects of checkpoints up to Newest, except Keep.
	Collect struct {
		Newest uint64
		Keep   []string
	}
	// Wake asks for a Tick at that time; it replaces an earlier Wake.
	Wake struct{ At time.Time }
	// Note is for people.
	Note struct{ Text string }
	// Finish says that the job is over; nothing follows.
	Finish struct {
		State  JobState
		Reason string
		// Stuck says that running again ends the same way, until somebody does what Reason says.
		Stuck bool
	}
	// StepDown says that another leader acts; nothing follows.
	StepDown struct{ Reason string }
)

// Actions lists every type of action, as zero values.
func Actions() []Action {
	return []Action{
		Hello{}, Deploy{}, Cancel{}, Trigger{}, Finalize{}, Enumerate{}, StoreSplits{}, Place{}, StoreResult{},
		Release{}, Available{}, StoreManifest{}, AdvancePointer{}, Collect{}, Wake{}, Note{}, Finish{}, StepDown{},
	}
}

// Unit is subtask Index of every vertex of a slot sharing group, which share a slot.
type Unit struct {
	Group    string
	Index    int
	Tasks    []graph.TaskID // that are to be deployed
	Previous placement.Slot // where the unit was last
}

// Location is where a task is.
type Location struct {
	Task    graph.TaskID
	Node    string
	Attempt uint32
}

// TaskAttempt is an attempt of a task.
type TaskAttempt struct {
	Task    graph.TaskID
	Attempt uint32
}

// JobState is how a job is or ended.
type JobState string

// The states of a job.
const (
	JobReconciling JobState = "RECONCILING"
	JobStarting    JobState = "STARTING"
	JobRunning     JobState = "RUNNING"
	JobFinished    JobState = "FINISHED"
	JobStopped     JobState = "STOPPED"
	JobCanceled    JobState = "CANCELED"
	JobFailed      JobState = "FAILED"
)
