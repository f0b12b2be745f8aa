package operator

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"blink/graph"
	"blink/internal/codec"
	"blink/internal/durable"
	"blink/snapshot"
)

// Program is a job that can run: its description and a Factory for each operator.
// It is made anew in every process (and every simulated process) by running the user's
// Build, so it shares nothing with another process.
type Program struct {
	Job       *graph.Job
	Factories []Factory // by operator index
}

// Factory makes the operators of tasks. All its fields are shared by the tasks of a
// process and must be safe for that.
type Factory struct {
	// New makes the operator of one task in front of its outlets. What it returns has
	// Input (unless it is a Source) and any of the optional interfaces below.
	New func(out Outlets) any
	// Main is the port of the main output, Sides those of the side outputs by tag.
	Main  Port
	Sides map[string]Port
	// Hash[i] is, for an input edge i that is shipped by hash, a func(*T) uint64 of the
	// producer's record type T; else nil.
	Hash []any
	// Splits enumerates a source's splits, once for a job; runs off the actor. nil unless
	// the operator is a source. Names are the splits' ids.
	Splits func(ctx context.Context, fs FS) ([]snapshot.Item, error)
}

// Outlets gives an operator, while it is made, where its output goes. The values are
// Collector[U] of the output's U: one assertion per edge, none per record.
type Outlets interface {
	Main() any
	Side(tag string) any
}

// Collector is one hop inside a chain. in is valid only during the call; ts is event time
// in Unix nanoseconds, NoTime if the record has none.
type Collector[T any] interface {
	Collect(in *T, ts int64)
}

// BatchCollector is a Collector that takes several records at once for less than each of them
// would cost. It takes all, like Collect also under pressure; records and times are valid
// only during the call, and as long as each other.
type BatchCollector[T any] interface {
	CollectBatch(records []T, times []int64)
}

// HashedCollector is a Collector that can do without hashing the key of a record: hash is
// that of the record's key, as the hash function of the edge gives it.
type HashedCollector[T any] interface {
	CollectHashed(in *T, ts int64, hash uint64)
}

// The ends of event time, in Unix nanoseconds.
const (
	NoTime  int64 = -1 << 63  // no timestamp; the watermark before any
	EndTime int64 = 1<<63 - 1 // the watermark at the end of input
)

// Task is what an operator may know of the task it is part of. One value for each task,
// shared by the operators of its chain; used on the task's turn only, except FS.
type Task struct {
	Job                  string
	Vertex               graph.VertexID
	Subtask, Parallelism int
	MaxParallelism       int
	Attempt              Attempt
	Restored             uint64      // the checkpoint that this attempt was restored from; 0: none
	Groups               graph.Range // the key groups of this task
	Now                  func() time.Time
	// WakeAt asks for a call of Wake (Waker) at processing time at, Unix nanoseconds. Asking
	// twice is harmless; only the earliest pending is kept by the task.
	WakeAt   func(at int64)
	Count    func(operator, metric string, by int64)
	Report   func(operator, message string) // a line for people about bad data; rate-limited by the task
	Where    func(operator string) string   // base file name and line of the operator's verb; may be nil
	Pressure *Pressure
	Splits   *SplitClocks
	FS       FS
	MaxFetch int // records that one Fetch of a source should not exceed; 0: as many as fit
}

// Attempt numbers the deployments of a task. A JobMaster that finds nothing of an earlier
// one begins at 1 again, so that only both numbers together tell two deployments apart.
type Attempt struct {
	Epoch uint64 // of the JobMaster that deployed it
	N     uint32 // 1 is the first
}

// Compare is negative when a is earlier than b, 0 when they are the same.
func (a Attempt) Compare(b Attempt) int {
	return cmp.Or(cmp.Compare(a.Epoch, b.Epoch), cmp.Compare(a.N, b.N))
}

// String is such as "2.7": the 7th attempt, by the JobMaster of epoch 2.
func (a Attempt) String() string { return fmt.Sprintf("%d.%d", a.Epoch, a.N) }

