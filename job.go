package blink

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"path"
	"runtime"
	"slices"
	"strconv"
	"time"

	"blink/graph"
	"blink/operator"
	"blink/snapshot"
)

// Job is a graph under construction and the parameters it is built with. It is used by one
// goroutine. Mistakes are kept and reported by Program and Plan. No verb panics but those of
// a zero Stream or Keyed, which belong to no job that could report it.
type Job struct {
	name   string
	given  map[string]string
	params []graph.Param
	nodes  []*node
	errs   []error

	mode            graph.Mode
	parallelism     int
	maxParallelism  int
	checkpointEvery time.Duration
}

// Program is a named way to build a job: see Define.
type Program struct {
	Name  string
	Build func(*Job)
}

// Define names a way to build a job. build runs again in every process, and must give equal
// graphs for equal parameters.
func Define(name string, build func(*Job)) Program { return Program{name, build} }

// Describe builds the job with the parameters given; others have their defaults. The error
// lists every mistake.
func (p Program) Describe(params map[string]string) (*operator.Program, error) {
	if p.Build == nil {
		return nil, fmt.Errorf("program %q has no function that builds its job: give Define one", p.Name)
	}
	j := NewJob(p.Name, params)
	p.Build(j)
	return j.Program()
}

// NewJob starts an empty job, with the values of some of its parameters. Programs run by
// cluster.Main get theirs handed in.
func NewJob(name string, params map[string]string) *Job {
	return &Job{name: name, given: params, parallelism: 1, maxParallelism: graph.UsualKeyGroups}
}

// Modes of a job.
const (
	Auto      = graph.Auto
	Streaming = graph.Streaming
	Batch     = graph.Batch
)

// Mode says whether edges may be blocking. No verb makes such edges yet, so all modes run alike.
func (j *Job) Mode(m graph.Mode) *Job { j.mode = m; return j }

// Parallelism of the operators that name none; 1 at first. Whoever runs the job may ask for
// another one.
func (j *Job) Parallelism(n int) *Job { j.parallelism = n; return j }

// MaxParallelism is the number of key groups, 128 at first, at most 32,768. It is fixed for
// the life of the job's state.
func (j *Job) MaxParallelism(n int) *Job { j.maxParallelism = n; return j }

// CheckpointEvery is the time between two checkpoints. Whoever runs the job may ask for
// another one.
func (j *Job) CheckpointEvery(d time.Duration) *Job { j.checkpointEvery = d; return j }

// String declares a parameter of the job, a flag on the command line, and returns its value. Its
// name is a letter, then letters, digits, - and _.
func (j *Job) String(name, def, usage string) string { return j.param(name, def, usage) }

// Int is String for an integer.
func (j *Job) Int(name string, def int, usage string) int {
	v, err := strconv.Atoi(j.param(name, strconv.Itoa(def), usage))
	j.wrongParam(name, "an integer", err)
	return v
}

// Duration is String for a duration such as 90s.
func (j *Job) Duration(name string, def time.Duration, usage string) time.Duration {
	v, err := time.ParseDuration(j.param(name, def.String(), usage))
	j.wrongParam(name, "a duration such as 90s", err)
	return v
}

// Bool is String for true or false.
func (j *Job) Bool(name string, def bool, usage string) bool {
	v, err := strconv.ParseBool(j.param(name, strconv.FormatBool(def), usage))
	j.wrongParam(name, "true or false", err)
	return v
}

// Refuse says that the job cannot use the value of a parameter, and what it wants, such as
// "at least 1".
func (j *Job) Refuse(name, want string) {
	i := slices.IndexFunc(j.params, func(p graph.Param) bool { return p.Name == name })
	if i < 0 {
		j.errs = append(j.errs, fmt.Errorf("%s: Refuse: parameter %q is not declared", caller(1), name))
		return
	}
	j.errs = append(j.errs, fmt.Errorf("%s: parameter --%s=%s: want %s", caller(1), name, j.params[i].Value, want))
}

