package operator

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
	"unsafe"
	"weak"

	"blink/graph"
	"blink/internal/codec"
	"blink/snapshot"
)

// plainWindows is the plain form of windows or sessions.
type plainWindows interface {
	record(key string, at int64, n int)
	advance(mark int64)
	panes() []string // since the last call, sorted
	clone() plainWindows
}

func (m *listed) panes() []string { return sortedOf(&m.out) }

func (m *listed) clone() plainWindows {
	c := *m
	c.records, c.ends, c.out = map[[2]string][]int{}, maps.Clone(m.ends), nil
	for w, ns := range m.records {
		c.records[w] = slices.Clone(ns)
	}
	return &c
}

// plainSessions are stays of records with an int.
type plainSessions struct{ *stays }

func (m plainSessions) record(key string, at int64, n int) { m.stays.record(key, at, int64(n)) }

func (m plainSessions) panes() []string { return sortedOf(&m.out) }

func (m plainSessions) clone() plainWindows {
	c := *m.stays
	c.open, c.out = map[string][]stay{}, nil
	for key, all := range m.open {
		c.open[key] = slices.Clone(all)
	}
	return plainSessions{&c}
}

func sortedOf(lines *[]string) []string {
	all := *lines
	*lines = nil
	slices.Sort(all)
	return all
}

// saga is the life of a window that is frozen again and again while records go on, with its
// plain form beside it.
type saga struct {
	*testing.T
	*rand.Rand
	o     WindowOptions
	spec  Spec
	plain plainWindows
	b     *bench
	out   *kettle[Pane[string, int]]
	now   int64

	layers map[uint64]windowLayer
	heard  uint64 // newest checkpoint that is known to be complete
	deltas int
}

// windowLayer is a snapshot, and what was held then.
type windowLayer struct {
	checkpoint uint64
	part       snapshot.Part
	want       plainWindows
	digest     Digest
}

func newSaga(t *testing.T, seed uint64) *saga {
	r := rand.New(rand.NewPCG(seed, 11))
	s := &saga{T: t, Rand: r, out: &kettle[Pane[string, int]]{}, layers: map[uint64]windowLayer{}}
	lateness := r.Int64N(2) * r.Int64N(15)
	if seed%2 == 0 {
		s.o = sessions(2 + r.Int64N(15))
		s.plain = plainSessions{&stays{gap: int64(s.o.Window.size / time.Second), lateness: lateness, mark: -1000, open: map[string][]stay{}}}
	} else {
		slide := 1 + r.Int64N(6)
		s.o = sliding(slide+r.Int64N(2)*r.Int64N(20), slide)
		s.plain = &listed{size: int64(s.o.Window.size / time.Second), slide: slide, lateness: lateness, fired: -1000, records: map[[2]string][]int{}, ends: map[[2]string]int64{}}
	}
	s.o.Lateness = time.Duration(lateness) * time.Second
	s.spec = NewWindowSum(shop, func(s sale) int { return s.Sum }, s.o)
	if seed%4 > 1 { // what an accumulator refers to is frozen as well
		s.spec = NewWindowAggregate(shop, &total{}, s.o)
	}
	s.b = newBench(t, s.spec, s.out)
	return s
}

// goOn lets so many seconds pass, with records of many keys, of which few are busy.
func (s *saga) goOn(seconds int) {
	s.Helper()
	for range seconds {
		s.now++
		for range s.IntN(6) {
			key, at := fmt.Sprint(s.IntN(1+s.IntN(100))), s.now-s.Int64N(1+s.Int64N(30))
			send(s.b, sale{key, int(s.now), at}, sec(at))
			s.plain.record(key, at, int(s.now))
		}
		if s.IntN(3) == 0 {
			s.b.advance(sec(s.now - 12))
			s.plain.advance(s.now - 12)
		}
	}
	if got, want := panes(s.out.take()), s.plain.panes(); !slices.Equal(got, want) {
		s.Fatalf("%v, lateness %v:\ngot  %s\nwant %s", s.o.Window, s.o.Lateness, strings.Join(got, ", "), strings.Join(want, ", "))
	}
}

// checkpoint takes one while records come, drops it, or lets the task hear of its end late.
func (s *saga) checkpoint(id uint64) {
	s.Helper()
	want := s.plain.clone()
	digest, err := s.b.op.(Digester).Digest()
	s.b.check(err)
	f, err := s.b.op.(Snapshotter).Snapshot(SnapshotOptions{Checkpoint: id, Onto: s.heard})
	s.b.check(err)
	drop := s.IntN(8) == 0
	for n := s.IntN(10); ; n-- {
		if drop && n < 0 {
			f.Drop()
			return
		}
		done, err := f.Drain(1 + s.IntN(500))
		if s.b.check(err); done {
			break
		}
		s.goOn(s.IntN(2))
	}
	part := f.Part()
	s.goOn(1) // the part is what it was
	l := windowLayer{id, part, want, digest}
	if s.layers[id] = l; part.Onto > 0 {
		s.deltas++
	}
	s.restored(l, []int{1, 7, 3}[id%3])
	if s.IntN(4) > 0 {
		s.heard = id
	}
}

