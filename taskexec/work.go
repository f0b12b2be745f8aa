package taskexec

import (
	"time"

	"blink/internal/codec"
	"blink/internal/invariant"
	"blink/internal/mutate"
	"blink/operator"
	"blink/taskexec/exchange"
)

// quantum takes steps until its time is over, a batch is done, or nothing can be done. A
// snapshot that is being encoded gets its share first.
func (t *task) quantum() error {
	t.pace.begin(t.c.Now())
	if t.snap.frozen != nil {
		if err := t.drain(); err != nil {
			return err
		}
		if t.snap.frozen != nil {
			t.kick()
		}
	}
	did := part
	for did == part {
		var err error
		if did, err = t.step(); err != nil {
			return err
		}
	}
	if did == nothing {
		t.out.flush()
	} else {
		t.flushWhenOld(t.pace.at)
		t.kick()
	}
	t.sinkWork() // a sink may have become full
	t.tell()
	return t.out.err
}

// progress is what a step did.
type progress uint8

const (
	nothing progress = iota // it must wait for a message
	part                    // a piece of something longer, and there is time for more
	whole                   // a batch, as many records of a source, or a checkpoint; or the time is over
)

// step does the next piece of work. The order is that of the cases: what was begun is
// finished first, and a checkpoint begins only between two batches.
func (t *task) step() (progress, error) {
	if t.press.Held() || t.snap.rests != 0 || t.phase != running && t.phase != ended {
		return nothing, nil
	}
	switch {
	case t.now.advancing:
		return t.advance(), nil
	case t.now.batch != nil:
		return t.process(), nil
	case t.src != nil && t.src.filled:
		return t.deliver(), nil
	}
	if id, ok := t.in.align.ready(); ok {
		return whole, t.checkpoint(id)
	}
	switch {
	case t.phase == ended:
		return nothing, nil
	case t.now.waking:
		return t.wakeOperators(), nil
	case t.src != nil:
		return t.read()
	case t.in.align.allEnded():
		return t.endOfInput(), nil
	}
	ch, b := t.in.pick()
	if b == nil {
		return nothing, nil
	}
	if err := t.ready(ch, b); err != nil {
		return nothing, err
	}
	t.now.channel, t.now.batch, t.now.record, t.now.mark = ch, b, 0, 0
	t.borrow(b.Lent)
	return part, nil
}

// borrow notes where strings of the records that are processed next may lie. Operators may
// keep records, so from then on they may lie anywhere in what the task sends.
func (t *task) borrow(lent codec.Memory) {
	if t.press.Lent = lent; lent.Any() {
		t.out.lent = codec.Anywhere()
	}
}

// process goes on with the batch at hand: records up to the next mark, then the mark.
func (t *task) process() progress {
	ch, b := t.now.channel, t.now.batch
	end := b.Records.Len()
	if t.now.mark < len(b.Marks) {
		end = b.Marks[t.now.mark].At
	}
	ch.idle = ch.idle && t.now.record == end
	for t.now.record < end {
		from := t.now.record
		t.now.record = ch.port.Deliver(b.Records, from, min(from+t.pace.left, end), ch.head, &t.press)
		if t.press.Held() {
			break
		}
		if t.over(t.now.record - from) {
			return whole
		}
	}
	if t.now.record < end || t.press.Held() && t.now.mark < len(b.Marks) {
		return part
	}
	if t.now.mark < len(b.Marks) {
		m := b.Marks[t.now.mark]
		t.now.mark++
		t.meet(ch, m)
		return part
	}
	t.now.channel, t.now.batch = nil, nil
	t.giveBack(ch, b)
	t.now.advancing = true // an EventTime operator may have seen a later timestamp
	return whole
}

