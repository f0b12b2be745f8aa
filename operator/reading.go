package operator

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"blink/internal/codec"
	"blink/internal/invariant"
	"blink/internal/mutate"
	"blink/snapshot"
)

// reading is the operator of a source in one task: it reads its splits in turn, a batch
// each; of a bounded source the first maxOpen, and another whenever one of them has ended.
// Fetch runs off the actor and touches turns, unopened, index, batch, and of a split reader,
// fetched and last only; what the task knows of a split moves on the turn, when a batch has
// been delivered.
type reading[T any, S Split] struct {
	place
	options SourceOptions
	codec   *codec.Codec[position[S]]
	open    func(context.Context, FS, S) (Reader[T, S], error)
	next    next[T]

	splits   []*reader[T, S]
	turns    []int // splits that are read, the next one first
	unopened int   // the first split that is not read yet; all behind it are not either
	batch    Batch[T]
	from     *reader[T, S] // whose records batch holds; nil when there is none
	index    int           // of from in splits
	at       int           // records of the batch that are delivered
	main     int           // of those, records of the main output
	run      int           // of the batch, where delivery goes on
	inRun    int           // records of it that are delivered
	_        pad
}

// maxOpen bounds the readers that a task of a bounded source has open at once: each may hold
// a file or a connection. A split without an end would keep others from being read, so an
// unbounded source opens them all.
const maxOpen = 32

// reader is one split of a task.
type reader[T any, S Split] struct {
	split   S // behind what was delivered
	reader  Reader[T, S]
	fetched S    // behind what was fetched
	last    bool // the fetched batch is the split's last
	ended   bool // and has been delivered
}

func newReading[T any, S Split](o SourceOptions, c *codec.Codec[position[S]], open func(context.Context, FS, S) (Reader[T, S], error), out Outlets) *reading[T, S] {
	m := &reading[T, S]{options: o, codec: c, open: open, next: nextOf(outlet[T](out))}
	for _, t := range o.Sides {
		m.batch.sides = append(m.batch.sides, t.batch(out))
	}
	return m
}

// Open is Opener.
func (m *reading[T, S]) Open(t *Task, id string) error {
	t.Splits.own(0)
	m.batch.most = t.MaxFetch
	return m.place.Open(t, id)
}

// Restore is Restorer. Splits are read in the order of their names.
func (m *reading[T, S]) Restore(parts []snapshot.Part) error {
	type stored struct {
		name     string
		position position[S]
	}
	var all []stored
	for _, p := range parts {
		positions, err := readerOf(m.codec, m.state(), p)
		if err != nil {
			return err
		}
		for _, item := range p.Items {
			is, err := positions.Decode(nil, item.Data)
			if err == nil && len(is) != 1 {
				err = fmt.Errorf("%d positions, want 1", len(is))
			}
			if err != nil {
				return fmt.Errorf("split %q: the stored position cannot be read: %w", item.Name, err)
			}
			all = append(all, stored{item.Name, is[0]})
		}
	}
	slices.SortFunc(all, func(a, b stored) int { return strings.Compare(a.name, b.name) })
	m.task.Splits.own(len(all))
	for i, s := range all {
		m.splits = append(m.splits, &reader[T, S]{split: s.position.Split})
		m.task.Splits.Waiting[i] = true
		for _, c := range s.position.Clocks {
			m.task.Splits.Of(c.Operator)[i] = c.Highest
		}
	}
	return nil
}

func (m *reading[T, S]) state() snapshot.StateSchema {
	return snapshot.StateSchema{Name: "splits", Kind: "splits", Schema: m.codec.Schema()}
}

// Lends is Lender.
func (m *reading[T, S]) Lends() Lending { return Lends }

// NonBlocking is Source.
func (m *reading[T, S]) NonBlocking() bool { return m.options.NonBlocking }

// Begin is Source.
func (m *reading[T, S]) Begin() {
	if m.opens() {
		m.task.Splits.Waiting[m.unopened] = false
	}
}

// opens says whether the next split to read is one that nobody has begun to read.
func (m *reading[T, S]) opens() bool {
	return m.unopened < len(m.splits) && (len(m.turns) < maxOpen || !m.options.Bounded)
}

// Fetch is Source.
func (m *reading[T, S]) Fetch(ctx context.Context) (err error) {
	invariant.Check(m.from == nil, "a source fetches while records wait")
	if m.opens() {
		m.index = m.unopened
		m.unopened++
	} else if len(m.turns) > 0 {
		m.index = m.turns[0]
		m.turns = append(m.turns[:0], m.turns[1:]...)
	} else {
		return io.EOF
	}
	s := m.splits[m.index]
	if err := m.fetch(ctx, s); err != nil {
		return err
	}
	if s.last {
		return m.close(s)
	}
	m.turns = append(m.turns, m.index)
	return nil
}

