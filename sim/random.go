package sim

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"blink"
	"blink/graph"
	"blink/operator"
	"blink/sim/world"
)

// A random workload is a job drawn from the seed, over records drawn from the seed. This file
// draws, random_job.go describes the job on the public API, and random_oracle.go computes its
// outputs in a plain loop.

// fact is the record of random workloads.
type fact struct {
	ID, Key, Value int64
	At             time.Time
}

// randomJob is what is drawn: sources, what becomes of their records, and the branches.
type randomJob struct {
	sources     []randomSource
	branches    []randomBranch
	parallelism int
	broken      bool // its sources cannot be enumerated
	groups      int  // max parallelism
	bound       time.Duration
	control     Control
}

type randomSource struct {
	splits   int
	records  int // of each split
	keys     int
	nonBlock bool
	verbs    []string
	idle     time.Duration // not 0: only one split has records, and is not waited for when it is silent
	loud     int           // that one
}

// ordered says whether the records of a split, and so of a lane, reach a keyed operator in the
// order of the split.
func (s randomSource) ordered() bool { return !slices.Contains(s.verbs, "rebalance") }

// drawIdle lets splits be idle in a job whose result does not depend on when they are: to each
// window the records of the only one that has any come by one channel, so that nothing overtakes
// those that end the silence.
func (j *randomJob) drawIdle(c *world.Rand) {
	joined := slices.ContainsFunc(j.branches, func(b randomBranch) bool { return b.kind == "window join" })
	if s := &j.sources[0]; len(j.sources) == 1 && s.ordered() && !joined && c.P(0.5) {
		s.idle, s.loud, s.nonBlock = c.Between(time.Millisecond, 200*time.Millisecond), c.N(s.splits), false
	}
}

// silent says whether a split has no records.
func (s randomSource) silent(split int) bool { return s.idle > 0 && split != s.loud }

// total is the number of records of all splits.
func (s randomSource) total() int {
	if s.idle > 0 {
		return s.records
	}
	return s.splits * s.records
}

type randomBranch struct {
	kind        string
	source      int
	other       int // second source of a join
	parallelism int
	apart       bool // a window sees each record by itself: nothing is combined before it
}

var randomVerbs = []string{"filter", "map", "flatmap", "rebalance", "update", "try"}

var randomKinds = []string{"records", "count", "distinct", "top", "tumbling", "sliding", "session", "timers", "states", "join", "window join", "union"}

// idleSplits is met by a job with splits that are silent and not waited for.
const idleSplits = "idle splits"

const (
	randomSpan = 2 * time.Minute // of event time
	window     = 10 * time.Second
	slide      = 4 * time.Second
	gap        = 5 * time.Second // of sessions
	ranks      = 3
	// idsPerSplit is more than a split has records.
	idsPerSplit = 10_000
)

func drawJob(seed uint64) *randomJob {
	c := world.NewRand(seed).Split("workload")
	j := &randomJob{broken: c.P(0.02), parallelism: 1 + c.N(4), groups: []int{8, 16, 128}[c.N(3)], bound: c.Between(0, 30*time.Second)}
	for range 1 + c.N(2) {
		s := randomSource{splits: 1 + c.N(4), records: c.N(61), keys: 1 + c.N(12), nonBlock: c.P(0.5)}
		for range c.N(4) {
			s.verbs = append(s.verbs, randomVerbs[c.N(len(randomVerbs))])
		}
		j.sources = append(j.sources, s)
	}
	for range 1 + c.N(3) {
		j.branches = append(j.branches, randomBranch{
			kind:        randomKinds[c.N(len(randomKinds))],
			source:      c.N(len(j.sources)),
			other:       c.N(len(j.sources)),
			parallelism: c.N(4),
			apart:       c.P(0.3),
		})
	}
	j.drawIdle(world.NewRand(seed).Split("idle"))
	return j
}

// rescale changes the parallelism of everything.
func (j *randomJob) rescale() {
	j.parallelism = 1 + (j.parallelism+1)%4
	for i := range j.branches {
		j.branches[i].parallelism = (j.branches[i].parallelism + 2) % 4
	}
}

// facts are the records of one split: in order of ID, out of order in time by at most the
// bound.
func (j *randomJob) facts(seed uint64, source, split int) []fact {
	s := j.sources[source]
	if s.silent(split) {
		return nil
	}
	c := world.NewRand(seed).Split(fmt.Sprint("facts", source, ".", split))
	out := make([]fact, s.records)
	for i := range out {
		at := time.Duration(int64(randomSpan) / int64(max(1, s.records)) * int64(i))
		at -= c.Between(0, j.bound)
		out[i] = fact{
			ID: int64((source*100+split)*idsPerSplit + i), Key: int64(c.N(s.keys)),
			Value: int64(c.N(100)), At: time.Unix(1_000_000, 0).UTC().Add(at),
		}
	}
	return out
}

// Random is the random workload of a seed.
func Random(seed uint64) Workload { return drawJob(seed).workload(seed) }

func (j *randomJob) workload(seed uint64) Workload {
	build := j.program(seed)
	w := Workload{Name: "random", Control: func(c Control) { j.control = c }, Fails: j.broken, Rescale: j.rescale, Program: func() (*operator.Program, error) {
		job := blink.NewJob(build.Name, nil).Parallelism(j.parallelism)
		build.Build(job)
		return job.Program()
	}}
	for _, s := range j.sources {
		w.Records += s.total()
		if s.idle > 0 {
			w.Covers = append(w.Covers, idleSplits)
		}
		for _, v := range s.verbs {
			w.Covers = append(w.Covers, "verb "+v)
		}
	}
	for _, b := range j.branches {
		w.Covers = append(w.Covers, "branch "+b.kind)
	}
	w.Check = func(all map[string]string) error {
		for i, want := range j.expect(seed) {
			name := fmt.Sprintf("out/%d.csv", i)
			text, ok := all[name]
			if !ok {
				return fmt.Errorf("%s was not written", name)
			}
			_, rows, _ := strings.Cut(text, "\n")
			got := strings.Split(strings.TrimSuffix(rows, "\n"), "\n")
			if rows == "" {
				got = nil
			}
			slices.Sort(got)
			if d := differ(got, want); d != "" {
				return fmt.Errorf("%s (%s): %s", name, j.branches[i].kind, d)
			}
		}
		return nil
	}
	return w
}

// slotsOf is the number of slots that a job needs.
func slotsOf(p *operator.Program) (int, error) {
	plan, err := graph.Compile(p.Job)
	if err != nil {
		return 0, err
	}
	return plan.Slots(), nil
}
