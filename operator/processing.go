package operator

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"

	"blink/graph"
	"blink/internal/codec"
	"blink/internal/hash"
	"blink/snapshot"
	"blink/state"
)

// processing runs one task's copy of a processor. Records come by an input each; timers
// fire in Advance and Wake, one at a time, as long as pressure allows.
type processing[K comparable, R any] struct {
	place
	inputs [2]any // Collector of each side
	self   any    // the processor, *S
	store  *state.Store[K]
	deep   bool // see state.Store.Deep
	states []snapshot.StateSchema

	onTimer timerHandler[K, R] // nil: timers pass in silence
	ctx     Ctx[K]
	out     Out[R]
	asked   int64 // the earliest pending call of Wake
	_       pad
}

// processInput is one input of a processor. It embeds nothing: the methods would be compiled
// for each type of its records.
type processInput[K comparable, T, R any] struct {
	of      *processing[K, R]
	key     func(T) K
	hash    func(K) uint64
	process func(*Ctx[K], T, *Out[R]) error
	records *codec.Codec[T] // nil: they are no records of frames, or have no strings
	own     T               // the record at hand, with copies of its strings
}

func newProcessInput[K comparable, T, R any](of *processing[K, R], key func(T) K, sum func(K) uint64, process func(*Ctx[K], T, *Out[R]) error) *processInput[K, T, R] {
	m := &processInput[K, T, R]{of: of, key: key, hash: sum, process: process}
	if c, err := codec.For[T](); err == nil && c.Shares() {
		m.records = c
	}
	return m
}

// newProcessing is the Spec of a processor. build makes a task's copy and its inputs.
func newProcessing[K comparable, R any](prototype any, build func(sum func(K) uint64) (self any, m *processing[K, R])) Spec {
	var s Spec
	var errs [4]error
	s.Sides, errs[0] = tagsOf(prototype)
	s.State, errs[1] = statesOf[K](prototype)
	errs[2] = timerMethod[K, R](prototype)
	errs[3] = lifeMethods(prototype)
	if s.Err = errors.Join(errs[:]...); s.Err != nil {
		return s
	}
	sum, _ := hash.Of[K]() // KeyBy has reported the error
	var states []snapshot.StateSchema
	for _, st := range s.State {
		states = append(states, snapshot.SchemaOf(st))
	}
	s.New = func(out Outlets) any {
		self, m := build(sum)
		m.self, m.states, m.asked, m.ctx.mark = self, states, EndTime, NoTime
		m.onTimer, _ = self.(timerHandler[K, R])
		m.out = newOut[R](out, &m.place, s.Sides)
		m.ctx.place = &m.place
		return m
	}
	return s
}

const keyState = "key"

// statesOf lists the states of a processor, the key first: it is stored too.
func statesOf[K comparable](prototype any) ([]graph.State, error) {
	key, err := codec.For[K]()
	if err != nil {
		return nil, err
	}
	states, err := state.Declare(prototype)
	if slices.ContainsFunc(states, func(s graph.State) bool { return s.Name == keyState }) {
		err = errors.Join(err, fmt.Errorf("state %q: the key of the stream is stored under this name: choose another", keyState))
	}
	return append([]graph.State{{Name: keyState, Kind: "key", Type: TypeName[K](), Schema: key.Schema()}}, states...), err
}

// Open is Opener.
func (m *processing[K, R]) Open(t *Task, id string) (err error) {
	if m.store, err = state.NewStore[K](t.MaxParallelism, t.Groups, t.Now); err != nil {
		return err
	}
	m.store.Borrow(&t.Pressure.Lent)
	if err := m.store.Bind(m.self); err != nil {
		return err
	}
	m.deep = m.store.Deep()
	return m.place.Open(t, id)
}

// Start is Starter.
func (m *processing[K, R]) Start(ctx context.Context) (err error) {
	o, ok := m.self.(processOpener)
	if !ok {
		return nil
	}
	defer m.task.guard(m.id, &err)
	if err := o.Open(ctx); err != nil {
		return m.task.userError(m.id, err)
	}
	return nil
}

// Close is Closer.
func (m *processing[K, R]) Close() (err error) {
	c, ok := m.self.(processCloser)
	if !ok {
		return nil
	}
	defer m.task.guard(m.id, &err)
	return c.Close()
}

func (m *processing[K, R]) Input(i int) any { return m.inputs[i] }

func (m *processInput[K, T, R]) Collect(in *T, ts int64) {
	m.of.enter(ts)
	if m.of.deep && m.lent() {
		m.collectOwn(in, ts)
		return
	}
	key := m.key(*in)
	m.collect(in, ts, key, m.hash(key))
}

// CollectHashed is HashedCollector.
func (m *processInput[K, T, R]) CollectHashed(in *T, ts int64, hash uint64) {
	m.of.enter(ts)
	if m.of.deep && m.lent() {
		m.collectOwn(in, ts)
		return
	}
	m.collect(in, ts, m.key(*in), hash)
}

// lent says whether strings of the record at hand may lie in lent memory.
func (m *processInput[K, T, R]) lent() bool { return m.records != nil && m.of.pressure.Lent.Any() }

