package operator

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"blink/snapshot"
)

func sessions(gap int64) WindowOptions {
	return WindowOptions{Window: Session(time.Duration(gap) * time.Second)}
}

func TestASessionGoesOnUntilTheGapHasPassed(t *testing.T) {
	out := &kettle[Pane[string, int64]]{}
	b := newBench(t, NewWindowCount(shop, sessions(10)), out)
	sell(b, "a", 1)
	sell(b, "a", 11) // exactly the gap later
	sell(b, "b", 3)
	sell(b, "a", 22) // more
	b.advance(sec(13) - 1)
	same(t, out.got)
	b.advance(sec(13))
	same(t, out.times, sec(13))
	same(t, panes(out.take()), "b 3-13=1")
	b.advance(sec(21) - 1)
	same(t, out.got)
	b.advance(EndTime)
	same(t, out.times, sec(21), sec(32))
	same(t, panes(out.take()), "a 1-21=2", "a 22-32=1")
}

func TestARecordBetweenSessionsMakesThemOne(t *testing.T) {
	out := &kettle[Pane[string, int64]]{}
	b := newBench(t, NewWindowCount(shop, sessions(10)), out)
	for _, at := range []int64{40, 1, 60, 20} {
		sell(b, "a", at)
	}
	sell(b, "a", 30)
	sell(b, "a", 11)
	b.advance(EndTime)
	same(t, panes(out.take()), "a 1-50=5", "a 60-70=1")
}

func TestARecordIsLateWhenNoSessionThatIsOpenTakesItIn(t *testing.T) {
	out, late := &kettle[Pane[string, int64]]{}, &kettle[sale]{}
	o := sessions(10)
	o.LateTo = NewTag[sale]("late")
	b := newBench(t, NewWindowCount(shop, o), out, func(b *bench) { b.sides["late"] = Collector[sale](late) })
	sell(b, "a", 19)
	b.advance(sec(20))
	sell(b, "a", 10) // would be closed alone
	sell(b, "b", 10)
	sell(b, "b", 11)
	b.advance(EndTime)
	same(t, panes(out.take()), "a 10-29=2", "b 11-21=1")
	if same(t, late.take(), sale{"b", 10, 10}); b.counts["late"] != 1 {
		t.Errorf("counted %v", b.counts)
	}
}

func TestALateRecordFiresItsSessionAgain(t *testing.T) {
	out := &kettle[Pane[string, int64]]{}
	o := sessions(10)
	o.Lateness = 20 * time.Second
	b := newBench(t, NewWindowCount(shop, o), out)
	sell(b, "a", 1)
	b.advance(sec(12))
	same(t, panes(out.take()), "a 1-11=1")
	sell(b, "a", 2) // the session ends at 12 now, which has passed
	same(t, panes(out.take()), "a 1-12=2 late")
	sell(b, "a", 12) // and now it is open again
	same(t, out.got)
	b.advance(sec(22))
	same(t, panes(out.take()), "a 1-22=3 late")
	b.advance(sec(42) - 1)
	sell(b, "a", 22)
	same(t, panes(out.take()), "a 1-32=4 late")
	sell(b, "b", 1)
	b.advance(sec(52))
	sell(b, "a", 20)
	if same(t, out.got); b.counts["late"] != 2 {
		t.Errorf("counted %v", b.counts)
	}
}

func TestSessionsFireOneByOneUnderPressure(t *testing.T) {
	out := &kettle[Pane[string, int64]]{limit: 1}
	b := newBench(t, NewWindowCount(shop, sessions(2)), out, func(b *bench) { out.p = b.pressure })
	for n := range int64(30) {
		sell(b, string(rune('a'+n%5)), n)
	}
	held := 0
	for !b.advance(EndTime) {
		b.pressure.Release()
		held++
	}
	if held < 29 || !slices.IsSorted(out.times) {
		t.Errorf("held %d times, fired at %v", held, out.times)
	}
	if got := panes(out.got); len(slices.Compact(got)) != 30 {
		t.Errorf("panes %v", got)
	}
}

// stays is the plain form of sessions: a list for each key, gone through for everything.
type stays struct {
	gap, lateness, mark int64
	open                map[string][]stay
	late                int64
	out                 []string
}

type stay struct {
	start, last, sum int64
	fired, waits     bool
}

func (m *stays) pane(key string, s *stay, late string) {
	m.out = append(m.out, fmt.Sprintf("%s %d-%d=%d%s", key, s.start, s.last+m.gap, s.sum, late))
	s.fired, s.waits = true, false
}

