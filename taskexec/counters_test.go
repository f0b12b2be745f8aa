package taskexec

import (
	"slices"
	"testing"

	"blink/graph"
	"blink/snapshot"
)

// A total is exact however a job was restarted or rescaled: what was counted up to the
// snapshot is added up wherever its items go, and what was counted behind it is not.
func TestCountsSurviveARescale(t *testing.T) {
	var stored []snapshot.Item
	for subtask, n := range []int64{3, 4} {
		var before counters
		before.add("parse", "bad", 1)
		before.add("parse", "read", n)
		before.add("other", "read", 100)
		before.add("parse", "read", n)
		stored = append(stored, before.items("parse", graph.TaskID{Vertex: 1, Subtask: subtask})...)
		before.add("parse", "read", 50)
	}
	var after counters
	rest, err := after.restore("parse", append(stored, snapshot.Item{Name: "split"}))
	if err != nil || len(rest) != 1 || rest[0].Name != "split" {
		t.Errorf("left are %v: %v, want what is no counter", rest, err)
	}
	if want := []counter{{"parse", "bad", 2}, {"parse", "read", 14}}; !slices.Equal(after.list, want) {
		t.Errorf("restored %v, want %v", after.list, want)
	}
}

func TestCountersOfTwoTasksHaveTwoNames(t *testing.T) {
	var c counters
	c.add("parse", "read", 1)
	a, b := c.items("parse", graph.TaskID{Vertex: 1}), c.items("parse", graph.TaskID{Vertex: 1, Subtask: 1})
	if len(a) != 1 || len(b) != 1 || a[0].Name == b[0].Name || !snapshot.IsCounter(a[0].Name) {
		t.Errorf("%v and %v", a, b)
	}
}

func TestACounterOfAWrongSizeIsACorruptCheckpoint(t *testing.T) {
	var c counters
	_, err := c.restore("parse", []snapshot.Item{{Name: snapshot.CounterPrefix + "read/1.0", Data: []byte{1}}})
	refuses(t, err, errCorrupt.Error())
}