// restored takes a snapshot and the layers below it back in some tasks, and compares what they
// hold and what comes of it.
func (s *saga) restored(top windowLayer, parallelism int) {
	s.Helper()
	var stack []snapshot.Part
	for l := top; ; l = s.layers[l.part.Onto] {
		if stack = append(stack, l.part); l.part.Onto == 0 {
			break
		}
	}
	slices.Reverse(stack)
	out, sum := &kettle[Pane[string, int]]{}, uint64(0)
	for i := range parallelism {
		owned := graph.GroupRange(128, parallelism, i)
		b := newBench(s.T, s.spec, out, func(b *bench) { b.task.Groups = owned }).restore(cutParts(stack, owned)...)
		d, err := b.op.(Digester).Digest()
		if s.b.check(err); d.Mark != top.digest.Mark {
			s.Fatalf("checkpoint %d: task %d of %d begins at %d, not at %d", top.checkpoint, i, parallelism, d.Mark, top.digest.Mark)
		}
		sum += d.State
		b.advance(sec(1e6))
		if d, err := b.op.(Digester).Digest(); err != nil || d.State != 0 {
			s.Fatalf("checkpoint %d: task %d of %d keeps something for ever: %v", top.checkpoint, i, parallelism, err)
		}
	}
	if sum != top.digest.State {
		s.Errorf("checkpoint %d on %d layers in %d tasks: another state", top.checkpoint, len(stack), parallelism)
	}
	top.want.advance(1e6)
	if got, want := panes(out.got), top.want.panes(); !slices.Equal(got, want) {
		s.Fatalf("%v, lateness %v, checkpoint %d on %d layers in %d tasks:\ngot  %s\nwant %s", s.o.Window, s.o.Lateness, top.checkpoint, len(stack), parallelism, strings.Join(got, ", "), strings.Join(want, ", "))
	}
}

// cutParts is what a task reads of parts.
func cutParts(parts []snapshot.Part, owned graph.Range) (cut []snapshot.Part) {
	for _, p := range parts {
		p.Groups = slices.DeleteFunc(slices.Clone(p.Groups), func(g snapshot.Group) bool { return !owned.Contains(g.Number) })
		cut = append(cut, p)
	}
	return cut
}

// Whatever happens while a snapshot is drained (writes, merged sessions, windows that fire and
// go), it is what was held when it was frozen, in any number of tasks; and so are those that go
// onto others, whichever were aborted.
func TestWindowsAreStoredAsTheyWereWhenTheyWereFrozen(t *testing.T) {
	deltas := [2]int{}
	for seed := range uint64(40) {
		s := newSaga(t, seed)
		s.goOn(40)
		for id := range uint64(25) {
			s.goOn(s.IntN(4))
			s.checkpoint(id + 1)
		}
		deltas[seed%2] += s.deltas
	}
	if min(deltas[0], deltas[1]) < 50 {
		t.Errorf("%v deltas were taken of sessions and of other windows", deltas)
	}
}

func TestTheSnapshotOfWindowsDoesNotDependOnHowItIsDrained(t *testing.T) {
	for seed := range uint64(8) {
		var want []snapshot.Part
		for _, budget := range []int{1 << 20, 1, 100} {
			s := newSaga(t, seed)
			s.goOn(60)
			var parts []snapshot.Part
			for id := range uint64(3) {
				f, err := s.b.op.(Snapshotter).Snapshot(SnapshotOptions{Checkpoint: id + 1, Onto: id})
				s.b.check(err)
				pieces := 0
				for done := false; !done; pieces++ {
					done, err = f.Drain(budget)
					if s.b.check(err); pieces < 5 {
						s.goOn(1)
					}
				}
				s.goOn(max(0, 5-pieces))
				parts = append(parts, f.Part())
			}
			if want == nil {
				want = parts
			}
			if fmt.Sprint(parts) != fmt.Sprint(want) {
				t.Errorf("seed %d: with a budget of %d the snapshots are others", seed, budget)
			}
		}
	}
}

