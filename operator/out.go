package operator

import (
	"fmt"
	"reflect"
	"time"
)

// Out takes what user code emits. Emit copies the record into a slot that the operator
// owns: no allocation. An Out is valid during the call that it was given to.
type Out[U any] struct {
	next  Collector[U]
	slot  U
	ts    int64
	place *place
	sides []namedSide
}

type namedSide struct {
	tag string
	out any // *sideOut[V]
}

// sideOut is the sending end of a side output.
type sideOut[V any] struct {
	next Collector[V]
	slot V
}

func newOut[U any](out Outlets, pl *place, tags []AnyTag) Out[U] {
	o := Out[U]{next: outlet[U](out), place: pl}
	for _, t := range tags {
		o.sides = append(o.sides, namedSide{t.Name(), t.open(out)})
	}
	return o
}

// Emit sends u on with the timestamp of the record or timer being processed.
func (o *Out[U]) Emit(u U) {
	o.slot = u
	o.next.Collect(&o.slot, o.ts)
	o.place.enter(o.ts)
}

// EmitAt sends u on with a timestamp of its own; the zero time means none.
func (o *Out[U]) EmitAt(u U, at time.Time) {
	ts, err := stampOf(at)
	if err != nil {
		o.place.fail(o.ts, err)
	}
	o.slot = u
	o.next.Collect(&o.slot, ts)
	o.place.enter(o.ts)
}

// EmitTo sends v to a side output, which the operator must have declared: a processor does
// so by a field that holds the tag.
func (o *Out[U]) EmitTo[V any](t Tag[V], v V) {
	s := sideOf[V](o.sides, t.name)
	if s == nil {
		o.place.fail(o.ts, fmt.Errorf("no side output %q of %s is declared: keep the tag in a field of the processor", t.name, t.Type()))
	}
	s.slot = v
	s.next.Collect(&s.slot, o.ts)
	o.place.enter(o.ts)
}

func sideOf[V any](sides []namedSide, tag string) *sideOut[V] {
	for i := range sides {
		if sides[i].tag == tag {
			s, _ := sides[i].out.(*sideOut[V])
			return s
		}
	}
	return nil
}

// Tag names a side output of records of type T.
type Tag[T any] struct{ name string }

// NewTag makes the tag with this name. Names are unique among the outputs of an operator.
func NewTag[T any](name string) Tag[T] { return Tag[T]{name} }

// Name of the side output.
func (t Tag[T]) Name() string { return t.name }

// Type of its records.
func (t Tag[T]) Type() reflect.Type { return reflect.TypeFor[T]() }

// Port of its records.
func (t Tag[T]) Port() (Port, error) { return PortOf[T]() }

func (t Tag[T]) open(out Outlets) any {
	return &sideOut[T]{next: out.Side(t.name).(Collector[T])}
}

// AnyTag is a Tag of any type.
type AnyTag interface {
	Name() string
	Type() reflect.Type
	Port() (Port, error)
	open(out Outlets) any
	batch(out Outlets) sideBatch
}

func (t Tag[T]) batch(out Outlets) sideBatch {
	to, _ := out.Side(t.name).(Collector[T]) // nil where a batch has no task
	return &sideRecords[T]{tag: t.name, next: nextOf(to)}
}