func (m *stays) record(key string, at, n int64) {
	s := stay{at, at, n, false, true}
	var apart []stay
	for _, o := range m.open[key] {
		if o.start-m.gap <= at && at <= o.last+m.gap {
			s = stay{min(s.start, o.start), max(s.last, o.last), s.sum + o.sum, s.fired || o.fired, true}
		} else {
			apart = append(apart, o)
		}
	}
	if len(apart) == len(m.open[key]) && at+m.gap+m.lateness <= m.mark {
		m.late++
		return
	}
	if s.last+m.gap <= m.mark {
		m.pane(key, &s, " late")
	}
	m.open[key] = append(apart, s)
}

func (m *stays) advance(mark int64) {
	m.mark = max(m.mark, mark)
	for key := range m.open { // the panes are sorted
		var left []stay
		for _, s := range m.open[key] {
			if s.waits && s.last+m.gap <= m.mark {
				late := ""
				if s.fired {
					late = " late"
				}
				m.pane(key, &s, late)
			}
			if s.last+m.gap+m.lateness > m.mark {
				left = append(left, s)
			}
		}
		m.open[key] = left
	}
}

// Random sessions and records, late ones among them, watermarks and restores in between:
// what is emitted between two of them is what the plain form says.
func TestSessionsAgreeWithAPlainList(t *testing.T) {
	for seed := range uint64(500) {
		r := rand.New(rand.NewPCG(seed, 2))
		o := sessions(1 + r.Int64N(9))
		o.Lateness = time.Duration(r.Int64N(2)*r.Int64N(20)) * time.Second
		plain := &stays{gap: int64(o.Window.size / time.Second), lateness: int64(o.Lateness / time.Second), mark: -1000, open: map[string][]stay{}}
		out := &kettle[Pane[string, int64]]{}
		spec := NewWindowSum(shop, func(s sale) int64 { return int64(s.Sum) }, o)
		b, late := newBench(t, spec, out), int64(0)
		agree := func() {
			t.Helper()
			slices.Sort(plain.out)
			if got := panes(out.take()); !slices.Equal(got, plain.out) {
				t.Fatalf("seed %d, %v, lateness %v:\ngot  %s\nwant %s", seed, o.Window, o.Lateness, strings.Join(got, ", "), strings.Join(plain.out, ", "))
			}
			plain.out = nil
		}
		for now := range int64(100) {
			for range r.IntN(4) {
				key, at := string(rune('a'+r.IntN(4))), now-r.Int64N(30)
				send(b, sale{key, int(now), at}, sec(at))
				plain.record(key, at, now)
			}
			agree()
			if r.IntN(3) == 0 {
				b.advance(sec(now - 10))
				plain.advance(now - 10)
				agree()
			}
			if r.IntN(10) == 0 {
				late += b.counts["late"]
				b = newBench(t, spec, out).restore(b.snapshot())
			}
		}
		b.advance(EndTime)
		plain.advance(1 << 30)
		agree()
		w := b.op.(*sessioning[string, int64])
		if late += b.counts["late"]; late != plain.late || w.table.index.Len != 0 || w.table.versions.held() != 0 || w.agenda.n != 0 {
			t.Fatalf("seed %d: %d late, want %d; left %d keys, %d sessions, %d visits", seed, late, plain.late, w.table.index.Len, w.table.versions.held(), w.agenda.n)
		}
	}
}

// Sessions that are joined leave visits behind, and not more than there are others.
func TestTheAgendaOfSessionsStaysSmall(t *testing.T) {
	b := newBench(t, NewWindowCount(shop, sessions(10)), &kettle[Pane[string, int64]]{})
	w := b.op.(*sessioning[string, int64])
	for n := range int64(10_000) {
		sell(b, "a", 30*n)
		sell(b, "a", 30*n+20)
		sell(b, "a", 30*n+10)
	}
	if w.table.index.Len != 1 || w.table.versions.held() != 1 || w.agenda.n > 2*fewVisits {
		t.Errorf("%d keys, %d sessions, %d visits", w.table.index.Len, w.table.versions.held(), w.agenda.n)
	}
}

func TestASessionStaysAsItWasThroughARestore(t *testing.T) {
	out := &kettle[Pane[string, int64]]{}
	o := sessions(10)
	o.Lateness = 5 * time.Second
	spec := NewWindowCount(shop, o)
	b := newBench(t, spec, out)
	sell(b, "a", 1)
	sell(b, "b", 8)
	b.advance(sec(11))
	same(t, panes(out.take()), "a 1-11=1")
	again := newBench(t, spec, out).restore(b.snapshot())
	again.advance(sec(14))
	same(t, out.got)
	sell(again, "a", 2)
	same(t, panes(out.take()), "a 1-12=2 late")
	again.advance(EndTime)
	same(t, panes(out.take()), "b 8-18=1")

	was, err := b.op.(Digester).Digest()
	b.check(err)
	is, err := newBench(t, spec, out).restore(b.snapshot()).op.(Digester).Digest()
	if b.check(err); is != was {
		t.Errorf("restored %v, was %v", is, was)
	}
	for _, w := range []Window{Session(time.Second), Tumbling(10 * time.Second)} {
		err := newBench(t, NewWindowCount(shop, WindowOptions{Window: w}), out).op.(Restorer).Restore([]snapshot.Part{b.snapshot()})
		if err == nil || !strings.Contains(err.Error(), w.String()) {
			t.Errorf("%v took over the state of %v: %v", w, o.Window, err)
		}
	}
}

