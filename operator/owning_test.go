package operator

import (
	"runtime"
	"slices"
	"strings"
	"testing"
	"unsafe"
	"weak"

	"blink/internal/codec"
)

// call is a record with strings: one to be kept, and one that is hardly ever.
type call struct{ From, Text string }

func from(c call) string { return c.From }

func byText(a, b call) int { return strings.Compare(b.Text, a.Text) }

// wordCounts is an accumulator with strings behind a map.
type wordCounts struct{ All map[string]int64 }

func (a *wordCounts) Add(c call) {
	if a.All == nil {
		a.All = map[string]int64{}
	}
	a.All[c.Text]++
}

func (a *wordCounts) Merge(o wordCounts) {
	for text, n := range o.All { // sums: any order will do
		if a.All == nil {
			a.All = map[string]int64{}
		}
		a.All[text] += n
	}
}

func (a *wordCounts) Result() (n int64) {
	for _, one := range a.All { // a sum
		n += one
	}
	return n
}

// greatest is one with a string in it.
type greatest struct{ Text string }

func (a *greatest) Add(c call)       { a.Text = max(a.Text, c.Text) }
func (a *greatest) Merge(o greatest) { a.Text = max(a.Text, o.Text) }
func (a *greatest) Result() string   { return a.Text }

// delivered hands records to an operator as those of a frame, and returns where that is.
func delivered[T any](b *bench, input int, records ...T) weak.Pointer[byte] {
	b.t.Helper()
	p := portOf[T](b.t)
	frame := p.encoded(b.t, buffer[T]{records: records, times: make([]int64, len(records))})
	b.pressure.Lent = codec.MemoryOf(frame)
	r, err := p.Decode(frame, nil)
	if err != nil || p.Deliver(r, 0, len(records), b.op.(Node).Input(input), b.pressure) != len(records) {
		b.t.Fatal(err)
	}
	b.advance(NoTime)
	return weak.Make(unsafe.SliceData(frame))
}

// passed is what a combiner makes of calls.
type passed[A any] struct{ got []partial[string, A] }

func (p *passed[A]) Collect(in *partial[string, A], _ int64) { p.got = append(p.got, *in) }

// asPartials hands an operator what a combiner makes of calls as the records of a frame.
func asPartials[A any](b *bench, s Spec, calls ...call) weak.Pointer[byte] {
	to := &passed[A]{}
	first := newBench(b.t, s.Combined.First, Collector[partial[string, A]](to))
	for _, c := range calls {
		send(first, c, 0)
	}
	first.advance(0)
	return delivered(b, 0, to.got...)
}

var (
	calls = []call{{"ann", "a"}, {"ann", "bb"}, {"bob", "a"}, {"ann", "bb"}, {"ann", "a"}}
	later = call{"eve", "other"} // of another frame: nothing is at hand then of the first
)

// keepsNoFrame hands a window over accumulators A, which emits R, records and partials in frames,
// and compares what it emits with what it does for records that own their strings.
func keepsNoFrame[A, R any](t *testing.T, name string, spec Spec) {
	t.Helper()
	want, got, merged := &kettle[R]{}, &kettle[R]{}, &kettle[R]{}
	plain, whole, rest := newBench(t, spec, want), newBench(t, spec, got), newBench(t, spec.Combined.Rest, merged)
	for _, c := range append(slices.Clone(calls), later) {
		send(plain, c, 0)
	}
	frame, sent := delivered(whole, 0, calls...), asPartials[A](rest, spec, calls...)
	delivered(whole, 0, later)
	asPartials[A](rest, spec, later)
	if runtime.GC(); frame.Value() != nil || sent.Value() != nil {
		t.Errorf("%s: in use still is the frame of records: %v, of partials: %v", name, frame.Value() != nil, sent.Value() != nil)
	}
	for _, b := range []*bench{plain, whole, rest} {
		b.advance(EndTime)
	}
	same(t, got.got, want.got...)
	same(t, merged.got, want.got...)
}

