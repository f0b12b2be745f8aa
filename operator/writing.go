package operator

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"blink/internal/invariant"
	"blink/internal/mutate"
	"blink/snapshot"
)

// writing is the operator of a sink in one task.
//
//	Collect ──► Write ──ErrFull──► kept, Pressure held ──Flush, Offer──► Write …
//	Prepare ──► prepared ──Snapshot──► stored ──Commit(≥ its checkpoint)──► visible, forgotten
type writing[T any] struct {
	place
	open   func(context.Context, WriterInfo) (recordWriter[T], writer, error)
	commit committer
	info   WriterInfo

	into   recordWriter[T]
	writer writer    // the same
	kept   []kept[T] // what the writer has not taken, in order
	full   bool      // holds Pressure
	taken  int64     // records since the last count
	at     int64     // time of the last record
	when   time.Time // the same: records in a row often share it

	prepared []transaction // ascending by checkpoint
	_        pad
}

type kept[T any] struct {
	record T
	ts     int64
}

// transaction is one piece of output that is durable but invisible.
type transaction struct {
	name       string // unique in the operator
	checkpoint uint64 // it was prepared for
	data       []byte // C, encoded
}

func newWriting[T any](open func(context.Context, WriterInfo) (recordWriter[T], writer, error), c committer) *writing[T] {
	return &writing[T]{open: open, commit: c, at: NoTime}
}

func (m *writing[T]) Input(int) any { return Collector[T](m) }

// Open is Opener.
func (m *writing[T]) Open(t *Task, id string) error {
	m.info = WriterInfo{
		Job: t.Job, Operator: id, Subtask: t.Subtask, Parallelism: t.Parallelism,
		Attempt: t.Attempt, Restored: t.Restored, Type: reflect.TypeFor[T](), FS: t.FS,
	}
	return m.place.Open(t, id)
}

// Restore is Restorer: the transactions of the restored checkpoint.
func (m *writing[T]) Restore(parts []snapshot.Part) error {
	m.info.Resumed = true // each task of a checkpoint's sink has a part, if only the state's form
	for _, p := range parts {
		for _, item := range p.Items {
			if len(item.Data) < 8 {
				return fmt.Errorf("transaction %s has only %d bytes", item.Name, len(item.Data))
			}
			data, err := m.commit.renew(p, item.Data[8:])
			if err != nil {
				return fmt.Errorf("transaction %s: %w", item.Name, err)
			}
			m.prepared = append(m.prepared, transaction{item.Name, binary.LittleEndian.Uint64(item.Data), data})
		}
	}
	slices.SortFunc(m.prepared, func(a, b transaction) int { return strings.Compare(a.name, b.name) })
	return nil
}

// Start is Starter: it opens the writer and commits again what the checkpoint holds.
func (m *writing[T]) Start(ctx context.Context) (err error) {
	defer m.task.guard(m.id, &err)
	if m.into, m.writer, err = m.open(ctx, m.info); err != nil {
		return m.task.userError(m.id, err)
	}
	return m.Commit(ctx, m.info.Restored)
}

func (m *writing[T]) Collect(in *T, ts int64) {
	m.taken++
	if !m.full {
		m.enter(ts)
		if ts != m.at {
			m.at, m.when = ts, timeOf(ts)
		}
		err := m.into.Write(in, m.when)
		if err == nil {
			return
		}
		m.refused(ts, err)
	}
	m.kept = append(m.kept, kept[T]{*in, ts})
}

// CollectBatch is BatchCollector.
func (m *writing[T]) CollectBatch(records []T, times []int64) {
	m.taken += int64(len(records))
	for i := m.write(records, times); i < len(records); i++ {
		m.kept = append(m.kept, kept[T]{records[i], times[i]})
	}
}

// write writes records until the writer is full, and says how many.
func (m *writing[T]) write(records []T, times []int64) (done int) {
	if m.full {
		return 0
	}
	into, at, when := m.into, m.at, m.when
	for i := range records {
		ts := times[i]
		m.enter(ts)
		if ts != at {
			at, when = ts, timeOf(ts)
		}
		if err := into.Write(&records[i], when); err != nil {
			m.refused(ts, err)
			return i
		}
	}
	m.at, m.when = at, when
	return len(records)
}

