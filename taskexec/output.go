package taskexec

import (
	"errors"
	"fmt"
	"slices"

	"blink/actors"
	"blink/graph"
	"blink/internal/codec"
	"blink/internal/mutate"
	"blink/operator"
	"blink/taskexec/exchange"
)

// outLink is the sending end of a link in one task.
type outLink struct {
	graph.Link
	port     operator.Output
	channels []outChannel
	schema   uint64         // of its records
	edge     string         // in words
	clock    operator.Idler // says whether it is idle; nil: it is when the task's input is
	mark     int64          // last watermark sent
	idling   bool           // it was idle the last time
	filled   int            // full batches since the other links were flushed for them
	ended    bool
}

// outChannel is the sending end of one channel. Records gather in the link's buffer and
// marks beside them; both leave as a batch for one credit. What was full when there was no
// credit waits in queue, and holds the task's pressure until it has left.
type outChannel struct {
	to      graph.TaskID
	ref     actors.Ref
	addr    exchange.Address
	open    bool
	credits int // at least -1: see sendQueue
	granted int // of these, when it was opened
	seq     uint64
	marks   []exchange.Mark
	idle    bool // the receiver was told that it is …
	behind  int  // … behind so many of the records in the buffer
	queue   []*exchange.Batch
	holds   bool // the task's pressure: what is in queue waits for a credit
	dirty   bool // the buffer or marks hold something
}

// outputs are all links of a task.
type outputs struct {
	links    []*outLink
	pressure *operator.Pressure
	send     func(l *outLink, ch *outChannel, b *exchange.Batch) error
	dirty    int          // channels that hold something
	lent     codec.Memory // where strings of what is sent may lie
	err      error
}

// full is called by the port in the middle of a record: the channel's buffer has reached
// its bound.
func (o *outputs) full(l *outLink, i int) {
	o.keepPace(l)
	o.pack(l, i)
	o.pump(l, i)
}

// keepPace sends what the other links have gathered before a link sends as many full batches
// as it has channels. So links of few records lag behind those of many by about a batch, and
// an operator that joins the two need not keep a long piece of the one until the other comes.
func (o *outputs) keepPace(l *outLink) {
	if l.filled++; l.filled < len(l.channels) {
		return
	}
	l.filled = 0
	for _, other := range o.links {
		if other != l {
			o.flushLink(other)
		}
	}
}

// touched is called by the port when a buffer gets its first record.
func (o *outputs) touched(l *outLink, i int) {
	if ch := &l.channels[i]; !ch.dirty {
		ch.dirty = true
		o.dirty++
	}
}

// watermark puts w on every channel of l, to travel with the next batch.
func (o *outputs) watermark(l *outLink, w int64) {
	if w <= l.mark || l.ended {
		return
	}
	l.mark = w
	for i := range l.channels {
		o.putMark(l, i, exchange.Mark{Kind: exchange.Watermark, Value: uint64(w)})
	}
}

// idle says on every channel of l that it is idle, unless that was the last thing there: behind
// records that came of timers it is said again.
func (o *outputs) idle(l *outLink) {
	if l.ended {
		return
	}
	l.idling = true
	for i := range l.channels {
		if !l.isIdle(i) {
			o.putMark(l, i, exchange.Mark{Kind: exchange.Idle})
		}
	}
}

// active takes back that l is idle: what it has to say may take a while.
func (o *outputs) active(l *outLink) {
	if !l.idling || l.ended {
		return
	}
	l.idling = false
	for i := range l.channels {
		if l.isIdle(i) {
			o.putMark(l, i, exchange.Mark{Kind: exchange.Watermark, Value: uint64(l.mark)})
		}
	}
}

// isIdle says whether the last thing on channel i is that it is idle.
func (l *outLink) isIdle(i int) bool {
	return l.channels[i].idle && l.channels[i].behind == l.port.Len(i)
}

