package snapshot

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"blink/graph"
)

// pipeline is a plan of four operators with the given parallelism each: a source of splits,
// a verb that only counts, one with keyed state, and a sink with transactions. Those that
// are as parallel as the one before it share its vertex, unless records go by key.
func pipeline(t testing.TB, groups int, parallelism [4]int) *graph.Plan {
	t.Helper()
	keyed := []graph.State{{Name: "key", Kind: "key", Schema: " string"}, {Name: "sum", Kind: "value", Schema: "N int64\nAt time.Time"}}
	j := &graph.Job{Name: "job", Parallelism: 1, MaxParallelism: groups, Operators: []graph.Operator{
		{ID: "source", Source: true, State: []graph.State{{Name: "splits", Kind: "splits", Schema: "bytes"}}},
		{ID: "count", In: []graph.Edge{{From: 0, Ship: graph.Forward}}},
		{ID: "sum", In: []graph.Edge{{From: 1, Ship: graph.Hash}}, State: keyed},
		{ID: "sink", In: []graph.Edge{{From: 2, Ship: graph.Forward}}, Sink: true},
	}}
	for i := range j.Operators {
		j.Operators[i].Index, j.Operators[i].Parallelism = i, parallelism[i]
	}
	plan, err := graph.Compile(j)
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

// vertexOf is the vertex that runs an operator.
func vertexOf(plan *graph.Plan, operator string) *graph.Vertex {
	i := slices.IndexFunc(plan.Vertices, func(v graph.Vertex) bool {
		return slices.ContainsFunc(v.Operators, func(o int) bool { return plan.Job.Operators[o].ID == operator })
	})
	return &plan.Vertices[i]
}

// checkpoint is one that the tasks of a plan have taken, with the objects that they wrote.
type checkpoint struct {
	manifest *Manifest
	objects  map[string][]byte
	held     map[piece]holding
}

// piece is what exactly one task must get back: a key group's state, or an item.
type piece struct {
	operator string
	group    int // -1 for an item
	item     string
}

type holding struct {
	data string
	task graph.TaskID // that stored it
}

// take plays a checkpoint: some key groups are empty, some sinks have no transaction.
func take(t testing.TB, plan *graph.Plan, r *rand.Rand, splits int) *checkpoint {
	t.Helper()
	c := &checkpoint{
		manifest: &Manifest{Job: "job", Checkpoint: 7, Epoch: 3, MaxParallelism: plan.Job.MaxParallelism},
		objects:  map[string][]byte{}, held: map[piece]holding{},
	}
	for _, task := range plan.Tasks() {
		v := plan.Vertices[task.Vertex]
		own := graph.GroupRange(plan.Job.MaxParallelism, v.Parallelism, task.Subtask)
		var parts []Part
		for _, o := range v.Operators {
			p := part(&plan.Job.Operators[o], task, own, r)
			for s := task.Subtask; p.Operator == "source" && s < splits; s += v.Parallelism {
				p.Items = append(p.Items, Item{fmt.Sprintf("split %05d", s), []byte(fmt.Sprint("offset ", r.IntN(100)))})
			}
			c.hold(task, p)
			parts = append(parts, p)
		}
		data, err := EncodeParts(parts)
		if err != nil {
			t.Fatal(err)
		}
		h := HandleOf(TaskKey(7, task, 1, 3), data)
		c.objects[h.Key] = data
		e, err := Stack(TaskEntry{Task: task, Attempt: 1, Handle: h, Groups: own}, Summarize(parts), nil)
		if err != nil {
			t.Fatal(err)
		}
		c.manifest.Tasks = append(c.manifest.Tasks, e)
	}
	return c
}

// part is what an operator stores in one task, without splits.
func part(o *graph.Operator, task graph.TaskID, own graph.Range, r *rand.Rand) Part {
	p := Part{Operator: o.ID, Items: []Item{{fmt.Sprintf("%srecords/%d.%d", CounterPrefix, task.Vertex, task.Subtask), []byte("12345678")}}}
	for _, s := range o.State {
		p.States = append(p.States, StateSchema{s.Name, s.Kind, s.Schema})
	}
	for g := own.From; o.ID == "sum" && g < own.To; g++ {
		if r.IntN(4) > 0 {
			p.Groups = append(p.Groups, Group{g, []byte(fmt.Sprint("state ", g, r.IntN(100)))})
		}
	}
	for i := range r.IntN(3) {
		if o.Sink {
			p.Items = append(p.Items, Item{fmt.Sprintf("transaction %d.%d", task.Subtask, i), []byte("open")})
		}
	}
	return p
}

func (c *checkpoint) hold(task graph.TaskID, p Part) {
	for _, g := range p.Groups {
		c.held[piece{p.Operator, g.Number, ""}] = holding{string(g.Data), task}
	}
	for _, it := range p.Items {
		c.held[piece{p.Operator, -1, it.Name}] = holding{string(it.Data), task}
	}
}

// restored cuts what each task of the plan fetches, and puts it together.
func (c *checkpoint) restored(t *testing.T, plan *graph.Plan) *checkpoint {
	t.Helper()
	fetches, err := PlanRestore(c.manifest, plan)
	if err != nil {
		t.Fatal(err)
	}
	to := &checkpoint{held: map[piece]holding{}}
	pieces := 0
	for _, task := range plan.Tasks() {
		var from []int // of the manifest's entries
		for _, f := range fetches[task] {
			from = append(from, slices.IndexFunc(c.manifest.Tasks, func(e TaskEntry) bool { return e.Handle == f.Handle }))
			p, err := CutPart(c.objects[f.Handle.Key], f.Operator, f.Groups, f.Items)
			if err != nil || vertexOf(plan, f.Operator).ID != task.Vertex {
				t.Fatalf("%v fetches %+v: %v", task, f, err)
			}
			pieces += len(p.Groups) + len(p.Items)
			to.hold(task, p)
		}
		if !slices.IsSorted(from) {
			t.Fatalf("%v fetches out of order: %v", task, from)
		}
	}
	if pieces != len(c.held) || len(to.held) != len(c.held) {
		t.Fatalf("%d pieces became %d, %d of them different", len(c.held), pieces, len(to.held))
	}
	return to
}

func TestEveryGroupSplitAndTransactionIsRestoredOnceByTheRightTask(t *testing.T) {
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 0))
		groups := 1 + r.IntN(60)
		tasks := func() (n [4]int) {
			n[0] = 1 + r.IntN(groups)
			for i := 1; i < 4; i++ {
				if n[i] = n[i-1]; r.IntN(2) == 0 {
					n[i] = 1 + r.IntN(groups)
				}
			}
			return n
		}
		was, is := tasks(), tasks()
		old, plan := pipeline(t, groups, was), pipeline(t, groups, is)
		c := take(t, old, r, r.IntN(50))
		got := c.restored(t, plan)
		dealt := map[graph.TaskID]map[string]int{} // items by task and operator
		for p, want := range c.held {
			have := got.held[p]
			v := vertexOf(plan, p.operator)
			right := have.task.Subtask
			switch {
			case p.group >= 0:
				right = graph.TaskOf(p.group, groups, v.Parallelism)
			case vertexOf(old, p.operator).Parallelism == v.Parallelism:
				right = want.task.Subtask
			default:
				if dealt[have.task] == nil {
					dealt[have.task] = map[string]int{}
				}
				dealt[have.task][p.operator]++
			}
			if have.data != want.data || have.task != (graph.TaskID{Vertex: v.ID, Subtask: right}) {
				t.Fatalf("seed %d, %v to %v: %+v is %+v, want %q in subtask %d", seed, was, is, p, have, want.data, right)
			}
		}
		fair(t, plan, dealt)
	}
}

