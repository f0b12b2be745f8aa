package exec

import (
	"blink/graph"
	"blink/placement"
	"blink/snapshot"
)

// Event is what happened: one of the types of this file.
type Event any

type (
	// Recovered begins the life of a Machine: what the leader found when it took over.
	Recovered struct {
		Manifests []*snapshot.Manifest // retained checkpoints that could be read, the newest last
		Newest    uint64               // the newest complete checkpoint; 0: none
		Broken    string               // why it cannot be used; "" if it can
		Splits    []Splits             // nil: they were never enumerated
		Executors []string             // nodes that the resource manager lists, ascending
		Over      *Finish              // an earlier leader of this run has stored that it ended so; nil: it goes on
	}
	// Tick says that time has passed.
	Tick struct{}
	// Reported is a TaskExecutor's state, or what is new of it.
	Reported struct {
		Node        string
		Incarnation uint64
		Version     uint64
		Since       uint64 // only what has changed behind this version; 0: everything
		Epoch       uint64
		Fingerprint string
		Slots       int
		Concluded   uint64       // as it was told, maybe by an earlier leader
		Tasks       []TaskReport // ascending
		Acks        []Ack
	}
	// Placed gives units of the last Place their slots.
	Placed struct{ Units []PlacedUnit }
	// Enumerated gives the splits of every source.
	Enumerated struct{ Splits []Splits }
	// EnumerateFailed says why there are none.
	EnumerateFailed struct{ Reason string }
	// SplitsStored says that they are durable.
	SplitsStored struct{}
	// ManifestStored answers StoreManifest.
	ManifestStored struct{ Checkpoint uint64 }
	// StoreFailed answers it too.
	StoreFailed struct {
		Checkpoint uint64
		Reason     string
	}
	// PointerAdvanced answers AdvancePointer.
	PointerAdvanced struct{ Checkpoint uint64 }
	// AdvanceFailed leaves it open whether it has advanced.
	AdvanceFailed struct{ Checkpoint uint64 }
	// Fenced says that another leader holds the job.
	Fenced struct{}
	// Collected answers the last Collect.
	Collected struct{}
	// ResultStored answers StoreResult.
	ResultStored struct{}
	// ResultNotStored answers it too, but never for a job that has finished.
	ResultNotStored struct{ Reason string }
	// Released answers Release.
	Released struct{}
	// PartitionLost says that what an attempt of a task has made for a blocking link is gone. A
	// task that reads it, and does not find it, fails as well.
	PartitionLost struct {
		Task    graph.TaskID
		Attempt uint32
	}
	// StopRequested asks for a checkpoint and then the end.
	StopRequested struct{}
	// CancelRequested asks for the end.
	CancelRequested struct{}
)

// Events lists every type of event, as zero values.
func Events() []Event {
	return []Event{
		Recovered{}, Tick{}, Reported{}, Placed{}, Enumerated{}, EnumerateFailed{}, SplitsStored{},
		ManifestStored{}, StoreFailed{}, PointerAdvanced{}, AdvanceFailed{}, Fenced{}, Collected{},
		ResultStored{}, ResultNotStored{}, Released{}, PartitionLost{}, StopRequested{}, CancelRequested{},
	}
}

// Splits are the splits of one source.
type Splits struct {
	Operator string
	Items    []snapshot.Item
}

// PlacedUnit is a slot sharing unit (subtask Index of every vertex of a group) and its slot.
type PlacedUnit struct {
	Group string
	Index int
	Slot  placement.Slot
}

// TaskState is a task as its executor reports it.
type TaskState uint8

// The states of tasks; protos/control.proto explains them. Absent is our own: no report has
// shown the task.
const (
	Absent TaskState = iota
	Deploying
	Running
	Ended
	Stopped
	Failed
	Canceled
)

// live says whether something of the task runs.
func (s TaskState) live() bool { return s >= Deploying && s <= Stopped }

// TaskReport is one task in a Reported.
type TaskReport struct {
	Task      graph.TaskID
	Attempt   uint32
	Epoch     uint64 // of the leader that deployed it
	State     TaskState
	Failure   string
	Unusable  bool // it failed because the checkpoint that it restored cannot be read
	Permanent bool // it failed in a way that every attempt would
	Slot      int
	Restored  uint64
	Committed uint64
	Finalized uint64
	Counters  []Counter
}

// Counter is one number that the operators of a task count.
type Counter struct {
	Operator string
	Metric   string
	Value    int64
}

// Ack is a task's word on a checkpoint.
type Ack struct {
	Checkpoint uint64
	Task       graph.TaskID
	Attempt    uint32
	Handle     snapshot.Handle
	Parts      []snapshot.PartSummary
	Declined   string
}
