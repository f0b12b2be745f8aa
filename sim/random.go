package sim

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"blink"
	"blink/connector/files"
	"blink/graph"
	"blink/operator"
	"blink/sim/world"
)

// A random workload is a job drawn from the seed, over records drawn from the seed, whose
// outputs a plain loop computes beside it (see randomExpect).

// fact is the record of random workloads.
type fact struct {
	ID, Key, Value int64
	At             time.Time
}

// randomJob is what is drawn: sources, what becomes of their records, and the branches.
type randomJob struct {
	sources     []randomSource
	branches    []randomBranch
	parallelism int
	broken      bool // its sources cannot be enumerated
	groups      int  // max parallelism
	bound       time.Duration
}

type randomSource struct {
	splits   int
	records  int // of each split
	keys     int
	nonBlock bool
	verbs    []string
}

type randomBranch struct {
	kind        string
	source      int
	other       int // second source of a join
	parallelism int
}

var randomVerbs = []string{"filter", "map", "flatmap", "rebalance", "update", "try"}

var randomKinds = []string{"records", "count", "tumbling", "sliding", "timers", "states", "join", "union"}

const (
	randomSpan = 2 * time.Minute // of event time
	window     = 10 * time.Second
	slide      = 4 * time.Second
)

func drawJob(seed uint64) *randomJob {
	c := world.NewRand(seed).Split("workload")
	j := &randomJob{broken: c.P(0.02), parallelism: 1 + c.N(4), groups: []int{8, 16, 128}[c.N(3)], bound: c.Between(0, 30*time.Second)}
	for range 1 + c.N(2) {
		s := randomSource{splits: 1 + c.N(4), records: c.N(61), keys: 1 + c.N(12), nonBlock: c.P(0.5)}
		for range c.N(4) {
			s.verbs = append(s.verbs, randomVerbs[c.N(len(randomVerbs))])
		}
		j.sources = append(j.sources, s)
	}
	for range 1 + c.N(3) {
		j.branches = append(j.branches, randomBranch{
			kind:        randomKinds[c.N(len(randomKinds))],
			source:      c.N(len(j.sources)),
			other:       c.N(len(j.sources)),
			parallelism: c.N(4),
		})
	}
	return j
}

// rescale changes the parallelism of everything.
func (j *randomJob) rescale() {
	j.parallelism = 1 + (j.parallelism+1)%4
	for i := range j.branches {
		j.branches[i].parallelism = (j.branches[i].parallelism + 2) % 4
	}
}

// facts are the records of one split: in order of ID, out of order in time by at most the
// bound.
func (j *randomJob) facts(seed uint64, source, split int) []fact {
	s := j.sources[source]
	c := world.NewRand(seed).Split(fmt.Sprint("facts", source, ".", split))
	out := make([]fact, s.records)
	for i := range out {
		at := time.Duration(int64(randomSpan) / int64(max(1, s.records)) * int64(i))
		at -= c.Between(0, j.bound)
		out[i] = fact{
			ID: int64(source*1_000_000 + split*10_000 + i), Key: int64(c.N(s.keys)),
			Value: int64(c.N(100)), At: time.Unix(1_000_000, 0).UTC().Add(at),
		}
	}
	return out
}

// program is the drawn job on the public API.
func (j *randomJob) program(seed uint64) blink.Program {
	return blink.Define("random", func(job *blink.Job) {
		job.MaxParallelism(j.groups)
		streams := make([]blink.Stream[fact], len(j.sources))
		for i := range j.sources {
			streams[i] = j.read(job, seed, i)
		}
		for i, b := range j.branches {
			j.branch(streams, i, b)
		}
	})
}

func (j *randomJob) read(job *blink.Job, seed uint64, source int) blink.Stream[fact] {
	s := job.Read(j.source(seed, source)).ID(fmt.Sprint("facts", source)).
		EventTime(func(f fact) time.Time { return f.At }, blink.BoundedOutOfOrder(j.bound))
	for _, v := range j.sources[source].verbs {
		switch v {
		case "filter":
			s = s.Filter(keepFact)
		case "map":
			s = s.Map(addOne)
		case "flatmap":
			s = s.FlatMap(func(f fact, out *blink.Out[fact]) { echoFact(f, out.Emit) })
		case "rebalance":
			s = s.Rebalance()
		case "update":
			s = s.Update(func(f *fact) { *f = addOne(*f) })
		case "try":
			s = s.Try(oddFails, blink.Skip)
		}
	}
	return s
}

