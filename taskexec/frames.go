package taskexec

import (
	"fmt"

	"blink/actors"
	"blink/internal/codec"
	"blink/internal/mutate"
	"blink/taskexec/exchange"
)

// What goes from one task to another is a message inside a process, and a frame between two.

func (t *task) local(ref actors.Ref) bool { return ref.Node == t.c.Self().Node }

// send hands a batch to the other end of its channel. What is encoded leaves its buffer behind.
func (t *task) send(l *outLink, ch *outChannel, b *exchange.Batch) error {
	if t.local(ch.ref) {
		t.c.Tell(ch.ref, b)
		return nil
	}
	frame, err := l.encode(b)
	if err != nil {
		return err
	}
	l.port.Sent(b.Records.Len(), len(frame))
	l.port.Recycle(b.Records)
	t.sendFrame(ch.ref, frame)
	return nil
}

// sendFrame sends to a task of another process: see turn.
func (t *task) sendFrame(to actors.Ref, frame []byte) {
	t.spec.config.Links.Send(to, frame)
	t.sent = true
}

// arrived takes a batch of a task of a node.
func (t *task) arrived(from string, b *exchange.Batch) error {
	ch := t.in.find(from, b.Address)
	if ch == nil && b.Data != nil && mutate.On(mutate.LateFrame) {
		if ch = t.in.between(b.Link, b.From); ch != nil {
			ch.queue = append(ch.queue, b)
		}
		return nil
	}
	if ch == nil {
		return nil // of another deployment, or of nobody we know
	}
	return t.in.take(ch, b)
}

// ready makes a batch ready whose turn has come. It refuses records and marks that cannot be.
func (t *task) ready(ch *inChannel, b *exchange.Batch) (err error) {
	if b.Data != nil {
		err = t.unpack(ch, b)
	}
	if err == nil {
		err = exchange.CheckMarks(b.Marks, b.Records.Len())
	}
	if err != nil {
		return ch.fault(err)
	}
	return nil
}

// decode takes a frame of a task of another process.
func (t *task) decode(f exchange.Frame) error {
	m, err := exchange.Decode(f.Data)
	if err != nil {
		return fmt.Errorf("from %s: %w", f.From, err)
	}
	return t.take(f.From, m)
}

// take takes what came from a task of a node: a batch, an opening or a credit.
func (t *task) take(from string, m any) error {
	switch m := m.(type) {
	case exchange.Credit:
		return t.out.credited(from, m)
	case exchange.Open:
		return t.out.opened(from, m)
	case *exchange.Batch:
		return t.arrived(from, m)
	}
	return nil
}

// unpack decodes the records of a batch that came in a frame. It is done when their turn has come:
// so they are processed as long as the cache has them, and one buffer does for all of a link.
func (t *task) unpack(ch *inChannel, b *exchange.Batch) (err error) {
	if b.Records, err = ch.port.Decode(b.Data, *ch.spare); err != nil {
		return err
	}
	*ch.spare = nil
	if ch.port.Shares() {
		b.Lent = codec.MemoryOf(b.Data)
	}
	b.Data = nil
	return ch.port.Belong(b.Records, t.view.MaxParallelism, t.view.Groups)
}

// linkLost fails the task if one of its channels went to that node.
func (t *task) linkLost(node string) error {
	for _, ch := range t.in.channels {
		if ch.ref.Node == node {
			return fmt.Errorf("connection to %s lost: it carried the edge %s", node, ch.edge)
		}
	}
	for _, l := range t.chain.links {
		for i := range l.channels {
			if l.channels[i].ref.Node == node {
				return fmt.Errorf("connection to %s lost: it carried the edge %s", node, l.edge)
			}
		}
	}
	return nil
}
