package operator

import (
	"reflect"

	"blink/graph"
	"blink/internal/hash"
)

// Spec is an operator as a verb describes it, before there is a task.
type Spec struct {
	New   func(out Outlets) any // Factory.New
	State []graph.State         // declared states, in the order of declaration
	Sides []AnyTag              // declared side outputs
	// Target is what a sink writes to: see SinkOf.Target.
	Target graph.Target
	// Combined, unless it is nil, does the same in two steps.
	Combined *Combining
	// Err has every mistake in types and arguments, joined, but a bad key, which KeyBy
	// reports. With either New must not be called.
	Err error
}

// TypeName is T as people read it.
func TypeName[T any]() string { return reflect.TypeFor[T]().String() }

// outlet is the collector behind an operator's main output.
func outlet[U any](out Outlets) Collector[U] { return out.Main().(Collector[U]) }

// pad keeps the hot fields of operators of different tasks on different cache lines.
type pad [128]byte

// HashOf is the hash of an edge that is shipped by key, for Factory.Hash: a func(*T) uint64.
// It refuses types that cannot be keys.
func HashOf[K comparable, T any](key func(T) K) (any, error) {
	sum, err := hash.Of[K]()
	if err != nil {
		return nil, err
	}
	return func(in *T) uint64 { return sum(key(*in)) }, nil
}
