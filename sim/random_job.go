package sim

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"blink"
	"blink/connector/files"
)

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
		EventTime(func(f fact) time.Time { return f.At }, blink.BoundedOutOfOrder(j.bound).Idle(j.sources[source].idle))
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
	rankRow  struct{ Split, Key, Rank, ID, Value int64 }
)

// lane is a key whose records come from one split.
type lane struct{ Split, Key int64 }

func laneOf(f fact) lane { return lane{f.ID / idsPerSplit, f.Key} }

// markOf is what records are ranked by: many have the same.
func markOf(f fact) int64 { return f.Value % 10 }

func highest(a, b int64) int { return cmp.Compare(b, a) }

// alike leaves the order of records to how they come.
func alike(a, b int64) int { return 0 }

// rankRowOf leaves out who it is that has a rank.
func rankRowOf(rank int, f fact) rankRow {
	return rankRow{laneOf(f).Split, f.Key, int64(rank), 0, 0}
}

func wholeRankRowOf(rank int, f fact) rankRow {
	return rankRow{laneOf(f).Split, f.Key, int64(rank), f.ID, f.Value}
}

// ranking is how the facts of a source are ranked, and the row of one that has a rank: which
// records come first is known only if their order is.
func (s randomSource) ranking() (compare func(a, b int64) int, row func(rank int, f fact) rankRow) {
	if s.ordered() {
		return highest, wholeRankRowOf
	}
	return alike, rankRowOf
}

func (j *randomJob) branch(streams []blink.Stream[fact], i int, b randomBranch) {
	s := streams[b.source]
	compare, row := j.sources[b.source].ranking()
	out := files.CSV(fmt.Sprintf("out/%d.csv", i))
	id := fmt.Sprint(strings.ReplaceAll(b.kind, " ", "-"), i)
	switch b.kind {
	case "records":
		s.Map(func(f fact) factRow { return factRow{f.ID, f.Key, f.Value} }).Parallelism(b.parallelism).Write(out).ID("out-" + id)
	case "union":
		s.Union(streams[b.other]).Map(func(f fact) factRow { return factRow{f.ID, f.Key, f.Value} }).Write(out).ID("out-" + id)
	case "count":
		s.KeyBy(keyOf).Count().ID(id).Parallelism(b.parallelism).
			Map(func(kv blink.KV[int64, int64]) countRow { return countRow{kv.Key, kv.Value} }).Write(out).ID("out-" + id)
	case "distinct":
		s.KeyBy(laneOf).Distinct().ID(id).Parallelism(b.parallelism).
			Map(func(f fact) rankRow { return row(1, f) }).Write(out).ID("out-" + id)
	case "top":
		s.KeyBy(laneOf).Top(ranks, markOf, compare, row).ID(id).Parallelism(b.parallelism).Write(out).ID("out-" + id)
	case "tumbling":
		b.windows(s, blink.Tumbling(window)).Aggregate(&tally{}).ID(id).Parallelism(b.parallelism).
			Map(rowOfPane).Write(out).ID("out-" + id)
	case "sliding":
		b.windows(s, blink.Sliding(window, slide)).Aggregate(&tally{}).ID(id).Parallelism(b.parallelism).
			Map(rowOfPane).Write(out).ID("out-" + id)
	case "session":
		b.windows(s, blink.Session(gap)).Aggregate(&tally{}).ID(id).Parallelism(b.parallelism).
			Map(rowOfPane).Write(out).ID("out-" + id)
	case "timers":
		s.KeyBy(keyOf).Process(&lastWords{}).ID(id).Parallelism(b.parallelism).Write(out).ID("out-" + id)
	case "states":
		s.KeyBy(keyOf).Process(&everyState{}).ID(id).Parallelism(b.parallelism).Write(out).ID("out-" + id)
	case "window join":
		s.KeyBy(keyOf).LeftJoin(streams[b.other].KeyBy(keyOf)).Window(blink.Sliding(window, slide)).Apply(pairOf).ID(id).Parallelism(b.parallelism).
			Write(out).ID("out-" + id)
	case "join":
		s.KeyBy(keyOf).Connect(streams[b.other].KeyBy(keyOf)).Process(&pairUp{}).ID(id).Parallelism(b.parallelism).Write(out).ID("out-" + id)
	}
}

func (b randomBranch) windows(s blink.Stream[fact], w blink.Window) blink.Windowed[int64, fact] {
	windows := s.KeyBy(keyOf).Window(w)
	if b.apart {
		return windows.AllowedLateness(time.Second) // nothing is late
	}
	return windows
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

// pairOf is a pair of facts, the right of which may be missing.
func pairOf(l, r *fact) pairRow {
	if r == nil {
		return pairRow{l.ID, -1}
	}
	return pairRow{l.ID, r.ID}
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
		r := &factReader{part: p, facts: j.facts(seed, source, p.Split)}
		if s.silent(p.Split) {
			r.pause, r.pauses = func() { j.control.Sleep(2 * s.idle) }, pausesOfSilence
		}
		return r, nil
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
	part   part
	facts  []fact
	pause  func() // of a silent split
	pauses int    // before it ends
}

// pausesOfSilence of a silent split: its task is there for some checkpoints and failures.
const pausesOfSilence = 20

func (r *factReader) Next(_ context.Context, into *blink.Records[fact]) error {
	if r.part.Next < r.pauses {
		r.pause()
		r.part.Next++
		return nil
	}
	if r.part.Next >= len(r.facts) {
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
