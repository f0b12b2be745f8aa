package state

import (
	"encoding/binary"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"blink/graph"
)

func TestKnownKeysCostNoAllocation(t *testing.T) {
	x, n := newTask(t), 0
	record := func() {
		n++
		x.enter(customer{"shop", n % 100})
		x.Sum.Set(x.Sum.Get() + 1)
		*x.Sum.Ref()++
		x.Seen.Set("last", n)
		x.End.Set(time.Unix(0, int64(n+50)))
		if _, at, ok := x.Due(EventTime, int64(n)); ok {
			x.End.Set(time.Unix(0, at+100))
		}
	}
	for range 1000 {
		record()
	}
	if a := testing.AllocsPerRun(1000, record); a != 0 {
		t.Errorf("%v allocations a record", a)
	}
}

func TestATimerThatGoesToAndFroLeavesNothingBehind(t *testing.T) {
	x, end := newTask(t).enter(customer{"a", 1}), time.Unix(100, 0)
	for now := range int64(10_000) {
		x.End.Set(end)
		for _, timer := range []*Timer{&x.Close, &x.End} {
			timer.Set(time.Unix(0, now))
			if came, at, ok := x.Due(EventTime, now); came != timer || at != now {
				t.Fatalf("at %d came %d, %v", now, at, ok)
			}
		}
	}
	if n := x.queues[EventTime].len; n > 2*2+fewEntries {
		t.Errorf("%d entries are kept for two timers", n)
	}
}

// A timer that waits where it has often waited leaves one entry there.
func TestATimerThatComesBackLeavesOneEntry(t *testing.T) {
	x, end := newTask(t), time.Unix(100, 0)
	const others = 1000
	for i := range others {
		x.enter(customer{"a", i}).End.Set(end)
	}
	x.enter(customer{"b", 1})
	for now := range int64(others) {
		for _, at := range []time.Time{end, time.Unix(0, now)} {
			x.End.Set(at)
		}
		if came, _, _ := x.Due(EventTime, now); came != &x.End {
			t.Fatalf("at %d came %v", now, came)
		}
	}
	x.End.Set(end)
	for i := range others { // all are set to an earlier time, which has the queue tidied
		x.enter(customer{"a", i}).End.Set(end.Add(-1))
	}
	for i := range others / 5 {
		x.enter(customer{"a", i}).End.Set(end.Add(-2))
	}
	if q := &x.queues[EventTime]; q.tidying || q.far > q.armed+others/5 {
		t.Errorf("%d entries for %d timers", q.far, q.armed)
	}
}

// Many timers that go to and fro fire when they should, and once, and leave little behind: also
// those that come back to a time that they had before.
func TestTimersThatGoToAndFroFireOnce(t *testing.T) {
	type id struct {
		key   int
		close bool
	}
	for seed := range uint64(4) {
		r, x, now := rand.New(rand.NewPCG(seed, 5)), newTask(t), int64(0)
		due := map[id]int64{}
		most := 0
		for i := range 60_000 {
			k := r.IntN(400)
			x.enter(customer{"a", k})
			timer, which := &x.End, id{k, r.IntN(2) == 0}
			if which.close {
				timer = &x.Close
			}
			at := (now/100_000 + 1 + r.Int64N(2)) * 100_000 // one of a few times that are far
			if r.IntN(2) == 0 {
				at = now + 1 + r.Int64N(1000)
			}
			if r.IntN(20) == 0 {
				timer.Clear()
				delete(due, which)
			} else {
				timer.Set(time.Unix(0, at))
				due[which] = at
			}
			q := &x.queues[EventTime]
			if most = max(most, q.far); q.far > 3*q.armed+4*fewEntries {
				t.Fatalf("seed %d: %d entries for %d timers", seed, q.far, q.armed)
			}
			now += r.Int64N(3)
			for _, f := range x.due(EventTime, now) {
				which := id{f.key.N, f.timer == 1}
				if at, ok := due[which]; !ok || at != f.at || at > now {
					t.Fatalf("seed %d: at %d timer %v has fired for %d, want %d (%v)", seed, now, which, f.at, at, ok)
				}
				delete(due, which)
			}
			if i%1000 > 0 {
				continue
			}
			for which, at := range due {
				if at <= now {
					t.Fatalf("seed %d: at %d timer %v of %d has not fired", seed, now, which, at)
				}
			}
		}
		if most < 1000 {
			t.Errorf("seed %d: never more than %d entries", seed, most)
		}
	}
}

func TestKeysThatComeAndGoLeaveNothingBehind(t *testing.T) {
	x := newTask(t)
	for i := range 100_000 {
		x.enter(customer{"a", i}).Sum.Set(i)
		x.Sum.Clear()
	}
	slots := 0
	for _, g := range x.groups {
		slots += len(g.Slots)
	}
	if x.Len() != 0 || x.used > 1 || slots > groups*8 {
		t.Errorf("%d keys are held in %d rows and %d slots", x.Len(), x.used, slots)
	}
}

