package graph

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestAJobThatContradictsItselfIsRefused(t *testing.T) {
	for _, c := range []struct {
		name  string
		spoil func(*Job)
		want  string
	}{
		{"no parallelism", func(j *Job) { j.Parallelism = 0 }, `job "hits": parallelism 0: at least 1`},
		{"no key groups", func(j *Job) { j.MaxParallelism = 0 }, `job "hits": max parallelism 0: from 1 to 32768`},
		{"too many key groups", func(j *Job) { j.MaxParallelism = MaxKeyGroups + 1 }, `job "hits": max parallelism 32769: from 1 to 32768`},
		{"time going back", func(j *Job) { j.CheckpointEvery = -time.Second }, `job "hits": checkpoint interval of -1s: at least 1ms, or 0 for none`},
		{"nothing but checkpoints", func(j *Job) { j.CheckpointEvery = 1 }, `job "hits": checkpoint interval of 1ns: at least 1ms, or 0 for none`},
		{"no operator", func(j *Job) { j.Operators = nil }, `job "hits" reads nothing`},
		{"an operator out of place", func(j *Job) { j.Operators[1].Index = 2 }, `operator "map-1" has index 2 at place 1`},
		{"an operator without id", func(j *Job) { j.Operators[1].ID = "" }, `operator 1 (job.go:11) has no id`},
		{"one id for two", func(j *Job) { j.Operators[1].ID = "read-0" }, `job.go:11: ID "read-0" is taken by the operator at job.go:10`},
		{"more tasks than key groups", func(j *Job) { j.Operators[1].Parallelism = 129 }, `job.go:11: operator "map-1": parallelism 129 is above the job's max parallelism 128`},
		{"more tasks of all than key groups", func(j *Job) { j.Parallelism = 129 }, `job "hits": parallelism 129 is above its max parallelism 128`},
		{"fewer tasks than none", func(j *Job) { j.Operators[1].Parallelism = -1 }, `job.go:11: operator "map-1": parallelism -1: at least 1, or 0 for the job's`},
		{"a source that reads another", func(j *Job) { j.Operators[1].Source = true }, `job.go:11: operator "map-1": only a source has no input`},
		{"nothing to read from", func(j *Job) { j.Operators[1].In = nil }, `job.go:11: operator "map-1": only a source has no input`},
		{"an edge that goes back", func(j *Job) { j.Operators[1].In[0].From = 1 }, `job.go:11: operator "map-1": an input comes from operator 1`},
		{"an edge from nowhere", func(j *Job) { j.Operators[1].In[0].From = -1 }, `job.go:11: operator "map-1": an input comes from operator -1`},
	} {
		t.Run(c.name, func(t *testing.T) {
			j := jobOf(source(), Operator{Verb: "map", Out: "Hit"}, sink())
			c.spoil(j)
			if _, err := Compile(j); err == nil || err.Error() != c.want {
				t.Errorf("said %v\nwant %s", err, c.want)
			}
		})
	}
}

func TestAllContradictionsAreNamedTogether(t *testing.T) {
	j := inParallel(0, jobOf(source(), Operator{Verb: "map", ID: "read-0", Parallelism: 500}, sink()))
	_, err := Compile(j)
	if err == nil || strings.Count(err.Error(), "\n") != 2 {
		t.Errorf("want the job's parallelism, and the second operator's ID and parallelism, got\n%v", err)
	}
}

// randomJob is any job that Compile takes: up to three sources, and operators that read
// from anything before them.
func randomJob(r *rand.Rand) *Job {
	var os []Operator
	for range 1 + r.IntN(3) {
		os = append(os, source())
	}
	for range r.IntN(10) {
		o := Operator{Verb: "map", NewChain: r.IntN(6) == 0}
		for input := range 1 + r.IntN(4)/3 {
			o.In = append(o.In, Edge{From: r.IntN(len(os)), Ship: []Ship{Forward, Forward, Forward, Hash, Rebalance, Broadcast}[r.IntN(6)], Input: input})
		}
		os = append(os, o)
	}
	for i := range os {
		os[i].Parallelism = []int{0, 0, 0, 1, 2, 5}[r.IntN(6)]
		os[i].Blocking = r.IntN(5) == 0
		os[i].Slot = []string{"", "", "", "gpu"}[r.IntN(4)]
	}
	return inParallel(1+r.IntN(4), jobOf(os...))
}

// eachRandomPlan calls check with the plans of many jobs, until one fails.
func eachRandomPlan(t *testing.T, check func(t *testing.T, p *Plan)) {
	t.Helper()
	r := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		p := compiled(t, randomJob(r))
		if check(t, p); t.Failed() {
			t.Fatal(p)
		}
	}
}

