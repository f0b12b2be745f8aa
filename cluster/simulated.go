package cluster

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"blink/connector/files"
	"blink/sim"
	"blink/sim/campaign"
)

// runSimulated runs a job on a simulated cluster, once for each seed, and compares what its
// file sinks have written with a run without faults.
func runSimulated(p program, o simOptions) (ok bool, err error) {
	targets, err := targetsOf(p)
	if err != nil {
		return false, err
	}
	w := sim.Workload{Name: p.name, Program: p.make, Base: files.OS(), Outputs: targets}
	var want map[string][]string
	w.Check = func(all map[string]string) error {
		want = rowsOf(all, targets)
		return nil
	}
	out := sim.Run(1, sim.Calm(w))
	if out.Err != nil {
		return false, fmt.Errorf("the job fails without any fault: %w", out.Err)
	}
	w.Records = out.Records
	w.Check = func(all map[string]string) error { return compareRows(rowsOf(all, targets), want) }
	return campaign.Run(campaign.Options{
		First: o.first, Last: o.last, Story: o.trace, JSON: o.json, Out: o.out, Replay: o.replay,
		Workload: func(uint64) sim.Workload { return w },
	})
}

// targetsOf lists where the sinks of a job write. A sink of another kind is refused: it would
// write to the real thing, again with each seed.
func targetsOf(p program) ([]string, error) {
	built, err := p.make()
	if err != nil {
		return nil, err
	}
	var targets []string
	for _, op := range built.Job.Operators {
		o, ok := files.OutputOf(op.Target)
		switch {
		case ok:
			targets = append(targets, o.Path())
		case op.Sink:
			return nil, fmt.Errorf("operator %q writes to %s: only jobs whose sinks write files can be simulated", op.ID, op.What)
		}
	}
	return targets, nil
}

// rowsOf are the lines of each target, sorted: those of one file, or of all parts of a folder.
func rowsOf(all map[string]string, targets []string) map[string][]string {
	rows := map[string][]string{}
	for _, t := range targets {
		rows[t] = nil
		for name, text := range all { // sorted below
			if name == t || path.Dir(name) == t {
				rows[t] = append(rows[t], strings.Split(strings.TrimSuffix(text, "\n"), "\n")...)
			}
		}
		slices.Sort(rows[t])
	}
	return rows
}

// compareRows says in which target got and want differ.
func compareRows(got, want map[string][]string) error {
	for _, t := range slices.Sorted(maps.Keys(want)) {
		w := want[t]
		if g := got[t]; !slices.Equal(g, w) {
			return fmt.Errorf("%s has %d lines that are not the %d of the run without faults", t, len(g), len(w))
		}
	}
	return nil
}