func keepFact(f fact) bool { return f.Value%3 != 0 }

func addOne(f fact) fact { f.Value++; return f }

func echoFact(f fact, emit func(fact)) {
	for range f.Value % 3 {
		emit(f)
		f.Value++
	}
}

func oddFails(f fact) (fact, error) {
	if f.Value%7 == 0 {
		return f, fmt.Errorf("value %d", f.Value)
	}
	return f, nil
}

func keyOf(f fact) int64 { return f.Key }

// Rows of the outputs.
type (
	factRow  struct{ ID, Key, Value int64 }
	countRow struct{ Key, N int64 }
	paneRow  struct{ Key, Start, N, Sum int64 }
	sumRow   struct{ Key, N, Sum int64 }
	pairRow  struct{ Left, Right int64 }
)

func (j *randomJob) branch(streams []blink.Stream[fact], i int, b randomBranch) {
	s := streams[b.source]
	out := files.CSV(fmt.Sprintf("out/%d.csv", i))
	id := fmt.Sprint(b.kind, i)
	switch b.kind {
	case "records":
		s.Map(func(f fact) factRow { return factRow{f.ID, f.Key, f.Value} }).Parallelism(b.parallelism).Write(out).ID("out-" + id)
	case "union":
		s.Union(streams[b.other]).Map(func(f fact) factRow { return factRow{f.ID, f.Key, f.Value} }).Write(out).ID("out-" + id)
	case "count":
		s.KeyBy(keyOf).Count().ID(id).Parallelism(b.parallelism).
			Map(func(kv blink.KV[int64, int64]) countRow { return countRow{kv.Key, kv.Value} }).Write(out).ID("out-" + id)
	case "tumbling":
		s.KeyBy(keyOf).Window(blink.Tumbling(window)).Aggregate(&tally{}).ID(id).Parallelism(b.parallelism).
			Map(rowOfPane).Write(out).ID("out-" + id)
	case "sliding":
		s.KeyBy(keyOf).Window(blink.Sliding(window, slide)).Aggregate(&tally{}).ID(id).Parallelism(b.parallelism).
			Map(rowOfPane).Write(out).ID("out-" + id)
	case "timers":
		s.KeyBy(keyOf).Process(&lastWords{}).ID(id).Parallelism(b.parallelism).Write(out).ID("out-" + id)
	case "states":
		s.KeyBy(keyOf).Process(&everyState{}).ID(id).Parallelism(b.parallelism).Write(out).ID("out-" + id)
	case "join":
		s.KeyBy(keyOf).Connect(streams[b.other].KeyBy(keyOf)).Process(&pairUp{}).ID(id).Parallelism(b.parallelism).Write(out).ID("out-" + id)
	}
}

// tally is a mergeable aggregate.
type tally struct{ N, Sum int64 }

func (t *tally) Add(f fact)    { t.N++; t.Sum += f.Value }
func (t *tally) Merge(o tally) { t.N += o.N; t.Sum += o.Sum }
func (t *tally) Result() tally { return *t }

func rowOfPane(p blink.Pane[int64, tally]) paneRow {
	return paneRow{p.Key, p.Start.Unix(), p.Value.N, p.Value.Sum}
}

// lastWords sums each key's records of a span of event time, told by a timer at its end. It
// fails when a timer comes early or twice.
type lastWords struct {
	spans blink.Map[int64, tally]
	due   blink.Timer
}

func (p *lastWords) Process(c *blink.Ctx[int64], f fact, out *blink.Out[sumRow]) error {
	span := f.At.UnixNano() / int64(window)
	t, _ := p.spans.Get(span)
	t.Add(f)
	p.spans.Set(span, t)
	if at, ok := p.due.Pending(); !ok || endOf(span).Before(at) {
		p.due.Set(endOf(span))
	}
	return nil
}

func endOf(span int64) time.Time { return time.Unix(0, (span+1)*int64(window)-1).UTC() }

func (p *lastWords) OnTimer(c *blink.Ctx[int64], t *blink.Timer, out *blink.Out[sumRow]) error {
	if c.Watermark().Before(c.Time()) {
		return fmt.Errorf("invariant: timer of %v fired at watermark %v", c.Time(), c.Watermark())
	}
	fired, next := int64(-1), int64(-1)
	for span, sum := range p.spans.All() {
		if endOf(span).Equal(c.Time()) {
			out.Emit(sumRow{c.Key(), sum.N, sum.Sum})
			fired = span
		} else if next < 0 || span < next {
			next = span
		}
	}
	if fired < 0 {
		return fmt.Errorf("invariant: timer of %v fired twice or without reason", c.Time())
	}
	p.spans.Delete(fired)
	if next >= 0 {
		p.due.Set(endOf(next))
	}
	return nil
}

