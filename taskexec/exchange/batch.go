package exchange

import (
	"blink/actors"
	"blink/graph"
	"blink/internal/codec"
	"blink/operator"
)

// Address names a channel and the deployment it belongs to.
type Address struct {
	Link    int // of the plan
	From    int // subtask at the sending end
	To      int // subtask at the receiving end
	Epoch   uint64
	Attempt uint32
}

// Batch is records on a channel and the marks between them.
type Batch struct {
	Address
	Seq     uint64 // from 1, without a gap
	Records operator.Records
	Data    []byte       // of a batch from a frame, instead of Records: the receiver, who knows the link, decodes it
	Marks   []Mark       // ascending by At
	Lent    codec.Memory // where strings of the records may lie: in a frame, of another process
}

// Cut keeps the first n records, fewer than there are, and returns the rest as a batch that
// follows. Its number is for the sender to give.
func (b *Batch) Cut(n int) (rest *Batch) {
	rest = &Batch{Address: b.Address, Records: b.Records, Lent: b.Lent}
	b.Records = b.Records.Cut(n)
	i := 0
	for i < len(b.Marks) && b.Marks[i].At <= n {
		i++
	}
	for _, m := range b.Marks[i:] {
		m.At -= n
		rest.Marks = append(rest.Marks, m)
	}
	b.Marks = b.Marks[:i]
	return rest
}

// Mark stands before record At of its batch, or behind the last one.
type Mark struct {
	At    int
	Kind  MarkKind
	Value uint64 // the watermark as uint64(int64), or the checkpoint of a barrier; else 0
}

// MarkKind says what a mark means.
type MarkKind uint8

// The kinds of marks. A barrier or an end is always the last thing in its batch.
const (
	Watermark MarkKind = iota + 1
	Barrier
	End
	// Idle says that nobody has to wait for the channel: what an EventTime operator before it reads
	// has been silent for as long as Watermarks.Idle says. The receiver leaves it out of its event
	// time until the next record or watermark, which may be the last one again; an active sender
	// that has neither sends that. Nor is it left out while a batch of it waits for its turn, and a
	// sender drops a mark that records have followed. A task is idle when all channels are that have
	// not ended. No snapshot knows of it: a restored channel is active.
	Idle
)

// Open says that the receiving end is ready and grants the first credits. It is repeated
// until the first batch arrives; a sender that is open ignores it.
type Open struct {
	Address
	Credits int
	Schema  uint64 // hash of the record type's schema, compared by the sender
}

// Credit gives back the right to send N batches. Records is the consumed buffer, for reuse,
// when both ends share the process: then N is 1.
type Credit struct {
	Address
	N       int
	Records operator.Records
}

// Links carries frames to the tasks of other nodes. Frames from one node to another arrive in
// order, as a Frame told to the task; or the connection is lost, and the actor "te" of both nodes
// is told Lost. A frame that Decode refuses ends the connection that it came on. Any goroutine may
// use it.
type Links interface {
	// Send never blocks: credits bound what is in flight. It takes the frame over: the caller does
	// not touch it again. The frame may wait for the next Flush.
	Send(to actors.Ref, frame []byte)
	// Flush lets go what waits, so that frames of one turn go together. Who has sent calls it
	// before the end of its turn. It does not block either.
	Flush()
}

// Frame is a message as it came from the wire: see Decode. The connection vouches for From; what
// Data says, addresses included, is that node's word. Data is the frame's own, or a part of memory
// that is not written to again.
type Frame struct {
	From string // node
	Data []byte
}

// Lost says that what was in flight to and from Node may be gone.
type Lost struct{ Node string }

// TaskName is the name of a task's actor below its executor's.
func TaskName(t graph.TaskID, attempt uint32) string {
	return taskName(int(t.Vertex), t.Subtask, attempt)
}
