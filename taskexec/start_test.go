package taskexec

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"blink/actors"
	"blink/graph"
	"blink/operator"
	"blink/snapshot"
)

// stored puts an object into the stage's store and points to it.
func (s *stage) stored(key string, parts ...snapshot.Part) handle {
	s.t.Helper()
	data, err := snapshot.EncodeParts(parts)
	if err != nil {
		s.t.Fatal(err)
	}
	s.keep(key, data)
	return snapshot.HandleOf(key, data)
}

func (s *stage) keep(key string, data []byte) {
	s.t.Helper()
	if err := s.config.Store.(*objects).Store.Put(context.Background(), key, data); err != nil {
		s.t.Fatal(err)
	}
}

// group and item are state with its name for content.
func group(n int) snapshot.Group { return snapshot.Group{Number: n, Data: []byte{'g', byte('0' + n)}} }

func item(name string) snapshot.Item { return snapshot.Item{Name: name, Data: []byte(name)} }

// Two tasks of before have left their state, and the new one takes its share of both: its key
// groups and items, neither those of other tasks nor of other operators.
func TestATaskRestoresItsShareBeforeItStarts(t *testing.T) {
	s := newStage(t, work)
	one := s.stored("one",
		snapshot.Part{Operator: "other", Groups: []snapshot.Group{group(2)}, Items: []snapshot.Item{item("a")}},
		snapshot.Part{Operator: "work", Groups: []snapshot.Group{group(1), group(2), group(3)}, Items: []snapshot.Item{item("a"), item("b")}})
	two := s.stored("two", snapshot.Part{Operator: "work", Groups: []snapshot.Group{group(4), group(5)}})
	s.deploy.restore = 5
	s.deploy.fetches = []fetch{
		{handle: one, operator: "work", groups: graph.Range{From: 2, To: 4}, items: []string{"b"}},
		{handle: two, operator: "work", groups: graph.Range{From: 4, To: 5}},
	}
	s.start(s.node.Name())
	s.is("open", "get", "get", "restore 2=g2 3=g3 b=b 4=g4", "start", "opens left", "opens right")
}

func TestWhatCannotBeRestoredIsNamed(t *testing.T) {
	for _, test := range []struct {
		name    string
		spoil   func(s *stage, h *handle)
		because string
	}{
		{"wrong checksum", func(s *stage, h *handle) { h.Checksum++ }, errCorrupt.Error()},
		{"wrong size", func(s *stage, h *handle) { h.Size++ }, errCorrupt.Error()},
		{"no snapshot", func(s *stage, h *handle) {
			s.keep(h.Key, []byte("text"))
			*h = snapshot.HandleOf(h.Key, []byte("text"))
		}, errCorrupt.Error()},
		{"not there", func(s *stage, h *handle) { h.Key = "chk-5/gone" }, "no such object"}, // another attempt may find it
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newStage(t, work)
			h := s.stored("chk-5/object", snapshot.Part{Operator: "work", Items: []snapshot.Item{item("a")}})
			test.spoil(s, &h)
			s.deploy.restore, s.deploy.fetches = 5, []fetch{{handle: h, operator: "work", items: []string{"a"}}}
			s.start(s.node.Name())
			s.downBecause(test.because, "checkpoint 5", h.Key)
		})
	}
}

func TestASourceBeginsWithItsSplits(t *testing.T) {
	s := newStage(t, left)
	s.deploy.initial = []initialItems{{"left", []snapshot.Item{item("split 0"), item("split 1")}}, {"other", []snapshot.Item{item("split 2")}}}
	s.start(s.node.Name())
	s.is("open", "restore split 0=split 0 split 1=split 1", "start", "time ends")
}

// Until a task runs, it can be cancelled at any time: the blocking work in flight learns of it,
// nothing further begins, and the operators are closed when it has returned.
func TestAnOpeningTaskThatIsCancelledClosesInOrder(t *testing.T) {
	for _, test := range []struct {
		during string
		diary  []string
	}{
		{"get", []string{"open", "get", "close", "down"}},
		{"start", []string{"open", "get", "restore a=a", "start", "start is given up", "close", "down"}},
	} {
		t.Run(test.during, func(t *testing.T) {
			s := newStage(t, work)
			h := s.stored("object", snapshot.Part{Operator: "work", Items: []snapshot.Item{item("a")}})
			s.deploy.fetches = []fetch{{handle: h, operator: "work", items: []string{"a"}}}
			s.on[test.during] = func() { s.tell(cancel{}) }
			s.start(s.node.Name())
			s.is(test.diary...)
		})
	}
}

