package state

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"blink/graph"
	"blink/internal/hash"
)

const groups = 64 // of the job that these tests play

// customer is a key of more than one field.
type customer struct {
	Shop string
	N    int
}

func (c customer) compare(o customer) int {
	return cmp.Or(cmp.Compare(c.Shop, o.Shop), cmp.Compare(c.N, o.N))
}

var hashOf = func() func(customer) uint64 {
	h, err := hash.Of[customer]()
	if err != nil {
		panic(err)
	}
	return h
}()

// ledger is a processor with state of every kind.
type ledger struct {
	Sum   Value[int]
	Log   List[string]
	Seen  Map[string, int]
	End   Timer
	Close Timer
	Alarm Timer
}

// task is a store with a processor, as a subtask has them.
type task struct {
	*Store[customer]
	ledger
}

// noClock is for stores without a TTL, which do not look at it.
func noClock() time.Time { panic("the clock was read") }

func newTask(t testing.TB) *task {
	t.Helper()
	x := &task{ledger: ledger{Alarm: Timer{Processing: true}}}
	var err error
	if x.Store, err = NewStore[customer](groups, graph.Range{To: groups}, noClock); err == nil {
		err = x.Bind(&x.ledger)
	}
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func (x *task) enter(k customer) *task { x.SetKey(k, hashOf(k)); return x }

func (x *task) timers() []*Timer { return []*Timer{&x.End, &x.Close, &x.Alarm} }

func clockOf(timer int) Clock {
	if timer == 2 {
		return ProcessingTime
	}
	return EventTime
}

// cluster is all tasks of the operator.
type cluster []*task

func newCluster(t testing.TB, parallelism int) cluster {
	c := make(cluster, parallelism)
	for i := range c {
		c[i] = newTask(t)
	}
	return c
}

func (c cluster) owner(group int) *task { return c[graph.TaskOf(group, groups, len(c))] }

func (c cluster) enter(k customer) *task {
	return c.owner(graph.KeyGroup(hashOf(k), groups)).enter(k)
}

// snapshot is the state of all tasks, which is ascending when every task kept to its groups.
func (c cluster) snapshot(t testing.TB) (all []Group) {
	t.Helper()
	for _, x := range c {
		gs, err := x.Snapshot()
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, gs...)
	}
	return all
}

// takeBack restores a group that was written with the first n states, as they are declared
// now.
func (s *Store[K]) takeBack(p any, g Group, n int) error {
	declared, err := Declare(p)
	if err != nil {
		return err
	}
	var stored []Stored
	for i, st := range declared[:n] {
		stored = append(stored, Stored{i, st.Schema})
	}
	restore, err := s.Reading(stored)
	if err != nil {
		return err
	}
	return restore(g)
}

// rescale restores the snapshot in fresh tasks.
func (c cluster) rescale(t testing.TB, parallelism int) cluster {
	t.Helper()
	to := newCluster(t, parallelism)
	for _, g := range c.snapshot(t) {
		x := to.owner(g.Number)
		if err := x.takeBack(&x.ledger, g, 6); err != nil {
			t.Fatal(err)
		}
	}
	return to
}

// firing is a timer that came.
type firing struct {
	at    int64
	timer int
	key   customer
}

func (f firing) compare(o firing) int {
	return cmp.Or(cmp.Compare(f.at, o.at), cmp.Compare(f.timer, o.timer), f.key.compare(o.key))
}

// due takes the timers of a task that are due.
func (x *task) due(c Clock, now int64) (fs []firing) {
	for {
		timer, at, ok := x.Due(c, now)
		if !ok {
			return fs
		}
		if timer == nil {
			continue
		}
		fs = append(fs, firing{at, slices.Index(x.timers(), timer), x.Key()})
	}
}

// content is what a plain program would keep for a key.
type content struct {
	sum  int
	have bool
	log  []string
	seen map[string]int
	at   [3]int64
}

// read reads all state of the key at hand.
func (x *task) read() content {
	c := content{log: slices.Collect(x.Log.All()), seen: maps.Collect(x.Seen.All())}
	c.sum, c.have = x.Sum.Load()
	for i, timer := range x.timers() {
		if at, ok := timer.Pending(); ok {
			c.at[i] = at.UnixNano()
		}
	}
	return c
}

func (c content) empty() bool {
	return !c.have && len(c.log) == 0 && len(c.seen) == 0 && c.at == [3]int64{}
}

// model is the reference: a map of plain values, and what time it is.
type model struct {
	*rand.Rand
	keys map[customer]content
	now  int64
	wide int // customers of a shop
	hot  int // of them, those that most is done to, and that to their maps; 0: all alike
}

func newModel(seed uint64) *model {
	return &model{rand.New(rand.NewPCG(seed, 0)), map[customer]content{}, 0, 60, 0}
}

