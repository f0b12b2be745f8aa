package sim

import (
	"slices"
	"strings"
)

// Shrink looks for a part of the plan of a broken scenario that breaks the same invariant,
// and returns it: leaving out any one of its faults would mend it, unless the number of runs
// was used up. draw must make the scenario anew each time.
func Shrink(seed uint64, draw func() (Scenario, error), broken Outcome, runs int) []Fault {
	plan := slices.Clone(broken.Plan)
	for i := 0; i < len(plan) && runs > 0; {
		less := slices.Delete(slices.Clone(plan), i, i+1)
		s, err := draw()
		if err != nil {
			return plan
		}
		s.Faults = less
		runs--
		if out := Run(seed, s); out.Err != nil && out.Broken() == broken.Broken() {
			plan, i = less, 0
			continue
		}
		i++
	}
	return plan
}

// Broken names the invariant that broke, such as "I8", or is "invariant" for one that the code
// checks itself (internal/invariant), "error" for anything else, and "" if all is well.
func (o Outcome) Broken() string {
	if o.Err == nil {
		return ""
	}
	text := o.Err.Error()
	name, _, ok := strings.Cut(text, ":")
	switch {
	case ok && strings.HasPrefix(name, "I") && len(name) <= len("I12"):
		return name
	case strings.Contains(text, "invariant: "):
		return "invariant"
	}
	return "error"
}