// The records of a batch that came from another process have their strings in its frame.
func TestAccumulatorsDoNotKeepTheFrameOfTheirRecords(t *testing.T) {
	text := func(c call) string { return c.Text }
	longer := func(a, b call) call {
		if len(b.Text) > len(a.Text) {
			return b
		}
		return a
	}
	for _, o := range []WindowOptions{tumbling(10), sliding(10, 5), sessions(10)} {
		is := o.Window.String()
		keepsNoFrame[some[call], call](t, is+" max by", NewWindowMaxBy(from, text, o))
		keepsNoFrame[some[call], call](t, is+" reduce", NewWindowReduce(from, longer, o))
		keepsNoFrame[bag[call, string], call](t, is+" all max by", NewWindowAllMaxBy(from, text, o))
		keepsNoFrame[ranked[call], call](t, is+" top", NewWindowTop(from, 2, byText, o))
		keepsNoFrame[some[wordCounts], Pane[string, int64]](t, is+" a map", NewWindowAggregate(from, &wordCounts{}, o))
		keepsNoFrame[some[greatest], Pane[string, string]](t, is+" a string", NewWindowAggregate(from, &greatest{}, o))

		pairs := &kettle[string]{}
		join := newBench(t, NewWindowJoin(from, from, func(l, r *call) string { return l.Text + r.Text }, o.Window), pairs)
		left, right := delivered(join, 0, calls[:3]...), delivered(join, 1, calls[1:3]...)
		delivered(join, 0, later)
		delivered(join, 1, later)
		if runtime.GC(); left.Value() != nil || right.Value() != nil {
			t.Errorf("%s join: in use still is the frame of the left side: %v, of the right: %v", is, left.Value() != nil, right.Value() != nil)
		}
		join.advance(EndTime)
		if got := pairs.got[:4]; !slices.Equal(got, []string{"abb", "bbbb", "aa", "otherother"}) {
			t.Errorf("%s join: got %v", is, got)
		}
	}
}

// The key of a record that comes behind the first of its windows is noted beside its slice.
func TestARecordThatMissesAWindowDoesNotKeepItsFrame(t *testing.T) {
	b := newBench(t, NewWindowCount(from, sliding(10, 5)), &last[Pane[string, int64]]{})
	delivered(b, 0, later)
	b.advance(sec(5) - 1)
	frame := delivered(b, 0, call{"ann", "a"})
	delivered(b, 0, later)
	if runtime.GC(); frame.Value() != nil || b.counts["missed windows"] == 0 {
		t.Errorf("it is in use still, or nothing was missed: %v", b.counts)
	}
	runtime.KeepAlive(b)
}

func TestStringsOfRecordsThatOwnThemAreNotCopied(t *testing.T) {
	out := &last[call]{}
	b := newBench(t, NewWindowMaxBy(from, func(c call) string { return c.Text }, tumbling(10)), out)
	c := call{"ann", strings.Clone("a text")}
	send(b, c, 0)
	b.advance(EndTime)
	if out.n != 1 || unsafe.StringData(out.got.Text) != unsafe.StringData(c.Text) {
		t.Error("it is another string")
	}
}

// A record that does not become the greatest is not copied, though all memory is lent.
func TestWhatIsNotKeptCostsNoAllocation(t *testing.T) {
	count := NewWindowCount(from, tumbling(10))
	most := NewWindowMaxBy(from, func(c call) string { return c.Text }, tumbling(10))
	for name, b := range map[string]*bench{
		"count":  newBench(t, count, &last[Pane[string, int64]]{}),
		"max by": newBench(t, most, &last[call]{}),
	} {
		b.pressure.Lent = codec.Anywhere()
		send(b, call{"ann", "z"}, 0)
		in, c := b.op.(Node).Input(0).(Collector[call]), call{"ann", "a"}
		if n := testing.AllocsPerRun(100, func() { in.Collect(&c, 0) }); n != 0 {
			t.Errorf("%s: %v allocations a record", name, n)
		}
	}
}

func TestACombinerHoldsNothingOfABatchThatIsGone(t *testing.T) {
	b := newBench(t, NewWindowMaxBy(from, func(c call) string { return c.Text }, tumbling(10)).Combined.First, Collector[partial[string, some[call]]](nobody[partial[string, some[call]]]{}))
	m := b.op.(*combining[string, some[call]])
	for _, m.single = range []bool{false, true} {
		frame := delivered(b, 0, calls...)
		if runtime.GC(); frame.Value() != nil {
			t.Errorf("one by one: %v: the frame is in use still", m.single)
		}
	}
	runtime.KeepAlive(b)
}
