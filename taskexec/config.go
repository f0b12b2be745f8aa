package taskexec

import (
	"context"
	"errors"
	"fmt"
	"time"

	"blink/actors"
	"blink/operator"
	"blink/snapshot"
	"blink/snapshot/store"
	"blink/taskexec/exchange"
)

// Config is what a TaskExecutor is made with.
type Config struct {
	Job     string
	Program func() (*operator.Program, error) // run once, when the executor starts
	Slots   int
	// NewLoop makes the loop that the tasks of a slot share: actors.System.NewLoop.
	NewLoop func(name string) *actors.Loop
	// Incarnation grows with every start of the process on this node.
	Incarnation uint64

	Store  store.Store
	FS     operator.FS
	Leader LeaderLookup
	Links  exchange.Links // nil: there is no other node

	Lease     time.Duration // how long tasks run without a JobMaster
	Heartbeat time.Duration // between two reports

	BatchRecords  int           // records of a batch at most
	BatchBytes    int           // bytes of a batch at most, by the size of its records
	DrainBytes    int           // of a snapshot, encoded between two quanta
	Layers        int           // of a part of a snapshot at most
	Credits       int           // batches in flight on a channel at least
	Floating      int           // batches in flight beside these, for few channels: see creditsOf; -1: none
	BufferTimeout time.Duration // how long a batch that is not full waits for a busy task
	Rate          float64       // records a second of each source, over all its tasks; 0 is no limit

	// Drill may return a function that is called before each input record of an operator's
	// task, of whatever input, to make it panic on purpose; nil, or a nil result: none. It is
	// asked once for each attempt.
	Drill func(operator string, subtask int) func()
	// Obeyed is told, on the executor's turn, of the epoch of every command that is carried
	// out. May be nil.
	Obeyed func(epoch uint64)
	// Snapshotting is told, on a task's turn, that it takes its snapshot of a checkpoint, which
	// will be stored under key; digests sums up the keyed state at this barrier, and is valid
	// during the call. May be nil.
	Snapshotting func(checkpoint uint64, key string, digests func() (Digests, error))
}

// LeaderLookup finds the acting JobMaster of a job. It blocks; it is called off the actor.
// vacant says that nobody holds the key.
type LeaderLookup interface {
	Leader(ctx context.Context, job string) (node, id string, vacant bool, err error)
}

// Bounds of what a Config may ask for. A batch is to fit a frame, though its bytes are only estimated.
const (
	MostCredits      = 1 << 16
	MostBatchRecords = 1 << 20
	MostBatchBytes   = exchange.MaxFrame / 4
)

// DefaultBufferTimeout is that of Config.
const DefaultBufferTimeout = 5 * time.Millisecond

// Defaults fills in what is zero.
func (c Config) Defaults() Config {
	def := func(p *int, v int) {
		if *p == 0 {
			*p = v
		}
	}
	def(&c.Slots, 1)
	def(&c.BatchRecords, 512)
	def(&c.BatchBytes, 32<<10)
	def(&c.Credits, 3)
	def(&c.Floating, 29)
	def(&c.DrainBytes, drainBytes)
	def(&c.Layers, snapshot.MaxLayers)
	if c.BufferTimeout == 0 {
		c.BufferTimeout = DefaultBufferTimeout
	}
	if c.Heartbeat == 0 {
		c.Heartbeat = time.Second
	}
	if c.Lease == 0 {
		c.Lease = time.Minute
	}
	return c
}

// creditsOf is what a task grants to each of its channels. With one channel nothing waits for
// another, and it has all floating credits. The more there are, the longer a barrier waits behind
// what is in flight on all of them: so they share not these but a part, that falls with their number.
func (c *Config) creditsOf(channels int) int {
	return c.Credits + max(0, c.Floating)/max(1, channels*channels)
}

// Validate says what is missing or cannot be.
func (c *Config) Validate() error {
	var errs []error
	refuse := func(bad bool, format string, args ...any) {
		if bad {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	refuse(c.Program == nil, "no program")
	refuse(c.NewLoop == nil, "no loops for the slots")
	refuse(c.Store == nil, "no object store")
	refuse(c.Slots < 1, "%d slots: at least 1", c.Slots)
	refuse(c.Credits < 1 || c.Credits > MostCredits, "%d credits a channel: 1 to %d", c.Credits, MostCredits)
	refuse(c.Floating < -1 || c.Floating > MostCredits, "%d floating credits: 0 to %d, or -1 for none", c.Floating, MostCredits)
	refuse(c.DrainBytes < 1, "%d bytes of a snapshot between two quanta: at least 1", c.DrainBytes)
	refuse(c.Layers < 1, "%d layers of a part: at least 1", c.Layers)
	refuse(c.BatchRecords < 1 || c.BatchRecords > MostBatchRecords, "batches of %d records: 1 to %d", c.BatchRecords, MostBatchRecords)
	refuse(c.BatchBytes < 1 || c.BatchBytes > MostBatchBytes, "batches of %d bytes: 1 to %d", c.BatchBytes, MostBatchBytes)
	refuse(c.BufferTimeout <= 0, "a buffer timeout of %v: more than 0", c.BufferTimeout)
	refuse(!(c.Rate >= 0), "rate of %g records a second: at least 0", c.Rate)
	refuse(c.Lease <= 2*c.Heartbeat, "lease of %v with a heartbeat of %v: it must be longer than two heartbeats", c.Lease, c.Heartbeat)
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("task executor: %w", err)
	}
	return nil
}
