package files

import (
	"context"
	"fmt"
	"reflect"
	"time"

	"blink/operator"
)

// CSV writes records as lines of CSV under a header line, exactly once. The columns are
// the fields of the record:
//
//	type row struct {
//		Day   time.Time `csv:"day"`           // RFC 3339, in UTC; without a tag the field's name
//		Most  *int64    `csv:"most"`          // empty when nil
//		Best  int64     `csv:"best,omitzero"` // empty when zero
//		In    pair      `csv:"in"`            // a struct: in.Left, in.Right
//		Inner chan int  `csv:"-"`             // left out
//	}
//
// A name such as "out/x.csv" is for bounded jobs: the file appears, complete, when the job
// has finished, and has its header line also without rows. A name that ends with a slash,
// "out/", is a folder: with each checkpoint the parts that it completes appear there, a
// CSV file each. They may be read, and must stay until the job has ended: a restart looks
// for those of its checkpoint. A job that writes records of a type that is no row is refused,
// field by field, before it runs, and so is one with two sinks of one name. What is already
// there and not this job's is refused, never overwritten.
func CSV(name string) operator.AnySink {
	c := committer{newTarget(name), func(t reflect.Type) ([]byte, error) {
		columns, err := columnsOf(t)
		if err != nil {
			return nil, err
		}
		return columns.header(), nil
	}}
	return operator.NewAnySink("CSV "+name, func(_ context.Context, info operator.WriterInfo) (operator.AnyWriter[Written], error) {
		columns, err := columnsOf(info.Type)
		if err != nil {
			return nil, fmt.Errorf("write %s: %w", c.target, err)
		}
		w, err := c.open(info)
		if err != nil {
			return nil, err
		}
		return &records{w, columns}, nil
	}, c).Check(func(t reflect.Type) error {
		_, err := columnsOf(t)
		return err
	}).Target(c.target.checked())
}

// Table is CSV of rows whose cells stand in the order of the columns.
func Table(name string, columns ...string) operator.SinkOf[[]string] {
	c := committer{newTarget(name), func(reflect.Type) ([]byte, error) { return appendLine(nil, columns), nil }}
	return operator.NewSink("CSV "+name, func(_ context.Context, info operator.WriterInfo) (operator.Writer[[]string, Written], error) {
		w, err := c.open(info)
		if err != nil {
			return nil, err
		}
		return &table{w, len(columns)}, nil
	}, c).Target(c.target.checked())
}

// committer is operator.Committer and Finalizer.
type committer struct {
	target target
	header func(reflect.Type) ([]byte, error)
}

func (c committer) stage(info operator.WriterInfo) (*stage, error) {
	header, err := c.header(info.Type)
	if err != nil {
		return nil, fmt.Errorf("write %s: %w", c.target, err)
	}
	return &stage{
		fs: info.FS, target: c.target, header: header,
		task: info.Subtask, parallelism: info.Parallelism, attempt: info.Attempt, restored: info.Restored, resumed: info.Resumed,
	}, nil
}

func (c committer) open(info operator.WriterInfo) (writer, error) {
	s, err := c.stage(info)
	if err != nil {
		return writer{}, err
	}
	return writer{stage: s}, s.begin()
}

// Commit makes parts visible.
func (c committer) Commit(_ context.Context, info operator.WriterInfo, _ uint64, parts []Written) error {
	s, err := c.stage(info)
	if err != nil {
		return err
	}
	return s.commit(parts)
}

// Finalize joins the parts of a single file.
func (c committer) Finalize(_ context.Context, info operator.WriterInfo, _ uint64) error {
	s, err := c.stage(info)
	if err != nil {
		return err
	}
	return s.finalize()
}

// writer buffers lines in front of a stage.
type writer struct {
	stage  *stage
	buffer []byte
}

// bufferBytes in a writer are full.
const bufferBytes = 256 << 10

// Flush writes the buffer.
func (w *writer) Flush(context.Context) error {
	err := w.stage.write(w.buffer)
	w.buffer = w.buffer[:0]
	return err
}

// Prepare makes all that was written a part.
func (w *writer) Prepare(ctx context.Context, checkpoint uint64) ([]Written, error) {
	if err := w.Flush(ctx); err != nil {
		return nil, err
	}
	p, ok, err := w.stage.prepare(checkpoint)
	if err != nil || !ok {
		return nil, err
	}
	return []Written{p}, nil
}

// Close gives the open file back; what was not prepared is lost, as it must be.
func (w *writer) Close() error { return w.stage.close() }

// records writes structs.
type records struct {
	writer
	columns *columns
}

// Write appends the line of the *T in rec.
func (w *records) Write(rec any, _ time.Time) (err error) {
	if len(w.buffer) >= bufferBytes {
		return operator.ErrFull
	}
	w.buffer, err = w.columns.append(w.buffer, rec)
	return err
}

// table writes slices of cells.
type table struct {
	writer
	width int
}

// Write appends the line of the cells.
func (w *table) Write(cells *[]string, _ time.Time) error {
	if len(w.buffer) >= bufferBytes {
		return operator.ErrFull
	}
	if len(*cells) != w.width {
		return fmt.Errorf("a row of %d cells in a table of %d columns", len(*cells), w.width)
	}
	w.buffer = appendLine(w.buffer, *cells)
	return nil
}
