package cluster

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	"blink/graph"
	"blink/snapshot"

	"github.com/zeebo/xxh3"
)

const identityFormat = 1

// identity is what a state dir remembers of its job. Whatever in it is different in a later
// run would change the result, and is refused.
type identity struct {
	Format         int
	Job            string
	Params         map[string]string // without out
	Out            string            `json:",omitempty"` // absolute path of the output folder
	Inputs         []inputIdentity
	MaxParallelism int
	Operators      []operatorIdentity // those that keep something

	Finished *finished `json:",omitempty"`
}

// inputIdentity is one split of a source as it was enumerated.
type inputIdentity struct {
	Source, Split string
	Content       string // checksum of the split, which holds size and checksum of a file
}

// operatorIdentity is what the state of an operator depends on, but for the form of its
// states: they may have changed since the job began, so it is the checkpoint that says what a
// changed program can take over (snapshot.PlanRestore).
type operatorIdentity struct {
	ID     string
	Keys   []string               `json:",omitempty"`
	States []snapshot.StateSchema `json:",omitempty"` // when the job began
}

// finished is the result of a job, shown again by every later run.
type finished struct {
	Text     string
	Counters counters
}

// outParam is the job parameter that names the output folder, if the job has one with an
// empty default: a job then gets a fresh folder when none is named.
const outParam = "out"

// newIdentity describes a job; its inputs and its output folder are added by run.
func newIdentity(j *graph.Job) *identity {
	id := &identity{Format: identityFormat, Job: j.Name, Params: map[string]string{}, MaxParallelism: j.MaxParallelism}
	for _, p := range j.Params {
		if !isOut(p) {
			id.Params[p.Name] = p.Value
		}
	}
	for i := range j.Operators {
		if o := &j.Operators[i]; len(o.State) > 0 {
			id.Operators = append(id.Operators, identityOf(o))
		}
	}
	return id
}

func isOut(p graph.Param) bool { return p.Name == outParam && p.Default == "" }

func identityOf(o *graph.Operator) operatorIdentity {
	x := operatorIdentity{ID: o.ID}
	for _, e := range o.In {
		if e.Ship == graph.Hash {
			x.Keys = append(x.Keys, e.Key)
		}
	}
	for _, s := range o.State {
		x.States = append(x.States, snapshot.SchemaOf(s))
	}
	return x
}

// keeps says whether an operator of that ID kept something when the job began.
func (id *identity) keeps(operator string) bool {
	return slices.ContainsFunc(id.Operators, func(o operatorIdentity) bool { return o.ID == operator })
}

// addInputs takes the splits of one source.
func (id *identity) addInputs(source string, splits []snapshot.Item) {
	for _, s := range splits {
		id.Inputs = append(id.Inputs, inputIdentity{source, s.Name, fmt.Sprintf("%016x", xxh3.Hash(s.Data))})
	}
	slices.SortFunc(id.Inputs, func(a, b inputIdentity) int {
		return cmp.Or(cmp.Compare(a.Source, b.Source), cmp.Compare(a.Split, b.Split))
	})
}

// refuseChanges names every difference between what a state dir was made for and what
// this run is asked to do; inputs are compared by refuseInputs.
func (id *identity) refuseChanges(now *identity, asked []graph.Param) error {
	if id.Job != now.Job {
		return fmt.Errorf("it belongs to job %s, and this is %s: use another state dir", id.Job, now.Job)
	}
	var errs []error
	for _, p := range asked {
		if isOut(p) {
			continue
		}
		before, known := id.Params[p.Name]
		if !known {
			before = p.Default
		}
		if !sameValue(p, before) {
			errs = append(errs, fmt.Errorf("--%s was %s and is %s now", p.Name, orNothing(before), orNothing(p.Value)))
		}
	}
	if now.Out != "" && id.Out != now.Out {
		errs = append(errs, fmt.Errorf("--%s was %s and is %s now", outParam, id.Out, now.Out))
	}
	errs = append(errs, id.graphChanges(now)...)
	return refusal(errs)
}

// sameValue compares as durations what is one: 1h is 60m.
func sameValue(p graph.Param, before string) bool {
	if p.Value == before {
		return true
	}
	if _, err := time.ParseDuration(p.Default); err != nil {
		return false
	}
	a, err1 := time.ParseDuration(p.Value)
	b, err2 := time.ParseDuration(before)
	return err1 == nil && err2 == nil && a == b
}

func orNothing(v string) string {
	if v == "" {
		return "not given"
	}
	return v
}

func (id *identity) graphChanges(now *identity) (errs []error) {
	if id.MaxParallelism != now.MaxParallelism {
		errs = append(errs, fmt.Errorf("the job had %d key groups and has %d now: their number is fixed for the life of the state", id.MaxParallelism, now.MaxParallelism))
	}
	for _, was := range id.Operators {
		i := slices.IndexFunc(now.Operators, func(o operatorIdentity) bool { return o.ID == was.ID })
		if i < 0 {
			errs = append(errs, fmt.Errorf("operator %q has state here and is not in the program: give an operator this ID", was.ID))
			continue
		}
		errs = append(errs, was.changes(now.Operators[i])...)
	}
	return errs
}

func (o operatorIdentity) changes(now operatorIdentity) (errs []error) {
	if !slices.Equal(o.Keys, now.Keys) {
		errs = append(errs, fmt.Errorf("operator %q: the key was %v and is %v now", o.ID, o.Keys, now.Keys))
	}
	return errs
}

// refuseInputs names every input that is not what it was. Splits whose type has changed since
// have another checksum and are not looked into: their readers know what they began to read.
func (id *identity) refuseInputs(now *identity) error {
	var errs []error
	for _, was := range id.Inputs {
		if now.input(was) < 0 {
			errs = append(errs, fmt.Errorf("input %s is gone", was.Split))
		}
	}
	return refusal(append(errs, id.inputChanges(now)...))
}

// refuseChangedInputs lets inputs be gone: a result needs none.
func (id *identity) refuseChangedInputs(now *identity) error { return refusal(id.inputChanges(now)) }

func (id *identity) inputChanges(now *identity) (errs []error) {
	for _, is := range now.Inputs {
		switch i := id.input(is); {
		case i < 0:
			errs = append(errs, fmt.Errorf("input %s is new", is.Split))
		case id.Inputs[i].Content != is.Content && slices.Equal(id.statesOf(is.Source), now.statesOf(is.Source)):
			errs = append(errs, fmt.Errorf("input %s has changed: its size or its checksum is another", is.Split))
		}
	}
	return errs
}

func (id *identity) statesOf(operator string) []snapshot.StateSchema {
	i := slices.IndexFunc(id.Operators, func(o operatorIdentity) bool { return o.ID == operator })
	if i < 0 {
		return nil
	}
	return id.Operators[i].States
}

func (id *identity) input(x inputIdentity) int {
	return slices.IndexFunc(id.Inputs, func(y inputIdentity) bool { return y.Source == x.Source && y.Split == x.Split })
}

// refusal joins differences and says what to do about them.
func refusal(errs []error) error {
	if len(errs) == 0 {
		return nil
	}
	return fmt.Errorf("%w\nGo on with what it was, or begin anew with another state dir", errors.Join(errs...))
}
