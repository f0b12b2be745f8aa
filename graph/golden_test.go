package graph

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// rewrite is for whoever reads the diff.
var rewrite = flag.Bool("rewrite", false, "write the golden files anew")

// plans are jobs by what their golden files show.
var plans = map[string]*Job{
	"forward-edges-chain": jobOf(
		source(),
		Operator{Verb: "map", Out: "Hit"},
		Operator{Verb: "filter", Out: "Hit"},
		sink(),
	),
	"hash-edges-are-never-chained": jobOf(
		source(),
		Operator{Verb: "count", ID: "count", Named: true, Out: "KV", In: byKey(0), State: []State{{Name: "key", Kind: "key", Type: "string"}, {Name: "count", Kind: "value", Type: "int64"}}},
		sink(),
	),
	"two-keyed-inputs-meet-in-one-vertex": inParallel(4, jobOf(
		source(),
		Operator{Verb: "read", What: "fares", Out: "Fare", Source: true, Bounded: true, Parallelism: 2},
		Operator{Verb: "process", What: "match", Out: "Ride", Parallelism: 3, In: []Edge{
			{From: 0, Ship: Hash, Key: "string"},
			{From: 1, Ship: Hash, Key: "string", Input: 1},
		}},
		sink(),
	)),
	"a-union-begins-a-vertex": inParallel(2, jobOf(
		source(),
		source(),
		Operator{Verb: "map", Out: "Hit", In: []Edge{{From: 0}, {From: 1}}},
		sink(),
	)),
	"side-outputs-branch-the-chain": jobOf(
		source(),
		Operator{Verb: "try", What: "parse", Out: "Hit", Sides: []Side{{Tag: "bad", Type: "Failure"}}},
		Operator{Verb: "write", What: "bad.csv", Sink: true, In: []Edge{{From: 1, Tag: "bad"}}},
		Operator{Verb: "write", What: "retry.csv", Sink: true, Parallelism: 2, In: []Edge{{From: 1, Tag: "bad"}}},
		Operator{Verb: "write", What: "hits.csv", Sink: true, In: []Edge{{From: 1}}},
	),
	"blocking-edges-part-regions": inParallel(2, jobOf(
		source(),
		Operator{Verb: "map", Out: "Hit", Blocking: true},
		Operator{Verb: "map", Out: "Hit"},
		Operator{Verb: "count", Out: "KV", In: byKey(2), Blocking: true},
		sink(),
	)),
	"a-new-chain-keeps-regions-of-one-task-each": inParallel(3, jobOf(
		source(),
		Operator{Verb: "map", Out: "Hit", NewChain: true},
		sink(),
	)),
	"slot-groups-part-chains-and-reach-to-their-end": inParallel(2, jobOf(
		source(),
		Operator{Verb: "map", What: "score", Out: "Hit", Slot: "gpu"},
		Operator{Verb: "filter", Out: "Hit"},
		Operator{Verb: "count", Out: "KV", In: byKey(2), Parallelism: 3},
		Operator{Verb: "write", Sink: true, Slot: "disk", Parallelism: 1},
	)),
	"unequal-parallelism-makes-forward-a-rebalance": jobOf(
		source(),
		Operator{Verb: "map", Out: "Hit", Parallelism: 2},
		Operator{Verb: "filter", Out: "Hit", Parallelism: 2},
		Operator{Verb: "map", Out: "Hit", Parallelism: 3},
		sink(),
	),
	"rebalance-and-broadcast-reach-every-task": inParallel(2, jobOf(
		source(),
		Operator{Verb: "map", Out: "Hit", In: []Edge{{From: 0, Ship: Rebalance}}},
		Operator{Verb: "filter", Out: "Hit", In: []Edge{{From: 1, Ship: Broadcast}}},
		sink(),
	)),
	"people-see-names-parameters-and-what-is-unwise": func() *Job {
		j := jobOf(
			source(),
			Operator{Verb: "eventtime", Out: "Hit"},
			Operator{Verb: "scan", What: "visits", Name: "visits of a user", Out: "Visit", In: byKey(1), State: []State{{Name: "scan", Kind: "value", Type: "visit", TTL: time.Hour}}},
			Operator{Verb: "filter", Out: "Visit"},
		)
		j.Params = []Param{{Name: "in", Value: "b.log", Default: "a.log"}, {Name: "bound", Value: "5s", Default: "5s"}}
		return j
	}(),
}