// refused is told why the writer has not taken a record.
func (m *writing[T]) refused(ts int64, err error) {
	if err != ErrFull {
		m.fail(ts, err)
	}
	m.full = true
	m.pressure.Hold()
}

// errNoRoom is why a record fails that an empty buffer is too small for: no Flush would help.
var errNoRoom = Permanent(errors.New("the writer has no room for the record though it was flushed: give it a larger buffer, or let it take one record of any size"))

// Full is SinkOperator.
func (m *writing[T]) Full() bool { return m.full }

// Flush is SinkOperator.
func (m *writing[T]) Flush(ctx context.Context) (err error) {
	defer m.task.guard(m.id, &err)
	return m.told(m.writer.flush(ctx))
}

// Offer is SinkOperator.
func (m *writing[T]) Offer() {
	if !m.full {
		return
	}
	defer m.pressure.catch()
	for i := range m.kept {
		k := &m.kept[i]
		m.enter(k.ts)
		switch err := m.into.Write(&k.record, timeOf(k.ts)); {
		case err == ErrFull && i == 0:
			m.fail(k.ts, errNoRoom)
		case err == ErrFull:
			m.kept = slices.Delete(m.kept, 0, i)
			return
		case err != nil:
			m.fail(k.ts, err)
		}
	}
	clear(m.kept)
	m.kept, m.full = m.kept[:0], false
	m.pressure.Release()
}

// Prepare is SinkOperator.
func (m *writing[T]) Prepare(ctx context.Context, checkpoint uint64) (err error) {
	invariant.Check(!m.full, "sink %q prepares checkpoint %d while records wait", m.id, checkpoint)
	defer m.task.guard(m.id, &err)
	prepared, err := m.writer.prepare(ctx, checkpoint)
	if err != nil {
		return m.told(err)
	}
	for i, data := range prepared {
		name := fmt.Sprintf("%020d-%05d-%v-%05d", checkpoint, m.info.Subtask, m.info.Attempt, i)
		m.prepared = append(m.prepared, transaction{name, checkpoint, data})
	}
	return nil
}

// Advance is Advancer: a time to count, once a batch.
func (m *writing[T]) Advance(in int64) (int64, bool) {
	m.tally()
	return in, true
}

func (m *writing[T]) tally() {
	if m.taken > 0 {
		m.count("written", m.taken)
		m.taken = 0
	}
}

// Snapshot is Snapshotter: everything prepared and not committed, for whatever checkpoint.
func (m *writing[T]) Snapshot(SnapshotOptions) (Frozen, error) {
	m.tally()
	p := snapshot.Part{Operator: m.id}
	p.States = []snapshot.StateSchema{m.commit.state()}
	if mutate.On(mutate.DropTransaction) {
		return Copied(p), nil
	}
	for _, t := range m.prepared {
		data := binary.LittleEndian.AppendUint64(nil, t.checkpoint)
		p.Items = append(p.Items, snapshot.Item{Name: t.name, Data: append(data, t.data...)})
	}
	return Copied(p), nil
}

// Commit is SinkOperator.
func (m *writing[T]) Commit(ctx context.Context, checkpoint uint64) (err error) {
	defer m.task.guard(m.id, &err)
	for len(m.prepared) > 0 && m.prepared[0].checkpoint <= checkpoint {
		at := m.prepared[0].checkpoint
		n := 0
		var data [][]byte
		for n < len(m.prepared) && m.prepared[n].checkpoint == at {
			data = append(data, m.prepared[n].data)
			n++
		}
		if err := m.commit.commit(ctx, m.info, at, data); err != nil {
			return m.told(fmt.Errorf("commit checkpoint %d: %w", at, err))
		}
		m.prepared = m.prepared[n:]
	}
	return nil
}

// Finalize is SinkOperator.
func (m *writing[T]) Finalize(ctx context.Context, checkpoint uint64) (err error) {
	defer m.task.guard(m.id, &err)
	return m.told(m.commit.finalize(ctx, m.info, checkpoint))
}

// Close is Closer.
func (m *writing[T]) Close() error {
	if m.writer == nil {
		return nil
	}
	return m.told(m.writer.close())
}

// told names the operator in an error of the writer.
func (m *writing[T]) told(err error) error {
	var known *UserError
	if err == nil || errors.As(err, &known) {
		return err
	}
	return m.task.userError(m.id, err)
}
