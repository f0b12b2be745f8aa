package snapshot

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"blink/graph"
)

// saga plays the snapshots of one task with two operators: what each writes, what becomes of the
// checkpoints, and what the task hears of it, late or never.
type saga struct {
	t        *testing.T
	r        *rand.Rand
	limit    int
	plan     *graph.Plan
	attempt  uint32
	at       uint64
	state    map[string][]version // by operator: of each key group
	chains   map[string]*Chain
	objects  map[string][]byte
	manifest *Manifest // of the newest complete checkpoint
	older    *Manifest // retained beside it
	truth    outcome
	told     []outcome // on their way to the task
	heard    outcome
	seen     map[string]int
}

type version struct {
	data    string
	changed uint64 // behind this checkpoint
}

type outcome struct{ concluded, complete uint64 }

var sagaOperators = []string{"sum", "top"}

func newSaga(t *testing.T, seed uint64) *saga {
	r := rand.New(rand.NewPCG(seed, 7))
	j := &graph.Job{Name: "job", Parallelism: 1, MaxParallelism: 8, Operators: []graph.Operator{
		{ID: "source", Source: true}, {ID: "sum", In: []graph.Edge{{From: 0, Ship: graph.Hash}}}, {ID: "top", In: []graph.Edge{{From: 1, Ship: graph.Forward}}},
	}}
	for i := range j.Operators {
		j.Operators[i].Index = i
	}
	plan, err := graph.Compile(j)
	if err != nil {
		t.Fatal(err)
	}
	s := &saga{t: t, r: r, limit: 1 + r.IntN(6), plan: plan, state: map[string][]version{}, objects: map[string][]byte{}, seen: map[string]int{}}
	for _, op := range sagaOperators {
		s.state[op] = make([]version, 8)
	}
	s.restart()
	return s
}

// restart begins another attempt, from the newest complete checkpoint.
func (s *saga) restart() {
	s.attempt++
	s.chains, s.told, s.heard = map[string]*Chain{}, nil, s.truth
	for i, op := range sagaOperators {
		s.chains[op] = &Chain{Number: i}
		if s.manifest == nil {
			s.state[op] = make([]version, 8)
		} else {
			for g, data := range s.restored()[op] {
				s.state[op][g].data = data
			}
		}
	}
}

// restored is what the newest complete checkpoint holds, by operator and key group.
func (s *saga) restored() map[string][]string {
	s.t.Helper()
	fetches, err := PlanRestore(s.manifest, s.plan)
	if err != nil {
		s.t.Fatal(err)
	}
	state := map[string][]string{"sum": make([]string, 8), "top": make([]string, 8)}
	task := vertexOf(s.plan, "sum").ID
	for _, f := range fetches[graph.TaskID{Vertex: task}] {
		data, ok := s.objects[f.Handle.Key]
		if !ok {
			s.t.Fatalf("checkpoint %d needs %s, which was deleted", s.manifest.Checkpoint, f.Handle.Key)
		}
		p, err := CutPart(data, f.Operator, f.Groups, f.Items)
		if err == nil {
			err = f.Handle.Check(data)
		}
		if err != nil {
			s.t.Fatal(err)
		}
		for _, g := range p.Groups {
			state[f.Operator][g.Number] = string(g.Data)
		}
	}
	return state
}

// part is what an operator gives: what has changed since the checkpoint that it may go onto, or
// all, as it likes.
func (s *saga) part(op string) Part {
	p := Part{Operator: op, Onto: s.chains[op].Onto(s.at, s.heard.complete, s.limit)}
	if s.r.IntN(8) == 0 {
		p.Onto = 0
	}
	for g, v := range s.state[op] {
		if p.Onto == 0 || v.changed >= p.Onto {
			p.Groups = append(p.Groups, Group{g, []byte(v.data)})
		}
	}
	return p
}

// checkpoint takes the next one: it becomes complete, or is aborted.
func (s *saga) checkpoint() {
	s.t.Helper()
	s.at++
	var parts []Part
	for _, op := range sagaOperators {
		parts = append(parts, s.part(op))
	}
	data, err := EncodeParts(parts)
	if err != nil {
		s.t.Fatal(err)
	}
	task := graph.TaskID{Vertex: vertexOf(s.plan, "sum").ID}
	h := HandleOf(TaskKey(s.at, task, s.attempt, 3), data)
	for _, p := range parts {
		s.chains[p.Operator].Took(s.at, p.Onto)
	}
	var below *TaskEntry
	if s.manifest != nil {
		below = s.manifest.Entry(task)
	}
	e, err := Stack(TaskEntry{Task: task, Attempt: s.attempt, Handle: h, Groups: graph.Range{To: 8}}, Summarize(parts), below)
	if err != nil {
		s.t.Fatalf("heard %+v of %+v: %v", s.heard, s.truth, err)
	}
	want := map[string][]string{}
	for _, op := range sagaOperators {
		for g := range s.state[op] {
			want[op] = append(want[op], s.state[op][g].data)
		}
	}
	s.truth.concluded = s.at
	if s.r.IntN(3) > 0 {
		s.objects[h.Key] = data
		s.truth.complete = s.at
		s.older, s.manifest = s.manifest, &Manifest{Checkpoint: s.at, MaxParallelism: 8, Tasks: []TaskEntry{e}}
		s.collect()
		if got := s.restored(); !reflect.DeepEqual(got, want) {
			s.t.Fatalf("checkpoint %d is restored as %v, want %v", s.at, got, want)
		}
		for _, p := range e.Parts {
			s.seen[fmt.Sprint("layers ", p.Layers)]++
			if p.Layers > s.limit {
				s.t.Fatalf("%d layers, and the limit is %d", p.Layers, s.limit)
			}
		}
	}
	s.told = append(s.told, s.truth)
}