// jobOf numbers the operators. One without inputs that is no source reads the one before it.
func jobOf(os ...Operator) *Job {
	for i := range os {
		o := &os[i]
		o.Index, o.At = i, fmt.Sprintf("job.go:%d", 10+i)
		if o.ID == "" {
			o.ID = fmt.Sprintf("%s-%d", o.Verb, i)
		}
		if o.In == nil && !o.Source {
			o.In = []Edge{{From: i - 1}}
		}
	}
	return &Job{Name: "hits", Parallelism: 1, MaxParallelism: 128, Operators: os}
}

func inParallel(n int, j *Job) *Job { j.Parallelism = n; return j }

func source() Operator {
	return Operator{Verb: "read", What: "lines", Out: "Hit", Source: true, Bounded: true}
}

func sink() Operator { return Operator{Verb: "write", What: "out.csv", Sink: true} }

func byKey(from int) []Edge { return []Edge{{From: from, Ship: Hash, Key: "string"}} }

func TestPlansStayAsReviewed(t *testing.T) {
	for name, j := range plans {
		t.Run(name, func(t *testing.T) {
			p := compiled(t, j)
			golden(t, name, p.String()+"\n"+tasksText(p))
		})
	}
}

func compiled(t *testing.T, j *Job) *Plan {
	t.Helper()
	p, err := Compile(j)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// golden compares text with the golden file of this name.
func golden(t *testing.T, name, text string) {
	t.Helper()
	file := filepath.Join("testdata", name+".txt")
	if *rewrite {
		if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if text != string(want) {
		t.Errorf("%s is not what the plan is, which you may write there with -rewrite:\n%s", file, text)
	}
}

// tasksText is what a plan comes to: who sends to whom, who owns which key groups, what
// restarts together and what shares slots.
func tasksText(p *Plan) string {
	var b strings.Builder
	for _, l := range p.Links {
		fmt.Fprintf(&b, "link %d: %s → input %d of %s\n", l.ID, p.Job.Operators[l.FromOp].ID, l.Input, p.Job.Operators[l.ToOp].ID)
		for i := range l.FromTasks {
			fmt.Fprintf(&b, "  %s →%s\n", taskText(TaskID{l.From, i}), taskTexts(l.Receivers(i)))
		}
	}
	for _, v := range p.Vertices {
		if len(v.In) > 0 && p.Links[v.In[0]].Ship == Hash {
			fmt.Fprintf(&b, "key groups of vertex %d:", v.ID)
			for i := range v.Parallelism {
				r := GroupRange(p.Job.MaxParallelism, v.Parallelism, i)
				fmt.Fprintf(&b, " [%d,%d)", r.From, r.To)
			}
			b.WriteString("\n")
		}
	}
	for i, r := range p.Regions() {
		fmt.Fprintf(&b, "region %d:%s\n", i, taskTexts(r))
	}
	for _, g := range p.SlotGroups() {
		fmt.Fprintf(&b, "slot group %q: %d slots for vertices %d\n", g.Name, g.Slots, g.Vertices)
	}
	fmt.Fprintf(&b, "slots: %d\nvertices with sinks: %d\n", p.Slots(), p.Sinks())
	return b.String()
}

func taskText(t TaskID) string { return fmt.Sprintf("t%d.%d", t.Vertex, t.Subtask) }

func taskTexts(ts []TaskID) (s string) {
	for _, t := range ts {
		s += " " + taskText(t)
	}
	return s
}
