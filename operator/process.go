package operator

import (
	"context"

	"blink/state"
)

// Processor is a pointer type *S with this method. S holds configuration, and state in
// fields: see package state. It may also have
//
//	OnTimer(c *Ctx[K], t *state.Timer, out *Out[R]) error   // a timer has fired; compare t with &p.field
//	Open(ctx context.Context) error                         // before the first record; may block, touches no state
//	Close() error                                           // always last
//
// A task works on its own shallow copy of the prototype.
type Processor[S, K, T, R any] interface {
	*S
	Process(c *Ctx[K], in T, out *Out[R]) error
}

// CoProcessor has a method for each of two inputs, which share state; the rest is as in
// Processor.
type CoProcessor[S, K, L, R, O any] interface {
	*S
	ProcessLeft(c *Ctx[K], in L, out *Out[O]) error
	ProcessRight(c *Ctx[K], in R, out *Out[O]) error
}

// The optional methods of a processor.
type (
	timerHandler[K, R any] interface {
		OnTimer(c *Ctx[K], t *state.Timer, out *Out[R]) error
	}
	processOpener interface {
		Open(ctx context.Context) error
	}
	processCloser interface{ Close() error }
)

// NewProcess runs a processor with keyed state and timers.
func NewProcess[K comparable, T, S, R any, P Processor[S, K, T, R]](key func(T) K, prototype P) Spec {
	return newProcessing(prototype, func(sum func(K) uint64) (any, *processing[K, R]) {
		self := P(new(S))
		*self = *prototype
		m := &processing[K, R]{}
		m.inputs[0] = Collector[T](newProcessInput(m, key, sum, self.Process))
		return self, m
	})
}

// NewCoProcess runs a co-processor: input 0 is the left side, input 1 the right.
func NewCoProcess[K comparable, L, R, S, O any, P CoProcessor[S, K, L, R, O]](left func(L) K, right func(R) K, prototype P) Spec {
	return newProcessing(prototype, func(sum func(K) uint64) (any, *processing[K, O]) {
		self := P(new(S))
		*self = *prototype
		m := &processing[K, O]{}
		m.inputs[0] = Collector[L](newProcessInput(m, left, sum, self.ProcessLeft))
		m.inputs[1] = Collector[R](newProcessInput(m, right, sum, self.ProcessRight))
		return self, m
	})
}