// Pressure tells a chain to stop: an output has no credit or a sink is full. Whoever
// feeds the chain looks at Held after each record and goes on later where it stopped.
// What is emitted while held is kept, in order, by the output or sink that holds.
// It also knows who is at work, so that a failure can name its operator.
type Pressure struct {
	// Lent is where strings of the records at hand may lie, which whoever keeps some copies.
	Lent codec.Memory

	holds    int
	releases int
	rested   time.Duration
	culprits
}

// Hold is balanced by one Release. Held is true between them.
func (p *Pressure) Hold()      { p.holds++ }
func (p *Pressure) Release()   { p.holds--; p.releases++ }
func (p *Pressure) Held() bool { return p.holds > 0 }

// AtHand says that input waits for its turn: what is not heard is not silent.
func (p *Pressure) AtHand() { p.releases++ }

// Rested says that the task has taken no input for d: nor was that silence.
func (p *Pressure) Rested(d time.Duration) { p.rested += d }

// Node is every operator that has inputs. Input(i) is a Collector[T] of input i's T.
type Node interface{ Input(i int) any }

// The optional interfaces of an operator, in the order in which a task uses them.
type (
	// Opener binds the operator to its task, before anything else. On the task's turn.
	Opener interface {
		Open(t *Task, id string) error
	}
	// Restorer takes back what Snapshotter gave, already cut to this task's key groups and
	// items; several parts when the job was rescaled, or when a part is a delta: what it goes
	// onto comes before it. Called only when there is something.
	Restorer interface {
		Restore(parts []snapshot.Part) error
	}
	// Starter does blocking work before the first record: connect, create files, commit
	// again what the restored checkpoint holds. Runs off the actor.
	Starter interface {
		Start(ctx context.Context) error
	}
	// Advancer moves event time. in is the watermark of what is before it in the chain; out
	// the one for what follows (equal to in except in EventTime operators). done is false
	// when Pressure stopped it: it is called again, with the same in, and goes on.
	// in never decreases, and is EndTime when every input has ended; the task also calls it
	// after each batch, with in unchanged.
	Advancer interface {
		Advance(in int64) (out int64, done bool)
	}
	// Idler is an Advancer with its own sense of time. Idle, asked after Advance, says that nothing
	// is at hand which event time has to wait for: see Watermarks.Idle. An operator that is none
	// is idle when what is before it in the chain is.
	Idler interface{ Idle() bool }
	// Gatherer keeps records until Advance. The task checks that it is Empty at a barrier: what
	// it held would be in no snapshot.
	Gatherer interface{ Empty() bool }
	// Waker is called at or after the time asked for with WakeAt, also when another operator
	// asked, and not behind the end of event time; done as in Advancer. The task calls Advance
	// after each call, done or not.
	Waker interface{ Wake(now int64) (done bool) }
	// Snapshotter freezes its state at a barrier, on the task's turn and at a cost that does not
	// grow with the state. What it has frozen before is drained by then, or dropped.
	Snapshotter interface {
		Snapshot(o SnapshotOptions) (Frozen, error)
	}
	// Lender says what becomes of the records that the operator hands on, on any output. One
	// that is none keeps them.
	Lender interface{ Lends() Lending }
	// InPlacer is told, before Open, that it may change the records it is handed.
	InPlacer interface{ InPlace() }
	// Digester sums up its keyed state, for those who compare it with what was restored from
	// its snapshot: on the task's turn, before or after Snapshot.
	Digester interface{ Digest() (Digest, error) }
	// Closer releases what Open and Start took. Runs off the actor, always last, also after
	// a failed Start.
	Closer interface{ Close() error }
)

