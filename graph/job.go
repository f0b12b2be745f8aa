package graph

import (
	"strings"
	"time"
)

// Job is what a program describes: operators and the edges between them. It is data only;
// how an operator is made stands beside it, in operator.Program.
type Job struct {
	Name            string
	Mode            Mode
	Parallelism     int           // of operators that name none; at least 1
	MaxParallelism  int           // number of key groups, 1 to 32,768
	CheckpointEvery time.Duration // 0: no periodic checkpoints; else at least MinCheckpointInterval
	Params          []Param       // in the order of their declaration
	Operators       []Operator    // Operators[i].Index == i; an edge comes from a lower index
}

// Mode says whether edges may be blocking. Compile does not look at it yet.
type Mode uint8

// The modes of a job. Auto is batch only when asked for by an operator's Blocking.
const (
	Auto Mode = iota
	Streaming
	Batch
)

// Param is one parameter of the job, a flag on the command line.
type Param struct{ Name, Value, Default, Usage string }

// Operator is one verb of the program.
type Operator struct {
	Index int
	Verb  string // map, window, …
	What  string // "tumbling 10s count"; for people
	Name  string // given by the user, for people
	ID    string // identity in snapshots: the user's, or made from the position
	Named bool   // ID is the user's
	At    string // base file name and line of the verb in the user's program

	In    []Edge
	Out   string // record type of the main output; empty for sinks
	Sides []Side // side outputs it declares
	State []State

	Parallelism int    // 0: the job's
	Slot        string // slot sharing group; "": that of the chain it joins, else the default group
	NewChain    bool   // never chained to its input
	Blocking    bool   // its outgoing edges are blocking; no verb says so yet
	Bounded     bool   // of a source: it ends
	Watermarks  bool   // of a source: it says how far event time has come
	Untimed     bool   // of a source: its records have no event time
	Source      bool
	Sink        bool
	Target      Target // of a sink
}

// MinCheckpointInterval is the least time between two checkpoints: with less a job does little
// else.
const MinCheckpointInterval = time.Millisecond

// Target is what one sink alone writes to; zero if it does not say.
type Target struct {
	Kind string // who knows what the name means: two kinds never share a target
	Name string // such as a path; that of a folder ends with a slash
}

// place is the same for two targets that cannot stand side by side: a file takes the place of
// a folder of its name.
func (t Target) place() Target { return Target{t.Kind, strings.TrimSuffix(t.Name, "/")} }

// Edge is one input of an operator.
type Edge struct {
	From  int    // index of the producing operator
	Tag   string // its side output; "" is the main one
	Ship  Ship
	Input int    // which input of the consumer: 0, or 1 for the right side
	Key   string // type of the key when Ship is Hash
}

// Ship is how records choose the consumer's task.
type Ship uint8

// The ways to ship a record.
const (
	Forward   Ship = iota // task i to task i; needs equal parallelism, else it is Rebalance
	Hash                  // by key group
	Rebalance             // dealt round robin
	Broadcast             // to every task; no verb asks for it yet
)

// Side is a side output.
type Side struct{ Tag, Type string }

// State is one declared state of an operator.
type State struct {
	Name string
	Kind string // value, list, map, timer, panes, splits, …
	Type string // for people
	TTL  time.Duration
	// Schema is the stored form, as Codec.Schema of internal/codec gives it: compared at restore.
	Schema string
}
