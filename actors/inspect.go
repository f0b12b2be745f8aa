package actors

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// Info is what is known of a live actor from outside: it is read without its help, so also
// of one that is stuck.
type Info struct {
	Ref       Ref
	Kind      string
	Parent    Ref // nobody for a root actor
	Loop      string
	Behaviour string // as named by Become
	State     string // starting, running, stopping
	Spawned   time.Time
	Length    int // messages waiting
	HighWater int // most that ever waited
	Processed uint64
	Dropped   uint64     // messages that came after Stopping, or found the mailbox full
	Current   string     // kind of the message being processed; "" between turns
	Since     time.Time  // when that turn began, or one of the 16 before it in a row
	Work      []WorkInfo // Go work that has not returned
}

// WorkInfo is one piece of Go work.
type WorkInfo struct {
	What    string
	Since   time.Time // when Go was called
	Waiting bool      // for a goroutine: too much work is running
}

// String tells in one line what the actor is doing.
func (i Info) String() string {
	s := fmt.Sprintf("%s %s, %d waiting, %d processed", i.State, i.Kind, i.Length, i.Processed)
	if i.Current != "" {
		s += fmt.Sprintf(", in %s since %s", i.Current, i.Since.Format(time.RFC3339Nano))
	}
	for _, w := range i.Work {
		s += fmt.Sprintf(", work %q since %s", w.What, w.Since.Format(time.RFC3339Nano))
	}
	return s
}

// List returns all live actors of the node, ascending by ID.
func (s *System) List() []Info {
	s.mu.RLock()
	all := make([]Info, 0, len(s.cells))
	for _, c := range s.cells {
		all = append(all, c.info())
	}
	s.mu.RUnlock()
	slices.SortFunc(all, func(a, b Info) int { return cmp.Compare(a.Ref.ID, b.Ref.ID) })
	return all
}

// Inspect returns what is known of one actor of this node; false if it is not there.
func (s *System) Inspect(r Ref) (Info, bool) {
	c := s.find(r.ID)
	if c == nil || r.Node != s.config.Node {
		return Info{}, false
	}
	return c.info(), true
}

func (c *cell) info() Info {
	m := &c.mb
	m.mu.Lock()
	defer m.mu.Unlock()
	i := Info{Ref: c.ref, Kind: c.kind, Behaviour: m.label, State: m.state.String(), Spawned: c.spawned, Length: m.length(),
		HighWater: m.stats.highWater, Processed: m.stats.processed, Dropped: m.stats.dropped}
	if c.parent != nil {
		i.Parent = c.parent.ref
	}
	if m.loop != nil {
		i.Loop = m.loop.name
	}
	if m.current != nil {
		i.Current, i.Since = Kind(m.current), m.since
	}
	for _, w := range m.pending {
		i.Work = append(i.Work, WorkInfo{What: w.what, Since: w.since, Waiting: !w.begun})
	}
	return i
}