func (j *Job) param(name, def, usage string) string {
	v, given := j.given[name]
	if !given {
		v = def
	}
	if slices.ContainsFunc(j.params, func(p graph.Param) bool { return p.Name == name }) {
		j.errs = append(j.errs, fmt.Errorf("%s: parameter %q is declared twice", caller(2), name))
	}
	if !isFlag(name) {
		j.errs = append(j.errs, fmt.Errorf("%s: parameter %q: a name is a letter, then letters, digits, - and _", caller(2), name))
	}
	j.params = append(j.params, graph.Param{Name: name, Value: v, Default: def, Usage: usage})
	return v
}

// isFlag says whether a name can be that of a flag on any command line.
func isFlag(name string) bool {
	for i, r := range name {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
		if !letter && (i == 0 || !(r >= '0' && r <= '9' || r == '-' || r == '_')) {
			return false
		}
	}
	return name != ""
}

func (j *Job) wrongParam(name, want string, err error) {
	if err != nil {
		j.errs = append(j.errs, fmt.Errorf("%s: parameter --%s=%s: want %s", caller(2), name, j.given[name], want))
	}
}

// node is one verb of the program.
type node struct {
	job  *Job
	real int // index among the operators; -1 for verbs that only say where records go
	op   graph.Operator
	spec operator.Spec
	main func() (operator.Port, error) // of the main output; nil for sinks
	in   []input
	tag  string  // of a side output that this node stands for
	errs []error // mistakes in it
	// splits enumerates a source's splits.
	splits operator.Factory
	// combines is, of an operator that combines for another, that one.
	combines *node
}

// input is an edge as a verb describes it; from may be a union, a side output or the like.
type input struct {
	from *node
	ship graph.Ship
	key  string
	hash any
	n    int // which input of the consumer
}

// there is n, the node of a stream that a verb has returned.
func (n *node) there() *node {
	if n == nil {
		panic("blink: " + zeroStream)
	}
	return n
}

const zeroStream = "a zero Stream or Keyed: take one that Read or another verb has returned"

// add appends an operator. skip counts the callers up to the user's program.
func (j *Job) add(skip int, verb, what string, spec operator.Spec, in ...input) *node {
	n := &node{job: j, spec: spec, in: in, real: -1}
	n.op = graph.Operator{Verb: verb, What: what, At: caller(skip + 1), State: spec.State}
	n.mistake(spec.Err)
	for _, t := range spec.Sides {
		n.declare(graph.Side{Tag: t.Name(), Type: t.Type().String()})
	}
	j.nodes = append(j.nodes, n)
	return n
}

// combine adds an operator that combines to each output of an operator that n stands for.
func (n *node) combine(what string, c *operator.Combining) (all []*node) {
	for _, from := range n.outputs() {
		m := n.job.add(3, "combine", what, c.First, input{from: from})
		m.op.Out, m.main = c.Type, c.Port
		all = append(all, m)
	}
	return all
}

// outputs are the operators and side outputs that a virtual node stands for.
func (n *node) outputs() (all []*node) {
	if !n.virtual() || n.tag != "" {
		return []*node{n}
	}
	for _, in := range n.in {
		if in.from != nil && in.from.job == n.job { // check tells of others
			all = append(all, in.from.outputs()...)
		}
	}
	return all
}

// declare adds a side output.
func (n *node) declare(s graph.Side) {
	if s.Tag == "" {
		n.mistake(errors.New("a Tag without a name: make it with NewTag"))
	}
	if slices.ContainsFunc(n.op.Sides, func(o graph.Side) bool { return o.Tag == s.Tag }) {
		n.mistake(fmt.Errorf("two side outputs are called %q", s.Tag))
	}
	n.op.Sides = append(n.op.Sides, s)
}

// caller is the base file name and line of the user's verb, so that equal programs give
// equal graphs wherever they were compiled.
func caller(skip int) string {
	_, file, line, _ := runtime.Caller(skip + 1)
	return path.Base(file) + ":" + strconv.Itoa(line)
}

