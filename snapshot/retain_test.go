package snapshot

import (
	"math/rand/v2"
	"slices"
	"testing"

	"blink/graph"
)

// history plays a job's checkpoints: some were given up, some were tried by two leaders, the
// last few complete ones are retained, and behind the newest complete one others are in the
// making. It returns what is stored, in order, and what of it may go.
func history(r *rand.Rand) (stored, kept []string, newest uint64, garbage []string) {
	complete, flying := uint64(1+r.IntN(8)), uint64(r.IntN(3))
	retained := uint64(1 + r.IntN(3))
	for id := uint64(1); id <= complete+flying; id++ {
		epochs := 1 + r.IntN(2)
		for epoch := range uint64(epochs) {
			m := Manifest{Checkpoint: id, Epoch: 9 + epoch}
			for i := range r.IntN(12) {
				m.Tasks = append(m.Tasks, TaskEntry{Handle: Handle{Key: TaskKey(id, graph.TaskID{Vertex: 1, Subtask: i}, 1, m.Epoch)}})
			}
			objects := m.Objects(m.Key())
			stored = append(stored, objects...)
			last := int(epoch) == epochs-1
			switch {
			case last && id <= complete && id+retained > complete:
				kept = append(kept, objects...)
			case id <= complete:
				garbage = append(garbage, objects...)
			}
		}
	}
	stored = append(stored, "chk/notes", "chk/x/manifest-1", "result", "splits", "chk2/0000000001/task")
	slices.Sort(stored)
	slices.Sort(garbage)
	return stored, kept, complete, garbage
}

func TestGarbageIsAllThatNoRetainedCheckpointAndNoneInTheMakingNeeds(t *testing.T) {
	for seed := range uint64(300) {
		stored, kept, newest, want := history(rand.New(rand.NewPCG(seed, 0)))
		if got := Garbage(stored, kept, newest, 100); !slices.Equal(got, want) {
			t.Fatalf("seed %d: of %q with %q kept up to %d the garbage is\n%q, want\n%q", seed, stored, kept, newest, got, want)
		}
	}
}

// A leader that is slow to die has given up checkpoint 3; the next one completes another 3.
func TestWhatALaterLeaderWritesIsNobodysGarbage(t *testing.T) {
	mine, theirs := TaskKey(3, graph.TaskID{}, 1, 7), TaskKey(3, graph.TaskID{}, 2, 8)
	stored := []string{manifestKey(3, 7), manifestKey(3, 8), mine, theirs}
	if got, want := Garbage(stored, nil, 3, 7), []string{manifestKey(3, 7), mine}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestOlderManifestsComeNewestFirst(t *testing.T) {
	var stored []string
	for _, id := range []uint64{3, 4, 5, 6} {
		for _, epoch := range []uint64{9, 10} {
			stored = append(stored, manifestKey(id, epoch), TaskKey(id, graph.TaskID{}, 1, epoch))
		}
	}
	stored = append(stored, "chk/x/manifest-1", "result")
	slices.Sort(stored)
	want := []string{manifestKey(4, 10), manifestKey(4, 9), manifestKey(3, 10), manifestKey(3, 9)}
	if got := ManifestsBefore(stored, manifestKey(5, 9)); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
