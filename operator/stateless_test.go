package operator

import (
	"errors"
	"strconv"
	"strings"
	"testing"
)

func TestMapsGiveOneRecordForEach(t *testing.T) {
	out := &kettle[string]{}
	b := newBench(t, NewMap(strconv.Itoa), out)
	send(b, 7, 3)
	into := newBench(t, NewMapInto(func(in *int, out *string) { *out = strconv.Itoa(*in) }), out)
	send(into, 8, 4)
	same(t, out.got, "7", "8")
	same(t, out.times, 3, 4)
}

func TestUpdateDoesNotChangeWhatASiblingSees(t *testing.T) {
	out, sibling := &kettle[int]{}, &kettle[int]{}
	b := newBench(t, NewUpdate(func(n *int) { *n++ }), out)
	both := (&port[int]{}).Tee([]any{b.op.(Node).Input(0), Collector[int](sibling)}).(Collector[int])
	n := 1
	both.Collect(&n, 0)
	same(t, out.got, 2)
	same(t, sibling.got, 1)
}

func TestFilterKeepsWhatIsWanted(t *testing.T) {
	out := &kettle[int]{}
	b := newBench(t, NewFilter(func(n int) bool { return n%2 == 0 }), out)
	for n := range 5 {
		send(b, n, 0)
	}
	same(t, out.got, 0, 2, 4)
}

func TestFlatMapEmitsAnyNumberWithAnyTime(t *testing.T) {
	out := &kettle[string]{}
	b := newBench(t, NewFlatMap(func(s string, out *Out[string]) {
		for _, w := range strings.Fields(s) {
			out.Emit(w)
		}
		out.EmitAt("end", timeOf(9))
	}), out)
	send(b, "a b", 5)
	same(t, out.got, "a", "b", "end")
	same(t, out.times, 5, 5, 9)
}

func TestTryFailsSkipsOrSendsDeadLetters(t *testing.T) {
	out := &kettle[int]{}
	fails := newBench(t, NewTry(strconv.Atoi, Fail), out)
	e := failure(t, func() { send(fails, "x", 3) })
	if e.Operator != "op" || e.At != "job.go:7" || e.Time != 3 || !errors.Is(e, strconv.ErrSyntax) {
		t.Errorf("got %+v", e)
	}
	skips := newBench(t, NewTry(strconv.Atoi, Skip), out)
	send(skips, "x", 0)
	send(skips, "1", 0)
	if same(t, out.got, 1); skips.counts["skipped"] != 1 || len(skips.reports) != 1 {
		t.Errorf("skipped %v, reports %q", skips.counts, skips.reports)
	}
	dead := &kettle[Failure[string]]{}
	letters := newBench(t, NewTry(strconv.Atoi, DeadLetter(NewTag[Failure[string]]("bad"))), out, func(b *bench) { b.sides["bad"] = Collector[Failure[string]](dead) })
	send(letters, "x", 4)
	same(t, dead.got, Failure[string]{"x", `strconv.Atoi: parsing "x": invalid syntax`})
	same(t, dead.times, 4)
}

func TestDeadLettersOfAnotherTypeAreAMistake(t *testing.T) {
	s := NewTry(strconv.Atoi, DeadLetter(NewTag[Failure[int]]("bad")))
	if s.Err == nil || !strings.Contains(s.Err.Error(), `dead letters to "bad"`) {
		t.Errorf("got %v", s.Err)
	}
}

// A panic names the operator whose code it was, not one before or after it in the chain.
func TestAPanicNamesItsOperator(t *testing.T) {
	p := &Pressure{}
	chain := func(b *bench) { b.pressure, b.task.Pressure = p, p }
	first := newBench(t, NewFlatMap(func(n int, out *Out[int]) {
		out.Emit(n)
		if n == 2 {
			var none []int
			_ = none[n]
		}
	}), newBench(t, NewMap(func(n int) int {
		if n == 1 {
			panic("one")
		}
		return n
	}), &kettle[int]{}, chain).op.(Node).Input(0), chain)
	first.op.(*flatMapOp[int, int]).pressure.operators[1].Operator = "first"
	deliver := func(n int) func() {
		return func() {
			r := &buffer[int]{records: []int{n}, times: []int64{sec(5)}}
			(&port[int]{}).Deliver(r, 0, 1, first.op.(Node).Input(0), p)
		}
	}
	if e := failure(t, deliver(1)); e.Operator != "op" || !strings.Contains(e.Error(), "panic: one (at stateless_test.go:") {
		t.Errorf("got %v", e)
	}
	e := failure(t, deliver(2))
	if want := `operator "first" (job.go:7), at event time 1970-01-01T00:00:05Z: panic: runtime error: index out of range [2] with length 0 (at stateless_test.go:`; !strings.HasPrefix(e.Error(), want) {
		t.Errorf("got %v", e)
	}
}

func TestAChainAllocatesNothing(t *testing.T) {
	end := &last[int64]{}
	p := &Pressure{}
	chain := func(b *bench) { b.pressure, b.task.Pressure = p, p }
	flat := newBench(t, NewFlatMap(func(n int64, out *Out[int64]) { out.Emit(n); out.Emit(n + 1) }), end, chain)
	update := newBench(t, NewUpdate(func(n *int64) { *n *= 2 }), flat.op.(Node).Input(0), chain)
	try := newBench(t, NewTry(func(n int64) (int64, error) { return n, nil }, Skip), update.op.(Node).Input(0), chain)
	mapped := newBench(t, NewMap(func(n int) int64 { return int64(n) }), try.op.(Node).Input(0), chain)
	head := newBench(t, NewFilter(func(n int) bool { return n > 0 }), mapped.op.(Node).Input(0), chain).op.(Node).Input(0).(Collector[int])
	n := 20
	if a := testing.AllocsPerRun(1000, func() { head.Collect(&n, 7) }); a != 0 {
		t.Errorf("%v allocations a record", a)
	}
	if end.got != 41 || end.ts != 7 {
		t.Errorf("got %v at %v", end.got, end.ts)
	}
}