// Program is the job ready to run, or every mistake in it, one a line.
func (j *Job) Program() (*operator.Program, error) {
	errs := append(slices.Clone(j.errs), j.unknownParams()...)
	p := &operator.Program{Job: &graph.Job{
		Name: j.name, Mode: j.mode, Parallelism: j.parallelism, MaxParallelism: j.maxParallelism,
		CheckpointEvery: j.checkpointEvery, Params: j.params,
	}}
	j.number()
	for _, n := range j.nodes {
		errs = append(append(errs, n.errs...), n.check())
		if n.virtual() {
			continue
		}
		f, err := n.resolve()
		if err != nil {
			errs = append(errs, err)
		}
		p.Job.Operators = append(p.Job.Operators, n.op)
		p.Factories = append(p.Factories, f)
	}
	if _, err := graph.Compile(p.Job); err != nil {
		errs = append(errs, err)
	}
	errs = append(append(errs, timeless(p.Job.Operators)...), fruitless(p.Job))
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("job %q cannot be built:\n%w", j.name, err)
	}
	return p, nil
}

// number gives the operators their indexes, and ids to those that were given none. One that
// combines goes into the chain before it, and is called after the operator it works for.
func (j *Job) number() {
	count := 0
	for _, n := range j.nodes {
		if n.virtual() {
			continue
		}
		n.real, n.op.Index = count, count
		if count++; n.op.ID == "" && n.combines == nil {
			n.op.ID = fmt.Sprintf("%s-%d", n.op.Verb, n.real)
		}
	}
	for _, n := range j.nodes {
		if of := n.combines; of != nil {
			n.op.ID = of.op.ID + ".combine"
			if i := slices.IndexFunc(of.in, func(in input) bool { return in.from == n }); i > 0 {
				n.op.ID += strconv.Itoa(i + 1)
			}
			n.op.Parallelism = n.in[0].from.operator().op.Parallelism
		}
	}
}

// operator is n, or that of the side output that n stands for.
func (n *node) operator() *node {
	if n.tag != "" {
		return n.in[0].from
	}
	return n
}

// Plan is the job as text for people, or every mistake in it.
func (j *Job) Plan() (string, error) {
	p, err := j.Program()
	if err != nil {
		return "", err
	}
	plan, err := graph.Compile(p.Job)
	if err != nil {
		return "", err
	}
	return plan.String(), nil
}

// unknownParams are those given that Build did not ask for.
func (j *Job) unknownParams() (errs []error) {
	for _, name := range slices.Sorted(maps.Keys(j.given)) {
		if !slices.ContainsFunc(j.params, func(p graph.Param) bool { return p.Name == name }) {
			errs = append(errs, fmt.Errorf("parameter --%s: job %q declares none of this name", name, j.name))
		}
	}
	return errs
}

// timeless finds windows that never close, since there is no watermark between them and a
// source that does not end, and windows of records without event time.
func timeless(os []graph.Operator) (errs []error) {
	endless, untimed := make([]string, len(os)), make([]string, len(os)) // where such a source is
	for i, o := range os {
		if o.Source && !o.Bounded && !o.Watermarks {
			endless[i] = o.At
		}
		if o.Source && o.Untimed {
			untimed[i] = o.At
		}
		for _, e := range o.In {
			endless[i], untimed[i] = cmp.Or(endless[i], endless[e.From]), cmp.Or(untimed[i], untimed[e.From])
		}
		switch {
		case o.Verb == "window" && endless[i] != "":
			errs = append(errs, fmt.Errorf("%s: window: it never closes, since the source at %s neither ends nor has watermarks: put EventTime between them", o.At, endless[i]))
		case o.Verb == "window" && untimed[i] != "":
			errs = append(errs, fmt.Errorf("%s: window: the records of the source at %s have no event time: put EventTime between them", o.At, untimed[i]))
		}
		if o.Verb == "eventtime" {
			endless[i] = ""
		}
		if !slices.Contains(keepsTime, o.Verb) {
			untimed[i] = ""
		}
	}
	return errs
}

// keepsTime are the verbs behind which a record has the event time that it had before: others
// hand out an Out, with which user code may give it one, or give it one themselves.
var keepsTime = []string{"read", "map", "update", "filter", "try", "count", "reduce", "distinct", "top", "combine"}

// fruitless refuses a job that reads and has no result.
func fruitless(j *graph.Job) error {
	if len(j.Operators) == 0 || slices.ContainsFunc(j.Operators, func(o graph.Operator) bool { return o.Sink }) {
		return nil
	}
	return fmt.Errorf("job %q writes nothing: end a stream with Write", j.Name)
}

