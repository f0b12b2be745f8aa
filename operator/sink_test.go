package operator

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"
)

// vault is a sink of numbers that remembers what is visible. A writer has room for two.
type vault struct {
	info      WriterInfo
	buffer    []int
	flushed   []int
	visible   map[string][]int
	final     uint64
	failing   error
	lastTimes []time.Time
}

type chest struct {
	Name    string
	Numbers []int
}

func (v *vault) sink() SinkOf[int] {
	return NewSink("vault", func(_ context.Context, info WriterInfo) (Writer[int, chest], error) {
		v.info = info
		return &vaultWriter{v}, v.failing
	}, v)
}

type vaultWriter struct{ *vault }

func (v *vaultWriter) Write(n *int, at time.Time) error {
	if len(v.buffer) == 2 {
		return ErrFull
	}
	v.buffer, v.lastTimes = append(v.buffer, *n), append(v.lastTimes, at)
	return nil
}

func (v *vaultWriter) Flush(context.Context) error {
	v.flushed, v.buffer = append(v.flushed, v.buffer...), nil
	return v.failing
}

func (v *vaultWriter) Prepare(ctx context.Context, checkpoint uint64) ([]chest, error) {
	v.Flush(ctx)
	c := chest{fmt.Sprint("chest ", checkpoint), v.flushed}
	v.flushed = nil
	return []chest{c}, v.failing
}

func (v *vaultWriter) Close() error { return nil }

func (v *vault) Commit(_ context.Context, _ WriterInfo, _ uint64, cs []chest) error {
	if v.failing != nil {
		return v.failing
	}
	for _, c := range cs {
		v.visible[c.Name] = c.Numbers
	}
	return nil
}

func (v *vault) Finalize(_ context.Context, _ WriterInfo, checkpoint uint64) error {
	v.final = checkpoint
	return nil
}

func newVault(t *testing.T, v *vault, o ...func(*bench)) *bench {
	if v.visible == nil {
		v.visible = map[string][]int{}
	}
	return newBench(t, v.sink().Spec(), nil, o...)
}

var background = context.Background()

func TestASinkKeepsWhatTheWriterHasNoRoomFor(t *testing.T) {
	v := &vault{}
	b := newVault(t, v).start()
	s := b.op.(SinkOperator)
	for n := range 7 {
		send(b, n, int64(n))
	}
	rounds := 0
	for ; s.Full(); rounds++ {
		if !b.pressure.Held() {
			t.Fatal("full and no pressure")
		}
		b.check(s.Flush(background))
		s.Offer()
	}
	if b.pressure.Held() || rounds != 3 {
		t.Errorf("held %v after %d rounds", b.pressure.Held(), rounds)
	}
	same(t, append(v.flushed, v.buffer...), 0, 1, 2, 3, 4, 5, 6)
	if b.advance(0); b.counts["written"] != 7 {
		t.Errorf("counted %v", b.counts)
	}
	if at := v.lastTimes[6]; !at.Equal(time.Unix(0, 6)) {
		t.Errorf("the last record is of %v", at)
	}
}

func TestOutputIsVisibleWhenItsCheckpointIsComplete(t *testing.T) {
	v := &vault{}
	b := newVault(t, v).start()
	s := b.op.(SinkOperator)
	for id := range uint64(3) {
		send(b, int(id), 0)
		b.check(s.Prepare(background, id+1))
	}
	if len(v.visible) != 0 {
		t.Errorf("visible before a checkpoint is complete: %v", v.visible)
	}
	b.check(s.Commit(background, 2)) // 1 was never complete: its output goes with 2
	same(t, []any{v.visible}, any(map[string][]int{"chest 1": {0}, "chest 2": {1}}))
	if items := b.snapshot().Items; len(items) != 1 {
		t.Errorf("%d transactions stored, want the one of checkpoint 3", len(items))
	}
	b.check(s.Finalize(background, 3))
	if v.final != 3 {
		t.Errorf("finalized %d", v.final)
	}
}

func TestWhatTheRestoredCheckpointHoldsIsCommittedAtTheStart(t *testing.T) {
	v := &vault{}
	b := newVault(t, v, func(b *bench) { b.task.Subtask = 1 }).start()
	s := b.op.(SinkOperator)
	send(b, 5, 0)
	b.check(s.Prepare(background, 1)) // aborted
	send(b, 6, 0)
	b.check(s.Prepare(background, 2))
	part := b.snapshot()
	names := map[string]bool{}
	for _, item := range part.Items {
		names[item.Name] = true
	}
	other := newVault(t, &vault{}).start()
	b.check(other.op.(SinkOperator).Prepare(background, 2))
	for _, item := range other.snapshot().Items {
		if names[item.Name] {
			t.Errorf("two tasks have a transaction %s", item.Name)
		}
	}
	again := newVault(t, v, func(b *bench) { b.task.Restored, b.task.Attempt = 2, Attempt{1, 2} }).restore(part).start()
	same(t, []any{v.visible}, any(map[string][]int{"chest 1": {5}, "chest 2": {6}}))
	if v.info.Restored != 2 || !v.info.Resumed || v.info.Attempt != (Attempt{1, 2}) || v.info.Type != reflect.TypeFor[int]() {
		t.Errorf("the writer was told %+v", v.info)
	}
	if items := again.snapshot().Items; len(items) != 0 {
		t.Errorf("%d transactions are left", len(items))
	}
}

