package graph

import (
	"fmt"
	"hash/fnv"
	"strings"
)

// Fingerprint is equal for two jobs whose processes may work together: it covers the job's
// parameters and its operators' ids, verbs, states, edges, chains and parallelism, but not
// names or places in the source.
func Fingerprint(j *Job) string {
	h := fnv.New64a()
	fmt.Fprintf(h, "%s %d %d\n", j.Name, j.Mode, j.MaxParallelism)
	for _, p := range j.Params {
		fmt.Fprintf(h, "%s %q\n", p.Name, p.Value)
	}
	for i := range j.Operators {
		fmt.Fprintln(h, j.essence(i))
	}
	return fmt.Sprintf("%016x", h.Sum64())
}

// essence is what a fingerprint covers of operator i.
func (j *Job) essence(i int) string {
	var b strings.Builder
	o := &j.Operators[i]
	fmt.Fprintf(&b, "%s %s %d %s %q %t %t", o.ID, o.Verb, j.parallelism(o), o.Out, o.Slot, o.NewChain, o.Blocking)
	for _, e := range o.In {
		fmt.Fprintf(&b, " in %d %q %d %d %s", e.From, e.Tag, e.Ship, e.Input, e.Key)
	}
	for _, s := range o.State {
		fmt.Fprintf(&b, " state %s %s %s", s.Name, s.Kind, s.Schema)
	}
	return b.String()
}
