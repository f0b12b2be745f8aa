package state

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"testing"
	"time"
)

// Snapshot is what is held, whole and at once.
func (s *Store[K]) Snapshot() ([]Group, error) { return s.Freeze(FreezeOptions{}).all() }

// all drains what is left, and gives it.
func (f *Frozen[K]) all() ([]Group, error) {
	for {
		if done, err := f.Drain(1 << 20); err != nil || done {
			return f.Groups(), err
		}
	}
}

// clone is the content of every key.
func (m *model) clone() map[customer]content {
	all := maps.Clone(m.keys)
	for k, c := range all {
		c.log, c.seen = slices.Clone(c.log), maps.Clone(c.seen)
		all[k] = c
	}
	return all
}

// layer is a snapshot of one task, and what the model held then.
type layer struct {
	checkpoint, onto uint64
	groups           []Group
	want             map[customer]content
}

// history plays checkpoints: each is frozen, drained between records with some budget, and
// perhaps dropped, aborted, or heard to be complete only after the next one has begun.
type history struct {
	*testing.T
	m      *model
	x      *task
	layers map[uint64]layer
	heard  uint64 // newest checkpoint that is known to be complete
	deltas int
}

// checkpoint takes one while records come.
func (h *history) checkpoint(id uint64) {
	want := h.m.clone()
	f := h.x.Freeze(FreezeOptions{Checkpoint: id, Onto: h.heard, Head: []byte("head")})
	if f.Onto() > 0 {
		h.deltas++
	}
	drop := h.m.IntN(8) == 0
	for n := h.m.IntN(40); ; n-- {
		if drop && n < 0 {
			f.Drop()
			return
		}
		done, err := f.Drain(1 + h.m.IntN(8000))
		if err != nil {
			h.Fatal(err)
		}
		if done {
			break
		}
		h.m.run(h.T, cluster{h.x}, h.m.IntN(10))
	}
	l := layer{id, f.Onto(), f.Groups(), want}
	h.layers[id] = l
	h.restored(l)
	if h.m.IntN(4) > 0 {
		h.heard = id
	}
}

// restored takes the layers below and this one back, in 1, 7 or 3 tasks, and compares.
func (h *history) restored(top layer) {
	var stack []layer
	for l := top; ; l = h.layers[l.onto] {
		if stack = append(stack, l); l.onto == 0 {
			break
		}
	}
	slices.Reverse(stack)
	to := newCluster(h.T, []int{1, 7, 3}[top.checkpoint%3])
	for _, l := range stack {
		for _, g := range l.groups {
			x := to.owner(g.Number)
			if string(g.Data[:4]) != "head" {
				h.Fatalf("the data of group %d begins with %q", g.Number, g.Data[:4])
			}
			if err := x.takeBack(&x.ledger, Group{g.Number, g.Data[4:]}, 6); err != nil {
				h.Fatalf("checkpoint %d on %d layers: %v", top.checkpoint, len(stack), err)
			}
		}
	}
	(&model{keys: top.want}).all(h.T, to)
}

// Whatever happens while a snapshot is drained, it is the state when it was frozen; and so are
// those that go onto others, whichever of those were aborted, in any number of tasks.
func TestASnapshotIsTheStateWhenItWasFrozen(t *testing.T) {
	deltas := 0
	for seed := range uint64(6) {
		m := newModel(seed)
		if m.wide = 200; seed >= 4 {
			m.hot = 4 // with maps of some size, which are stored in pieces
		}
		h := &history{T: t, m: m, x: newTask(t), layers: map[uint64]layer{}}
		m.run(t, cluster{h.x}, 3000)
		for id := range uint64(60) {
			m.run(t, cluster{h.x}, m.IntN(50))
			h.checkpoint(id + 1)
		}
		m.all(t, cluster{h.x})
		deltas += h.deltas
	}
	if deltas < 50 {
		t.Errorf("%d deltas were taken", deltas)
	}
}

// A snapshot does not tell when its rows were drained.
func TestASnapshotDoesNotDependOnHowItIsDrained(t *testing.T) {
	var want []Group
	for _, budget := range []int{1 << 20, 100, 1000} {
		m, x := newModel(5), newTask(t)
		m.run(t, cluster{x}, 3000)
		base := x.Freeze(FreezeOptions{Checkpoint: 1})
		if _, err := base.all(); err != nil {
			t.Fatal(err)
		}
		m.run(t, cluster{x}, 150)
		f := x.Freeze(FreezeOptions{Checkpoint: 2, Onto: 1})
		for done := false; !done; {
			var err error
			if done, err = f.Drain(budget); err != nil {
				t.Fatal(err)
			}
			m.run(t, cluster{x}, 10)
		}
		got := f.Groups()
		if want == nil {
			want = got
		}
		if f.Onto() != 1 || len(got) == 0 || !slices.EqualFunc(got, want, func(a, b Group) bool { return a.Number == b.Number && string(a.Data) == string(b.Data) }) {
			t.Errorf("with a budget of %d the snapshot onto %d is another", budget, f.Onto())
		}
	}
}