// SnapshotOptions say what a Snapshotter is asked for.
type SnapshotOptions struct {
	Checkpoint uint64
	// Onto is the newest complete checkpoint that this attempt has written and that a delta may
	// go onto; 0: there is none, the part must be whole. It never goes back within an attempt. A
	// checkpoint between Onto and this one was aborted, or its end has not been heard of yet: it
	// may turn out to be the next Onto, but Onto stays at least what it is.
	Onto uint64
}

// Frozen is the state of an operator at a barrier, on its way into a snapshot while records
// flow. All of it is called on the task's turn, between records.
type Frozen interface {
	// Drain encodes about budget bytes more; done says that nothing is left.
	Drain(budget int) (done bool, err error)
	// Part is what was encoded, when done. It may share nothing with live state: it is written
	// off the actor. Its Onto is 0, or that of the options: then it holds at least what was
	// written or deleted since that checkpoint, and is read on top of what that one has of this
	// operator in this task. Items are always whole.
	Part() snapshot.Part
	// Drop gives it up, done or not; neither Drain nor Part follows.
	Drop()
}

// Copied is a Frozen for an operator that has copied its state at once.
func Copied(p snapshot.Part) Frozen { return copied{p} }

type copied struct{ part snapshot.Part }

func (copied) Drain(int) (bool, error) { return true, nil }
func (c copied) Part() snapshot.Part   { return c.part }
func (copied) Drop()                   {}

// Lending says who looks at a record after the call that handed it on.
type Lending uint8

// The kinds of lending.
const (
	Keeps  Lending = iota // the operator may: the record is part of its state
	Passes                // whoever handed the record to the operator
	Lends                 // nobody: its place is written anew for the next record
)

// Digest stands for the keyed state of an operator in one task.
type Digest struct {
	State uint64 // the sum of a hash of each entry and timer: tasks can be added up
	Mark  int64  // how far event time has come
}

// Source is the head of a chain that reads. Its splits come by Restore (items whose names
// are split ids), also on the first start.
type Source interface {
	// NonBlocking says that Fetch may run on the task's turn.
	NonBlocking() bool
	// Begin is called on the turn before each Fetch.
	Begin()
	// Fetch reads the next batch of some unfinished split into the source's buffer. It runs
	// off the actor unless NonBlocking; never twice at once; never while records of the last
	// batch wait. io.EOF itself: every split has ended.
	Fetch(ctx context.Context) error
	// Deliver emits what was fetched and has not been emitted, most records at most, until
	// Pressure stops it. n counts the records emitted by this call. When done, the position
	// moves behind the batch.
	Deliver(most int) (n int, done bool)
}

// SinkOperator is the end of a chain that writes outside, in two phases. Its Collect never
// blocks: when the writer is full it holds Pressure and keeps the record.
type SinkOperator interface {
	// Full says that Flush must run (off the actor) and then Offer (on the turn) until not Full.
	Full() bool
	Flush(ctx context.Context) error
	Offer()
	// Prepare makes what was written durable but invisible as part of checkpoint; off the
	// actor, with the chain at rest until Snapshot was called.
	Prepare(ctx context.Context, checkpoint uint64) error
	// Commit makes visible everything prepared for checkpoints up to this one; off the actor,
	// idempotent. Never while Flush or Prepare runs.
	Commit(ctx context.Context, checkpoint uint64) error
	// Finalize publishes the result of a bounded job, after every task has committed its last
	// checkpoint; called in task 0 only, off the actor, idempotent.
	Finalize(ctx context.Context, checkpoint uint64) error
}

