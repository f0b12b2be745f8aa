package nexmark

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strconv"
	"time"

	"blink"
	"blink/bench/usage"
	"blink/cluster"
	"blink/connector/nexmark"
	"blink/examples/nexmark/job"
)

// SoakQueries are the queries that keep no more the longer they run.
func SoakQueries() []string {
	return []string{"q0", "q1", "q2", "q4", "q5", "q7", "q8", "q9", "q10", "q11", "q12", "q13", "q14", "q21", "q22"}
}

// SoakOptions say what Soak runs.
type SoakOptions struct {
	Query           string // of SoakQueries
	Parallelism     int
	CheckpointEvery time.Duration
	Duration        time.Duration      // at least; longer until there have been enough looks
	Every           time.Duration      // between two looks at the memory, at least
	Look            func(Memory) error // is told of each; its error ends the run
	Note            func(text string)
}

// Memory is a look at the process.
type Memory struct {
	Seconds float64 `json:"seconds"` // since the beginning
	Events  uint64  `json:"events"`
	Live    uint64  `json:"heap_live_bytes"` // behind a collection
	Heap    uint64  `json:"heap_bytes"`      // taken from the machine for the heap
	RSS     uint64  `json:"rss_bytes"`       // 0 where the machine does not tell
}

// Check finds what Soak would refuse before it runs anything, and what leaves no time for as many
// looks as it takes to tell growth from the beginning.
func (o SoakOptions) Check() error {
	if least := leastLooks * cluster.ProgressEvery; o.Duration < least {
		return fmt.Errorf("--duration %v: at least %v, which is %d looks at the memory", o.Duration, least, leastLooks)
	}
	if most := o.Duration / leastLooks; o.Every > most {
		return fmt.Errorf("--look %v: at most %v, so that there are %d looks in --duration %v", o.Every, most, leastLooks, o.Duration)
	}
	if err := o.run().Check(o.program()); err != nil {
		return fmt.Errorf("%s: %w", o.Query, err)
	}
	return nil
}

func (o SoakOptions) program() blink.Program {
	return blink.Define("nexmark", job.Nexmark{Ledger: newLedger(nexmark.Digest{}), Empty: nexmark.Digest{}}.Build)
}

func (o SoakOptions) run() cluster.RunOptions {
	return cluster.RunOptions{
		Params:      map[string]string{"query": o.Query, "events": "0", "splits": strconv.Itoa(o.Parallelism)},
		Parallelism: o.Parallelism, CheckpointEvery: o.CheckpointEvery, Note: o.Note,
	}
}

// Soak runs a query on events without end, as fast as it can, and looks at the memory. It is
// an error when the second half grows: see Grows.
func Soak(ctx context.Context, o SoakOptions) ([]Memory, error) {
	defer collectSeldom()()
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var looks []Memory
	start, next := time.Now(), o.Every
	run := o.run()
	run.Progress = func(records int64) {
		if at := time.Since(start); at >= next {
			next = at + o.Every
			looks = append(looks, look(at, uint64(records)))
			if err := o.Look(looks[len(looks)-1]); err != nil {
				stop(err)
			}
			if at >= o.Duration && len(looks) >= leastLooks {
				stop(errSoaked)
			}
		}
	}
	_, err := cluster.Run(ctx, o.program(), run)
	if !errors.Is(err, errSoaked) {
		return looks, fmt.Errorf("%s ended too early: %w", o.Query, err)
	}
	return looks, Grows(looks)
}

var errSoaked = errors.New("the time is over")

func look(at time.Duration, events uint64) Memory {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return Memory{Seconds: at.Seconds(), Events: events, Live: m.HeapAlloc, Heap: m.HeapSys - m.HeapReleased, RSS: usage.RSS()}
}

// leastLooks are needed to tell growth from the beginning.
const leastLooks = 8

// Grows compares the memory in the second half of the looks with that in the quarter before
// it: what was needed then must do. It is an error when the most of the live heap, or of what
// the process has, is more by a tenth and 16 MB; and when there are too few looks to tell.
func Grows(looks []Memory) error {
	n := len(looks)
	if n < leastLooks {
		return fmt.Errorf("%d looks at the memory are too few to tell whether it grows: at least %d", n, leastLooks)
	}
	before, after := looks[n/4:n/2], looks[n/2:]
	for _, of := range []struct {
		what string
		get  func(Memory) uint64
	}{
		{"the live heap", func(m Memory) uint64 { return m.Live }},
		{"the process", func(m Memory) uint64 { return m.RSS }},
	} {
		most := func(in []Memory) uint64 {
			return of.get(slices.MaxFunc(in, func(a, b Memory) int { return cmp.Compare(of.get(a), of.get(b)) }))
		}
		if had, has := most(before), most(after); has > had+had/10+16<<20 {
			return fmt.Errorf("%s grows: %d MB in the second half, %d MB before it", of.what, has>>20, had>>20)
		}
	}
	return nil
}