func TestADeltaOfWindowsHoldsOnlyWhatWasWritten(t *testing.T) {
	for _, o := range []WindowOptions{tumbling(10), sliding(10, 5), sessions(10)} {
		b := newBench(t, NewWindowCount(shop, o), &kettle[Pane[string, int64]]{})
		for n := range 1000 {
			sell(b, fmt.Sprint("shop", n), 1+int64(n%2)*5)
		}
		take := func(id, onto uint64) snapshot.Part {
			f, err := b.op.(Snapshotter).Snapshot(SnapshotOptions{Checkpoint: id, Onto: onto})
			b.check(err)
			_, err = f.Drain(1 << 20)
			b.check(err)
			return f.Part()
		}
		whole, nothing := take(1, 0), take(2, 1)
		if empty := 8 * 128; nothing.Onto != 1 || nothing.Size() != empty {
			t.Errorf("%v: onto %d, %d bytes of nothing", o.Window, nothing.Onto, nothing.Size())
		}
		sell(b, "shop7", 6)
		sell(b, "new", 6)
		if few := take(3, 2); few.Onto != 2 || few.Size()-nothing.Size() > (whole.Size()-nothing.Size())/200 {
			t.Errorf("%v: onto %d, %d bytes of two keys, of %d keys %d", o.Window, few.Onto, few.Size(), 1000, whole.Size())
		}
		if again := take(4, 2); again.Size() == nothing.Size() {
			t.Errorf("%v: what an aborted checkpoint held is in no other", o.Window)
		}
		for n := range 900 {
			sell(b, fmt.Sprint("shop", n), 6)
		}
		if most := take(5, 2); most.Onto != 0 {
			t.Errorf("%v: a delta holds more than half of the keys", o.Window)
		}
	}
}

// What came before batches of one entry: a batch for each group, and no group without entries
// but the first.
// Checkpoints that nobody goes onto are forgotten, also when nothing is written.
func TestFreezingWindowsWithoutEndKeepsFewGenerations(t *testing.T) {
	b := newBench(t, NewWindowCount(shop, sliding(10, 5)), &kettle[Pane[string, int64]]{})
	sell(b, "a", 1)
	of := &b.op.(*windowing[string, int64]).generations
	for id := range uint64(10 * maxGenerations) {
		o := SnapshotOptions{Checkpoint: id + 1}
		if id > 5*maxGenerations {
			o.Onto = 5 * maxGenerations
		}
		f, err := b.op.(Snapshotter).Snapshot(o)
		b.check(err)
		if done, err := f.Drain(1 << 20); err != nil || !done || len(of.ended) > maxGenerations {
			t.Fatalf("checkpoint %d: %d generations are known (%v, %v)", id+1, len(of.ended), done, err)
		}
	}
}

func TestWindowsThatWereStoredAtOnceAreRead(t *testing.T) {
	c, err := codec.For[paneEntry[string, int64]]()
	if err != nil {
		t.Fatal(err)
	}
	out := &kettle[Pane[string, int64]]{}
	b := newBench(t, NewWindowCount(shop, tumbling(10)), out)
	hash := b.op.(*windowing[string, int64]).hash
	groups := map[int][]paneEntry[string, int64]{0: nil}
	for n := range int64(300) {
		key := fmt.Sprint(n)
		g := graph.KeyGroup(hash(key), 128)
		groups[g] = append(groups[g], paneEntry[string, int64]{0, key, n})
	}
	p := snapshot.Part{States: b.op.(*windowing[string, int64]).stored.states}
	for _, g := range slices.Sorted(maps.Keys(groups)) {
		data, err := c.Append(appendMark(nil, sec(5)), groups[g])
		b.check(err)
		p.Groups = append(p.Groups, snapshot.Group{Number: g, Data: data})
	}
	b.restore(p)
	if d, err := b.op.(Digester).Digest(); err != nil || d.Mark != sec(5) {
		t.Errorf("event time has come to %d (%v)", d.Mark, err)
	}
	b.advance(EndTime)
	sum := int64(0)
	for _, p := range out.got {
		sum += p.Value
	}
	if len(out.got) != 300 || sum != 299*300/2 {
		t.Errorf("%d panes, %d in all", len(out.got), sum)
	}
}