// fair checks that no task got two items more of an operator than another.
func fair(t *testing.T, plan *graph.Plan, dealt map[graph.TaskID]map[string]int) {
	t.Helper()
	for _, o := range plan.Job.Operators {
		v := vertexOf(plan, o.ID)
		var counts []int
		for i := range v.Parallelism {
			counts = append(counts, dealt[graph.TaskID{Vertex: v.ID, Subtask: i}][o.ID])
		}
		if slices.Max(counts)-slices.Min(counts) > 1 {
			t.Fatalf("the items of %s were dealt as %v", o.ID, counts)
		}
	}
}

func TestACheckpointThatTheJobCannotTakeOverIsRefusedByName(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	m := take(t, pipeline(t, 8, [4]int{2, 2, 2, 2}), r, 4).manifest
	for _, c := range []struct {
		change func(*graph.Job)
		want   string
	}{
		{func(j *graph.Job) { j.MaxParallelism = 9 }, "checkpoint 7 has 8 key groups and the job 9"},
		{func(j *graph.Job) { j.Operators[2].State[0].Schema = " int64" }, `operator "sum", state "key": the key was string in checkpoint 7 and is int64 now: a key cannot change: keep it, or begin anew`},
		{func(j *graph.Job) { j.Operators[2].State[1].Schema = "N int64\nAt int64" }, `operator "sum", state "sum": field At was time.Time in checkpoint 7 and is int64 now: rename it, or migrate`},
		{func(j *graph.Job) { j.Operators[2].State[1].Kind = "list" }, `state "sum": was a value in checkpoint 7 and is a list now`},
		{func(j *graph.Job) { j.Operators[2].State = j.Operators[2].State[:1] }, `operator "sum", state "sum": was stored in checkpoint 7 and is not declared any more`},
		{func(j *graph.Job) { j.Operators[2].ID = "total" }, `checkpoint 7 holds state of operator "sum", which the job lacks`},
	} {
		plan := pipeline(t, 8, [4]int{3, 3, 3, 3})
		c.change(plan.Job)
		if _, err := PlanRestore(m, plan); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got %v, want %q", err, c.want)
		}
		plan.Job.Operators[0].ID = "file"
		if _, err := PlanRestore(m, plan); err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), `operator "source"`) {
			t.Errorf("got %v, want all reasons", err)
		}
	}
}

// What an operator without an ID has counted is no reason to refuse a changed job.
func TestAnOperatorThatOnlyCountedMayGo(t *testing.T) {
	c := take(t, pipeline(t, 8, [4]int{2, 2, 2, 2}), rand.New(rand.NewPCG(1, 1)), 4)
	plan := pipeline(t, 8, [4]int{3, 3, 3, 3})
	plan.Job.Operators[1].ID = "count-2"
	fetches, err := PlanRestore(c.manifest, plan)
	if err != nil {
		t.Fatal(err)
	}
	for task, fs := range fetches {
		for _, f := range fs {
			if f.Operator == "count" {
				t.Errorf("%v fetches %+v", task, f)
			}
		}
	}
}

func TestAStateThatIsDeclaredLaterIsNoChange(t *testing.T) {
	m := take(t, pipeline(t, 8, [4]int{2, 2, 2, 2}), rand.New(rand.NewPCG(1, 1)), 4).manifest
	plan := pipeline(t, 8, [4]int{3, 2, 1, 2})
	op := &plan.Job.Operators[2]
	op.State = append(slices.Clone(op.State), graph.State{Name: "seen", Kind: "map"})
	first, err := PlanRestore(m, plan)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := PlanRestore(m, plan); err != nil || !reflect.DeepEqual(first, again) {
		t.Errorf("the same restore was planned otherwise (%v)", err)
	}
}
