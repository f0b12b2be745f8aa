package blinktest

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"blink"
	"blink/internal/codec"
	"blink/internal/invariant"
	"blink/sim"
)

// Sink collects, exactly once, what a job writes. The zero value is ready. It is used by one
// test at a time, for one Write of the job.
type Sink[T any] struct {
	control   *sim.Control
	committed map[string]bool // transactions
	records   []T
	want      []line // what the calm run has written, sorted; nil before
	kept      []T
}

// Records are what the calm run has written, in any order.
func (s *Sink[T]) Records() []T { return slices.Clone(s.kept) }

const sinkName = "blinktest.Sink"

// To is the sink, for one Write of the job. T must be storable, as a state must.
func (s *Sink[T]) To() blink.Sink[T] {
	return blink.NewSink(sinkName, func(_ context.Context, info blink.WriterInfo) (blink.Writer[T, transaction[T]], error) {
		return &writer[T]{info: info}, nil
	}, committer[T]{s})
}

func (s *Sink[T]) join(r *run) { r.sinks = append(r.sinks, s) }

func (s *Sink[T]) begin(c sim.Control) {
	s.control, s.committed, s.records = &c, map[string]bool{}, nil
}

// keep makes the output of the run that has ended the one that others are compared with.
func (s *Sink[T]) keep() { s.kept, s.want = s.records, s.lines() }

// line is a record that was written.
type line struct {
	stored string // equal for equal records
	text   string // for people
}

func (s *Sink[T]) lines() []line {
	c, err := codec.For[T]()
	lines := make([]line, len(s.records))
	for i := range s.records {
		var stored []byte
		if err == nil {
			stored, err = c.Append(nil, s.records[i:i+1])
		}
		lines[i] = line{string(stored), show(reflect.ValueOf(s.records[i]))}
	}
	invariant.Check(err == nil, "records that were stored cannot be: %v", err)
	slices.SortFunc(lines, func(a, b line) int { return strings.Compare(a.stored, b.stored) })
	return lines
}

// show is %+v that follows the pointers of a struct.
func show(v reflect.Value) string {
	switch {
	case v.Kind() == reflect.Pointer && !v.IsNil():
		return "&" + show(v.Elem())
	case v.Kind() == reflect.Struct && !v.Type().Implements(reflect.TypeFor[fmt.Stringer]()):
		fields := make([]string, v.NumField())
		for i := range fields {
			fields[i] = v.Type().Field(i).Name + ":" + show(v.Field(i))
		}
		return "{" + strings.Join(fields, " ") + "}"
	default:
		return fmt.Sprintf("%+v", v)
	}
}

// shown bounds how many records an error lists.
const shown = 5

// compare says how the output differs from that of the calm run.
func (s *Sink[T]) compare() error {
	if s.want == nil {
		return nil
	}
	missing, extra := differ(s.want, s.lines()), differ(s.lines(), s.want)
	if len(missing)+len(extra) == 0 {
		return nil
	}
	return fmt.Errorf("the output differs from that without faults: %d records are missing%s, %d are too many%s",
		len(missing), list(missing), len(extra), list(extra))
}

func list(lines []line) string {
	if len(lines) == 0 {
		return ""
	}
	var texts []string
	for _, l := range lines[:min(len(lines), shown)] {
		texts = append(texts, l.text)
	}
	return " (" + strings.Join(texts, ", ") + ")"
}

// differ lists what a has and b has not, both sorted, each as often as it is too much.
func differ(a, b []line) (more []line) {
	for _, x := range a {
		for len(b) > 0 && b[0].stored < x.stored {
			b = b[1:]
		}
		if len(b) > 0 && b[0].stored == x.stored {
			b = b[1:]
			continue
		}
		more = append(more, x)
	}
	return more
}

// transaction is what one task has written for one checkpoint.
type transaction[T any] struct {
	ID      string
	Records []T
}

// writer is blink.Writer.
type writer[T any] struct {
	info    blink.WriterInfo
	records []T
}

// maxRecords fill a writer's buffer.
const maxRecords = 1 << 20

func (w *writer[T]) Write(rec *T, _ time.Time) error {
	w.records = append(w.records, *rec)
	if len(w.records) > maxRecords {
		return fmt.Errorf("more than %d records between two checkpoints: make the test smaller", maxRecords)
	}
	return nil
}

func (w *writer[T]) Flush(context.Context) error { return nil }

func (w *writer[T]) Prepare(_ context.Context, checkpoint uint64) ([]transaction[T], error) {
	if len(w.records) == 0 {
		return nil, nil
	}
	t := transaction[T]{fmt.Sprintf("%s/%d@%v-%d", w.info.Operator, w.info.Subtask, w.info.Attempt, checkpoint), w.records}
	w.records = nil
	return []transaction[T]{t}, nil
}

func (w *writer[T]) Close() error { return nil }

// committer is blink.Committer: the place where the output is, outside of all processes.
type committer[T any] struct{ s *Sink[T] }

func (c committer[T]) Commit(_ context.Context, _ blink.WriterInfo, _ uint64, prepared []transaction[T]) error {
	return c.s.control.Call("sink.commit", func() error {
		for _, t := range prepared {
			if !c.s.committed[t.ID] {
				c.s.committed[t.ID] = true
				c.s.records = append(c.s.records, t.Records...)
			}
		}
		return nil
	})
}
