package cluster

import (
	"flag"
	"fmt"

	"blink/graph"
	"blink/internal/version"
)

// planVerb prints the physical graph with the parameters and the parallelism given.
func (b *binary) planVerb(p job, args []string) (int, error) {
	var o runFlags
	set, given, err := b.flags("plan", p, func(set *flag.FlagSet) {
		set.IntVar(&o.parallelism, "parallelism", 0, "`number` of tasks of each operator; 0: the job's own")
	})
	if err != nil {
		return 0, err
	}
	if err := parse(set, args); err != nil {
		return 0, err
	}
	o.noteSet(set)
	if err := o.check(); err != nil {
		return 0, err
	}
	built, err := p.build(given.given)
	if err != nil {
		return 0, err
	}
	if err := o.apply(built.Job); err != nil {
		return 0, err
	}
	plan, err := graph.Compile(built.Job)
	if err != nil {
		return 0, err
	}
	_, err = fmt.Fprint(b.stdout, withNewline(plan.String()))
	return exitOK, err
}

func (b *binary) versionVerb(p job, args []string) (int, error) {
	if len(args) > 0 {
		return 0, usagef("version takes no arguments, got %q", args)
	}
	_, err := fmt.Fprintf(b.stdout, "%s, on blink %s\n", p.name, version.Text())
	return exitOK, err
}