// What is stored under a wrong number, or not to its end, was not written by a Store: keys would
// be looked for elsewhere.
func TestAStoredGroupIsTakenWholeAndInItsPlaceOnly(t *testing.T) {
	x := newTask(t).enter(customer{"a", 1})
	x.Sum.Set(1)
	x.Log.Append("b")
	x.Seen.Set("c", 2)
	x.End.Set(time.Unix(0, 3))
	gs, err := x.Snapshot()
	if err != nil || len(gs) != 1 {
		t.Fatal(gs, err)
	}
	g := gs[0]
	refused := func(what string, g Group, want string) {
		x := newTask(t)
		if err := x.takeBack(&x.ledger, g, 6); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", what, err, want)
		}
	}
	refused("another group", Group{g.Number + 1, g.Data}, "a key of group")
	refused("a byte more", Group{g.Number, append(g.Data, 0)}, "malformed")
	for n := range g.Data {
		refused("cut short", Group{g.Number, g.Data[:n]}, "key group")
	}
}

// A number of keys that take no bytes is no reason to read for ever.
func TestADamagedNumberOfKeysWithoutBytesIsRefused(t *testing.T) {
	none := func() (*Store[struct{}], *struct{ Sum Value[int] }) {
		s, err := NewStore[struct{}](groups, graph.Range{To: groups}, noClock)
		p := &struct{ Sum Value[int] }{}
		if err == nil {
			err = s.Bind(p)
		}
		if err != nil {
			t.Fatal(err)
		}
		return s, p
	}
	s, p := none()
	s.SetKey(struct{}{}, s.hash(struct{}{}))
	p.Sum.Set(1)
	gs, err := s.Snapshot()
	if err != nil || len(gs) != 1 {
		t.Fatal(gs, err)
	}
	damaged := slices.Clone(gs[0].Data)
	binary.LittleEndian.PutUint32(damaged, math.MaxUint32) // keys that are gone
	for _, c := range []struct {
		data []byte
		want error
	}{{gs[0].Data, nil}, {damaged, errStored}} {
		s, p := none()
		if err := s.takeBack(p, Group{gs[0].Number, c.data}, 1); !errors.Is(err, c.want) {
			t.Errorf("%v, want %v", err, c.want)
		}
	}
}

func TestStatesThatWereDeclaredLaterAreEmpty(t *testing.T) {
	x := newTask(t).enter(customer{"a", 1})
	var before struct{ Sum Value[int] }
	old, err := NewStore[customer](groups, graph.Range{To: groups}, noClock)
	if err == nil {
		err = old.Bind(&before)
	}
	if err != nil {
		t.Fatal(err)
	}
	old.SetKey(customer{"a", 1}, hashOf(customer{"a", 1}))
	before.Sum.Set(7)
	gs, err := old.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	if err := x.takeBack(&x.ledger, gs[0], 1); err != nil {
		t.Fatal(err)
	}
	if got := x.enter(customer{"a", 1}).read(); got.sum != 7 || len(got.log)+len(got.seen) > 0 || got.at != [3]int64{} {
		t.Errorf("got %+v", got)
	}
}

func TestAKeyOfWhichNothingWasStoredIsNotHeld(t *testing.T) {
	x, k := newTask(t), customer{"a", 1}
	key, err := x.keys.AppendOne([]byte{0, 0, 0, 0, 1, 0, 0, 0}, &k)
	if err != nil {
		t.Fatal(err)
	}
	if err := x.takeBack(&x.ledger, Group{graph.KeyGroup(hashOf(k), groups), key}, 0); err != nil || x.Len() != 0 {
		t.Errorf("%d keys are held (%v)", x.Len(), err)
	}
}

// brief is a processor whose state expires.
type brief struct {
	Sum  Value[int]
	Log  List[int]
	Seen Map[string, int]
}

func newBrief(t *testing.T, ttl time.Duration, now *time.Time) (*Store[int], *brief) {
	t.Helper()
	b := &brief{Value[int]{TTL: ttl}, List[int]{TTL: ttl}, Map[string, int]{TTL: ttl}}
	s, err := NewStore[int](1, graph.Range{To: 1}, func() time.Time { return *now })
	if err == nil {
		err = s.Bind(b)
	}
	if err != nil {
		t.Fatal(err)
	}
	return s, b
}

func (b *brief) write() {
	*b.Sum.Ref()++
	b.Log.Append(1)
	b.Seen.Set("a", 1)
}

func (b *brief) size() int { return b.Sum.Get() + b.Log.Len() + b.Seen.Len() }

