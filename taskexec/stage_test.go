package taskexec

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"blink/actors"
	"blink/graph"
	"blink/operator"
	"blink/sim/world"
	"blink/snapshot"
	"blink/snapshot/store"
	"blink/taskexec/exchange"
)

// stage is a node of a world on which a test plays with one task, or with an executor and its
// tasks. Everything around them, neighbours, parent, object store and the operators, writes
// into one diary what it sees, in the order in which it happens.
//
//	left ──┐
//	       ├──► work ──► sink        each has one task; a link has the name of where it comes from
//	right ─┘
type stage struct {
	t      *testing.T
	w      *world.World
	node   *world.Node
	sys    *actors.System
	loop   *actors.Loop // of the task and its neighbours: they take turns in the order of what comes
	port   operator.Port
	config Config
	deploy deployment

	self   actors.Ref // the task
	around string     // the node of its neighbours
	seq    [3]uint64  // batches sent to the task, by link
	opened [3]int     // how often the task has opened a link
	held   []any      // what it has sent to another process since its last Flush
	told   status     // the task's last: see last
	player *player    // its operator

	diary  []string
	on     map[string]func()          // what happens when a line is written
	fails  map[string]int             // how often blocking work fails, by its line
	cost   time.Duration              // of everything that an operator does on its task's turn
	reads  [][]int                    // what a source will fetch
	state  int                        // bytes of it in each snapshot
	acked  ack                        // the task\'s last acknowledgement
	drains int                        // that a snapshot takes; 0: it is copied at once
	room   int                        // records that a sink takes between two flushes; 0: any number
	wakes  int                        // calls of Wake that a wake takes, each of which gathers; 0: one that does not
	made   func(operator.Outlets) any // makes the operator of work; nil: it is a player
}

// The vertices of the stage's job, and the links from them.
const (
	left = iota
	right
	work
	sink
)

var names = [...]string{"left", "right", "work", "sink"}

// newStage is where a task of a vertex will play, when start is called.
func newStage(t *testing.T, v graph.VertexID) *stage {
	port, err := operator.PortOf[int]()
	if err != nil {
		t.Fatal(err)
	}
	s := &stage{t: t, w: world.New(1, world.Options{}), port: port, on: map[string]func(){}, fails: map[string]int{}}
	t.Cleanup(s.w.Close)
	s.node = s.w.Node("a", world.Clock{})
	s.sys = s.node.Start()
	s.loop = s.sys.NewLoop("stage")
	s.config = Config{
		Job: "job", Program: s.program, NewLoop: s.sys.NewLoop, Incarnation: 1, Store: &objects{store.Memory(), s}, Links: s,
		BatchRecords: 2, Credits: 4, Floating: -1,
	}.Defaults()
	s.deploy = deployment{task: graph.TaskID{Vertex: v}, attempt: 2, epoch: 3}
	return s
}

func (s *stage) program() (*operator.Program, error) {
	p := &operator.Program{Job: &graph.Job{Name: "job", Parallelism: 1, MaxParallelism: 8, Operators: []graph.Operator{
		{ID: names[left], Source: true}, {ID: names[right], Source: true},
		{ID: names[work], In: []graph.Edge{{From: left, Ship: graph.Rebalance}, {From: right, Ship: graph.Rebalance, Input: 1}}},
		{ID: names[sink], In: []graph.Edge{{From: work, Ship: graph.Rebalance}}, Sink: true},
	}}}
	for i := range p.Job.Operators {
		o := &p.Job.Operators[i]
		o.Index = i
		p.Factories = append(p.Factories, operator.Factory{Main: s.port, New: func(to operator.Outlets) any {
			switch {
			case o.Source:
				return &reader{player: player{s: s, next: to.Main().(operator.Collector[int])}}
			case o.Sink:
				return &writer{player: player{s: s}}
			}
			if s.made != nil && i == work {
				return s.made(to)
			}
			return &player{s: s, next: to.Main().(operator.Collector[int])}
		}})
	}
	return p, nil
}