// putMark puts m on a channel, to travel with the next batch.
func (o *outputs) putMark(l *outLink, i int, m exchange.Mark) {
	o.addMark(l, i, m)
	if len(l.channels[i].marks) == exchange.MaxMarks {
		o.pack(l, i)
		o.pump(l, i)
	}
}

// barrier sends the barrier of checkpoint id on every channel that has not ended.
func (o *outputs) barrier(id uint64) { o.close(exchange.Mark{Kind: exchange.Barrier, Value: id}) }

// end ends every channel.
func (o *outputs) end() {
	o.close(exchange.Mark{Kind: exchange.End})
	for _, l := range o.links {
		l.ended = true
	}
}

// close puts m, a barrier or an end, behind everything on every channel and sends it.
func (o *outputs) close(m exchange.Mark) {
	for _, l := range o.links {
		if l.ended {
			continue
		}
		for i := range l.channels {
			if mutate.On(mutate.BarrierOvertakes) && m.Kind == exchange.Barrier {
				o.overtake(l, i, m)
				continue
			}
			o.addMark(l, i, m)
			o.pack(l, i)
			o.pump(l, i)
		}
	}
}

// overtake puts a barrier in front of what has gathered: what close must not do.
func (o *outputs) overtake(l *outLink, i int, m exchange.Mark) {
	ch := &l.channels[i]
	records, marks := l.port.Take(i), ch.marks
	ch.marks = nil
	o.addMark(l, i, m)
	o.pack(l, i)
	if records.Len() > 0 || len(marks) > 0 {
		ch.queue = append(ch.queue, &exchange.Batch{Address: ch.addr, Records: records, Marks: marks})
	}
	o.pump(l, i)
}

// addMark puts m behind the records gathered so far. A watermark stands for those before it at
// the same place, and an idle channel is none behind it.
func (o *outputs) addMark(l *outLink, i int, m exchange.Mark) {
	o.touched(l, i)
	ch := &l.channels[i]
	m.At = l.port.Len(i)
	if mutate.On(mutate.WatermarkOvertakes) && m.Kind == exchange.Watermark {
		if m.At = 0; len(ch.marks) > 0 {
			m.At = ch.marks[len(ch.marks)-1].At
		}
	}
	switch m.Kind {
	case exchange.Idle:
		ch.idle, ch.behind = true, m.At
	case exchange.Watermark:
		ch.idle = false
		for n := len(ch.marks); n > 0 && ch.marks[n-1].At == m.At; n-- { // all are of these two kinds
			ch.marks = ch.marks[:n-1]
		}
	}
	ch.marks = append(ch.marks, m)
}

// pack makes a batch of what has gathered and queues it, for pump.
func (o *outputs) pack(l *outLink, i int) {
	ch := &l.channels[i]
	ch.idle, ch.behind = l.isIdle(i), 0
	n := l.port.Len(i)
	marks := slices.DeleteFunc(ch.marks, func(m exchange.Mark) bool { return m.Kind == exchange.Idle && m.At < n }) // that is over
	b := &exchange.Batch{Address: ch.addr, Records: l.port.Take(i), Marks: marks, Lent: o.lent}
	ch.marks = nil
	if ch.dirty {
		ch.dirty = false
		o.dirty--
	}
	ch.queue = append(ch.queue, b)
}

// pump sends what is queued while there are credits, and holds pressure as long as some is left:
// what has left at once has waited for nothing.
func (o *outputs) pump(l *outLink, i int) {
	ch := &l.channels[i]
	o.sendQueue(l, ch)
	switch left := len(ch.queue) > 0; {
	case left && !ch.holds:
		ch.holds = true
		o.pressure.Hold()
	case !left && ch.holds:
		ch.holds = false
		o.pressure.Release()
	}
}