// A task that runs when its process ends closes its operators once, when its blocking work has
// returned, wherever it is.
func TestATaskIsClosedWithItsProcess(t *testing.T) {
	for _, test := range []struct {
		during string
		diary  []string
	}{
		{"get", []string{"open", "get", "close"}},
		{"start", []string{"open", "get", "restore a=a", "start", "start is given up", "close"}},
		{"opens right", []string{"open", "get", "restore a=a", "start", "opens left", "opens right", "close"}},
	} {
		t.Run(test.during, func(t *testing.T) {
			s := newStage(t, work)
			h := s.stored("object", snapshot.Part{Operator: "work", Items: []snapshot.Item{item("a")}})
			s.deploy.fetches = []fetch{{handle: h, operator: "work", items: []string{"a"}}}
			s.on[test.during] = func() { s.sys.Stop(actors.Ref{Node: s.node.Name(), ID: "te"}) }
			s.start(s.node.Name())
			s.is(test.diary...)
		})
	}
}

// It is cancelled first, and its process ends while that waits for its blocking work, or while
// it closes already.
func TestATaskThatClosesIsClosedOnceWithItsProcess(t *testing.T) {
	for _, end := range []string{"start is given up", "close"} {
		s := newStage(t, work)
		s.on["start"] = func() { s.tell(cancel{}) }
		s.on[end] = func() { s.sys.Stop(actors.Ref{Node: s.node.Name(), ID: "te"}) }
		s.start(s.node.Name())
		s.is("open", "start", "start is given up", "close")
	}
}

func TestEveryOperatorIsClosedAndItsErrorNamesIt(t *testing.T) {
	var order []string
	failing := func(name string, err error) *closer {
		return &closer{func() error { order = append(order, name); return err }}
	}
	known := &operator.UserError{Operator: "c", Time: operator.NoTime, Err: errors.New("no luck")}
	c := &chain{ids: []string{"a", "b", "c", "d"}, ops: []any{
		failing("a", errors.New("disk full")), 0, failing("c", known), &closer{func() error { order = append(order, "d"); panic("oh") }},
	}}
	err := c.close()
	for _, want := range []string{`operator "a": close: disk full`, `operator "c": no luck`, `operator "d": close: panic: oh`} {
		refuses(t, err, want)
	}
	if got := strings.Join(order, " "); got != "a c d" {
		t.Error(got)
	}
	if err := (*chain)(nil).close(); err != nil {
		t.Error(err)
	}
}

// closer is an operator of which only the end matters.
type closer struct{ close func() error }

func (c *closer) Close() error { return c.close() }

func TestATaskThatCannotStartIsClosed(t *testing.T) {
	s := newStage(t, work)
	s.fails["start"] = 1
	s.start(s.node.Name())
	s.downBecause(`operator "work": start: no luck with start`)
}

// A sender that was not there yet is told again; one that has been heard is not.
func TestChannelsAreOpenedUntilTheirSenderIsHeard(t *testing.T) {
	s := newStage(t, work)
	s.start(s.node.Name())
	s.send(left, "1")
	s.pass(time.Second)
	before := s.opened
	s.pass(3 * time.Second)
	if after := s.opened; after[left] != before[left] || after[right] < before[right]+3 {
		t.Errorf("opened %v times after a second, and %v after four", before, after)
	}
}

func TestARestoredSinkHasCommittedItsCheckpoint(t *testing.T) {
	s := newStage(t, sink)
	s.deploy.restore = 5
	s.start(s.node.Name())
	s.tell(concluded{5, 5, 5})
	s.is("open", "start", "opens work")
	if got := s.last().committed; got != 5 {
		t.Errorf("it has committed %d, want what its operators have when they start, 5", got)
	}
}

// The layers of a part are handed on oldest first, and each object is read once for all of its
// operators.
func TestLayersAreRestoredInTheirOrder(t *testing.T) {
	s := newStage(t, work)
	old := s.stored("old", snapshot.Part{Operator: "work", Groups: []snapshot.Group{group(1), group(2)}, Items: []snapshot.Item{item("a")}})
	delta := s.stored("delta", snapshot.Part{Operator: "work", Onto: 4, Groups: []snapshot.Group{group(2)}, Items: []snapshot.Item{item("b")}})
	s.deploy.restore = 5
	all := graph.Range{To: 8}
	s.deploy.fetches = []fetch{
		{handle: old, operator: "other", groups: all}, {handle: old, operator: "work", groups: all},
		{handle: delta, operator: "other", groups: all}, {handle: delta, operator: "work", groups: all, items: []string{"b"}},
	}
	s.start(s.node.Name())
	s.is("open", "get", "get", "restore 1=g1 2=g2 2=g2 b=b", "start", "opens left", "opens right")
}

func TestThePartsOfAJobAreNumbered(t *testing.T) {
	plan := &graph.Plan{Vertices: []graph.Vertex{{Operators: make([]int, 2), Parallelism: 3}, {ID: 1, Operators: make([]int, 1), Parallelism: 2}}}
	n := 0
	for _, v := range plan.Vertices {
		for i := range v.Parallelism {
			for _, c := range chainsOf(plan, graph.TaskID{Vertex: v.ID, Subtask: i}) {
				if c.Number != n {
					t.Errorf("a part of task %d.%d has number %d, want %d", v.ID, i, c.Number, n)
				}
				n++
			}
		}
	}
}