// start lets the task play whose neighbours are on the given node, and lets it open.
func (s *stage) start(neighbours string) {
	s.t.Helper()
	s.around = neighbours
	program, err := s.program()
	if err != nil {
		s.t.Fatal(err)
	}
	plan, err := graph.Compile(program.Job)
	if err != nil {
		s.t.Fatal(err)
	}
	ref := func(graph.TaskID) actors.Ref { return actors.Ref{Node: neighbours, ID: "neighbour"} }
	spec := taskSpec{config: &s.config, program: program, plan: plan, deploy: s.deploy, ref: ref}
	s.spawn("neighbour", s.neighbour)
	s.spawn("te", func(c *actors.Ctx, m any) error {
		if m == (actors.Started{}) {
			s.self, err = c.Spawn("task", "task", func() actors.Actor { return newTask(spec) }, actors.OnLoop(s.loop))
			return err
		}
		s.parent(m)
		return nil
	})
	s.pass(10 * time.Millisecond)
}

// acting is an actor that is a function.
type acting func(c *actors.Ctx, m any) error

func (f acting) Receive(c *actors.Ctx, m any) error { return f(c, m) }

func (s *stage) spawn(name string, f acting) {
	s.t.Helper()
	if _, err := s.sys.Spawn("test", name, func() actors.Actor { return f }, actors.OnLoop(s.loop)); err != nil {
		s.t.Fatal(err)
	}
}

// parent is told what the task tells its executor.
func (s *stage) parent(m any) {
	switch m := m.(type) {
	case status:
		s.told = m
	case ack:
		s.acked = m
		if s.note("ack %d", m.checkpoint); m.declined != "" {
			s.note("declined: %s", m.declined)
		}
	case actors.Down:
		if s.note("down"); m.Err != nil {
			s.note("because: %v", m.Err)
		}
	}
}

// neighbour is at the other end of every channel of the task.
func (s *stage) neighbour(_ *actors.Ctx, m any) error {
	switch m := m.(type) {
	case exchange.Open:
		if s.opened[m.Link]++; s.opened[m.Link] == 1 {
			s.note("opens %s", names[m.Link])
		}
	case exchange.Credit:
		for range m.N {
			s.note("credits %s", names[m.Link])
		}
	case *exchange.Batch:
		s.note("sends %s", words(s.port, m))
	}
	return nil
}

// Send is exchange.Links.
func (s *stage) Send(to actors.Ref, frame []byte) {
	m, err := exchange.Decode(frame)
	if b, ok := m.(*exchange.Batch); ok {
		b.Records, err = s.port.Decode(b.Data, nil)
	}
	if err != nil || to.Node == s.node.Name() {
		s.t.Errorf("a frame to %v: %v", to, err)
	}
	s.held = append(s.held, m)
}

// Flush is exchange.Links.
func (s *stage) Flush() {
	for _, m := range s.held {
		_ = s.neighbour(nil, m) // it never fails
	}
	s.held = nil
}

func (s *stage) note(format string, args ...any) {
	line := fmt.Sprintf(format, args...)
	s.diary = append(s.diary, line)
	if f := s.on[line]; f != nil {
		f()
	}
}

func (s *stage) tell(m any) { s.sys.Tell(s.self, m) }

// pass lets time go on.
func (s *stage) pass(d time.Duration) {
	s.t.Helper()
	if err := s.w.Run(s.w.Elapsed() + d); err != nil {
		s.t.Fatal(err)
	}
}

// last is what the task has told of itself in the end.
func (s *stage) last() status {
	s.t.Helper()
	s.pass(time.Second)
	return s.told
}

// is compares what was written since the last time, after a while in which everything comes
// to rest.
func (s *stage) is(want ...string) {
	s.t.Helper()
	s.pass(20 * time.Millisecond)
	if !slices.Equal(s.diary, want) {
		s.t.Errorf("got  %s\nwant %s", strings.Join(s.diary, " | "), strings.Join(want, " | "))
	}
	s.diary = nil
}

// follows wants these lines in this order, with others between them.
func (s *stage) follows(want ...string) {
	s.t.Helper()
	s.pass(20 * time.Millisecond)
	due := want
	for _, line := range s.diary {
		if len(due) > 0 && line == due[0] {
			due = due[1:]
		}
	}
	if len(due) > 0 {
		s.t.Errorf("got %s\nno %q in the order %q", strings.Join(s.diary, " | "), due[0], want)
	}
	s.diary = nil
}

// downBecause wants that the task is closed and has failed for a reason with these words.
func (s *stage) downBecause(words ...string) {
	s.t.Helper()
	s.pass(20 * time.Millisecond)
	last := len(s.diary) - 1
	if last < 2 || !slices.Equal(s.diary[last-2:last], []string{"close", "down"}) {
		s.t.Fatalf("got %s\nwant it closed and down", strings.Join(s.diary, " | "))
	}
	for _, w := range words {
		refuses(s.t, errors.New(s.diary[last]), w)
	}
	s.diary = nil
}

