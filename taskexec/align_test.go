package taskexec

import (
	"math/rand/v2"
	"testing"
)

func TestSnapshotWaitsForEveryChannel(t *testing.T) {
	a := newAligner(2)
	a.barrier(0, 1)
	if _, ok := a.ready(); ok || !a.blocked(0) || a.blocked(1) {
		t.Fatalf("after one of two barriers: ready %v, blocked %v %v", ok, a.blocked(0), a.blocked(1))
	}
	a.barrier(1, 1)
	id, ok := a.ready()
	if !ok || id != 1 {
		t.Fatalf("ready %d %v, want 1", id, ok)
	}
	a.conclude(1)
	if a.blocked(0) || a.blocked(1) {
		t.Error("a channel is blocked after the snapshot")
	}
}

func TestEndedChannelCountsAsAligned(t *testing.T) {
	a := newAligner(2)
	a.barrier(0, 4)
	a.end(1)
	if id, ok := a.ready(); !ok || id != 4 {
		t.Errorf("ready %d %v, want 4", id, ok)
	}
}

func TestTaskWithoutLiveInputIsReadyWhenTriggered(t *testing.T) {
	source := newAligner(0)
	source.trigger(3)
	if id, ok := source.ready(); !ok || id != 3 {
		t.Errorf("source: ready %d %v, want 3", id, ok)
	}
	drained := newAligner(1)
	drained.trigger(3)
	if _, ok := drained.ready(); ok {
		t.Error("ready although a channel is live and brought no barrier")
	}
	drained.end(0)
	if _, ok := drained.ready(); !ok {
		t.Error("not ready although every channel has ended")
	}
}

func TestAbortedCheckpointUnblocks(t *testing.T) {
	a := newAligner(2)
	a.barrier(0, 7)
	a.conclude(7)
	if a.blocked(0) {
		t.Error("blocked for a checkpoint that was aborted")
	}
	a.barrier(1, 7)
	if _, ok := a.ready(); ok || a.blocked(1) {
		t.Error("the late barrier of an aborted checkpoint was taken")
	}
}

func TestNewerCheckpointTakesThePlaceOfAnOlder(t *testing.T) {
	a := newAligner(2)
	a.barrier(0, 1)
	a.barrier(1, 2)
	if a.blocked(0) || !a.blocked(1) {
		t.Errorf("blocked %v %v, want only the channel that brought 2", a.blocked(0), a.blocked(1))
	}
	a.barrier(0, 2)
	if id, ok := a.ready(); !ok || id != 2 {
		t.Errorf("ready %d %v, want 2", id, ok)
	}
}

// Whatever comes in whatever order, ids that are taken only grow, and none is taken while a
// live channel has not brought it.
func TestAlignmentUnderRandomEvents(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		a := newAligner(1 + r.IntN(4))
		brought := make([]uint64, len(a.barriers))
		last := uint64(0)
		for range 60 {
			ch, id := r.IntN(len(brought)), uint64(1+r.IntN(12))
			switch r.IntN(5) {
			case 0:
				a.trigger(id)
			case 1:
				a.end(ch)
			case 2:
				a.conclude(uint64(r.IntN(4)))
			default:
				if id > brought[ch] && !a.ended[ch] {
					brought[ch] = id
					a.barrier(ch, id)
				}
			}
			got, ok := a.ready()
			if !ok {
				continue
			}
			if got <= last {
				t.Fatalf("checkpoint %d after %d", got, last)
			}
			for ch, b := range brought {
				if b != got && !a.ended[ch] {
					t.Fatalf("checkpoint %d taken, channel %d brought %d", got, ch, b)
				}
			}
			last = got
			a.conclude(got)
		}
	}
}
