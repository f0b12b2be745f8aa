package files

import (
	"context"
	"time"

	"blink/operator"
)

// Lines reads the files that match a pattern line by line; it is Glob(pattern).Lines().
func Lines(pattern string) operator.SourceOf[Line] { return Glob(pattern).Lines() }

// Rows reads the CSV files that match a pattern; it is Glob(pattern).Rows(columns...).
func Rows(pattern string, columns ...string) operator.SourceOf[Row] {
	return Glob(pattern).Rows(columns...)
}

// Lines is a bounded source of all lines of the input: one split for each file, LF or CRLF,
// with or without an end of the last line. A line longer than 1 MiB is Cut.
func (in Input) Lines() operator.SourceOf[Line] {
	find := func(ctx context.Context, fsys operator.FS) ([]Split, error) { return in.splits(ctx, fsys) }
	return newSource(in, "lines", find, func(_ *Split, l Line, into *operator.Batch[Line]) {
		into.Append(l, time.Time{})
	})
}

// Rows is a bounded source of the rows of CSV files, each with a header line of its own;
// empty lines are passed over. A file that lacks one of the columns, or has it twice, stops the
// job before it runs.
func (in Input) Rows(columns ...string) operator.SourceOf[Row] {
	find := func(ctx context.Context, fsys operator.FS) ([]Split, error) {
		return in.rowSplits(ctx, fsys, columns)
	}
	return newSource(in, "rows", find, func(s *Split, l Line, into *operator.Batch[Row]) {
		if l.Text != "" {
			into.Append(s.row(l), time.Time{})
		}
	})
}

func newSource[T any](in Input, what string, find enumerator, put func(*Split, Line, *operator.Batch[T])) operator.SourceOf[T] {
	o := operator.SourceOptions{Name: what + " of " + in.pattern, Bounded: true, Untimed: true}
	return operator.NewSource(o, find, func(_ context.Context, fsys operator.FS, s Split) (operator.Reader[T, Split], error) {
		l, err := in.openLines(fsys, s)
		if err != nil {
			return nil, err
		}
		return &reader[T]{l, put}, nil
	})
}

type enumerator func(context.Context, operator.FS) ([]Split, error)

// Splits is operator.Enumerator.
func (e enumerator) Splits(ctx context.Context, fsys operator.FS) ([]Split, error) {
	return e(ctx, fsys)
}

// reader is operator.Reader.
type reader[T any] struct {
	lines *lines
	put   func(*Split, Line, *operator.Batch[T])
}

// Next fills the batch, so a position lies between two lines.
func (r *reader[T]) Next(ctx context.Context, into *operator.Batch[T]) error {
	for !into.Full() {
		line, err := r.lines.next()
		if err != nil {
			return err
		}
		r.put(&r.lines.at, line, into)
	}
	return ctx.Err()
}

// Position is behind the last line read.
func (r *reader[T]) Position() Split { return r.lines.at }

// Close gives the file back.
func (r *reader[T]) Close() error { return r.lines.close() }
