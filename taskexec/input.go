package taskexec

import (
	"fmt"
	"slices"

	"blink/actors"
	"blink/graph"
	"blink/internal/mutate"
	"blink/operator"
	"blink/taskexec/exchange"
)

// inChannel is the receiving end of one channel: the batches that came, in order, until
// the task takes them. Credits bound the queue.
type inChannel struct {
	index int // among the task's channels, as the aligner numbers them
	link  graph.Link
	edge  string // it in words
	port  operator.Port
	head  any // the collector that takes its records
	from  graph.TaskID
	ref   actors.Ref
	addr  exchange.Address
	heard bool // a batch has come: no need to open again
	seq   uint64
	queue []*exchange.Batch
	owed  int               // batches of another process that are consumed, and no credit was sent
	spare *operator.Records // of all channels of the link: a buffer to decode the next batch into; nil: none
	mark  int64             // its watermark
	idle  bool              // see exchange.Idle
	ended bool
}

// fault is err as a fault of what comes on the channel.
func (ch *inChannel) fault(err error) error {
	return fmt.Errorf("the edge %s: from subtask %d: %w", ch.edge, ch.from.Subtask, err)
}

// inputs are all channels into a task.
type inputs struct {
	channels []*inChannel
	align    *aligner
	next     int    // the channel whose turn it is
	picked   uint64 // batches
	credits  int    // granted to each channel
	mark     int64  // how far event time has come: see watermark
}

// find returns the channel of an address of this deployment with a task of a node, nil if there is
// none: the fence against batches of another attempt or epoch, and of others than its sender.
func (in *inputs) find(from string, a exchange.Address) *inChannel {
	for _, ch := range in.channels {
		if ch.addr == a && ch.ref.Node == from {
			return ch
		}
	}
	if mutate.On(mutate.AttemptFence) {
		return in.between(a.Link, a.From)
	}
	return nil
}

// between returns the channel of a link from a subtask, whatever deployment is meant: what
// find must not do.
func (in *inputs) between(link, from int) *inChannel {
	for _, ch := range in.channels {
		if ch.addr.Link == link && ch.addr.From == from {
			return ch
		}
	}
	return nil
}

// take queues a batch that came. It refuses one that is out of sequence or beyond the credits.
func (in *inputs) take(ch *inChannel, b *exchange.Batch) error {
	ch.heard = true
	ch.seq++
	if b.Seq != ch.seq {
		return ch.fault(fmt.Errorf("batch %d came where %d was due: the connection lost some", b.Seq, ch.seq))
	}
	if len(ch.queue) > in.credits {
		return fmt.Errorf("invariant: %w", ch.fault(fmt.Errorf("more than %d batches without credit", in.credits)))
	}
	ch.queue = append(ch.queue, b)
	return nil
}

// fairness: one batch in so many is picked in turn, and not by event time.
const fairness = 4

// pick takes the next batch of a channel that may go on; nil when there is none. It is that of the
// channel whose event time is furthest behind, among equals the next in turn: so an operator keeps
// less of one input until the other has come. One time in fairness it is just the next in turn, so
// that a channel whose event time stands still cannot keep the others waiting.
func (in *inputs) pick() (*inChannel, *exchange.Batch) {
	var first, best *inChannel
	for i := range in.channels {
		ch := in.channels[(in.next+i)%len(in.channels)]
		if len(ch.queue) == 0 || in.align.blocked(ch.index) {
			continue
		}
		if first == nil {
			first, best = ch, ch
		} else if ch.mark < best.mark {
			best = ch
		}
	}
	if first == nil {
		return nil, nil
	}
	if in.picked++; in.picked%fairness == 0 {
		best = first
	}
	if best == first {
		in.next = (first.index + 1) % len(in.channels)
	}
	return best, best.take()
}

// atHand says whether a batch waits for its turn, or for the barriers of other channels.
func (in *inputs) atHand() bool {
	return slices.ContainsFunc(in.channels, func(ch *inChannel) bool { return len(ch.queue) > 0 || in.align.blocked(ch.index) })
}

// take takes the oldest batch from the queue, which has one.
func (ch *inChannel) take() *exchange.Batch {
	b := ch.queue[0]
	ch.queue[0] = nil
	if ch.queue = ch.queue[1:]; len(ch.queue) == 0 {
		ch.queue = nil
	}
	return b
}

// watermark is how far event time has come on the channels on which it has not ended, EndTime when
// it has on all, and whether all of those are idle. It does not go back when one that was idle is
// behind.
func (in *inputs) watermark() (w int64, idle bool) {
	var all operator.Slowest
	for _, ch := range in.channels {
		switch {
		case ch.ended, ch.mark == operator.EndTime:
		case ch.idle && len(ch.queue) == 0: // what waits ends the silence
			all.Idle(ch.mark)
		default:
			all.Active(ch.mark)
		}
	}
	w, idle = all.Time()
	in.mark = max(in.mark, w)
	return in.mark, idle
}