func size(groups []Group) (n int) {
	for _, g := range groups {
		n += len(g.Data)
	}
	return n
}

// delta takes a snapshot onto the last one and says how many bytes it has.
func (x *task) delta(t *testing.T, id uint64) int {
	t.Helper()
	f := x.Freeze(FreezeOptions{Checkpoint: id, Onto: id - 1})
	groups, err := f.all()
	if err != nil || f.Onto() != id-1 {
		t.Fatalf("checkpoint %d goes onto %d: %v", id, f.Onto(), err)
	}
	return size(groups)
}

func TestADeltaHoldsOnlyWhatWasWritten(t *testing.T) {
	x := newTask(t)
	for i := range 1000 {
		x.enter(customer{"a", i}).Sum.Set(i)
		for range 100 {
			x.Log.Append("a long element of a list")
		}
	}
	base, err := x.Freeze(FreezeOptions{Checkpoint: 1}).all()
	if err != nil {
		t.Fatal(err)
	}
	if n := x.delta(t, 2); n != 0 {
		t.Errorf("%d bytes of nothing", n)
	}
	x.enter(customer{"a", 7}).Log.Append("one more")
	x.enter(customer{"a", 8}).Sum.Set(1)
	if n := x.delta(t, 3); n > size(base)/1000/4 {
		t.Errorf("%d bytes of an element and a value; a key has %d", n, size(base)/1000)
	}
	for i := range 100 { // keys that come and go between two snapshots are in none
		x.enter(customer{"b", i}).Sum.Set(i)
		x.Sum.Clear()
	}
	if x.enter(customer{"c", 0}); x.delta(t, 4) > 100 {
		t.Error("a delta has keys that nobody has seen")
	}
	x.enter(customer{"a", 9}).Log.Clear()
	x.Sum.Clear()
	if n := x.delta(t, 5); n == 0 || n > 100 {
		t.Errorf("%d bytes for a key that is gone", n)
	}
	x.enter(customer{"a", 10}).Log.Clear()
	if x.delta(t, 6); len(x.generations) > 3 {
		t.Errorf("%d generations are kept", len(x.generations))
	}
}