func TestEachOperatorHasOneVertexAndEachEdgeOneWay(t *testing.T) {
	eachRandomPlan(t, func(t *testing.T, p *Plan) {
		home := map[int]VertexID{}
		for i, v := range p.Vertices {
			if v.ID != VertexID(i) || !slices.IsSorted(v.Operators) {
				t.Errorf("vertex %d: %+v", i, v)
			}
			for _, o := range v.Operators {
				if _, twice := home[o]; twice {
					t.Errorf("operator %d stands in two vertices", o)
				}
				home[o] = v.ID
			}
		}
		linked := map[[2]int]bool{}
		for i, l := range p.Links {
			if l.ID != i || home[l.FromOp] != l.From || home[l.ToOp] != l.To || l.From >= l.To {
				t.Errorf("link %d: %+v", i, l)
			}
			if !slices.Contains(p.Vertices[l.From].Out, i) || !slices.Contains(p.Vertices[l.To].In, i) {
				t.Errorf("link %d is not at both its ends", i)
			}
			linked[[2]int{l.ToOp, l.Edge}] = true
		}
		edges := 0
		for _, o := range p.Job.Operators {
			edges += len(o.In)
			for e, in := range o.In {
				if (home[in.From] == home[o.Index]) == linked[[2]int{o.Index, e}] {
					t.Errorf("edge %d of operator %d is both in a chain and a link, or neither", e, o.Index)
				}
			}
		}
		if inside := len(home) - len(p.Vertices); len(home) != len(p.Job.Operators) || edges != inside+len(p.Links) {
			t.Errorf("%d operators have a vertex; of %d edges %d are in chains and %d are links", len(home), edges, inside, len(p.Links))
		}
	})
}

func TestAChainHasOneParallelismAndOneSlotGroup(t *testing.T) {
	eachRandomPlan(t, func(t *testing.T, p *Plan) {
		for _, v := range p.Vertices {
			for _, i := range v.Operators {
				o := &p.Job.Operators[i]
				if p.Job.parallelism(o) != v.Parallelism || o.Slot != "" && o.Slot != v.Slot {
					t.Errorf("operator %d does not fit vertex %d", i, v.ID)
				}
			}
		}
	})
}

func TestSendersAndReceiversAgree(t *testing.T) {
	eachRandomPlan(t, func(t *testing.T, p *Plan) {
		for _, l := range p.Links {
			for from := range l.FromTasks {
				for to := range l.ToTasks {
					sends := slices.Contains(l.Receivers(from), TaskID{l.To, to})
					if receives := slices.Contains(l.Senders(to), TaskID{l.From, from}); sends != receives {
						t.Errorf("link %d: %d sends to %d: %v, %d receives from %d: %v", l.ID, from, to, sends, to, from, receives)
					}
				}
			}
		}
	})
}

func TestRegionsAreTheSmallestSetsThatNoPipelinedChannelLeaves(t *testing.T) {
	eachRandomPlan(t, func(t *testing.T, p *Plan) {
		var all []TaskID
		of, ties := map[TaskID]int{}, tied(p)
		for i, region := range p.Regions() {
			if !slices.IsSortedFunc(region, TaskID.Compare) || i > 0 && p.Regions()[i-1][0].Compare(region[0]) >= 0 {
				t.Errorf("region %d is out of order: %v", i, region)
			}
			for _, task := range region {
				of[task] = i
				if ties[task] != ties[region[0]] {
					t.Errorf("nothing ties %v to %v", task, region[0])
				}
			}
			all = append(all, region...)
		}
		slices.SortFunc(all, TaskID.Compare)
		if !slices.Equal(all, p.Tasks()) {
			t.Errorf("the regions hold %v", all)
		}
		for _, l := range p.Links {
			for i := range l.FromTasks {
				for _, to := range l.Receivers(i) {
					if from := (TaskID{l.From, i}); !l.Blocking && of[from] != of[to] {
						t.Errorf("a pipelined channel from %v to %v leaves its region", from, to)
					}
				}
			}
		}
	})
}

// tied gives tasks that pipelined channels tie together the same task, in the plainest way.
func tied(p *Plan) map[TaskID]TaskID {
	to := map[TaskID]TaskID{}
	for _, task := range p.Tasks() {
		to[task] = task
	}
	for changed := true; changed; {
		changed = false
		for _, l := range p.Links {
			for i := range l.FromTasks {
				for _, b := range l.Receivers(i) {
					a := TaskID{l.From, i}
					if l.Blocking || to[a] == to[b] {
						continue
					}
					least := slices.MinFunc([]TaskID{to[a], to[b]}, TaskID.Compare)
					to[a], to[b], changed = least, least, true
				}
			}
		}
	}
	return to
}
