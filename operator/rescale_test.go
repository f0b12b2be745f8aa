package operator

import (
	"slices"
	"strings"
	"testing"
	"time"

	"blink/graph"
	"blink/internal/hash"
	"blink/snapshot"
)

// Where a channel was idle, event time may have come further in one task than in another. When one
// task takes the key groups of both over, what had not fired in the one fires, and what had fired
// in the other does not fire again.
func TestTasksInWhichEventTimeHasComeDifferentlyFarBecomeOne(t *testing.T) {
	sum, _ := hash.Of[string]()
	late := func(o WindowOptions) WindowOptions { o.Lateness = 15 * time.Second; return o }
	for _, o := range []WindowOptions{tumbling(10), sliding(10, 5), sessions(3), late(tumbling(10)), late(sliding(10, 5)), late(sessions(3))} {
		spec := NewWindowCount(shop, o)
		feed := func(b *bench, from, to int64) {
			for at := from; at < to; at++ {
				if at%10 < 6 {
					sell(b, string(rune('a'+at%7)), at)
					sell(b, string(rune('h'+at%7)), at)
				}
			}
		}
		whole := &kettle[Pane[string, int64]]{}
		b := newBench(t, spec, whole)
		feed(b, 0, 70)
		b.advance(EndTime)

		var got []Pane[string, int64]
		var layers [2][]snapshot.Part
		for half, mark := range []int64{20, 40} {
			owned := graph.GroupRange(128, 2, half)
			out := &kettle[Pane[string, int64]]{}
			b := newBench(t, spec, out)
			feed(b, 0, 70)
			b.advance(sec(5)) // some are gone from the layer above
			under := freezeOnto(b, 1, 0)
			b.advance(sec(mark))
			layers[half] = cutParts([]snapshot.Part{under, freezeOnto(b, 2, 1)}, owned)
			for _, p := range out.got {
				if owned.Contains(graph.KeyGroup(sum(p.Key), 128)) {
					got = append(got, p)
				}
			}
		}
		out := &kettle[Pane[string, int64]]{}
		b = newBench(t, spec, out).restore(slices.Concat(layers[0], layers[1])...)
		var state uint64
		for half := range layers {
			d, err := newBench(t, spec, out).restore(layers[half]...).op.(Digester).Digest()
			b.check(err)
			state += d.State
		}
		if d, err := b.op.(Digester).Digest(); err != nil || d.Mark < sec(40) || d.State != state {
			t.Errorf("%v: it begins at %d with %x, not with %x: %v", o.Window, d.Mark, d.State, state, err)
		}
		due := 0
		for _, p := range whole.got {
			if p.End.Unix() <= 40 {
				due++
			}
		}
		if b.advance(NoTime); len(got)+len(out.got) != due {
			t.Errorf("%v: %d and %d have fired before anything comes, want %d", o.Window, len(got), len(out.got), due)
		}
		b.advance(EndTime)
		if got, want := panes(append(got, out.got...)), panes(whole.got); !slices.Equal(got, want) {
			t.Errorf("%v, lateness %v:\ngot  %s\nwant %s", o.Window, o.Lateness, strings.Join(got, ", "), strings.Join(want, ", "))
		}
	}
}

// freezeOnto is a snapshot of a checkpoint onto another one.
func freezeOnto(b *bench, checkpoint, onto uint64) snapshot.Part {
	b.t.Helper()
	f, err := b.op.(Snapshotter).Snapshot(SnapshotOptions{Checkpoint: checkpoint, Onto: onto})
	b.check(err)
	for done := false; !done; {
		done, err = f.Drain(1)
		b.check(err)
	}
	return f.Part()
}
