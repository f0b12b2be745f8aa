package mutate

import "fmt"

// Name is one guard that can be removed. The zero value is None: all guards
// are in place.
type Name uint8

const (
	// None removes nothing.
	None Name = iota
	// Alignment lets a task take its snapshot at the first barrier, and go on
	// reading the channels on which the barrier has passed.
	Alignment
	// AttemptFence lets batches and messages of an earlier attempt through.
	AttemptFence
	// EpochFence lets the orders of a deposed leader through.
	EpochFence
	// CommitBeforePointer lets sinks commit before the checkpoint's pointer has
	// advanced.
	CommitBeforePointer
	// CommitTwice makes a sink's commit publish again what it has published.
	CommitTwice
	// SourceOffByOne stores a source position that is one record off.
	SourceOffByOne
	// AckBeforeDurable acknowledges a snapshot before it is in the store.
	AckBeforeDurable
	// RestartWithoutBarrier starts the next attempt without waiting until the
	// last one has ended.
	RestartWithoutBarrier
	// DeleteBeforePointer deletes an old checkpoint before the pointer has
	// advanced to a newer one.
	DeleteBeforePointer
	// DropKey leaves a key of a store out of the snapshot.
	DropKey
	// DropTimer leaves a timer out of the snapshot.
	DropTimer
	// DropTransaction leaves an open sink transaction out of the snapshot.
	DropTransaction
	// IgnoreLease keeps the tasks of a TaskExecutor running after its lease.
	IgnoreLease
	// TrustStaleReport lets reconciliation believe a report that a newer one
	// has overtaken.
	TrustStaleReport
	// LoseCredit keeps the credit of some consumed batches.
	LoseCredit
	// WatermarkOvertakes sends a watermark in front of records that it covers.
	WatermarkOvertakes
	// BarrierOvertakes sends a barrier in front of the records that came before it.
	BarrierOvertakes
	// LateFrame lets batches from another process reach the next attempt of the task they
	// were sent to, and be taken there.
	LateFrame
	// TimerFiredTwice lets a timer that has fired be due again.
	TimerFiredTwice
	// WriteFrozen lets a key be written to that is part of a snapshot and not encoded yet.
	WriteFrozen
	// DropLayer leaves a layer of a snapshot out of the manifest.
	DropLayer
	// DeleteLayer takes the older layers of snapshots for garbage.
	DeleteLayer

	count = iota
)

var names = [count]string{
	"none", "alignment", "attempt-fence", "epoch-fence", "commit-before-pointer", "commit-twice",
	"source-off-by-one", "ack-before-durable", "restart-without-barrier", "delete-before-pointer",
	"drop-key", "drop-timer", "drop-transaction", "ignore-lease", "trust-stale-report",
	"lose-credit", "watermark-overtakes", "barrier-overtakes", "late-frame",
	"timer-fired-twice", "write-frozen", "drop-layer", "delete-layer",
}

// String is the name as tests and reports print it, such as "attempt-fence".
func (n Name) String() string {
	if int(n) < len(names) {
		return names[n]
	}
	return fmt.Sprintf("mutation %d", uint8(n))
}

// All lists every mutation, None left out, in the order of their declaration.
func All() []Name {
	all := make([]Name, 0, count-1)
	for n := None + 1; n < count; n++ {
		all = append(all, n)
	}
	return all
}
