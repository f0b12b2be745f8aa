package operator

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"blink/internal/codec"
	"blink/snapshot"
)

// span is a split: the numbers from Next to End. A batch holds two.
type span struct {
	Name      string
	Next, End int
}

func (s span) ID() string { return s.Name }

type spans []span

func (s spans) Splits(context.Context, FS) ([]span, error) { return s, nil }

type spanReader struct {
	span
	side   Tag[string]
	opened *[]string
}

func (r *spanReader) Next(_ context.Context, into *Batch[int]) error {
	for range 2 {
		if r.span.Next == r.End {
			return io.EOF
		}
		if r.side.Name() != "" {
			into.AppendTo(r.side, fmt.Sprint(r.span.Next), timeOf(int64(r.span.Next)))
		}
		*into.Slot(timeOf(int64(r.span.Next))) = r.span.Next
		r.span.Next++
	}
	return nil
}

func (r *spanReader) Position() span { return r.span }

func (r *spanReader) Close() error { *r.opened = append(*r.opened, "close "+r.Name); return nil }

func numbers(opened *[]string, s ...span) SourceOf[int] {
	return NewSource(SourceOptions{Name: "numbers"}, spans(s), func(_ context.Context, _ FS, s span) (Reader[int, span], error) {
		*opened = append(*opened, "open "+s.Name)
		return &spanReader{s, Tag[string]{}, opened}, nil
	})
}