// batch makes the next batch on a link to the task, of records and marks in words.
func (s *stage) batch(link int, text string) *exchange.Batch {
	s.seq[link]++
	b := &exchange.Batch{Address: s.channel(link), Seq: s.seq[link]}
	o := s.port.Output(operator.OutputOptions{
		Channels: 1, BatchRecords: 1 << 20, BatchBytes: 1 << 30, Full: func(int) {}, Dirty: func(int) {},
	})
	in := o.Input(0).(operator.Collector[int])
	kinds := map[string]exchange.MarkKind{"watermark": exchange.Watermark, "barrier": exchange.Barrier, "end": exchange.End, "idle": exchange.Idle}
	for word := range strings.FieldsSeq(text) {
		n, err := strconv.Atoi(word)
		switch last := len(b.Marks) - 1; {
		case err != nil:
			b.Marks = append(b.Marks, exchange.Mark{At: o.Len(0), Kind: kinds[word]})
		case last >= 0 && b.Marks[last].Value == 0 && b.Marks[last].At == o.Len(0):
			b.Marks[last].Value = uint64(n)
		default:
			in.Collect(&n, operator.NoTime)
		}
	}
	b.Records = o.Take(0)
	return b
}

// channel is the address of the task's channel of a link.
func (s *stage) channel(link int) exchange.Address {
	return exchange.Address{Link: link, Epoch: s.deploy.epoch, Attempt: s.deploy.attempt}
}

// send sends the next batch on a link to the task, in a frame if the neighbours are elsewhere.
func (s *stage) send(link int, text string) {
	s.t.Helper()
	b := s.batch(link, text)
	if s.around == s.node.Name() {
		s.tell(b)
		return
	}
	s.tell(s.frame(b))
}

// frame is one from the neighbours.
func (s *stage) frame(b *exchange.Batch) exchange.Frame {
	s.t.Helper()
	data, err := exchange.AppendBatch(nil, b)
	if err != nil {
		s.t.Fatal(err)
	}
	return exchange.Frame{From: s.around, Data: data}
}

// grant opens the task's output.
func (s *stage) grant(credits int) {
	s.tell(exchange.Open{Address: s.channel(work), Credits: credits, Schema: s.port.SchemaHash()})
}

func (s *stage) credit() { s.tell(exchange.Credit{Address: s.channel(work), N: 1}) }

// player is an operator that writes down what its task has it do, and hands records on.
type player struct {
	s    *stage
	task *operator.Task
	next operator.Collector[int]
	time int64
	kept bool   // it has gathered something, which leaves when time moves
	busy string // its blocking work that runs
}

// act is something done on the task's turn.
func (p *player) act(format string, args ...any) {
	p.s.node.Jump(p.s.cost)
	p.s.note(format, args...)
}

// blocking is work that takes a millisecond, in which no other may begin.
func (p *player) blocking(ctx context.Context, what string) error {
	if p.busy != "" {
		p.s.t.Errorf("%s begins while %s runs", what, p.busy)
	}
	p.busy = what
	p.s.note("%s", what)
	p.s.w.Sleep(time.Millisecond)
	p.busy = ""
	if err := ctx.Err(); err != nil {
		p.s.note("%s is given up", what)
		return err
	}
	if p.s.fails[what] > 0 {
		p.s.fails[what]--
		return fmt.Errorf("no luck with %s", what)
	}
	return nil
}

func (p *player) Open(t *operator.Task, _ string) error {
	p.task, p.time, p.s.player = t, operator.NoTime, p
	p.act("open")
	return nil
}

func (p *player) Restore(parts []snapshot.Part) error {
	text := "restore"
	for _, part := range parts {
		for _, g := range part.Groups {
			text += fmt.Sprintf(" %d=%s", g.Number, g.Data)
		}
		for _, i := range part.Items {
			text += fmt.Sprintf(" %s=%s", i.Name, i.Data)
		}
	}
	p.act("%s", text)
	return nil
}

func (p *player) Start(ctx context.Context) error { return p.blocking(ctx, "start") }

func (p *player) Input(int) any { return operator.Collector[int](p) }

func (p *player) Collect(in *int, ts int64) {
	p.act("%d", *in)
	p.next.Collect(in, ts)
}

func (p *player) Advance(in int64) (int64, bool) {
	switch {
	case in == p.time:
	case in == operator.EndTime:
		p.act("time ends")
	default:
		p.act("time %d", in)
	}
	p.time, p.kept = in, false
	return in, true
}