// What no snapshot of these windows can hold, none of them takes back.
func TestWindowsRefuseWhatTheyHaveNotStored(t *testing.T) {
	stored := func(o WindowOptions, entry any) error {
		spec := NewWindowCount(shop, o)
		b := newBench(t, spec, &kettle[Pane[string, int64]]{})
		p := snapshot.Part{States: []snapshot.StateSchema{snapshot.SchemaOf(spec.State[0])}}
		data, err := []byte(nil), error(nil)
		switch w := b.op.(type) {
		case *windowing[string, int64]:
			data, err = w.stored.append(appendMark(nil, 0), entry.(paneEntry[string, int64]))
		case *sessioning[string, int64]:
			data, err = w.stored.append(appendMark(nil, 0), entry.(sessionEntry[string, int64]))
		}
		b.check(err)
		p.Groups = []snapshot.Group{{Number: 115, Data: data}}
		return b.op.(Restorer).Restore([]snapshot.Part{p})
	}
	const far = EndTime - int64(time.Second)
	for _, c := range []struct {
		o     WindowOptions
		entry any
		want  string
	}{
		{sliding(10, 4), paneEntry[string, int64]{sec(-2), "a", 1}, ""},
		{sliding(10, 4), paneEntry[string, int64]{sec(-2), "b", 1}, "key group 115: a key of group 43"},
		{sliding(10, 4), paneEntry[string, int64]{sec(1), "a", 1}, "key group 115: no slice begins at "},
		{sliding(10, 4), paneEntry[string, int64]{sec(-9223372036), "a", 1}, "key group 115: no slice begins at "},
		{sessions(10), sessionEntry[string, int64]{sec(1), sec(2), false, "a", 1}, ""},
		{sessions(10), sessionEntry[string, int64]{sec(1), sec(2), false, "b", 1}, "key group 115: a key of group 43"},
		{sessions(10), sessionEntry[string, int64]{sec(2), sec(1), false, "a", 1}, "key group 115: no session spans"},
		{sessions(10), sessionEntry[string, int64]{sec(2), far, false, "a", 1}, "key group 115: no session spans"},
	} {
		if err := stored(c.o, c.entry); err == nil != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, %+v: %v, want %q", c.o.Window, c.entry, err, c.want)
		}
	}
}

// shelf is an Accumulator that shows what it holds.
type shelf struct{ All []int }

func (m *shelf) Add(s sale)    { m.All = append(m.All, s.Sum) }
func (m *shelf) Merge(o shelf) { m.All = append(m.All, o.All...) }
func (m *shelf) Result() []int { return m.All }

// spoiler changes what it is given.
type spoiler struct{ n int }

func (s *spoiler) Collect(in *Pane[string, []int], _ int64) {
	s.n++
	for i := range in.Value {
		in.Value[i] = -1
	}
}

func TestWhoGetsAPaneCannotSpoilTheSnapshot(t *testing.T) {
	for _, o := range []WindowOptions{tumbling(10), sessions(5)} {
		spec := NewWindowAggregate(shop, &shelf{}, o)
		b := newBench(t, spec, &spoiler{})
		sell(b, "a", 1)
		sell(b, "b", 2)
		f, err := b.op.(Snapshotter).Snapshot(SnapshotOptions{Checkpoint: 1})
		b.check(err)
		b.advance(EndTime)
		for done := false; !done; {
			done, err = f.Drain(1)
			b.check(err)
		}
		out := &kettle[Pane[string, []int]]{}
		newBench(t, spec, out).restore(f.Part()).advance(EndTime)
		if got := panes(out.got); len(got) != 2 || strings.Contains(strings.Join(got, " "), "-1]") {
			t.Errorf("%v: restored %v", o.Window, got)
		}
	}
}

// BenchmarkFreezingWindows is the synchronous part of a checkpoint: it does not grow with the keys.
func BenchmarkFreezingWindows(b *testing.B) {
	for _, o := range []WindowOptions{tumbling(1000), sessions(1000)} {
		for _, keys := range []int64{1000, 1_000_000} {
			b.Run(fmt.Sprint(o.Window.kind, "/", keys), func(b *testing.B) {
				w := newBench(b, NewWindowCount(auction, o), &last[Pane[int64, int64]]{})
				for n := range keys {
					send(w, offer{Auction: n}, 0)
				}
				id := uint64(0)
				for b.Loop() {
					id++
					f, err := w.op.(Snapshotter).Snapshot(SnapshotOptions{Checkpoint: id})
					w.check(err)
					f.Drop()
				}
			})
		}
	}
}

// The keys of records that came from another process are parts of their frame.
func TestWindowsDoNotKeepTheFramesOfTheirKeys(t *testing.T) {
	type visit struct{ Shop string }
	for _, o := range []WindowOptions{tumbling(10), sessions(10)} {
		p := portOf[visit](t)
		b := newBench(t, NewWindowCount(func(v visit) string { return v.Shop }, o), &last[Pane[string, int64]]{})
		deliver := func(shops ...string) weak.Pointer[byte] {
			var sent buffer[visit]
			for _, shop := range shops {
				sent.records, sent.times = append(sent.records, visit{shop}), append(sent.times, sec(1))
			}
			frame := p.encoded(t, sent)
			b.pressure.Lent = codec.MemoryOf(frame)
			if r, err := p.Decode(frame, nil); err != nil || p.Deliver(r, 0, len(shops), b.op.(Node).Input(0), b.pressure) != len(shops) {
				t.Fatal(err)
			}
			return weak.Make(unsafe.SliceData(frame))
		}
		kept := deliver("a", "b", "a")
		deliver("b", "c")
		if runtime.GC(); kept.Value() != nil {
			t.Errorf("%v keep it", o.Window)
		}
		runtime.KeepAlive(b)
	}
}