// collect deletes what no retained checkpoint needs: that is the newest complete one, and
// sometimes the one before.
func (s *saga) collect() {
	keep := s.manifest.Objects(s.manifest.Key())
	if s.older != nil && s.r.IntN(2) == 0 {
		keep = append(keep, s.older.Objects(s.older.Key())...)
	}
	for _, k := range Garbage(slices.Sorted(maps.Keys(s.objects)), keep, s.at, 3) {
		delete(s.objects, k)
	}
}

// hear lets the task hear of some of what has happened.
func (s *saga) hear() {
	n := s.r.IntN(len(s.told) + 1)
	if s.r.IntN(2) == 0 {
		n = len(s.told)
	}
	if n == 0 {
		return
	}
	s.heard, s.told = s.told[n-1], s.told[n:]
	for _, c := range s.chains {
		c.Concluded(s.heard.concluded, s.heard.complete)
	}
}

// Whatever becomes of checkpoints, and however late a task hears of it: what it writes can be
// put on what is kept, nothing that it needs is deleted, and what is restored is what there was.
func TestDeltasAreRestoredWhateverTheTaskHasHeard(t *testing.T) {
	seen := map[string]int{}
	for seed := range uint64(200) {
		s := newSaga(t, seed)
		for range 40 {
			for range s.r.IntN(4) {
				op, g := sagaOperators[s.r.IntN(2)], s.r.IntN(8)
				s.state[op][g] = version{fmt.Sprint(s.r.IntN(1e6)), s.at}
			}
			if s.checkpoint(); s.r.IntN(20) == 0 {
				s.restart()
			}
			s.hear()
		}
		for what, n := range s.seen {
			seen[what] += n
		}
	}
	for n := range 6 {
		if seen[fmt.Sprint("layers ", n+1)] == 0 {
			t.Errorf("no part had %d layers: %v", n+1, seen)
		}
	}
}

func TestADeltaOntoWhatIsNotThereIsRefused(t *testing.T) {
	task := graph.TaskID{Vertex: 1}
	key := func(checkpoint uint64, attempt uint32) string { return TaskKey(checkpoint, task, attempt, 3) }
	below := &TaskEntry{
		Task: task, Attempt: 2, Handle: Handle{Key: key(6, 2)}, Below: []Handle{{Key: key(4, 2)}},
		Parts: []PartEntry{{Operator: "sum", Layers: 2}, {Operator: "top", Layers: 1}},
	}
	newest := TaskEntry{Task: task, Attempt: 2, Handle: Handle{Key: key(7, 2)}}
	other := TaskEntry{Task: task, Attempt: 3, Handle: Handle{Key: key(7, 3)}}
	for _, c := range []struct {
		newest TaskEntry
		parts  []PartSummary
		below  *TaskEntry
		want   string
	}{
		{newest, []PartSummary{{Operator: "sum", Onto: 6}}, nil, "does not have the task"},
		{newest, []PartSummary{{Operator: "sum", Onto: 5}}, below, `chk/0000000007/task-1-0-2-3 holds a delta of operator "sum" onto checkpoint 5, of which the newest complete checkpoint holds nothing`},
		{newest, []PartSummary{{Operator: "max", Onto: 6}}, below, "holds nothing"},
		{newest, []PartSummary{{Operator: "top", Onto: 4}}, below, "has replaced"},
		{newest, []PartSummary{{Operator: "sum", Onto: 4}, {Operator: "top", Onto: 6}}, below, "onto several checkpoints"},
		{other, []PartSummary{{Operator: "sum", Onto: 6}}, below, "holds nothing"}, // of an earlier attempt
	} {
		if _, err := Stack(c.newest, c.parts, c.below); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: got %v, want %q", c.parts, err, c.want)
		}
	}
	e, err := Stack(newest, []PartSummary{{Operator: "sum", Onto: 4}, {Operator: "top"}}, below)
	if err != nil || len(e.Below) != 1 || e.Below[0].Key != key(4, 2) || e.Parts[0].Layers != 2 || e.Parts[1].Layers != 1 {
		t.Errorf("got %+v (%v)", e, err)
	}
}