func (m *model) key() customer {
	if m.hot > 0 && m.IntN(5) > 0 {
		return customer{"shop 0", m.IntN(m.hot)}
	}
	return customer{fmt.Sprint("shop ", m.IntN(9)), m.IntN(m.wide)}
}

func (m *model) of(k customer) content {
	c := m.keys[k]
	if c.seen == nil {
		c.seen = map[string]int{}
	}
	return c
}

// act does one thing at random to a key, here and in a task that has entered it.
func (m *model) act(k customer, x *task) {
	c, n, name, what := m.of(k), m.IntN(100), string(rune('a'+m.IntN(8))), m.IntN(14)
	if k.Shop == "shop 0" && k.N < m.hot && m.IntN(20) > 0 {
		name, what = fmt.Sprint(m.IntN(100)), 6+m.IntN(2)
		if m.IntN(40) == 0 {
			what = 14
		}
	}
	switch i, at := m.IntN(3), m.now+1+m.Int64N(400); what {
	case 0:
		x.Sum.Set(n)
		c.sum, c.have = n, true
	case 1:
		*x.Sum.Ref() += n
		c.sum, c.have = c.sum+n, true
	case 2:
		x.Sum.Clear()
		c.sum, c.have = 0, false
	case 3:
		x.Log.Append(name)
		c.log = append(c.log, name)
	case 4:
		x.Log.Clear()
		c.log = nil
	case 5, 6:
		x.Seen.Set(name, n)
		c.seen[name] = n
	case 7:
		x.Seen.Delete(name)
		delete(c.seen, name)
	case 8:
		x.Seen.Clear()
		clear(c.seen)
	case 9, 10:
		x.timers()[i].Set(time.Unix(0, at))
		c.at[i] = at
	case 11:
		x.timers()[i].Clear()
		c.at[i] = 0
	case 12:
		if sum := x.Sum.Find(); sum != nil {
			*sum += n
			c.sum += n
		}
	case 13: // of as many as are kept now, which may be fewer than before
		first := 1 + n%6
		place := x.Log.Enter(name, first, cmp.Compare[string])
		at := len(c.log)
		for at > 0 && name < c.log[at-1] {
			at--
		}
		if at < first {
			c.log = slices.Insert(slices.Clone(c.log), at, name)
			c.log = c.log[:min(len(c.log), first)]
		}
		if place != at {
			panic(fmt.Sprintf("%s was put in at %d, not at %d of %v", name, place, at, c.log))
		}
	case 14: // all but one
		for _, name := range slices.Sorted(maps.Keys(c.seen)) {
			if len(c.seen) > 1 {
				x.Seen.Delete(name)
				delete(c.seen, name)
			}
		}
	}
	m.keys[k] = c
}

// due takes the timers of a clock that are due.
func (m *model) due(c Clock) (fs []firing) {
	for k, x := range m.keys {
		for i, at := range x.at {
			if at != 0 && at <= m.now && clockOf(i) == c {
				fs = append(fs, firing{at, i, k})
				x.at[i] = 0
			}
		}
		m.keys[k] = x
	}
	slices.SortFunc(fs, firing.compare)
	return fs
}

// fire compares the timers that are due: each task's come by time, then in the order in
// which the timers are declared.
func (m *model) fire(t *testing.T, c cluster, clock Clock) {
	t.Helper()
	var got []firing
	for _, x := range c {
		fs := x.due(clock, m.now)
		if !slices.IsSortedFunc(fs, func(a, b firing) int { return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.timer, b.timer)) }) {
			t.Fatalf("a task's timers came as %v", fs)
		}
		got = append(got, fs...)
	}
	slices.SortFunc(got, firing.compare)
	if want := m.due(clock); !slices.Equal(got, want) {
		t.Fatalf("at %d came %v, want %v", m.now, got, want)
	}
}

// run does n random things to a cluster.
func (m *model) run(t *testing.T, c cluster, n int) {
	t.Helper()
	for range n {
		k := m.key()
		x := c.enter(k)
		m.act(k, x)
		m.same(t, x, k)
		if m.IntN(20) == 0 {
			m.now += m.Int64N(10)
			m.fire(t, c, EventTime)
			m.fire(t, c, ProcessingTime)
		}
	}
}

func (m *model) same(t *testing.T, x *task, k customer) {
	t.Helper()
	if got, want := x.read(), m.of(k); !reflect.DeepEqual(got, want) {
		t.Fatalf("%v holds %+v, want %+v", k, got, want)
	}
	if x.Log.Len() != len(m.keys[k].log) || x.Seen.Len() != len(m.keys[k].seen) {
		t.Fatalf("%v has %d and %d elements, want %+v", k, x.Log.Len(), x.Seen.Len(), m.keys[k])
	}
}

