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

// arrived takes a batch of a task of this process.
func (t *task) arrived(b *exchange.Batch) error {
	ch := t.in.find(b.Address)
	if ch == nil {
		return nil // of another deployment
	}
	return t.in.take(ch, b)
}

// decode takes a frame of a task of another process.
func (t *task) decode(frame []byte) error {
	m, err := exchange.Decode(frame)
	if err != nil {
		return err
	}
	switch m := m.(type) {
	case exchange.Credit:
		return t.out.credited(m)
	case exchange.Open:
		return t.out.opened(m)
	case exchange.Encoded:
		return t.decodeBatch(&m)
	}
	return nil
}

// decodeBatch decodes and queues a batch.
func (t *task) decodeBatch(m *exchange.Encoded) (err error) {
	ch := t.in.find(m.Address)
	late := ch == nil && mutate.On(mutate.LateFrame)
	if late {
		ch = t.in.between(m.Link, m.From)
	}
	if ch == nil {
		return nil // of another deployment
	}
	if m.Records, err = ch.port.Decode(m.Data, ch.buffer()); err == nil {
		err = ch.port.Belong(m.Records, t.view.MaxParallelism, t.view.Groups)
	}
	if err != nil {
		return ch.fault(err)
	}
	if ch.port.Shares() {
		m.Lent = codec.MemoryOf(m.Data)
	}
	if late {
		ch.queue = append(ch.queue, &m.Batch)
		return nil
	}
	return t.in.take(ch, &m.Batch)
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
