package blinktest

import (
	"context"
	"io"
	"time"

	"blink"
	"blink/sim"
)

// Script is a bounded source that does one thing after the other. The zero value is empty;
// methods add to its end and return it. It is one split: one task reads it, at whatever
// parallelism. It is used by one test at a time.
type Script[T any] struct {
	steps   []step[T]
	control *sim.Control
	done    map[int]bool // waits and crashes that are over in this run
}

// step is one of the kinds below.
type step[T any] struct {
	kind    stepKind
	at      time.Duration // of records and watermark; how long to wait
	records []T
	crash   crash
}

type stepKind uint8

const (
	emit stepKind = iota
	watermark
	wait
	checkpoint
	fail
)

type crash struct {
	operator string
	subtask  int
}

func (s *Script[T]) add(st step[T]) *Script[T] { s.steps = append(s.steps, st); return s }

// At emits records whose timestamp is at after the Unix epoch.
func (s *Script[T]) At(at time.Duration, records ...T) *Script[T] {
	return s.add(step[T]{kind: emit, at: at, records: records})
}

// Watermark promises that no record at or before at follows: timers up to it fire, windows
// that end by then close. Without it event time stands still until the script ends. The script
// goes on when a checkpoint is complete that has it, so it has come everywhere: a record that
// breaks the promise is late in every run.
func (s *Script[T]) Watermark(at time.Duration) *Script[T] {
	return s.add(step[T]{kind: watermark, at: at}).Checkpoint()
}

// Wait lets d of processing time pass.
func (s *Script[T]) Wait(d time.Duration) *Script[T] { return s.add(step[T]{kind: wait, at: d}) }

// Checkpoint waits until a checkpoint is complete that has everything before.
func (s *Script[T]) Checkpoint() *Script[T] { return s.add(step[T]{kind: checkpoint}) }

// Crash kills the TaskExecutor that runs this task of an operator, once, when everything
// before has been read: what it had not stored is gone, and another one takes its place.
func (s *Script[T]) Crash(operator string, subtask int) *Script[T] {
	return s.add(step[T]{kind: fail, crash: crash{operator, subtask}})
}

const scriptName = "blinktest.Script"

// Source of the script, for one Read of the job.
func (s *Script[T]) Source() blink.Source[T] {
	o := blink.SourceOptions{Name: scriptName, Bounded: true, Watermarks: true}
	return blink.NewSource(o, oneSplit{}, func(_ context.Context, _ blink.FS, p position) (blink.Reader[T, position], error) {
		return &reader[T]{s, p}, nil
	})
}

func (s *Script[T]) join(r *run) { r.scripts = append(r.scripts, s) }

func (s *Script[T]) begin(c sim.Control) { s.control, s.done = &c, map[int]bool{} }

func (s *Script[T]) crashes() (all []crash) {
	for _, st := range s.steps {
		if st.kind == fail {
			all = append(all, st.crash)
		}
	}
	return all
}

// shortest is the shortest Wait, 0 if there is none.
func (s *Script[T]) shortest() (d time.Duration) {
	for _, st := range s.steps {
		if st.kind == wait {
			d = min(d, st.at)
		}
	}
	return d
}

// span is about how long the script takes, beside its records.
func (s *Script[T]) span() (d time.Duration) {
	for _, st := range s.steps {
		switch st.kind {
		case wait:
			d += st.at
		case checkpoint, fail:
			d += 10 * time.Second
		}
	}
	return d
}

// position is the split of a script: the next step, and the next record of it.
type position struct{ Step, Record int }

// ID implements blink.Split.
func (position) ID() string { return "script" }

type oneSplit struct{}

func (oneSplit) Splits(context.Context, blink.FS) ([]position, error) {
	return make([]position, 1), nil
}

type reader[T any] struct {
	script *Script[T]
	position
}

// Next does the steps up to the first that needs everything before it delivered.
func (r *reader[T]) Next(ctx context.Context, into *blink.Records[T]) error {
	for ; r.Step < len(r.script.steps); r.Step, r.Record = r.Step+1, 0 {
		switch st := &r.script.steps[r.Step]; {
		case st.kind == emit:
			for ; r.Record < len(st.records); r.Record++ {
				if into.Full() {
					return nil
				}
				into.Append(st.records[r.Record], instant(st.at))
			}
		case st.kind == watermark:
			into.Watermark(instant(st.at))
			r.Step++
			return nil
		case into.Len() > 0:
			return nil
		case !r.script.done[r.Step]:
			r.script.done[r.Step] = st.kind == fail // who dies of it does not come back here
			if err := r.script.act(ctx, st); err != nil {
				return err
			}
			r.script.done[r.Step] = true
		}
	}
	return io.EOF
}

func instant(at time.Duration) time.Time { return time.Unix(0, int64(at)).UTC() }

// tick is how long a script waits before it looks again.
const tick = 20 * time.Millisecond

// act does a step that takes time.
func (s *Script[T]) act(ctx context.Context, st *step[T]) error {
	over := func() bool { return true }
	switch st.kind {
	case wait:
		end := s.control.Now() + st.at
		over = func() bool { return s.control.Now() >= end }
	case checkpoint:
		seen := s.control.Triggered()
		over = func() bool { return s.control.Completed() > seen }
	case fail:
		s.control.Crash(st.crash.operator, st.crash.subtask)
	}
	for {
		s.control.Sleep(tick)
		if err := ctx.Err(); err != nil {
			return err
		}
		if over() {
			return nil
		}
	}
}

// Position implements blink.Reader.
func (r *reader[T]) Position() position { return r.position }

// Close implements blink.Reader.
func (r *reader[T]) Close() error { return nil }