func TestASessionNeverReachesTheEndOfTime(t *testing.T) {
	b := newBench(t, NewWindowCount(shop, sessions(10)), &kettle[Pane[string, int64]]{})
	in := b.op.(Node).Input(0).(Collector[sale])
	at := EndTime - 2*sec(10) - 1
	in.Collect(&sale{}, at)
	e := failure(t, func() { in.Collect(&sale{}, at+sec(9)) })
	if want := "too near the beginning or the end of time for session 10s"; !strings.Contains(e.Error(), want) {
		t.Errorf("got %v", e)
	}
	if e := failure(t, func() { in.Collect(&sale{}, NoTime) }); !strings.Contains(e.Error(), "no event time") {
		t.Errorf("got %v", e)
	}
}

func TestSessionMistakesAreReported(t *testing.T) {
	for _, s := range []struct {
		w    Window
		want string
	}{
		{Session(0), "session window with a gap of 0s: the gap must be positive and at most 50 years"},
		{Session(maxWindow + 1), "the gap must be positive and at most 50 years"},
		{Session(time.Minute).Offset(time.Second), "session window with an offset of 1s: sessions begin with their first record"},
	} {
		if err := NewWindowCount(shop, WindowOptions{Window: s.w}).Err; err == nil || !strings.Contains(err.Error(), s.want) {
			t.Errorf("%v: got %v, want %q", s.w, err, s.want)
		}
	}
}

func TestAnAgendaGivesVisitsInOrder(t *testing.T) {
	for seed := range uint64(100) {
		r := rand.New(rand.NewPCG(seed, 3))
		a := newAgenda(1 + r.Int64N(8))
		var plain []visit
		for now := int64(-50); now < 200; now += r.Int64N(5) {
			for range r.IntN(4) {
				v := visit{now + 1 + r.Int64N(60), r.Int32N(5)}
				a.add(v)
				plain = append(plain, v)
			}
			slices.SortStableFunc(plain, visit.compare)
			if r.IntN(10) == 0 {
				a.full = 0
				a.tidy(func(v visit) bool { return v.who == 3 })
				plain = slices.Compact(slices.DeleteFunc(plain, func(v visit) bool { return v.who == 3 }))
			}
			for len(plain) > 0 && plain[0].at <= now {
				if v, ok := a.pop(now); !ok || v != plain[0] {
					t.Fatalf("seed %d: at %d %v %v, want %v", seed, now, v, ok, plain[0])
				}
				plain = plain[1:]
			}
			if v, ok := a.pop(now); ok || a.n != len(plain) {
				t.Fatalf("seed %d: at %d %v is too many, %d are left of %d", seed, now, v, a.n, len(plain))
			}
		}
	}
}

func TestATableForgetsWhatIsRemoved(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 4))
	var tab table[int, int]
	plain := map[int]int{}
	sum := func(key int) uint64 { return uint64(1 + key%13) }
	for n := range 20_000 {
		key := r.IntN(60)
		if r.IntN(2) == 0 {
			*tab.ref(sum(key), &key) = n
			plain[key] = n
		} else {
			if n := tab.number(sum(key), &key); n != none {
				tab.forget(sum(key), n)
			}
			delete(plain, key)
		}
		other := r.IntN(60)
		got, want := tab.find(sum(other), &other), plain[other]
		if (got == nil) != (want == 0) || got != nil && *got != want || tab.index.Len != len(plain) {
			t.Fatalf("after %d: key %d is %v, want %d; %d taken of %d", n, other, got, want, tab.index.Len, len(plain))
		}
	}
}

func TestSessionsAllocateNothingForARecord(t *testing.T) {
	end := &last[Pane[int64, int64]]{}
	b := newBench(t, NewWindowCount(auction, sessions(10)), end)
	in, n, o := b.op.(Node).Input(0).(Collector[offer]), int64(0), offer{}
	second := func() {
		for range 1000 {
			// Keys come and go, and records out of order join sessions.
			o.Auction = n/2000 + n%7
			in.Collect(&o, sec(n/1000)-n%3*sec(8))
			n++
		}
		b.advance(sec(n/1000) - sec(20))
	}
	for range 200 {
		second()
	}
	if a := testing.AllocsPerRun(200, second); a != 0 || end.n == 0 {
		t.Errorf("%v allocations for 1000 records, %d panes", a, end.n)
	}
}