// sendQueue sends what is queued on a channel while there are credits. The reserve lets one batch
// that ends with a barrier or an end go without.
func (o *outputs) sendQueue(l *outLink, ch *outChannel) {
	for len(ch.queue) > 0 && ch.open {
		b := ch.queue[0]
		if ch.credits < 1 && !(ch.credits == 0 && urgent(b)) {
			return
		}
		b.Seq = ch.seq + 1
		err := o.send(l, ch, b)
		if err == errTooLarge {
			ch.queue = slices.Insert(ch.queue, 1, b.Cut(b.Records.Len()/2))
			continue
		}
		if err != nil && o.err == nil {
			o.err = err
		}
		ch.seq++
		ch.credits--
		ch.queue[0] = nil
		ch.queue = ch.queue[1:]
	}
	if len(ch.queue) == 0 {
		ch.queue = nil
	}
}

// encode makes a frame of a batch.
func (l *outLink) encode(b *exchange.Batch) ([]byte, error) {
	frame, err := exchange.AppendBatch(exchange.Buffer(), b)
	switch {
	case err != nil:
		return nil, fmt.Errorf("the edge %s: %w", l.edge, err)
	case len(frame) <= exchange.MaxFrame:
		return frame, nil
	case b.Records.Len() > 1:
		return nil, errTooLarge
	}
	return nil, fmt.Errorf("the edge %s: a record takes %d bytes, and at most %d go from one process to another: make several of it, or send only where it is to be found", l.edge, len(frame), exchange.MaxFrame)
}

// errTooLarge is what send answers when a batch of several records is larger than a frame.
var errTooLarge = errors.New("a batch too large for a frame")

func urgent(b *exchange.Batch) bool {
	n := len(b.Marks)
	return n > 0 && (b.Marks[n-1].Kind == exchange.Barrier || b.Marks[n-1].Kind == exchange.End)
}

// flush sends what has gathered on channels that have a credit. What has none stays: it
// leaves when a credit comes.
func (o *outputs) flush() {
	if o.dirty == 0 {
		return
	}
	for _, l := range o.links {
		o.flushLink(l)
	}
}

func (o *outputs) flushLink(l *outLink) {
	for i := range l.channels {
		if ch := &l.channels[i]; ch.dirty && ch.open && ch.credits > 0 && len(ch.queue) == 0 {
			o.pack(l, i)
			o.pump(l, i)
		}
	}
}

// opened is told by a node that the receiver is ready. It refuses a receiver whose records differ.
func (o *outputs) opened(from string, m exchange.Open) error {
	l, i := o.find(from, m.Address)
	if l == nil || l.channels[i].open {
		return nil
	}
	if l.schema != m.Schema {
		return fmt.Errorf("the edge %s: that type has other fields in the process of subtask %d: both processes must run the same binary", l.edge, l.channels[i].to.Subtask)
	}
	ch := &l.channels[i]
	ch.open, ch.credits, ch.granted = true, m.Credits, m.Credits
	o.pump(l, i)
	return nil
}

// credited is told by a node that the receiver has consumed batches. It refuses more credits than
// batches are under way.
func (o *outputs) credited(from string, m exchange.Credit) error {
	l, i := o.find(from, m.Address)
	if l == nil {
		return nil
	}
	ch := &l.channels[i]
	if owed := ch.granted - ch.credits; m.N < 1 || m.N > owed {
		return fmt.Errorf("the edge %s: %d credits come back from subtask %d, and %d are out", l.edge, m.N, ch.to.Subtask, owed)
	}
	ch.credits += m.N
	if m.Records != nil {
		l.port.Recycle(m.Records)
	}
	o.pump(l, i)
	return nil
}

// find returns the link and channel of an address of this deployment with a task of a node.
func (o *outputs) find(from string, a exchange.Address) (*outLink, int) {
	for _, l := range o.links {
		i := a.To
		if l.Ship == graph.Forward {
			i = 0
		}
		if l.ID == a.Link && i >= 0 && i < len(l.channels) && l.channels[i].addr == a && l.channels[i].ref.Node == from {
			return l, i
		}
	}
	return nil, 0
}