func TestADeltaHoldsOnlyTheEntriesOfAMapThatWereWritten(t *testing.T) {
	x := newTask(t)
	x.enter(customer{"b", 1}).Sum.Set(1) // another key, so that a delta is worth it
	x.enter(customer{"a", 1})
	name := func(i int) string { return fmt.Sprint("entry ", i) }
	for i := range 10_000 {
		x.Seen.Set(name(i), i)
	}
	base, err := x.Freeze(FreezeOptions{Checkpoint: 1}).all()
	if err != nil {
		t.Fatal(err)
	}
	for id := uint64(2); id < 5; id++ {
		i := int(id) * 10
		x.Seen.Set(name(i), -1)
		for range 2 { // one that was put again meanwhile is deleted all the same
			x.Seen.Delete(name(i + 1))
			x.Seen.Set(name(i+1), -2)
		}
		x.Seen.Delete(name(i + 1))
		x.Seen.Set("new "+name(i), 1)
		for i := range 1000 { // what comes and goes between two snapshots is in none
			x.Seen.Set("brief "+name(i), i)
			x.Seen.Delete("brief " + name(i))
		}
		f := x.Freeze(FreezeOptions{Checkpoint: id, Onto: id - 1})
		delta, err := f.all()
		if err != nil || f.Onto() != id-1 || size(delta) > 300 {
			t.Fatalf("%d bytes onto %d (%v) of two entries that were put and one that was deleted", size(delta), f.Onto(), err)
		}
		base = append(base, delta...)
	}
	y := newTask(t)
	for _, g := range base {
		if err := y.takeBack(&y.ledger, g, 6); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := y.enter(customer{"a", 1}).read(), x.read(); !reflect.DeepEqual(got, want) || y.Seen.Len() != 10_000 {
		t.Errorf("%d entries are another map than the %d that were stored", y.Seen.Len(), x.Seen.Len())
	}
}

func TestAMapThatHasLostMostOfItsEntriesGivesTheirRoomBack(t *testing.T) {
	x := newTask(t).enter(customer{"a", 1})
	for i := range 10_000 {
		x.Seen.Set(fmt.Sprint(i), i)
	}
	for i := range 9_990 {
		x.Seen.Delete(fmt.Sprint(i))
	}
	if n := x.Seen.of(x.at).slots; x.Seen.Len() != 10 || n > 128 {
		t.Errorf("%d entries stand in the room of %d", x.Seen.Len(), n)
	}
}

// Entries that come and go leave nothing behind, whether checkpoints complete or not; where they
// do, snapshots stay small.
func TestDeletedEntriesOfAMapAreForgotten(t *testing.T) {
	for _, completes := range []bool{true, false} {
		x, id := newTask(t), uint64(0)
		x.enter(customer{"b", 1}).Sum.Set(1)
		x.enter(customer{"a", 1})
		for i := range 5000 {
			x.Seen.Set(fmt.Sprint(i), i)
			x.Seen.Delete(fmt.Sprint(i - 200))
			if i%10 > 0 {
				continue
			}
			o := FreezeOptions{Checkpoint: id + 1}
			if completes {
				o.Onto = id
			}
			f := x.Freeze(o)
			groups, err := f.all()
			if err != nil || f.Onto() > 0 && size(groups) > 600 {
				t.Fatalf("%d bytes of ten entries that were put and ten that were deleted (%v)", size(groups), err)
			}
			id++
		}
		if n := x.Seen.of(x.at).slots; x.Seen.Len() != 200 || n > 1024 {
			t.Errorf("checkpoints complete: %v: %d entries stand in the room of %d", completes, x.Seen.Len(), n)
		}
	}
}

func TestAWholeSnapshotIsTakenWhenADeltaIsNotWorthIt(t *testing.T) {
	x := newTask(t)
	all := func(n int) {
		for i := range n {
			x.enter(customer{"a", i}).Sum.Set(i)
		}
	}
	id := uint64(0)
	take := func(onto uint64) (got uint64) {
		id++
		f := x.Freeze(FreezeOptions{Checkpoint: id, Onto: onto})
		if _, err := f.all(); err != nil {
			t.Fatal(err)
		}
		return f.Onto()
	}
	all(1000)
	if take(0) != 0 || take(id) != 1 || take(1) != 1 {
		t.Error("what nothing was written to is whole")
	}
	if take(99) != 0 {
		t.Error("a snapshot goes onto a checkpoint of somebody else")
	}
	if all(600); take(id) != 0 {
		t.Error("a delta has more than half of the keys")
	}
	n := 0
	for ; n < 100; n++ {
		if all(300); take(id) == 0 {
			break
		}
	}
	if n < 3 || n > 5 {
		t.Errorf("%d deltas of 30%% of the keys lie on each other", n)
	}
	for range 100 { // nothing completes any more
		all(300)
		take(1)
	}
	rows := 0
	for _, g := range x.generations {
		rows += len(g.rows)
	}
	if rows > 2*fewRows || len(x.generations) > 10 {
		t.Errorf("%d generations list %d rows", len(x.generations), rows)
	}
}

// Checkpoints that nobody goes onto are forgotten, also when nothing is written.
func TestFreezingWithoutEndKeepsFewGenerations(t *testing.T) {
	x := newTask(t)
	for i := range 100 {
		x.enter(customer{"a", i}).Sum.Set(i)
	}
	for id := range uint64(10 * maxGenerations) {
		onto := uint64(0)
		if id > 5*maxGenerations {
			onto = 5 * maxGenerations
		}
		f := x.Freeze(FreezeOptions{Checkpoint: id + 1, Onto: onto})
		if _, err := f.all(); err != nil {
			t.Fatal(err)
		}
		if n := len(x.generations); n > maxGenerations+1 {
			t.Fatalf("%d generations are known after %d checkpoints", n, id+1)
		}
	}
}

// Entries that come and go cost each other little, however full the block is.
func TestAMapIsSeldomMoved(t *testing.T) {
	for _, live := range []int{6, 11, 12, 100, 767, 768, 5000} {
		x := newTask(t).enter(customer{"a", 1})
		x.Seen.Set("0", 0)
		moved, n := 0, 20*live+1000
		for i := 1; i < n; i++ {
			was := *x.Seen.of(x.at)
			x.Seen.Set(fmt.Sprint(i), i)
			if i >= live {
				x.Seen.Delete(fmt.Sprint(i - live))
			}
			if is := x.Seen.of(x.at); is.block != was.block || is.slots != was.slots {
				moved += int(was.slots)
			}
		}
		if moved > 6*n {
			t.Errorf("%d slots were moved for %d entries, of which %d are there", moved, n, live)
		}
	}
}

func TestExpiredKeysLeaveWholeSnapshotsAndDeltas(t *testing.T) {
	now := time.Unix(1000, 0)
	s, b := newBrief(t, time.Minute, &now)
	for k := range 100 {
		s.SetKey(k, s.hash(k))
		b.write()
	}
	base, err := s.Freeze(FreezeOptions{Checkpoint: 1}).all()
	if err != nil {
		t.Fatal(err)
	}
	now = now.Add(time.Minute)
	s.SetKey(5, s.hash(5))
	b.write()
	s.SetKey(200, s.hash(200))
	f := s.Freeze(FreezeOptions{Checkpoint: 2, Onto: 1})
	delta, err := f.all()
	if err != nil || f.Onto() != 1 || s.Len() != 1 {
		t.Fatalf("onto %d with %d keys: %v", f.Onto(), s.Len(), err)
	}
	again, c := newBrief(t, time.Minute, &now)
	for _, g := range append(base, delta...) {
		if err := again.takeBack(c, g, 3); err != nil {
			t.Fatal(err)
		}
	}
	if again.SetKey(5, s.hash(5)); c.size() != 3 {
		t.Errorf("key 5 holds %d", c.size())
	}
}

// What was written last before a delta has not expired when the layer below it has: the delta
// says only what came on top of that.
func TestADeltaIsReadOntoWhatHasExpiredSince(t *testing.T) {
	now := time.Unix(1000, 0)
	s, b := newBrief(t, time.Minute, &now)
	for k := range 10 {
		s.SetKey(k, s.hash(k))
		b.write()
		b.Seen.Set("b", 1)
	}
	base, err := s.Freeze(FreezeOptions{Checkpoint: 1}).all()
	if err != nil {
		t.Fatal(err)
	}
	now = now.Add(30 * time.Second)
	s.SetKey(5, s.hash(5))
	b.write()
	b.Seen.Set("c", 1)
	b.Seen.Delete("b")
	f := s.Freeze(FreezeOptions{Checkpoint: 2, Onto: 1})
	delta, err := f.all()
	if err != nil || f.Onto() != 1 {
		t.Fatalf("onto %d: %v", f.Onto(), err)
	}
	now = now.Add(45 * time.Second)
	want, err := s.Digest()
	if err != nil {
		t.Fatal(err)
	}
	again, c := newBrief(t, time.Minute, &now)
	for _, g := range append(base, delta...) {
		if err := again.takeBack(c, g, 3); err != nil {
			t.Fatal(err)
		}
	}
	if have, err := again.Digest(); err != nil || have != want {
		t.Errorf("another state was restored: %v", err)
	}
	if again.SetKey(4, s.hash(4)); c.size() != 0 {
		t.Errorf("what has expired holds %d", c.size())
	}
	if again.SetKey(5, s.hash(5)); c.size() != 6 {
		t.Errorf("key 5 holds %d", c.size())
	}
}

func TestFreezingAndDrainingCostNothingWhereNothingIsWritten(t *testing.T) {
	x, n := newTask(t), 0
	record := func() {
		n++
		x.enter(customer{"shop", n % 100}).Sum.Set(n)
	}
	for range 1000 {
		record()
	}
	if _, err := x.Snapshot(); err != nil {
		t.Fatal(err)
	}
	for range 200 {
		record()
	}
	if a := testing.AllocsPerRun(1000, record); a != 0 {
		t.Errorf("%v allocations a record behind a snapshot", a)
	}
}

// FuzzRestore takes back whatever it is given, and what it took must be stored as it is.
func FuzzRestore(f *testing.F) {
	m, c := newModel(3), newCluster(f, 1)
	for range 200 {
		k := m.key()
		m.act(k, c.enter(k))
	}
	for _, g := range c.snapshot(f)[:8] {
		f.Add(uint8(g.Number), g.Data)
	}
	if _, err := c[0].Freeze(FreezeOptions{Checkpoint: 1}).all(); err != nil {
		f.Fatal(err)
	}
	for _, k := range slices.SortedFunc(maps.Keys(m.keys), customer.compare) {
		x := c.enter(k)
		x.Log.Append("more")
		x.Seen.Delete("a")
		x.Seen.Set("more", 1)
		if x.Seen.Len() > 2 {
			break
		}
	}
	delta, err := c[0].Freeze(FreezeOptions{Checkpoint: 2, Onto: 1}).all()
	if err != nil {
		f.Fatal(err)
	}
	for _, g := range delta {
		f.Add(uint8(g.Number), g.Data)
	}
	f.Add(uint8(0), []byte{1, 0, 0, 0, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, group uint8, data []byte) {
		x := newTask(t)
		g := Group{int(group % groups), data}
		if err := x.takeBack(&x.ledger, g, 6); err != nil {
			return
		}
		sum, err := x.Digest()
		if err != nil {
			return // a time that cannot be stored
		}
		y := newTask(t)
		for _, g := range (cluster{x}).snapshot(t) {
			if err := y.takeBack(&y.ledger, g, 6); err != nil {
				t.Fatal(err)
			}
		}
		if again, err := y.Digest(); err != nil || again != sum {
			t.Errorf("digest %x became %x: %v", sum, again, err)
		}
	})
}