func TestASinkKnowsWhetherItIsNewInTheJob(t *testing.T) {
	v := &vault{}
	part := newVault(t, v).start().snapshot() // nothing was prepared
	newVault(t, v, func(b *bench) { b.task.Restored = 2 }).start()
	if v.info.Resumed {
		t.Error("the checkpoint has nothing of it, and it is taken for an old one")
	}
	newVault(t, v, func(b *bench) { b.task.Restored = 2 }).restore(part).start()
	if !v.info.Resumed {
		t.Error("the checkpoint has it, and it is taken for a new one")
	}
}

func TestAFailedCommitIsRepeatedWhole(t *testing.T) {
	v := &vault{}
	b := newVault(t, v).start()
	s := b.op.(SinkOperator)
	send(b, 5, 0)
	b.check(s.Prepare(background, 1))
	v.failing = errors.New("disk is gone")
	err := s.Commit(background, 1)
	if err == nil || err.Error() != `operator "op" (job.go:7): commit checkpoint 1: disk is gone` {
		t.Errorf("got %v", err)
	}
	v.failing = nil
	b.check(s.Commit(background, 1))
	same(t, v.visible["chest 1"], 5)
}

func TestAWriterThatCannotOpenNamesTheOperator(t *testing.T) {
	b := newVault(t, &vault{failing: errors.New("out: permission denied")})
	err := b.op.(Starter).Start(background)
	if err == nil || !strings.Contains(err.Error(), `operator "op" (job.go:7): out: permission denied`) {
		t.Errorf("got %v", err)
	}
	b.check(b.op.(Closer).Close())
}

// texts is an AnySink that keeps what it was given as text.
type texts struct {
	got   []string
	types []reflect.Type
}

func (x *texts) Write(rec any, _ time.Time) error {
	x.got = append(x.got, fmt.Sprint(reflect.ValueOf(rec).Elem()))
	return nil
}
func (x *texts) Flush(context.Context) error                             { return nil }
func (x *texts) Prepare(context.Context, uint64) ([]int, error)          { return nil, nil }
func (x *texts) Close() error                                            { return nil }
func (x *texts) Commit(context.Context, WriterInfo, uint64, []int) error { return nil }

func TestAnAnySinkTakesRecordsOfAnyTypeAndKnowsIt(t *testing.T) {
	x := &texts{}
	sink := NewAnySink("texts", func(_ context.Context, info WriterInfo) (AnyWriter[int], error) {
		x.types = append(x.types, info.Type)
		return x, nil
	}, x)
	send(newBench(t, AnySinkSpec[int](sink), nil).start(), 1, 0)
	send(newBench(t, AnySinkSpec[trade](sink), nil).start(), trade{Symbol: "A"}, 0)
	same(t, x.got, "1", "{A 0 []}")
	same(t, x.types, reflect.TypeFor[int](), reflect.TypeFor[trade]())
}

func TestWritingAllocatesNothing(t *testing.T) {
	sink := NewAnySink("nothing", func(context.Context, WriterInfo) (AnyWriter[int], error) { return nothing{}, nil }, &texts{})
	b := newBench(t, AnySinkSpec[trade](sink), nil).start()
	in, rec := b.op.(Node).Input(0).(Collector[trade]), trade{Symbol: "A"}
	if a := testing.AllocsPerRun(100, func() { in.Collect(&rec, 5) }); a != 0 {
		t.Errorf("%v allocations a record", a)
	}
}

type nothing struct{ texts }

func (nothing) Write(any, time.Time) error                     { return nil }
func (nothing) Flush(context.Context) error                    { return nil }
func (nothing) Prepare(context.Context, uint64) ([]int, error) { return nil, nil }
func (nothing) Close() error                                   { return nil }

// tiny has no room for any record.
type tiny struct{ *vaultWriter }

func (tiny) Write(*int, time.Time) error { return ErrFull }

func TestAWriterThatHasNoRoomBehindAFlushFailsTheJob(t *testing.T) {
	v := &vault{}
	sink := NewSink("tiny", func(context.Context, WriterInfo) (Writer[int, chest], error) { return tiny{&vaultWriter{v}}, nil }, v)
	b := newBench(t, sink.Spec(), nil).start()
	s := b.op.(SinkOperator)
	send(b, 1, 1)
	b.check(s.Flush(background))
	defer func() {
		if err, _ := recover().(error); !IsPermanent(err) || !strings.Contains(err.Error(), "no room for the record") {
			t.Errorf("it fails with %v", err)
		}
	}()
	s.Offer()
	t.Error("it is offered again")
}
