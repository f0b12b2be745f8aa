package operator

// NewMap applies f to every record.
func NewMap[T, U any](f func(T) U) Spec {
	return Spec{New: func(out Outlets) any { return &mapOp[T, U]{f: f, next: outlet[U](out)} }}
}

type mapOp[T, U any] struct {
	place
	f    func(T) U
	next Collector[U]
	slot U
	_    pad
}

func (m *mapOp[T, U]) Input(int) any { return Collector[T](m) }

func (m *mapOp[T, U]) Collect(in *T, ts int64) {
	m.enter(ts)
	m.slot = m.f(*in)
	m.next.Collect(&m.slot, ts)
}

// NewMapInto is map without copies: f reads in and writes all of out.
func NewMapInto[T, U any](f func(in *T, out *U)) Spec {
	return Spec{New: func(out Outlets) any { return &mapIntoOp[T, U]{f: f, next: outlet[U](out)} }}
}

type mapIntoOp[T, U any] struct {
	place
	f    func(*T, *U)
	next Collector[U]
	slot U
	_    pad
}

func (m *mapIntoOp[T, U]) Input(int) any { return Collector[T](m) }

func (m *mapIntoOp[T, U]) Collect(in *T, ts int64) {
	m.enter(ts)
	m.f(in, &m.slot)
	m.next.Collect(&m.slot, ts)
}

// NewUpdate changes a copy of every record.
func NewUpdate[T any](f func(*T)) Spec {
	return Spec{New: func(out Outlets) any { return &updateOp[T]{f: f, next: outlet[T](out)} }}
}

type updateOp[T any] struct {
	place
	f    func(*T)
	next Collector[T]
	slot T
	_    pad
}

func (m *updateOp[T]) Input(int) any { return Collector[T](m) }

func (m *updateOp[T]) Collect(in *T, ts int64) {
	m.enter(ts)
	m.slot = *in
	m.f(&m.slot)
	m.next.Collect(&m.slot, ts)
}

// NewFilter lets through the records for which keep is true.
func NewFilter[T any](keep func(T) bool) Spec {
	return Spec{New: func(out Outlets) any { return &filterOp[T]{keep: keep, next: outlet[T](out)} }}
}

type filterOp[T any] struct {
	place
	keep func(T) bool
	next Collector[T]
	_    pad
}

func (m *filterOp[T]) Input(int) any { return Collector[T](m) }

func (m *filterOp[T]) Collect(in *T, ts int64) {
	m.enter(ts)
	if m.keep(*in) {
		m.next.Collect(in, ts)
	}
}

// NewFlatMap lets f emit any number of records for each one.
func NewFlatMap[T, U any](f func(T, *Out[U])) Spec {
	return Spec{New: func(out Outlets) any {
		m := &flatMapOp[T, U]{f: f}
		m.out = newOut[U](out, &m.place, nil)
		return m
	}}
}

type flatMapOp[T, U any] struct {
	place
	f   func(T, *Out[U])
	out Out[U]
	_   pad
}

func (m *flatMapOp[T, U]) Input(int) any { return Collector[T](m) }

func (m *flatMapOp[T, U]) Collect(in *T, ts int64) {
	m.enter(ts)
	m.out.ts = ts
	m.f(*in, &m.out)
}