// Empty is of a Gatherer.
func (p *player) Empty() bool { return !p.kept }

func (p *player) Wake(int64) bool {
	p.act("wake")
	if p.s.wakes == 0 {
		return true
	}
	p.kept = true
	p.s.wakes--
	return p.s.wakes == 0
}

func (p *player) Snapshot(o operator.SnapshotOptions) (operator.Frozen, error) {
	part := snapshot.Part{Items: []snapshot.Item{{Name: "item"}}}
	if p.s.state > 0 {
		part.Onto, part.Groups = o.Onto, []snapshot.Group{{Data: make([]byte, p.s.state)}}
	}
	if part.Onto != 0 {
		p.act("snapshot onto %d", o.Onto)
	} else {
		p.act("snapshot")
	}
	if p.s.drains > 0 {
		return &slow{p: p, left: p.s.drains, part: part}, nil
	}
	return operator.Copied(part), nil
}

// slow is a snapshot that takes the stage's number of drains.
type slow struct {
	p    *player
	left int
	part snapshot.Part
}

func (f *slow) Drain(budget int) (done bool, err error) {
	if budget != drainBytes {
		f.p.s.t.Errorf("a budget of %d, want %d", budget, drainBytes)
	}
	f.p.act("drain")
	f.left--
	return f.left == 0, nil
}

func (f *slow) Part() snapshot.Part {
	if f.left > 0 {
		f.p.s.t.Errorf("%d drains are left, and the part is asked for", f.left)
	}
	return f.part
}

func (f *slow) Drop() { f.p.act("drop") }

func (p *player) Close() error {
	if p.busy != "" {
		p.s.t.Errorf("close while %s runs", p.busy)
	}
	p.act("close")
	return nil
}

// reader is a source of what the stage has for it.
type reader struct {
	player
	batch []int
}

func (r *reader) NonBlocking() bool { return true }

func (r *reader) Begin() {}

func (r *reader) Fetch(context.Context) error {
	if len(r.s.reads) == 0 {
		return io.EOF
	}
	r.batch, r.s.reads = r.s.reads[0], r.s.reads[1:]
	return nil
}

func (r *reader) Deliver(most int) (n int, done bool) {
	for ; n < most && len(r.batch) > 0 && !r.task.Pressure.Held(); n++ {
		r.Collect(&r.batch[0], operator.NoTime)
		r.batch = r.batch[1:]
	}
	return n, len(r.batch) == 0
}

// writer is a sink; with as many records as the stage has room for it is full.
type writer struct {
	player
	taken int
}

func (w *writer) Input(int) any { return operator.Collector[int](w) }

func (w *writer) Collect(in *int, _ int64) {
	w.act("%d", *in)
	if w.taken++; w.taken == w.s.room {
		w.task.Pressure.Hold()
	}
}

func (w *writer) Full() bool { return w.s.room > 0 && w.taken == w.s.room }

func (w *writer) Flush(ctx context.Context) error { return w.blocking(ctx, "flush") }

func (w *writer) Offer() {
	w.taken = 0
	w.task.Pressure.Release()
}

func (w *writer) Prepare(ctx context.Context, id uint64) error {
	return w.blocking(ctx, fmt.Sprint("prepare ", id))
}

func (w *writer) Commit(ctx context.Context, id uint64) error {
	return w.blocking(ctx, fmt.Sprint("commit ", id))
}

func (w *writer) Finalize(ctx context.Context, id uint64) error {
	return w.blocking(ctx, fmt.Sprint("finalize ", id))
}

// objects is a store that takes its time.
type objects struct {
	store.Store
	s *stage
}

func (o *objects) Put(ctx context.Context, key string, data []byte) error {
	o.s.w.Sleep(time.Millisecond)
	if o.s.note("put"); o.s.fails["put"] > 0 {
		o.s.fails["put"]--
		return errors.New("no luck with put")
	}
	return o.Store.Put(ctx, key, data)
}

func (o *objects) Delete(ctx context.Context, key string) error {
	o.s.w.Sleep(time.Millisecond)
	o.s.note("delete %s", key)
	return o.Store.Delete(ctx, key)
}

func (o *objects) Get(ctx context.Context, key string) ([]byte, error) {
	o.s.note("get")
	o.s.w.Sleep(time.Millisecond)
	return o.Store.Get(ctx, key)
}