// collectOwn copies the strings of a record. So nothing of it has to be found again in what is
// held, which may be much.
func (m *processInput[K, T, R]) collectOwn(in *T, ts int64) {
	var none T
	p := m.of.pressure
	lent := p.Lent
	m.own = *in
	m.records.Detach(&m.own, nil, lent)
	p.Lent = codec.Memory{}
	key := m.key(m.own)
	m.collect(&m.own, ts, key, m.hash(key))
	p.Lent, m.own = lent, none
}

func (m *processInput[K, T, R]) collect(in *T, ts int64, key K, hash uint64) {
	of := m.of
	of.store.SetKey(key, hash)
	of.ctx.key, of.ctx.ts, of.out.ts = key, ts, ts
	if err := m.process(&of.ctx, *in, &of.out); err != nil {
		of.fail(ts, err)
	}
}

// Advance is Advancer.
func (m *processing[K, R]) Advance(in int64) (int64, bool) {
	m.ctx.mark = max(m.ctx.mark, in)
	done := m.fire(state.EventTime, m.ctx.mark)
	m.ask()
	return in, done
}

// Wake is Waker.
func (m *processing[K, R]) Wake(now int64) bool {
	m.asked = EndTime
	return m.fire(state.ProcessingTime, now)
}

// ask has Wake called for the earliest timer of processing time.
func (m *processing[K, R]) ask() {
	if at, ok := m.store.NextDue(state.ProcessingTime); ok && at < m.asked {
		m.asked = at
		m.task.WakeAt(at)
	}
}

// fire fires the timers that are due, until pressure or the end of the turn stops it.
func (m *processing[K, R]) fire(c state.Clock, now int64) bool {
	defer m.pressure.catch()
	for range firingsPerTurn {
		if m.pressure.Held() {
			return false
		}
		t, at, ok := m.store.Due(c, now)
		switch {
		case !ok:
			return true
		case t == nil:
			return false
		case m.onTimer == nil:
			continue
		}
		m.enter(at)
		m.ctx.key, m.ctx.ts, m.out.ts = m.store.Key(), at, at
		if err := m.onTimer.OnTimer(&m.ctx, t, &m.out); err != nil {
			m.fail(at, err)
		}
	}
	return false
}

// Snapshot is Snapshotter.
func (m *processing[K, R]) Snapshot(o SnapshotOptions) (Frozen, error) {
	head := appendMark(nil, m.ctx.mark)
	f := m.store.Freeze(state.FreezeOptions{Checkpoint: o.Checkpoint, Onto: o.Onto, Head: head})
	return &frozenProcessing[K]{f, snapshot.Part{Operator: m.id, States: m.states}, head, m.task.Groups}, nil
}

// frozenProcessing is the state of a processor at a barrier.
type frozenProcessing[K comparable] struct {
	*state.Frozen[K]
	part  snapshot.Part
	mark  []byte
	owned graph.Range
}

// Part is of Frozen. Each group carries the watermark, also one of which nothing is held, or was
// written: the task that it goes to must not begin before it.
func (f *frozenProcessing[K]) Part() snapshot.Part {
	f.part.Onto = f.Onto()
	groups := f.Groups()
	for number := f.owned.From; number < f.owned.To; number++ {
		g := snapshot.Group{Number: number, Data: f.mark}
		if len(groups) > 0 && groups[0].Number == number {
			g.Data, groups = groups[0].Data, groups[1:]
		}
		f.part.Groups = append(f.part.Groups, g)
	}
	return f.part
}

// Digest is Digester.
func (m *processing[K, R]) Digest() (Digest, error) {
	sum, err := m.store.Digest()
	return Digest{sum, m.ctx.mark}, err
}

// Restore is Restorer.
func (m *processing[K, R]) Restore(parts []snapshot.Part) error {
	for _, p := range parts {
		places, err := fits(m.states, p.States)
		if err != nil {
			return err
		}
		var stored []state.Stored // the store's states are all but the key
		for i, place := range places {
			if place > 0 {
				stored = append(stored, state.Stored{Place: place - 1, Schema: p.States[i].Schema})
			}
		}
		restore, err := m.store.Reading(stored)
		if err != nil {
			return err
		}
		for _, g := range p.Groups {
			mark, data, err := cutMark(g.Data)
			if err != nil {
				return fmt.Errorf("key group %d: %w", g.Number, err)
			}
			m.ctx.mark = max(m.ctx.mark, mark)
			if len(data) == 0 {
				continue
			}
			if err := restore(state.Group{Number: g.Number, Data: data}); err != nil {
				return err
			}
		}
	}
	return nil
}

func timerMethod[K comparable, R any](p any) error {
	m, ok := reflect.TypeOf(p).MethodByName("OnTimer")
	return optional(p, m, ok, reflect.TypeFor[timerHandler[K, R]](),
		fmt.Sprintf("func(*%s, *blink.Ctx[%s], *blink.Timer, *blink.Out[%s]) error", reflect.TypeOf(p).Elem(), TypeName[K](), TypeName[R]()))
}

func lifeMethods(p any) error {
	t := reflect.TypeOf(p)
	open, ok := t.MethodByName("Open")
	err := optional(p, open, ok, reflect.TypeFor[processOpener](), fmt.Sprintf("func(*%s, context.Context) error", t.Elem()))
	closing, ok := t.MethodByName("Close")
	return errors.Join(err, optional(p, closing, ok, reflect.TypeFor[processCloser](), fmt.Sprintf("func(*%s) error", t.Elem())))
}