// initial is the part with which a source starts.
func initial(t testing.TB, s interface {
	Splits(context.Context, FS) ([]snapshot.Item, error)
}) snapshot.Part {
	t.Helper()
	items, err := s.Splits(context.Background(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return snapshot.Part{Operator: "op", Items: items}
}

// read fetches n batches and delivers them; it says whether the source has ended.
func read(b *bench, n int) bool {
	b.t.Helper()
	s := b.op.(Source)
	for range n {
		s.Begin()
		if err := s.Fetch(context.Background()); err == io.EOF {
			return true
		} else {
			b.check(err)
		}
		if _, done := s.Deliver(1 << 10); !done {
			b.t.Fatal("held")
		}
	}
	return false
}

func TestSplitsAreReadInTurnAndOpenedWhenFirstRead(t *testing.T) {
	var log []string
	src := numbers(&log, span{"b", 10, 13}, span{"a", 0, 5})
	out := &kettle[int]{}
	b := newBench(t, src.Spec(), out).restore(initial(t, src))
	same(t, log)
	read(b, 1)
	same(t, log, "open a")
	if !read(b, 9) {
		t.Error("the source goes on")
	}
	same(t, out.got, 0, 1, 10, 11, 2, 3, 12, 4)
	if b.counts["read"] != 8 {
		t.Errorf("counted %v", b.counts)
	}
	same(t, out.times, 0, 1, 10, 11, 2, 3, 12, 4)
	b.check(b.op.(Closer).Close())
	same(t, log, "open a", "open b", "close b", "close a")
}

func TestAReaderIsClosedWhenItsSplitEnds(t *testing.T) {
	var log []string
	src := numbers(&log, span{"a", 0, 1}, span{"b", 10, 99})
	b := newBench(t, src.Spec(), &kettle[int]{}).restore(initial(t, src))
	read(b, 2)
	same(t, log, "open a", "close a", "open b")
	b.check(b.op.(Closer).Close())
	same(t, log, "open a", "close a", "open b", "close b")
}

// many are n splits of three records each, in two batches.
func many(log *[]string, bounded bool, n int) SourceOf[int] {
	var s []span
	for i := range n {
		s = append(s, span{fmt.Sprintf("%03d", i), 10 * i, 10*i + 3})
	}
	return NewSource(SourceOptions{Bounded: bounded}, spans(s), func(_ context.Context, _ FS, s span) (Reader[int, span], error) {
		*log = append(*log, "open "+s.Name)
		return &spanReader{s, Tag[string]{}, log}, nil
	})
}

// opened is how many readers are open at most.
func opened(log []string) (most int) {
	open := 0
	for _, l := range log {
		if strings.HasPrefix(l, "open") {
			open++
		} else {
			open--
		}
		most = max(most, open)
	}
	return most
}

func TestABoundedSourceReadsOnlySoManySplitsAtOnce(t *testing.T) {
	var log []string
	src, out := many(&log, true, 3*maxOpen), &kettle[int]{}
	b := newBench(t, src.Spec(), out).restore(initial(t, src))
	read(b, maxOpen+5) // the last five: an end, a new one, an end …
	if items := b.snapshot().Items; len(items) != 3*maxOpen-3 {
		t.Errorf("%d splits are stored when three have ended", len(items))
	}
	rest := &kettle[int]{}
	again := newBench(t, src.Spec(), rest).restore(b.snapshot())
	if !read(again, 7*maxOpen) {
		t.Error("the source goes on")
	}
	if n := len(out.got) + len(rest.got); n != 9*maxOpen {
		t.Errorf("%d records of %d", n, 9*maxOpen)
	}
	if !read(b, 7*maxOpen) || len(out.got) != 9*maxOpen {
		t.Errorf("%d records of %d without the restore", len(out.got), 9*maxOpen)
	}
	log = nil
	if read(newBench(t, src.Spec(), out).restore(initial(t, src)), 7*maxOpen); opened(log) != maxOpen {
		t.Errorf("%d readers were open at once, want %d", opened(log), maxOpen)
	}
}

// A split without an end would keep the others from being read.
func TestAnUnboundedSourceReadsAllSplitsAtOnce(t *testing.T) {
	var log []string
	src := many(&log, false, 2*maxOpen)
	read(newBench(t, src.Spec(), &kettle[int]{}).restore(initial(t, src)), 2*maxOpen)
	if opened(log) != 2*maxOpen {
		t.Errorf("%d readers were open at once, want %d", opened(log), 2*maxOpen)
	}
}

func TestReadingGoesOnBehindTheLastDeliveredBatch(t *testing.T) {
	var log []string
	src := numbers(&log, span{"a", 0, 5}, span{"b", 10, 12})
	b := newBench(t, src.Spec(), &kettle[int]{}).restore(initial(t, src))
	read(b, 3)
	b.check(b.op.(Source).Fetch(context.Background())) // fetched, not delivered
	out := &kettle[int]{}
	again := newBench(t, src.Spec(), out).restore(b.snapshot())
	read(again, 9)
	same(t, out.got, 4)
}

func TestSplitsThatHaveEndedAreNotStored(t *testing.T) {
	var log []string
	src := numbers(&log, span{"a", 0, 1}, span{"b", 10, 99})
	b := newBench(t, src.Spec(), &kettle[int]{}).restore(initial(t, src))
	read(b, 2)
	if items := b.snapshot().Items; len(items) != 1 || items[0].Name != "b" || !b.task.Splits.Ended[0] || b.task.Splits.Ended[1] {
		t.Errorf("stored %v, ended %v", items, b.task.Splits.Ended)
	}
}

func TestClocksAreStoredWithTheirSplit(t *testing.T) {
	var log []string
	src := numbers(&log, span{"a", 0, 5}, span{"b", 10, 99})
	b := newBench(t, src.Spec(), &kettle[int]{}).restore(initial(t, src))
	copy(b.task.Splits.Of("time"), []int64{7, 8})
	p := b.snapshot()
	p.Items = p.Items[1:] // the other split goes to another task
	again := newBench(t, src.Spec(), &kettle[int]{}).restore(p)
	same(t, again.task.Splits.Of("time"), 8)
	same(t, again.task.Splits.Of("other"), NoTime)
}

// markReader is a split whose batches are watermarks.
type markReader struct{ spanReader }

func (r *markReader) Next(_ context.Context, into *Batch[int]) error {
	if r.span.Next == r.End {
		return io.EOF
	}
	r.span.Next++
	into.Watermark(timeOf(int64(r.span.Next)))
	return nil
}

func marks(announced bool, s ...span) SourceOf[int] {
	var log []string
	o := SourceOptions{Name: "marks", Watermarks: announced}
	return NewSource(o, spans(s), func(_ context.Context, _ FS, s span) (Reader[int, span], error) {
		return &markReader{spanReader{span: s, opened: &log}}, nil
	})
}

func TestTheEventTimeOfASourceIsThatOfTheSplitBehindMost(t *testing.T) {
	src := marks(true, span{"a", 0, 2}, span{"b", 10, 99})
	b := newBench(t, src.Spec(), &kettle[int]{}).restore(initial(t, src))
	at := func(want int64) {
		t.Helper()
		if b.advance(NoTime); b.mark != want {
			t.Errorf("event time %d, want %d", b.mark, want)
		}
	}
	at(NoTime)
	read(b, 1)
	at(NoTime) // b has said nothing
	read(b, 1)
	at(1)
	read(b, 2)
	at(2)
	b = newBench(t, src.Spec(), &kettle[int]{}).restore(b.snapshot())
	at(2)
	read(b, 1)
	at(12) // a has ended
	if b.advance(EndTime); b.mark != EndTime {
		t.Errorf("event time %d at the end", b.mark)
	}
}

func TestAWatermarkThatWasNotAnnouncedIsRefused(t *testing.T) {
	src := marks(false, span{"a", 0, 2})
	b := newBench(t, src.Spec(), &kettle[int]{}).restore(initial(t, src))
	if err := b.op.(Source).Fetch(context.Background()); err == nil || !strings.Contains(err.Error(), "do not announce Watermarks") {
		t.Error(err)
	}
}

// burst gives a batch of two texts and three numbers.
type burst struct {
	span
	side Tag[string]
}

func (r *burst) Next(_ context.Context, into *Batch[int]) error {
	for i := range 2 {
		into.AppendTo(r.side, fmt.Sprint(i), timeOf(0))
	}
	for i := range 3 {
		into.Append(i, timeOf(0))
	}
	return nil
}

func (r *burst) Position() span { return r.span }
func (r *burst) Close() error   { return nil }

func TestDeliveryGoesOnWhereItsBoundStoppedIt(t *testing.T) {
	texts := NewTag[string]("texts")
	src := NewSource(SourceOptions{Name: "burst", Sides: []AnyTag{texts}}, spans{{"a", 0, 3}}, func(_ context.Context, _ FS, s span) (Reader[int, span], error) {
		return &burst{s, texts}, nil
	})
	out, side := &kettle[int]{}, &kettle[string]{}
	b := newBench(t, src.Spec(), out, func(b *bench) { b.sides["texts"] = side }).restore(initial(t, src))
	s := b.op.(Source)
	b.check(s.Fetch(context.Background()))
	for i, want := range []struct {
		most, n int
		done    bool
	}{{1, 1, false}, {0, 0, false}, {3, 3, false}, {5, 1, true}} {
		if n, done := s.Deliver(want.most); n != want.n || done != want.done {
			t.Errorf("call %d: %d records, done %v, want %+v", i, n, done, want)
		}
	}
	same(t, out.got, 0, 1, 2)
	same(t, side.got, "0", "1")
}

func TestDeliveryGoesOnWherePressureStoppedIt(t *testing.T) {
	var log []string
	src := numbers(&log, span{"a", 0, 3})
	out := &kettle[int]{limit: 1}
	b := newBench(t, src.Spec(), out, func(b *bench) { out.p = b.pressure }).restore(initial(t, src))
	s := b.op.(Source)
	b.check(s.Fetch(context.Background()))
	for i, want := range []bool{false, true} {
		if n, done := s.Deliver(1 << 10); n != 1 || done != want {
			t.Errorf("call %d: %d records, done %v", i, n, done)
		}
		b.pressure.Release()
	}
	same(t, out.got, 0, 1)
}

func TestAReaderFillsSideOutputsInOrder(t *testing.T) {
	var log, order []string
	side := NewTag[string]("text")
	src := NewSource(SourceOptions{Name: "numbers", Sides: []AnyTag{side}}, spans{{"a", 0, 3}}, func(_ context.Context, _ FS, s span) (Reader[int, span], error) {
		return &spanReader{s, side, &log}, nil
	})
	b := newBench(t, src.Spec(), collect[int](func(n int) { order = append(order, fmt.Sprint("main ", n)) }), func(b *bench) {
		b.sides["text"] = Collector[string](collect[string](func(s string) { order = append(order, "side "+s) }))
	}).restore(initial(t, src))
	read(b, 3)
	same(t, order, "side 0", "main 0", "side 1", "main 1", "side 2", "main 2")
}

// slotReader is one batch: slots before and behind a record of a side output.
type slotReader struct {
	spanReader
}

func (r *slotReader) Next(_ context.Context, into *Batch[int]) error {
	put := func(from, n int) {
		records, times := into.Slots(n)
		for i := range records {
			records[i], times[i] = from+i, int64(from+i)
		}
	}
	put(1, 2)
	if r.side.Name() != "" {
		into.AppendTo(r.side, "side", timeOf(3))
	}
	*into.Slot(timeOf(4)) = 4
	put(5, 2)
	return io.EOF
}

func TestSlotsKeepTheOrderOfABatch(t *testing.T) {
	side := NewTag[string]("text")
	for _, tag := range []Tag[string]{{}, side} {
		src := NewSource(SourceOptions{Name: "slots", Sides: []AnyTag{side}}, spans{{Name: "a"}}, func(_ context.Context, _ FS, s span) (Reader[int, span], error) {
			return &slotReader{spanReader{s, tag, new([]string)}}, nil
		})
		out := &kettle[int]{}
		b := newBench(t, src.Spec(), out, func(b *bench) {
			b.sides["text"] = Collector[string](collect[string](func(string) { out.got = append(out.got, 3) }))
		}).restore(initial(t, src))
		read(b, 1)
		if tag == side {
			same(t, out.got, 1, 2, 3, 4, 5, 6)
		} else {
			same(t, out.got, 1, 2, 4, 5, 6)
		}
		same(t, out.times, 1, 2, 4, 5, 6)
	}
}

// collect is a Collector that calls itself.
type collect[T any] func(T)

func (c collect[T]) Collect(in *T, _ int64) { c(*in) }

func TestFailuresOfAReaderNameOperatorAndSplit(t *testing.T) {
	for _, open := range []func() error{
		func() error { return errors.New("no such thing") },
		func() error { panic("no such thing") },
	} {
		src := NewSource(SourceOptions{Name: "bad"}, spans{{"a", 0, 3}}, func(context.Context, FS, span) (Reader[int, span], error) {
			return nil, open()
		})
		b := newBench(t, src.Spec(), &kettle[int]{}).restore(initial(t, src))
		err := b.op.(Source).Fetch(context.Background())
		if err == nil || !strings.HasPrefix(err.Error(), `operator "op" (job.go:7): `) || !strings.Contains(err.Error(), "no such thing") {
			t.Errorf("got %v", err)
		}
	}
}

func TestAPositionThatIsNotOneIsRefused(t *testing.T) {
	stored, err := codec.For[position[span]]()
	if err != nil {
		t.Fatal(err)
	}
	src := numbers(new([]string), span{Name: "a"})
	for n, want := range []string{"0 positions, want 1", "", "2 positions, want 1"} {
		data, err := stored.Append(nil, make([]position[span], n))
		if err != nil {
			t.Fatal(err)
		}
		item := snapshot.Item{Name: "a", Data: data}
		err = newBench(t, src.Spec(), &kettle[int]{}).op.(Restorer).Restore([]snapshot.Part{{Items: []snapshot.Item{item}}})
		if want != "" && (err == nil || !strings.HasSuffix(err.Error(), want)) || want == "" && err != nil {
			t.Errorf("of %d: said %v", n, err)
		}
	}
}

// A library wraps the io.EOF of a broken connection: that is a failure, not an end.
func TestOnlyABareEOFEndsASplit(t *testing.T) {
	lost := fmt.Errorf("connection lost: %w", io.EOF)
	for name, src := range map[string]SourceOf[int]{
		"open": NewSource(SourceOptions{}, spans{{"a", 0, 3}}, func(context.Context, FS, span) (Reader[int, span], error) {
			return nil, lost
		}),
		"Next": NewSource(SourceOptions{}, spans{{"a", 0, 3}}, func(_ context.Context, _ FS, s span) (Reader[int, span], error) {
			return &broken{spanReader{s, Tag[string]{}, new([]string)}, lost}, nil
		}),
	} {
		b := newBench(t, src.Spec(), &kettle[int]{}).restore(initial(t, src))
		err := b.op.(Source).Fetch(context.Background())
		if err == nil || err == io.EOF || !strings.Contains(err.Error(), "connection lost") {
			t.Errorf("%s: got %v", name, err)
		}
		if len(b.snapshot().Items) != 1 {
			t.Errorf("%s: the split has ended", name)
		}
	}
}

// broken is a split that cannot be read.
type broken struct {
	spanReader
	err error
}

func (r *broken) Next(context.Context, *Batch[int]) error { return r.err }

func TestTwoSplitsOfOneNameAreRefused(t *testing.T) {
	var log []string
	_, err := numbers(&log, span{Name: "a"}, span{Name: "a"}).Splits(context.Background(), nil)
	if err == nil || err.Error() != `two splits are called "a"` {
		t.Errorf("got %v", err)
	}
}

func TestValuesAreReadOnce(t *testing.T) {
	src := Values(make([]int, maxBatch+1)...)
	out := &kettle[int]{}
	b := newBench(t, src.Spec(), out).restore(initial(t, src))
	if !read(b, 9) || len(out.got) != maxBatch+1 || out.times[0] != NoTime {
		t.Errorf("%d records", len(out.got))
	}
}

func TestReadingAllocatesNothing(t *testing.T) {
	src := NewSource(SourceOptions{NonBlocking: true}, spans{{"a", 0, 1 << 40}}, func(_ context.Context, _ FS, s span) (Reader[int, span], error) {
		return &spanReader{s, Tag[string]{}, new([]string)}, nil
	})
	b := newBench(t, src.Spec(), &last[int]{}).restore(initial(t, src))
	s := b.op.(Source)
	batch := func() { s.Fetch(context.Background()); s.Deliver(1 << 10) }
	batch()
	if a := testing.AllocsPerRun(100, batch); a != 0 {
		t.Errorf("%v allocations a batch", a)
	}
}

// A reader that waits for what does not come may never return: its split is being read all the
// same, from when its turn comes.
func TestASplitIsReadFromWhenItsTurnComes(t *testing.T) {
	var log []string
	src := many(&log, true, maxOpen+1)
	b := newBench(t, src.Spec(), &kettle[int]{}).restore(initial(t, src))
	begin := func(wait int) {
		t.Helper()
		b.op.(Source).Begin()
		waiting := slices.DeleteFunc(slices.Clone(b.task.Splits.Waiting), func(w bool) bool { return !w })
		if len(waiting) != wait {
			t.Errorf("%d splits wait, want %d", len(waiting), wait)
		}
	}
	begin(maxOpen)
	read(b, 1)
	begin(maxOpen - 1)
	read(b, maxOpen-1)
	begin(1) // for one that ends
}