func (m *reading[T, S]) fetch(ctx context.Context, s *reader[T, S]) (err error) {
	defer m.task.guard(m.id, &err)
	if s.reader == nil {
		if s.reader, err = m.open(ctx, m.task.FS, s.split); err != nil {
			return m.wrap(s, err)
		}
	} else if mutate.On(mutate.SourceOffByOne) {
		s.split = s.fetched
	}
	m.batch.reset()
	err = s.reader.Next(ctx, &m.batch)
	if s.last = err == io.EOF; err != nil && !s.last {
		return m.wrap(s, err)
	}
	if m.batch.mark > NoTime && !m.options.Watermarks {
		m.batch.err = errUnannounced
	}
	if m.batch.err != nil {
		return m.wrap(s, m.batch.err)
	}
	s.fetched = s.reader.Position()
	m.from = s
	return nil
}

// close gives back what the reader of a split holds, which has given its last batch.
func (m *reading[T, S]) close(s *reader[T, S]) (err error) {
	defer m.task.guard(m.id, &err)
	r := s.reader
	s.reader = nil
	if err := r.Close(); err != nil {
		return m.wrap(s, fmt.Errorf("close: %w", err))
	}
	return nil
}

var errUnannounced = errors.New("a watermark of a source whose SourceOptions do not announce Watermarks")

func (m *reading[T, S]) wrap(s *reader[T, S], err error) error {
	return m.task.userError(m.id, fmt.Errorf("split %q: %w", s.split.ID(), err))
}

// Deliver is Source.
func (m *reading[T, S]) Deliver(most int) (n int, done bool) {
	if m.from == nil {
		return 0, true
	}
	defer m.pressure.catch()
	m.task.Splits.Current = m.index
	n = m.deliver(most)
	if done = m.at+n == m.batch.Len(); done {
		m.delivered()
	} else {
		m.at += n
	}
	return n, done
}

// deliver hands on up to most records of what is left of the batch until pressure stops it, and
// says how many those were.
func (m *reading[T, S]) deliver(most int) (n int) {
	if len(m.batch.runs) == 0 {
		return m.deliverMain(min(most, len(m.batch.records)-m.main))
	}
	for m.run < len(m.batch.runs) && n < most && !m.pressure.Held() {
		r, did := m.batch.runs[m.run], 0
		if left := min(int(r.n)-m.inRun, most-n); r.to == 0 {
			did = m.deliverMain(left)
		} else {
			did = m.batch.sides[r.to-1].emit(left, m.pressure)
		}
		n += did
		if m.inRun += did; m.inRun == int(r.n) {
			m.run, m.inRun = m.run+1, 0
		}
	}
	return n
}

// deliverMain hands on up to n records of the main output.
func (m *reading[T, S]) deliverMain(n int) int {
	records, times := m.batch.records[m.main:m.main+n], m.batch.times[m.main:m.main+n]
	n = m.next.collectUntilHeld(records, times, m.pressure)
	m.main += n
	return n
}

// delivered moves the split's position behind the batch.
func (m *reading[T, S]) delivered() {
	m.count("read", int64(m.batch.Len()))
	s := m.from
	if !mutate.On(mutate.SourceOffByOne) {
		s.split = s.fetched
	}
	s.ended = s.last
	if m.options.Watermarks {
		marks := m.task.Splits.Of(m.id)
		marks[m.index] = max(marks[m.index], m.batch.mark)
	}
	m.task.Splits.Ended[m.index] = s.last
	m.from, m.at, m.main, m.run, m.inRun = nil, 0, 0, 0, 0
}

// Advance is Advancer: event time is where the split is that is behind most.
func (m *reading[T, S]) Advance(in int64) (int64, bool) {
	if in == EndTime || !m.options.Watermarks {
		return in, true
	}
	mark := EndTime
	for i, at := range m.task.Splits.Of(m.id) {
		if !m.task.Splits.Ended[i] {
			mark = min(mark, at)
		}
	}
	if mark == EndTime { // whose end comes with the end of input
		mark = in
	}
	return mark, true
}

// Snapshot is Snapshotter. Splits that have ended are absent.
func (m *reading[T, S]) Snapshot(SnapshotOptions) (Frozen, error) {
	invariant.Check(m.at == 0, "source %q: a snapshot in the middle of a batch", m.id)
	p := snapshot.Part{Operator: m.id}
	for i, s := range m.splits {
		if s.ended {
			continue
		}
		item, err := splitItem(m.codec, s.split.ID(), position[S]{s.split, m.task.Splits.stored(i)})
		if err != nil {
			return nil, fmt.Errorf("split %q: %w", s.split.ID(), err)
		}
		p.Items = append(p.Items, item)
	}
	p.States = []snapshot.StateSchema{m.state()}
	return Copied(p), nil
}

// Close is Closer.
func (m *reading[T, S]) Close() error {
	var errs []error
	for _, s := range m.splits {
		if s.reader != nil {
			errs = append(errs, s.reader.Close())
		}
	}
	return errors.Join(errs...)
}
