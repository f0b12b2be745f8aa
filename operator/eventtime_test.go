package operator

import (
	"testing"
	"time"
)

func secondsOf(n int64) time.Time { return time.Unix(n, 0) }

// splits makes the chain of the bench one that reads n splits.
func splits(n int) func(*bench) {
	return func(b *bench) { b.task.Splits.own(n) }
}

func sendFrom(b *bench, split int, at int64) {
	b.task.Splits.Current = split
	send(b, at, NoTime)
}

func wantMark(t *testing.T, b *bench, want int64) {
	t.Helper()
	if b.advance(NoTime); b.mark != want {
		t.Errorf("watermark %v, want %v", b.mark, want)
	}
}

func TestTheWatermarkFollowsTheSlowestSplit(t *testing.T) {
	out := &kettle[int64]{}
	b := newBench(t, NewEventTime(secondsOf, BoundedOutOfOrder(10*time.Second)), out, splits(3))
	sendFrom(b, 0, 100)
	sendFrom(b, 1, 50)
	wantMark(t, b, NoTime) // split 2 has said nothing
	sendFrom(b, 2, 70)
	wantMark(t, b, sec(40)-1)
	sendFrom(b, 1, 30) // out of order: does not go back
	wantMark(t, b, sec(40)-1)
	b.task.Splits.Ended[1] = true
	wantMark(t, b, sec(60)-1)
	same(t, out.times, sec(100), sec(50), sec(70), sec(30))
}

func TestTheEndOfInputIsTheEndOfTime(t *testing.T) {
	b := newBench(t, NewEventTime(secondsOf, Ascending()), &last[int64]{})
	send(b, int64(1), NoTime)
	if b.advance(EndTime); b.mark != EndTime {
		t.Errorf("watermark %d", b.mark)
	}
}

func TestASilentSplitHoldsTimeBackOnlyUntilItIsIdle(t *testing.T) {
	b := newBench(t, NewEventTime(secondsOf, Ascending().Idle(time.Minute)), &last[int64]{}, splits(2))
	wantMark(t, b, NoTime)
	b.pass(50 * time.Second)
	sendFrom(b, 0, 100)
	wantMark(t, b, NoTime)
	b.pass(20 * time.Second)
	wantMark(t, b, sec(100)-1)
	sendFrom(b, 1, 120) // active again
	sendFrom(b, 0, 130)
	wantMark(t, b, sec(120)-1)
	b.pass(2 * time.Minute) // both idle: the latest stands
	wantMark(t, b, sec(130)-1)
}

// A source with many splits has not opened it yet: it may hold the earliest records of all.
func TestASplitThatIsNotReadYetIsNotIdle(t *testing.T) {
	b := newBench(t, NewEventTime(secondsOf, Ascending().Idle(time.Minute)), &last[int64]{}, splits(2))
	b.task.Splits.Waiting[1] = true
	wantMark(t, b, NoTime)
	sendFrom(b, 0, 100)
	b.pass(5 * time.Minute)
	wantMark(t, b, NoTime)
	b.pass(40 * time.Second)
	b.task.Splits.Waiting[1] = false
	b.pass(30 * time.Second)
	wantMark(t, b, NoTime)
	b.pass(time.Minute)
	wantMark(t, b, sec(100)-1)
}

func TestTimeUnderPressureDoesNotMakeASplitIdle(t *testing.T) {
	b := newBench(t, NewEventTime(secondsOf, Ascending().Idle(time.Minute)), &last[int64]{}, splits(2))
	wantMark(t, b, NoTime)
	b.pressure.Hold()
	sendFrom(b, 0, 100)
	b.pass(2 * time.Minute)
	b.pressure.Release()
	wantMark(t, b, NoTime)
}

// A task that waits for its sinks hears nothing, whatever there is.
func TestRestIsNotSilence(t *testing.T) {
	b := newBench(t, NewEventTime(secondsOf, Ascending().Idle(time.Minute)), &last[int64]{}, splits(2))
	wantMark(t, b, NoTime)
	b.pass(40 * time.Second)
	sendFrom(b, 0, 100)
	b.pressure.Rested(30 * time.Second)
	b.pass(40 * time.Second)
	wantMark(t, b, NoTime)
	b.pass(20 * time.Second)
	wantMark(t, b, sec(100)-1)
}

func TestWhatIsAtHandIsNotSilence(t *testing.T) {
	b := newBench(t, NewEventTime(secondsOf, Ascending().Idle(time.Minute)), &last[int64]{}, splits(2))
	wantMark(t, b, NoTime)
	b.pass(50 * time.Second)
	sendFrom(b, 0, 100)
	b.pressure.AtHand()
	b.pass(20 * time.Second)
	wantMark(t, b, NoTime)
}

// pass lets processing time go on, with calls of Wake when they are due.
func (b *bench) pass(d time.Duration) {
	end := b.now.Add(d)
	for b.wakeAt <= end.UnixNano() {
		b.now = time.Unix(0, b.wakeAt)
		b.wakeAt = EndTime
		for !b.op.(Waker).Wake(b.now.UnixNano()) {
		}
	}
	b.now = end
}

func TestAClockAwayFromASourceIsRestored(t *testing.T) {
	s := NewEventTime(secondsOf, Ascending())
	b := newBench(t, s, &last[int64]{})
	send(b, int64(100), NoTime)
	again := newBench(t, s, &last[int64]{}).restore(b.snapshot())
	wantMark(t, again, sec(100)-1)
}

func TestATimeThatCannotBeStoredFailsTheTask(t *testing.T) {
	b := newBench(t, NewEventTime(func(time.Time) time.Time { return time.Date(3000, 1, 1, 0, 0, 0, 0, time.UTC) }, Ascending()), &last[time.Time]{})
	e := failure(t, func() { send(b, time.Time{}, NoTime) })
	if want := `operator "op" (job.go:7): time 3000-01-01 00:00:00 +0000 UTC is outside of the years 1678 to 2261`; e.Error() != want {
		t.Errorf("got %v", e)
	}
}

// Those behind it need not wait for it either, until one of its splits has something to say.
func TestEventTimeIsIdleWhenAllSplitsAreThatHaveNotEnded(t *testing.T) {
	b := newBench(t, NewEventTime(secondsOf, Ascending().Idle(time.Minute)), &last[int64]{}, splits(3))
	idle := func(want bool) {
		t.Helper()
		if b.advance(NoTime); b.op.(Idler).Idle() != want {
			t.Errorf("it is idle: %v, want %v", !want, want)
		}
	}
	idle(false)
	b.task.Splits.Ended[2] = true
	b.pass(50 * time.Second)
	sendFrom(b, 0, 100)
	b.pass(30 * time.Second)
	idle(false) // split 1 only
	b.pass(time.Minute)
	idle(true)
	sendFrom(b, 1, 120)
	idle(false)
	b.pass(2 * time.Minute)
	idle(true)
	b.task.Splits.Ended[0], b.task.Splits.Ended[1] = true, true
	idle(false)
	b.task.Splits.Ended[1] = false
	b.advance(EndTime)
	if b.op.(Idler).Idle() {
		t.Error("it is idle at the end of time")
	}
}