// check finds what only shows when all verbs have been said.
func (n *node) check() error {
	var errs []error
	for _, in := range n.in {
		if in.from == nil {
			errs = append(errs, n.wrong(errors.New(zeroStream)))
		} else if in.from.job != n.job {
			errs = append(errs, n.wrong(fmt.Errorf("the stream from %s belongs to another job", in.from.op.At)))
		}
	}
	if o := &n.op; n.virtual() && (o.Name != "" || o.Named || o.Parallelism != 0 || o.Slot != "" || o.NewChain) {
		errs = append(errs, n.wrong(errors.New("it only says where records go: name, ID, parallelism, slot and chain belong to the verb after it")))
	}
	return errors.Join(errs...)
}

// virtual verbs only say where records go.
func (n *node) virtual() bool { return n.spec.New == nil && n.spec.Err == nil }

// resolve gives the node its edges to real operators, and its factory.
func (n *node) resolve() (operator.Factory, error) {
	n.op.In = nil
	f := n.splits
	f.New = n.spec.New
	if splits := f.Splits; splits != nil {
		f.Splits = func(ctx context.Context, fs operator.FS) ([]snapshot.Item, error) {
			items, err := splits(ctx, fs)
			return items, n.wrong(err)
		}
	}
	var errs []error
	for _, in := range n.in {
		n.edges(&f, in, nil)
	}
	if n.main != nil {
		port, err := n.main()
		f.Main = port
		errs = append(errs, n.wrong(err))
	}
	for _, t := range n.spec.Sides {
		port, err := t.Port()
		if f.Sides == nil {
			f.Sides = map[string]operator.Port{}
		}
		f.Sides[t.Name()] = port
		errs = append(errs, n.wrong(err))
	}
	return f, errors.Join(errs...)
}

// wrong is err with its place; of joined errors each has it.
func (n *node) wrong(err error) error {
	if err == nil {
		return nil
	}
	if all, ok := err.(interface{ Unwrap() []error }); ok {
		var errs []error
		for _, err := range all.Unwrap() {
			errs = append(errs, n.wrong(err))
		}
		return errors.Join(errs...)
	}
	return fmt.Errorf("%s: %s: %w", n.op.At, n.op.Verb, err)
}

func (n *node) mistake(err error) { n.errs = append(n.errs, n.wrong(err)) }

// edges adds the real edges of one input: a union stands for several, a side output for its
// operator. ship is what a verb on the way asked for.
func (n *node) edges(f *operator.Factory, in input, ship *graph.Ship) {
	if ship == nil && in.ship != graph.Forward {
		ship = &in.ship
	}
	from := in.from
	switch {
	case from == nil || from.job != n.job: // check has found it
	case from.tag != "":
		n.edge(f, in, from.in[0].from, from.tag, ship)
	case from.virtual():
		for _, up := range from.in {
			up.key, up.hash, up.n = in.key, in.hash, in.n
			n.edges(f, up, ship)
		}
	default:
		n.edge(f, in, from, "", ship)
	}
}

func (n *node) edge(f *operator.Factory, in input, from *node, tag string, ship *graph.Ship) {
	e := graph.Edge{From: from.real, Tag: tag, Ship: in.ship, Input: in.n, Key: in.key}
	if ship != nil {
		e.Ship = *ship
	}
	n.op.In = append(n.op.In, e)
	var hash any
	if e.Ship == graph.Hash {
		hash = in.hash
	}
	f.Hash = append(f.Hash, hash)
}

// standFor makes n the side output t of the operator before it, which must have declared it.
func (n *node) standFor(t operator.AnyTag) {
	from := n.in[0].from
	for i, s := range from.op.Sides {
		if s.Tag != t.Name() {
			continue
		}
		if have := from.spec.Sides[i].Type(); have != t.Type() {
			n.mistake(fmt.Errorf("operator %s (%s) has side output %q of %s, not of %s", from.label(), from.op.At, s.Tag, have, t.Type()))
			return
		}
		n.tag = s.Tag
		return
	}
	n.mistake(fmt.Errorf("operator %s (%s) has no side output %q", from.label(), from.op.At, t.Name()))
}

func (n *node) label() string {
	if n.op.Name != "" {
		return strconv.Quote(n.op.Name)
	}
	if n.op.What == "" {
		return n.op.Verb
	}
	return n.op.Verb + " " + n.op.What
}
