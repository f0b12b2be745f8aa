package cluster

import (
	"fmt"
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
	targets, err := simTargets(p)
	if err != nil {
		return false, err
	}
	w := sim.Workload{Name: p.name, Program: p.make, Base: files.OS(), Outputs: targets}
	var want map[string][]string
	w.Check = func(all map[string]string) error {
		want = rowsOf(all, targets)
		return nil
	}
	calm := sim.Calm(w)
	out := sim.Run(1, calm)
	if out.Err != nil {
		return false, fmt.Errorf("the job fails without any fault: %w", out.Err)
	}
	records := out.Records
	return campaign.Run(campaign.Options{
		First: o.first, Last: o.last, Story: o.trace, JSON: o.json, Out: o.out, Replay: p.name + " sim",
		Workload: func(uint64) (sim.Workload, error) {
			w := w
			w.Records = records
			w.Check = func(all map[string]string) error { return compareRows(rowsOf(all, targets), want) }
			return w, nil
		},
	})
}

// simTargets lists where the file sinks of a job write.
func simTargets(p program) ([]string, error) {
	built, err := p.make()
	if err != nil {
		return nil, err
	}
	var targets []string
	for _, op := range built.Job.Operators {
		if t, ok := files.Target(op.What); ok {
			targets = append(targets, t)
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
	for t, w := range want { // any difference will do
		if g := got[t]; !slices.Equal(g, w) {
			return fmt.Errorf("%s has %d lines that are not the %d of the run without faults", t, len(g), len(w))
		}
	}
	return nil
}
