package operator

import (
	"context"
	"io"
	"time"
)

// Values is a bounded source of what is given, without timestamps: for small tables, and
// for tests.
func Values[T any](vs ...T) SourceOf[T] {
	o := SourceOptions{Name: "values", Bounded: true, NonBlocking: true, Untimed: true}
	return NewSource(o, oneSplit{}, func(_ context.Context, _ FS, s valuesSplit) (Reader[T, valuesSplit], error) {
		return &valuesReader[T]{vs, s.Next}, nil
	})
}

// valuesSplit is the values from number Next on.
type valuesSplit struct{ Next int }

func (valuesSplit) ID() string { return "values" }

type oneSplit struct{}

func (oneSplit) Splits(context.Context, FS) ([]valuesSplit, error) {
	return make([]valuesSplit, 1), nil
}

type valuesReader[T any] struct {
	values []T
	next   int
}

func (r *valuesReader[T]) Next(_ context.Context, into *Batch[T]) error {
	for ; r.next < len(r.values); r.next++ {
		if into.Full() {
			return nil
		}
		into.Append(r.values[r.next], time.Time{})
	}
	return io.EOF
}

func (r *valuesReader[T]) Position() valuesSplit { return valuesSplit{r.next} }

func (r *valuesReader[T]) Close() error { return nil }