// meet acts on a mark of channel ch.
func (t *task) meet(ch *inChannel, m exchange.Mark) {
	switch m.Kind {
	case exchange.Watermark:
		invariant.Check(int64(m.Value) >= ch.mark, "the edge %s: from subtask %d: watermark %d after %d", ch.edge, ch.from.Subtask, int64(m.Value), ch.mark)
		ch.mark, ch.idle = int64(m.Value), false
		t.now.advancing = true
	case exchange.Idle:
		ch.idle = true
		t.now.advancing = true
	case exchange.Barrier:
		t.in.align.barrier(ch.index, m.Value)
	case exchange.End:
		ch.ended = true
		t.in.align.end(ch.index)
		t.now.advancing = true
	}
}

// advance moves event time on through the chain, and puts the new watermarks on the links or says
// that they are idle.
func (t *task) advance() progress {
	in, idle := t.inputMark()
	if !t.chain.advance(in, &t.press) {
		return t.held()
	}
	t.now.advancing = false
	for _, l := range t.chain.links {
		t.out.watermark(l, t.chain.mark(l.FromOp))
		if l.clock != nil && l.clock.Idle() || l.clock == nil && idle {
			t.out.idle(l)
		} else {
			t.out.active(l)
		}
	}
	if in == t.now.advanced {
		return part
	}
	t.now.advanced = in // timers may have fired
	return t.timed()
}

// held is the progress of something that pressure stopped, or that stopped by itself to let
// others in.
func (t *task) held() progress {
	if t.press.Held() {
		return nothing
	}
	return t.timed()
}

// inputMark is how far event time has come in front of the chain, and whether all of it is idle.
func (t *task) inputMark() (mark int64, idle bool) {
	if t.src != nil {
		return t.src.mark, false
	}
	return t.in.watermark()
}

// wakeOperators lets the operators fire their processing timers.
func (t *task) wakeOperators() progress {
	if t.chainMark() == operator.EndTime { // nothing is emitted behind it
		t.now.waking = false
		return part
	}
	if t.in.atHand() {
		t.press.AtHand()
	}
	done := t.chain.wake(t.c.Now().UnixNano(), &t.press)
	t.now.waking, t.now.advancing = !done, true
	if !done {
		return t.held()
	}
	return t.timed()
}

// wakeAfter is Task.WakeAt: one pending timer, the earliest asked for. It stays pending until
// its message comes, whatever the clock says by then.
func (t *task) wakeAfter(at int64) {
	if at >= t.wakeAt {
		return
	}
	t.wakeAt = at
	t.c.After("wake", max(0, time.Duration(at-t.c.Now().UnixNano())), wake{})
}

// endOfInput ends the task's output: event time has reached its end and every operator has
// said its last.
func (t *task) endOfInput() progress {
	if t.chainMark() < operator.EndTime {
		t.now.advancing = true
		return part
	}
	t.out.end()
	t.phase = ended
	return whole
}

// chainMark is the watermark behind the head: EndTime once it was told of the end.
func (t *task) chainMark() int64 { return t.chain.marks[0] }

// giveBack returns the credit of a consumed batch.
func (t *task) giveBack(ch *inChannel, b *exchange.Batch) {
	if mutate.On(mutate.LoseCredit) && b.Seq%4 == 0 {
		return
	}
	if t.local(ch.ref) {
		t.c.Tell(ch.ref, exchange.Credit{Address: ch.addr, N: 1, Records: b.Records})
		return
	}
	*ch.spare = b.Records
	// Credits of half the channel go together: the sender has others.
	if ch.owed++; ch.owed < (t.in.credits+1)/2 {
		return
	}
	t.sendFrame(ch.ref, exchange.AppendCredit(exchange.Buffer(), exchange.Credit{Address: ch.addr, N: ch.owed}))
	ch.owed = 0
}

// flushWhenOld sends partly filled batches that have waited for BufferTimeout, so that a
// busy task does not keep its records.
func (t *task) flushWhenOld(now time.Time) {
	switch {
	case t.out.dirty == 0:
		t.dirtySince = time.Time{}
	case t.dirtySince.IsZero():
		t.dirtySince = now
	case now.Sub(t.dirtySince) >= t.spec.config.BufferTimeout:
		t.out.flush()
		t.dirtySince = time.Time{}
	}
}
