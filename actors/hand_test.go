package actors

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// hand is a Runtime that a test turns by hand: units run in the order in which they became
// ready, time moves when told to, Go work runs when told to.
type hand struct {
	t      testing.TB
	now    time.Time
	ready  []Unit
	timers []*handTimer
	works  []func()
	turns  []string // "id kind"
	lost   []string
	failed []string
	quiet  bool // note no turns
}

type handTimer struct {
	at time.Time
	f  func()
}

func (h *hand) Now() time.Time { return h.now }

func (h *hand) AfterFunc(d time.Duration, f func()) (stop func()) {
	t := &handTimer{h.now.Add(d), f}
	h.timers = append(h.timers, t)
	return func() { t.f = nil }
}

func (h *hand) Schedule(u Unit)            { h.ready = append(h.ready, u) }
func (h *hand) Go(_, _ string, run func()) { h.works = append(h.works, run) }
func (h *hand) Seed(string) uint64         { return 1 }
func (h *hand) Turn(id string, m any) {
	if !h.quiet {
		h.turns = append(h.turns, id+" "+Kind(m))
	}
}

func (h *hand) Yielded(id string, m any)    { h.Turn(id, m) }
func (h *hand) Lost(to Ref, m any)          { h.lost = append(h.lost, to.String()+" "+Kind(m)) }
func (h *hand) Failed(id string, err error) { h.failed = append(h.failed, id+": "+err.Error()) }

// steps runs at most n turns; false: there was nothing more.
func (h *hand) steps(n int) bool {
	for range n {
		if len(h.ready) == 0 {
			return false
		}
		u := h.ready[0]
		h.ready = h.ready[1:]
		if u.Run(1) {
			h.ready = append(h.ready, u)
		}
	}
	return true
}

// rest runs turns until nothing is ready.
func (h *hand) rest() {
	h.t.Helper()
	if h.steps(10_000) {
		h.t.Fatal("the actors do not come to rest")
	}
}

// pass lets time go on, then rests.
func (h *hand) pass(d time.Duration) {
	h.now = h.now.Add(d)
	for _, t := range h.timers {
		if t.f != nil && !t.at.After(h.now) {
			f := t.f
			t.f = nil
			f()
		}
	}
	h.rest()
}

// work lets the oldest Go work run, then rests.
func (h *hand) work() {
	run := h.works[0]
	h.works = h.works[1:]
	run()
	h.rest()
}

func newHand(t testing.TB) (*hand, *System) {
	h := &hand{t: t, now: time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)}
	return h, New(Config{Node: "a", Runtime: h})
}

// diary is what an actor got, in words.
type diary struct{ lines []string }

func (d *diary) add(format string, a ...any) { d.lines = append(d.lines, fmt.Sprintf(format, a...)) }

// is fails the test unless the diary reads so since the last time; then it starts anew.
func (d *diary) is(t *testing.T, want ...string) {
	t.Helper()
	if !slices.Equal(d.lines, want) {
		t.Errorf("got  %s\nwant %s", strings.Join(d.lines, " | "), strings.Join(want, " | "))
	}
	d.lines = nil
}

// scribe is an actor that writes down what it gets, and then does what the test says.
type scribe struct {
	name string
	d    *diary
	do   func(c *Ctx, m any) error
}

func (s *scribe) Receive(c *Ctx, m any) error {
	switch m := m.(type) {
	case Started:
		s.d.add("%s started", s.name)
	case Stopping:
		s.d.add("%s stopping", s.name)
	case Down:
		line := fmt.Sprintf("%s sees %s %s", s.name, m.Ref.ID, m.Reason)
		if m.Err != nil {
			line += ": " + m.Err.Error()
		}
		s.d.add("%s", line)
	default:
		s.d.add("%s %v", s.name, m)
	}
	if s.do != nil {
		return s.do(c, m)
	}
	return nil
}

// scribe returns what makes a scribe that writes into d.
func (d *diary) scribe(name string, do func(c *Ctx, m any) error) func() Actor {
	return func() Actor { return &scribe{name, d, do} }
}

func spawn(t testing.TB, s *System, name string, make func() Actor, o ...Option) Ref {
	t.Helper()
	r, err := s.Spawn("test", name, make, o...)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// family spawns a parent "p" that spawns one child "p/c" when told "spawn" and also does
// what the test says.
func family(t *testing.T, s *System, d *diary, parent, child func(c *Ctx, m any) error) Ref {
	return spawn(t, s, "p", d.scribe("p", func(c *Ctx, m any) error {
		if _, ok := m.(Started); ok {
			if _, err := c.Spawn("test", "c", d.scribe("c", child)); err != nil {
				return err
			}
		}
		if parent != nil {
			return parent(c, m)
		}
		return nil
	}))
}