// everyState keeps the same numbers in a value, a list and a map, and fails when they part.
type everyState struct {
	sum  blink.Value[tally]
	all  blink.List[int64]
	byID blink.Map[int64, int64]
	end  blink.Timer
}

func (p *everyState) Process(c *blink.Ctx[int64], f fact, out *blink.Out[sumRow]) error {
	p.sum.Ref().Add(f)
	p.all.Append(f.Value)
	n, _ := p.byID.Get(f.ID)
	p.byID.Set(f.ID, n+f.Value)
	p.end.Set(time.Unix(2_000_000, 0))
	return nil
}

func (p *everyState) OnTimer(c *blink.Ctx[int64], t *blink.Timer, out *blink.Out[sumRow]) error {
	var list, mapped int64
	for v := range p.all.All() {
		list += v
	}
	for _, v := range p.byID.All() {
		mapped += v
	}
	s := p.sum.Get()
	if list != s.Sum || mapped != s.Sum || int64(p.all.Len()) != s.N {
		return fmt.Errorf("invariant: key %d: value %d, list %d, map %d", c.Key(), s.Sum, list, mapped)
	}
	out.Emit(sumRow{c.Key(), s.N, s.Sum})
	return nil
}

// pairUp joins every left record with every right one of its key.
type pairUp struct {
	left, right blink.List[int64]
}

func (p *pairUp) ProcessLeft(c *blink.Ctx[int64], f fact, out *blink.Out[pairRow]) error {
	p.left.Append(f.ID)
	for r := range p.right.All() {
		out.Emit(pairRow{f.ID, r})
	}
	return nil
}

func (p *pairUp) ProcessRight(c *blink.Ctx[int64], f fact, out *blink.Out[pairRow]) error {
	p.right.Append(f.ID)
	for l := range p.left.All() {
		out.Emit(pairRow{l, f.ID})
	}
	return nil
}

// part is a split of the source of facts.
type part struct{ Source, Split, Next int }

func (p part) ID() string { return fmt.Sprintf("%d.%d", p.Source, p.Split) }

// source reads the facts of one source of the job.
func (j *randomJob) source(seed uint64, source int) blink.Source[fact] {
	s := j.sources[source]
	o := blink.SourceOptions{Name: "facts", Bounded: true, NonBlocking: s.nonBlock}
	return blink.NewSource(o, factParts{source, s.splits, j.broken}, func(_ context.Context, _ blink.FS, p part) (blink.Reader[fact, part], error) {
		return &factReader{part: p, facts: j.facts(seed, source, p.Split)}, nil
	})
}

type factParts struct {
	source, splits int
	broken         bool
}

var errNoInput = errors.New("there is no input")

func (f factParts) Splits(context.Context, blink.FS) ([]part, error) {
	if f.broken {
		return nil, errNoInput
	}
	var ps []part
	for i := range f.splits {
		ps = append(ps, part{Source: f.source, Split: i})
	}
	return ps, nil
}

// factsPerBatch keeps batches small, so that much can happen between two of them.
const factsPerBatch = 3

type factReader struct {
	part  part
	facts []fact
}

func (r *factReader) Next(_ context.Context, into *blink.Records[fact]) error {
	if r.part.Next == len(r.facts) {
		return io.EOF
	}
	for n := 0; n < factsPerBatch && r.part.Next < len(r.facts); n++ {
		into.Append(r.facts[r.part.Next], time.Time{})
		r.part.Next++
	}
	return nil
}

func (r *factReader) Position() part { return r.part }
func (r *factReader) Close() error   { return nil }

// expect is the plain loop: the lines, sorted, that each branch must have written.
func (j *randomJob) expect(seed uint64) [][]string {
	streams := make([][]fact, len(j.sources))
	for i, s := range j.sources {
		for split := range s.splits {
			streams[i] = append(streams[i], j.facts(seed, i, split)...)
		}
		for _, v := range s.verbs {
			streams[i] = applyVerb(v, streams[i])
		}
	}
	var all [][]string
	for _, b := range j.branches {
		lines := expectBranch(b, streams)
		slices.Sort(lines)
		all = append(all, lines)
	}
	return all
}