// all compares every key, and that nothing else is held.
func (m *model) all(t *testing.T, c cluster) {
	t.Helper()
	held := 0
	for _, x := range c {
		held += x.Len()
	}
	for k, want := range m.keys {
		m.same(t, c.enter(k), k)
		if !want.empty() {
			held--
		}
	}
	if held != 0 {
		t.Fatalf("%d keys too many are held", held)
	}
}

func TestStateIsWhatAPlainMapWouldHoldWhateverTheParallelism(t *testing.T) {
	for seed := range uint64(5) {
		m, c := newModel(seed), newCluster(t, 1)
		for _, parallelism := range []int{1, 7, 3, 1} {
			c = c.rescale(t, parallelism)
			m.all(t, c)
			m.run(t, c, 4000)
			m.all(t, c)
		}
		m.now = math.MaxInt64
		m.fire(t, c, EventTime)
		m.fire(t, c, ProcessingTime)
	}
}

func TestRescalingChangesNoByteAndNotTheOrderOfTimers(t *testing.T) {
	m, first := newModel(1), newCluster(t, 1)
	m.run(t, first, 4000)
	want, c := first.snapshot(t), first
	for _, parallelism := range []int{7, 3, 1} {
		c = c.rescale(t, parallelism)
		if got := c.snapshot(t); !reflect.DeepEqual(got, want) {
			t.Fatalf("the snapshot of %d tasks is another", parallelism)
		}
	}
	once := first.rescale(t, 1)
	for _, clock := range []Clock{EventTime, ProcessingTime} {
		a, b := c[0].due(clock, math.MaxInt64), once[0].due(clock, math.MaxInt64)
		if len(a) == 0 || !slices.Equal(a, b) {
			t.Errorf("%d timers came as %v, and without rescaling as %v", len(a), a, b)
		}
		if live := first[0].due(clock, math.MaxInt64); !slices.Equal(a, live) {
			t.Errorf("%d timers came as %v, and where they were set as %v", len(a), a, live)
		}
	}
}

// Keys come and go while timers of few instants are coming, so that rows pass from key to key
// with what the queue has of them.
func TestTimersOfOneInstantComeAsAfterARestoreAlsoFromRowsThatOtherKeysHad(t *testing.T) {
	for seed := range uint64(100) {
		r, x := rand.New(rand.NewPCG(seed, 5)), newTask(t)
		for range 300 {
			x.enter(customer{"a", r.IntN(40)})
			switch at := time.Unix(0, 1000+r.Int64N(3)); r.IntN(5) {
			case 0, 1:
				x.End.Set(at)
			case 2:
				x.End.Clear()
			case 3:
				x.Close.Set(at)
			case 4:
				x.Due(EventTime, 1000+r.Int64N(3))
			}
		}
		want := cluster{x}.rescale(t, 1)[0].due(EventTime, math.MaxInt64)
		if got := x.due(EventTime, math.MaxInt64); len(got) == 0 || !slices.Equal(got, want) {
			t.Fatalf("seed %d: timers came as %v, and after a restore as %v", seed, got, want)
		}
	}
}

func TestEntriesOfAMapComeInTheOrderOfTheirStoredKeys(t *testing.T) {
	x := newTask(t).enter(customer{"a", 1})
	for _, i := range rand.New(rand.NewPCG(1, 2)).Perm(26) {
		x.Seen.Set(string(rune('a'+i)), i)
	}
	n := 0
	for k, i := range x.Seen.All() {
		if i != n || k != string(rune('a'+n)) {
			t.Fatalf("entry %d is %s: %d", n, k, i)
		}
		n++
		x.Seen.Delete(k)
		x.Seen.Delete("z") // what is deleted meanwhile does not come any more
	}
	if n != 25 || x.Seen.Len() != 0 {
		t.Errorf("%d came, %d are left", n, x.Seen.Len())
	}
}

func TestASnapshotSharesNothingWithTheStore(t *testing.T) {
	x := newTask(t).enter(customer{"a", 1})
	x.Log.Append("before")
	gs, err := x.Snapshot()
	if err != nil || len(gs) != 1 {
		t.Fatal(gs, err)
	}
	data := bytes.Clone(gs[0].Data)
	for range 100 {
		x.Log.Append("behind")
	}
	y := newTask(t)
	if err := y.takeBack(&y.ledger, gs[0], 6); err != nil {
		t.Fatal(err)
	}
	clear(gs[0].Data)
	if again, err := y.Snapshot(); err != nil || !bytes.Equal(again[0].Data, data) {
		t.Errorf("the restored state is %q (%v), want %q", again[0].Data, err, data)
	}
}
