package graph

import (
	"fmt"
	"hash/fnv"
	"strings"
)

// Fingerprint is equal for two jobs whose processes may work together: it covers operators'
// ids, verbs, states, edges and parallelism, but not names or places in the source.
func Fingerprint(j *Job) string {
	h := fnv.New64a()
	fmt.Fprintf(h, "%s %d %d\n", j.Name, j.Mode, j.MaxParallelism)
	for i := range j.Operators {
		fmt.Fprintln(h, essence(&j.Operators[i]))
	}
	return fmt.Sprintf("%016x", h.Sum64())
}

// essence is what a fingerprint covers of an operator.
func essence(o *Operator) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s %d %s %q", o.ID, o.Verb, o.Parallelism, o.Out, o.Slot)
	for _, e := range o.In {
		fmt.Fprintf(&b, " in %d %q %d %d %s", e.From, e.Tag, e.Ship, e.Input, e.Key)
	}
	for _, s := range o.State {
		fmt.Fprintf(&b, " state %s %s %s", s.Name, s.Kind, s.Schema)
	}
	return b.String()
}

// Different names the first operator in which two jobs differ, "" if there is none.
func Different(a, b *Job) string {
	for i := range min(len(a.Operators), len(b.Operators)) {
		if essence(&a.Operators[i]) != essence(&b.Operators[i]) {
			return b.Operators[i].ID
		}
	}
	switch {
	case len(a.Operators) > len(b.Operators):
		return a.Operators[len(b.Operators)].ID
	case len(b.Operators) > len(a.Operators):
		return b.Operators[len(a.Operators)].ID
	}
	return ""
}
