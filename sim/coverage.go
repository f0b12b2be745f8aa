package sim

import (
	"maps"
	"reflect"
	"slices"

	"blink/jobmaster/exec"
	"blink/snapshot"
)

// Coverage counts what runs have met: by name, the events and actions of the JobMaster's
// machine ("event Reported", "action Deploy"), the faults ("fault pause"), what random jobs consist
// of ("verb filter", "branch join") and what the parts of complete checkpoints were ("part delta").
type Coverage map[string]int

// Add counts what another run has met.
func (c Coverage) Add(o Coverage) {
	for name, n := range o { // sums: any order will do
		c[name] += n
	}
}

// Missing lists, ascending, what random workloads can meet and none of the runs has met.
func (c Coverage) Missing() []string {
	var missing []string
	for _, name := range slices.Sorted(maps.Keys(reachable())) {
		if c[name] == 0 {
			missing = append(missing, name)
		}
	}
	return missing
}

// reachable is what random workloads can meet. Partitions of blocking edges come with batch;
// until then only the machine knows them, and package exec tests it with random plans.
func reachable() map[string]bool {
	all := map[string]bool{}
	for _, ev := range exec.Events() {
		all["event "+nameOf(ev)] = true
	}
	for _, a := range exec.Actions() {
		all["action "+nameOf(a)] = true
	}
	for _, k := range FaultKinds {
		all["fault "+string(k)] = true
	}
	for _, verb := range randomVerbs {
		all["verb "+verb] = true
	}
	for _, kind := range randomKinds {
		all["branch "+kind] = true
	}
	for _, what := range []string{idleSplits, wholePart, deltaPart, thirdLayer, lastLayer} {
		all[what] = true
	}
	delete(all, "event "+nameOf(exec.PartitionLost{}))
	return all
}

// What parts of complete checkpoints can be.
const (
	wholePart  = "part whole"
	deltaPart  = "part delta"
	thirdLayer = "part of three layers or more"
	lastLayer  = "part of as many layers as it may have"
)

// layered notes what the parts of a checkpoint are.
func (c *cluster) layered(m *snapshot.Manifest) {
	for _, t := range m.Tasks {
		for _, p := range t.Parts {
			what := wholePart
			if p.Layers > 1 {
				what = deltaPart
			}
			c.seen[what]++
			if p.Layers > 2 {
				c.seen[thirdLayer]++
			}
			if p.Layers > 1 && p.Layers == c.scenario.Layers {
				c.seen[lastLayer]++
			}
		}
	}
}

func nameOf(v any) string { return reflect.TypeOf(v).Name() }

// stepped notes a step of the machine of a candidate's JobMaster.
func (c *cluster) stepped(candidate string, ev exec.Event, actions []exec.Action) {
	c.seen["event "+nameOf(ev)]++
	if _, lost := ev.(exec.ResultNotStored); lost {
		c.check.excuses.ending = true
	}
	for _, a := range actions {
		c.seen["action "+nameOf(a)]++
		c.watch(a)
	}
	c.check.storms.stepped(candidate, ev, actions)
	c.tell(ev, actions)
}