func applyVerb(verb string, in []fact) []fact {
	var out []fact
	for _, f := range in {
		switch verb {
		case "filter":
			if keepFact(f) {
				out = append(out, f)
			}
		case "map", "update":
			out = append(out, addOne(f))
		case "flatmap":
			echoFact(f, func(f fact) { out = append(out, f) })
		case "try":
			if g, err := oddFails(f); err == nil {
				out = append(out, g)
			}
		default:
			out = append(out, f)
		}
	}
	return out
}

func expectBranch(b randomBranch, streams [][]fact) (lines []string) {
	in := streams[b.source]
	line := func(vs ...int64) {
		lines = append(lines, strings.Trim(strings.ReplaceAll(fmt.Sprint(vs), " ", ","), "[]"))
	}
	perKey := map[int64]tally{}
	panes := map[[2]int64]tally{}
	pane := func(f fact, start int64) {
		t := panes[[2]int64{f.Key, start}]
		t.Add(f)
		panes[[2]int64{f.Key, start}] = t
	}
	switch b.kind {
	case "records":
		for _, f := range in {
			line(f.ID, f.Key, f.Value)
		}
	case "union":
		for _, f := range slices.Concat(in, streams[b.other]) {
			line(f.ID, f.Key, f.Value)
		}
	case "join":
		for _, l := range in {
			for _, r := range streams[b.other] {
				if l.Key == r.Key {
					line(l.ID, r.ID)
				}
			}
		}
	}
	for _, f := range in {
		t := perKey[f.Key]
		t.Add(f)
		perKey[f.Key] = t
		at, w := f.At.UnixNano(), int64(window)
		switch b.kind {
		case "count":
			line(f.Key, t.N)
		case "tumbling", "timers":
			pane(f, at/w*w)
		case "sliding":
			for start := at / int64(slide) * int64(slide); start > at-w; start -= int64(slide) {
				pane(f, start)
			}
		}
	}
	// Any order will do: the lines are sorted.
	for k, t := range panes {
		if b.kind == "timers" {
			line(k[0], t.N, t.Sum)
		} else {
			line(k[0], k[1]/int64(time.Second), t.N, t.Sum)
		}
	}
	if b.kind == "states" {
		// Any order will do: the lines are sorted.
		for k, t := range perKey {
			line(k, t.N, t.Sum)
		}
	}
	return lines
}

// Random is the random workload of a seed.
func Random(seed uint64) Workload { return drawJob(seed).workload(seed) }

func (j *randomJob) workload(seed uint64) Workload {
	build := j.program(seed)
	w := Workload{Name: "random", Fails: j.broken, Rescale: j.rescale, Program: func() (*operator.Program, error) {
		job := blink.NewJob(build.Name, nil).Parallelism(j.parallelism)
		build.Build(job)
		return job.Program()
	}}
	for _, s := range j.sources {
		w.Records += s.splits * s.records
	}
	w.Check = func(all map[string]string) error {
		for i, want := range j.expect(seed) {
			name := fmt.Sprintf("out/%d.csv", i)
			text, ok := all[name]
			if !ok {
				return fmt.Errorf("%s was not written", name)
			}
			_, rows, _ := strings.Cut(text, "\n")
			got := strings.Split(strings.TrimSuffix(rows, "\n"), "\n")
			if rows == "" {
				got = nil
			}
			slices.Sort(got)
			if d := differ(got, want); d != "" {
				return fmt.Errorf("%s (%s): %s", name, j.branches[i].kind, d)
			}
		}
		return nil
	}
	return w
}

// differ tells how two sorted lists differ, "" if they do not.
func differ(got, want []string) string {
	for i := 0; i < max(len(got), len(want)); i++ {
		switch {
		case i == len(got) || i < len(want) && want[i] < got[i]:
			return fmt.Sprintf("%d rows, want %d: %q is missing", len(got), len(want), want[i])
		case i == len(want) || got[i] < want[i]:
			return fmt.Sprintf("%d rows, want %d: %q is too many", len(got), len(want), got[i])
		}
	}
	return ""
}

// slotsOf is the number of slots that a job needs.
func slotsOf(p *operator.Program) (int, error) {
	plan, err := graph.Compile(p.Job)
	if err != nil {
		return 0, err
	}
	return plan.Slots(), nil
}
