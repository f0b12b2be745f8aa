package sim

import (
	"maps"
	"reflect"
	"slices"

	"blink/jobmaster/exec"
)

// Coverage counts what runs have met: by name, the events and actions of the JobMaster's
// machine ("event Reported", "action Deploy"), the faults ("fault pause") and what random jobs
// consist of ("verb filter", "branch join").
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
	delete(all, "event "+nameOf(exec.PartitionLost{}))
	return all
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