// Port is one kind of output record at the border of a task: how records are buffered,
// encoded, routed and delivered. Safe for concurrent use.
type Port interface {
	// Tee makes one Collector[T] out of several, one that drops out of none.
	Tee(to []any) any
	// Tap makes a Collector[T] that calls f before it hands each record to to; for what a
	// combiner has made of several records, once for each of them.
	Tap(to any, f func()) any
	// Output makes the sending end of a link in one task.
	Output(o OutputOptions) Output
	// Deliver feeds records [from, to) of r to head, a Collector[T], until p is held, with
	// their hashes if r has them and head is a HashedCollector[T]. It returns the index of the
	// first record not delivered.
	Deliver(r Records, from, to int, head any, p *Pressure) int
	// Decode reads what Records.AppendTo wrote; into may be recycled. Refuses anything else.
	// Strings of the records are parts of data, which belongs to whoever holds one of them: it
	// must not be written to again.
	Decode(data []byte, into Records) (Records, error)
	// Belong refuses records that Decode has read, if their hashes choose, of so many key groups,
	// others than those that a task owns.
	Belong(r Records, groups int, owned graph.Range) error
	// Shares says whether records may have strings.
	Shares() bool
	// SchemaHash of T, compared when a channel is opened, and T's name for who reads of it.
	SchemaHash() uint64
	TypeName() string
}

// OutputOptions of the sending end of a link.
type OutputOptions struct {
	Ship           graph.Ship
	Hash           any // func(*T) uint64 of the edge, used when Ship is Hash
	Channels       int // number of consumer tasks; 1 for Forward
	First          int // with Rebalance, the channel of the first record
	MaxParallelism int
	BatchRecords   int // a channel's buffer is full at this many records …
	BatchBytes     int // … or, by the size of T, at about this many bytes
	// Full is called when the buffer of a channel is full; it must Take.
	Full func(channel int)
	// Dirty is called when the first record enters an empty buffer.
	Dirty func(channel int)
}

// Output is the sending end of a link in one task. Input(0) is its Collector[T].
type Output interface {
	Node
	// Len is the number of records in the channel's buffer.
	Len(channel int) int
	// Take gives away the channel's buffer, never nil, and starts an empty one.
	Take(channel int) Records
	// Recycle takes back a buffer that was consumed.
	Recycle(r Records)
	// Sent tells how many bytes records have taken on their way to another process: the next
	// batches are made smaller if these were large because of what the records refer to.
	Sent(records, bytes int)
}

// Records is a typed buffer of records with their timestamps (and hashes, on a hash link).
type Records interface {
	Len() int
	// AppendTo appends the encoded form to dst.
	AppendTo(dst []byte) ([]byte, error)
	// Cut takes the first n records away and returns them.
	Cut(n int) Records
}

// The file system that sources and sinks see: the machine's, or a simulated one.
type (
	FS       = durable.FS
	File     = durable.File
	FileInfo = durable.FileInfo
)

// SplitClocks carries event time from a source's splits to the EventTime operators of the
// same chain, which keep the highest timestamp of each split there, so that it is stored
// with the split. In a chain that does not start with a source there is one split, 0.
type SplitClocks struct {
	Current int    // the split that the records now emitted come from
	Ended   []bool // by split
	Waiting []bool // by split: nobody has begun to read it, so that its silence says nothing
	clocks  map[string][]int64
	sourced bool // the splits are a source's, and stored by it
}

// stored lists the clocks of split i, in the order of the operators' ids.
func (s *SplitClocks) stored(i int) []splitClock {
	var c []splitClock
	for _, id := range slices.Sorted(maps.Keys(s.clocks)) {
		c = append(c, splitClock{id, s.clocks[id][i]})
	}
	return c
}

// own makes them the clocks of a source with n splits.
func (s *SplitClocks) own(n int) {
	s.Ended, s.Waiting, s.Current, s.sourced = make([]bool, n), make([]bool, n), 0, true
	clear(s.clocks)
}

// NewSplitClocks is for n splits.
func NewSplitClocks(n int) *SplitClocks {
	return &SplitClocks{Ended: make([]bool, n), Waiting: make([]bool, n), clocks: map[string][]int64{}}
}

// Of returns the highest timestamps by split of the EventTime operator with this id,
// NoTime where there is none yet. The slice is live.
func (s *SplitClocks) Of(id string) []int64 {
	c := s.clocks[id]
	for len(c) < len(s.Ended) {
		c = append(c, NoTime)
	}
	s.clocks[id] = c
	return c
}
