package graph

import (
	"slices"
	"testing"
	"time"
)

// printed is a job in which each thing that a fingerprint covers can be changed.
func printed() *Job {
	j := jobOf(
		source(),
		Operator{Verb: "count", ID: "count", Out: "KV", In: byKey(0), Sides: []Side{{Tag: "late", Type: "Hit"}},
			State: []State{{Name: "key", Kind: "key", Schema: ". string"}, {Name: "n", Kind: "value", Schema: ". int64"}}},
		Operator{Verb: "map", Out: "Row"},
		sink(),
	)
	j.Params = []Param{{Name: "in", Value: "a.log"}}
	return j
}

// Whoever would compile another plan, keep other state, or read other records under these
// parameters may not join in.
func TestAFingerprintCoversWhatProcessesMustAgreeOn(t *testing.T) {
	seen := map[string]string{Fingerprint(printed()): "the job itself"}
	for _, c := range []struct {
		what   string
		change func(j *Job)
	}{
		{"job", func(j *Job) { j.Name = "misses" }},
		{"mode", func(j *Job) { j.Mode = Batch }},
		{"key groups", func(j *Job) { j.MaxParallelism = 256 }},
		{"parameter", func(j *Job) { j.Params[0].Value = "b.log" }},
		{"parallelism of all", func(j *Job) { j.Parallelism = 2 }},
		{"parallelism of one", func(j *Job) { j.Operators[2].Parallelism = 3 }},
		{"id", func(j *Job) { j.Operators[1].ID = "counts" }},
		{"verb", func(j *Job) { j.Operators[2].Verb = "filter" }},
		{"record type", func(j *Job) { j.Operators[2].Out = "Line" }},
		{"slot group", func(j *Job) { j.Operators[2].Slot = "gpu" }},
		{"chain", func(j *Job) { j.Operators[2].NewChain = true }},
		{"blocking edges", func(j *Job) { j.Operators[1].Blocking = true }},
		{"producer", func(j *Job) { j.Operators[2].In[0].From = 0 }},
		{"side output read", func(j *Job) { j.Operators[2].In[0].Tag = "late" }},
		{"ship", func(j *Job) { j.Operators[2].In[0].Ship = Broadcast }},
		{"input", func(j *Job) { j.Operators[1].In[0].Input = 1 }},
		{"key", func(j *Job) { j.Operators[1].In[0].Key = "int" }},
		{"name of a state", func(j *Job) { j.Operators[1].State[1].Name = "m" }},
		{"kind of a state", func(j *Job) { j.Operators[1].State[1].Kind = "list" }},
		{"schema of a state", func(j *Job) { j.Operators[1].State[1].Schema = ". int32" }},
		{"order of states", func(j *Job) { slices.Reverse(j.Operators[1].State) }},
		{"one operator less", func(j *Job) { j.Operators = j.Operators[:3] }},
	} {
		j := printed()
		c.change(j)
		if other, same := seen[Fingerprint(j)]; same {
			t.Errorf("a changed %s has the fingerprint of %s", c.what, other)
		}
		seen[Fingerprint(j)] = c.what
	}
}

// What is for people, and what the leader alone decides, may differ.
func TestAFingerprintLeavesOutNamesAndPlaces(t *testing.T) {
	for what, change := range map[string]func(j *Job){
		"nothing":              func(*Job) {},
		"name":                 func(j *Job) { j.Operators[1].Name = "the count" },
		"what":                 func(j *Job) { j.Operators[0].What = "files" },
		"place in the source":  func(j *Job) { j.Operators[1].At = "main.go:1" },
		"type name of a state": func(j *Job) { j.Operators[1].State[1].Type = "job.total" },
		"usage":                func(j *Job) { j.Params[0].Usage = "what to read" },
		"checkpoint interval":  func(j *Job) { j.CheckpointEvery = time.Second },
		"parallelism spelled":  func(j *Job) { j.Operators[2].Parallelism = j.Parallelism },
	} {
		j := printed()
		change(j)
		if Fingerprint(j) != Fingerprint(printed()) {
			t.Errorf("the fingerprint covers: %s", what)
		}
	}
}
