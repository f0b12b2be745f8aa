package snapshot

import "strings"

// Part is one operator's share of one task's snapshot.
type Part struct {
	Operator string // the operator's id
	// Onto is 0 for a part that is whole. Else it is a delta: its groups are read on top of
	// those that this checkpoint has of the operator in the same task.
	Onto   uint64
	Groups []Group // keyed state, ascending by Group.Number; empty groups are left out
	Items  []Item  // what can be dealt to any task: splits, committables
	States []StateSchema
}

// Size is how many bytes of state it holds.
func (p *Part) Size() (bytes int) {
	for _, g := range p.Groups {
		bytes += len(g.Data)
	}
	for _, it := range p.Items {
		bytes += len(it.Data)
	}
	return bytes
}

// Group is the keyed state and the timers of one key group, encoded by package state.
type Group struct {
	Number int
	Data   []byte
}

// Item is one piece of state that belongs to no key: a split and its position, or an open
// sink transaction. Items of one operator have distinct names.
type Item struct {
	Name string
	Data []byte
}

// Handle points to the object that holds a task's parts.
type Handle struct {
	Key      string // in the object store
	Size     int64  // bytes
	Checksum uint64 // xxh3 of the object
}

// PartSummary is what the manifest must know of one operator's part.
type PartSummary struct {
	Operator string
	Onto     uint64   // as in Part
	Items    []string // names, in the order of the part
	States   []StateSchema
}

// Summarize lists the summaries of parts.
func Summarize(parts []Part) []PartSummary {
	sums := make([]PartSummary, len(parts))
	for i, p := range parts {
		sums[i] = PartSummary{Operator: p.Operator, Onto: p.Onto, States: p.States}
		for _, it := range p.Items {
			sums[i].Items = append(sums[i].Items, it.Name)
		}
	}
	return sums
}

// CounterPrefix begins the names of the items in which a task stores what its operators have
// counted; no split and no committable has such a name.
const CounterPrefix = "\x00count/"

// IsCounter says whether an item is a counter.
func IsCounter(item string) bool { return strings.HasPrefix(item, CounterPrefix) }