// To find a value counts as a write, for it may be changed where it is.
func TestAValueThatIsFoundDoesNotExpire(t *testing.T) {
	now := time.Unix(1000, 0)
	s, b := newBrief(t, time.Minute, &now)
	s.SetKey(1, s.hash(1))
	b.Sum.Set(5)
	for range 3 {
		now = now.Add(time.Minute - 1)
		if sum := b.Sum.Find(); sum == nil || *sum != 5 {
			t.Fatalf("found %v", sum)
		}
	}
	if now = now.Add(time.Minute); b.Sum.Find() != nil || b.Sum.Get() != 0 {
		t.Error("what has expired was found")
	}
}

func TestStateExpiresAfterItsLastWriteAndFreesItsKey(t *testing.T) {
	now := time.Unix(1000, 0)
	s, b := newBrief(t, time.Minute, &now)
	holds := func(key, want int) {
		t.Helper()
		if s.SetKey(key, s.hash(key)); b.size() != want {
			t.Errorf("key %d holds %d, want %d", key, b.size(), want)
		}
	}
	for k := range 100 {
		s.SetKey(k, s.hash(k))
		b.write()
	}
	now = now.Add(time.Minute - 1)
	holds(7, 3)
	b.write()
	now = now.Add(1)
	holds(7, 5)
	holds(8, 0)
	b.write()
	holds(8, 3)
	holds(9, 0)
	if gs, err := s.Snapshot(); err != nil || len(gs) != 1 || s.Len() != 2 {
		t.Errorf("%d keys are held, %v", s.Len(), err)
	}
	if held := b.Log.blocks.held(); held != 2 {
		t.Errorf("the lists of two keys hold %d blocks", held)
	}
	b.write() // of key 9, whose row was given back
	holds(10, 0)
	holds(9, 3)
}

func TestATTLThatIsGivenLaterCountsFromTheRestore(t *testing.T) {
	now := time.Unix(1000, 0)
	old, b := newBrief(t, 0, &now)
	old.SetKey(1, old.hash(1))
	b.write()
	gs, err := old.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	s, b := newBrief(t, time.Minute, &now)
	if err := s.takeBack(b, gs[0], 3); err != nil {
		t.Fatal(err)
	}
	for _, want := range []int{3, 0} {
		if s.SetKey(1, s.hash(1)); b.size() != want {
			t.Errorf("%d are left, want %d", b.size(), want)
		}
		now = now.Add(time.Minute)
	}
}

// tally is a part of processors, and meter one that has the methods of a state.
type (
	tally struct {
		count Value[int] `state:"n"`
		end   Timer
	}
	meter struct {
		Value[int]
		end Timer
	}
)

// Declare looks at its fields; nobody else does.
var _ = []any{tally{count: Value[int]{}, end: Timer{}}, meter{end: Timer{}}}

func TestDeclareNamesStatesAndWhatIsWrongWithThem(t *testing.T) {
	var p struct {
		Count Value[int] `state:"n"`
		Other int
		Seen  Map[string, bool]
		End   Timer
	}
	states, err := Declare(&p)
	if err != nil {
		t.Fatal(err)
	}
	want := []graph.State{
		{Name: "n", Kind: "value", Type: "int", Schema: " int64"},
		{Name: "Seen", Kind: "map", Type: "string→bool", Schema: " string\n→\n bool"},
		{Name: "End", Kind: "timer"},
	}
	if len(states) != len(want) {
		t.Fatalf("got %+v", states)
	}
	for i, s := range states {
		if s != want[i] {
			t.Errorf("got %+v, want %+v", s, want[i])
		}
	}
	var deep struct {
		tally
		Left, Right tally `state:"side"`
		Hours       [2]Value[int]
		Gas         meter
	}
	deepNames, err := Declare(&deep)
	if err == nil || !strings.Contains(err.Error(), `state "side.n" is declared twice`) {
		t.Errorf("got %v", err)
	}
	var names []string
	for _, s := range deepNames {
		names = append(names, s.Name)
	}
	if want := []string{"n", "end", "side.n", "side.end", "side.n", "side.end", "Hours[0]", "Hours[1]", "Gas.Value", "Gas.end"}; !slices.Equal(names, want) {
		t.Errorf("got %q, want %q", names, want)
	}
	var bad struct {
		Deep  Value[chan int]
		Twice List[int]
		Again List[int]         `state:"Twice"`
		Float Map[float64, int] `state:"prices"`
		Count List[struct{}]
	}
	bad.Twice.TTL = -1
	_, err = Declare(&bad)
	for _, want := range []string{`state "Deep": type chan int cannot be stored`, `state "Twice": TTL of -1ns`, `state "Twice" is declared twice`, `state "prices": key type float64`, `state "Count": a list of type struct {} cannot be stored`} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("missing %q in\n%v", want, err)
		}
	}
}
