package operator

// NewMap applies f to every record.
func NewMap[T, U any](f func(T) U) Spec {
	return Spec{New: func(out Outlets) any {
		return &mapOp[T, U]{f: f, next: nextOf(outlet[U](out)), slots: newSlots[U]()}
	}}
}

type mapOp[T, U any] struct {
	place
	f     func(T) U
	next  next[U]
	slots []U
	_     pad
}

func (m *mapOp[T, U]) Input(int) any { return Collector[T](m) }

// Lends is Lender.
func (m *mapOp[T, U]) Lends() Lending { return Lends }

func (m *mapOp[T, U]) Collect(in *T, ts int64) {
	m.enter(ts)
	m.slots[0] = m.f(*in)
	m.next.Collect(&m.slots[0], ts)
}

// CollectBatch is BatchCollector.
func (m *mapOp[T, U]) CollectBatch(in []T, times []int64) {
	for len(in) > 0 {
		out := m.slots[:min(len(m.slots), len(in))]
		for i := range out {
			m.enter(times[i])
			out[i] = m.f(in[i])
		}
		m.next.collect(out, times[:len(out)])
		in, times = in[len(out):], times[len(out):]
	}
}

// NewMapInto is map without copies: f reads in and writes all of out.
func NewMapInto[T, U any](f func(in *T, out *U)) Spec {
	return Spec{New: func(out Outlets) any {
		return &mapIntoOp[T, U]{f: f, next: nextOf(outlet[U](out)), slots: newSlots[U]()}
	}}
}

type mapIntoOp[T, U any] struct {
	place
	f     func(*T, *U)
	next  next[U]
	slots []U
	_     pad
}

func (m *mapIntoOp[T, U]) Input(int) any { return Collector[T](m) }

// Lends is Lender.
func (m *mapIntoOp[T, U]) Lends() Lending { return Lends }

func (m *mapIntoOp[T, U]) Collect(in *T, ts int64) {
	m.enter(ts)
	m.f(in, &m.slots[0])
	m.next.Collect(&m.slots[0], ts)
}

// CollectBatch is BatchCollector.
func (m *mapIntoOp[T, U]) CollectBatch(in []T, times []int64) {
	for len(in) > 0 {
		out := m.slots[:min(len(m.slots), len(in))]
		for i := range out {
			m.enter(times[i])
			m.f(&in[i], &out[i])
		}
		m.next.collect(out, times[:len(out)])
		in, times = in[len(out):], times[len(out):]
	}
}

// NewUpdate changes every record: itself where nobody else looks at it, else a copy.
func NewUpdate[T any](f func(*T)) Spec {
	return Spec{New: func(out Outlets) any { return &updateOp[T]{f: f, next: nextOf(outlet[T](out))} }}
}

type updateOp[T any] struct {
	place
	f     func(*T)
	next  next[T]
	slot  T
	owned bool // the records handed in may be changed
	_     pad
}

func (m *updateOp[T]) Input(int) any { return Collector[T](m) }

// Lends is Lender.
func (m *updateOp[T]) Lends() Lending { return Lends }

// InPlace is InPlacer.
func (m *updateOp[T]) InPlace() { m.owned = true }

func (m *updateOp[T]) Collect(in *T, ts int64) {
	m.enter(ts)
	if !m.owned {
		m.slot = *in
		in = &m.slot
	}
	m.f(in)
	m.next.Collect(in, ts)
}

// CollectBatch is BatchCollector.
func (m *updateOp[T]) CollectBatch(in []T, times []int64) {
	if !m.owned {
		for i := range in {
			m.Collect(&in[i], times[i])
		}
		return
	}
	for i := range in {
		m.enter(times[i])
		m.f(&in[i])
	}
	m.next.collect(in, times)
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

// Lends is Lender.
func (m *filterOp[T]) Lends() Lending { return Passes }

// CollectBatch is BatchCollector.
func (m *filterOp[T]) CollectBatch(in []T, times []int64) {
	for i := range in {
		m.enter(times[i])
		if m.keep(in[i]) {
			m.next.Collect(&in[i], times[i])
		}
	}
}

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

// Lends is Lender.
func (m *flatMapOp[T, U]) Lends() Lending { return Lends }

func (m *flatMapOp[T, U]) Collect(in *T, ts int64) {
	m.enter(ts)
	m.out.ts = ts
	m.f(*in, &m.out)
}
