package operator

import (
	"unsafe"

	"blink/graph"
	"blink/internal/codec"
)

// PortOf is the port of records of type T. It refuses what cannot be stored.
func PortOf[T any]() (Port, error) {
	c, err := codec.For[T]()
	if err != nil {
		return nil, err
	}
	return &port[T]{c, c.Shared()}, nil
}

type port[T any] struct {
	codec  *codec.Codec[T]
	shared *codec.Codec[T] // its Decode leaves strings where they are
}

func (*port[T]) Tee(to []any) any {
	if len(to) == 1 {
		return to[0]
	}
	t := make(tee[T], len(to))
	for i, c := range to {
		t[i] = nextOf(c.(Collector[T]))
	}
	return Collector[T](t)
}

// tee hands each record to several collectors, in their order.
type tee[T any] []next[T]

func (t tee[T]) Collect(in *T, ts int64) {
	for i := range t {
		t[i].Collect(in, ts)
	}
}

// CollectBatch is BatchCollector.
func (t tee[T]) CollectBatch(records []T, times []int64) {
	for i := range t {
		t[i].collect(records, times)
	}
}

func (*port[T]) Tap(to any, f func()) any { return Collector[T](&tap[T]{to.(Collector[T]), f}) }

// weighed is a record that stands for several.
type weighed interface{ weight() int64 }

type tap[T any] struct {
	to Collector[T]
	f  func()
}

func (t *tap[T]) Collect(in *T, ts int64) {
	n := int64(1)
	if w, ok := any(in).(weighed); ok {
		n = w.weight()
	}
	for range n {
		t.f()
	}
	t.to.Collect(in, ts)
}

func (*port[T]) Deliver(r Records, from, to int, head any, p *Pressure) int {
	b := r.(*buffer[T])
	defer p.catch()
	if h, ok := head.(HashedCollector[T]); ok && len(b.hashes) > 0 {
		for ; from < to && !p.Held(); from++ {
			h.CollectHashed(&b.records[from], b.times[from], b.hashes[from])
		}
		return from
	}
	n := nextOf(head.(Collector[T]))
	return from + n.collectUntilHeld(b.records[from:to], b.times[from:to], p)
}

func (p *port[T]) SchemaHash() uint64 { return p.codec.SchemaHash() }

func (*port[T]) TypeName() string { return TypeName[T]() }

func (p *port[T]) Output(o OutputOptions) Output {
	s := &sender[T]{codec: p.codec, full: o.Full, dirty: o.Dirty, buffers: make([]*buffer[T], o.Channels)}
	var t T
	s.most = max(1, min(o.BatchRecords, o.BatchBytes/max(1, int(unsafe.Sizeof(t)))))
	s.limit, s.large = s.most, maxSpread*o.BatchBytes
	for i := range s.buffers {
		s.buffers[i] = &buffer[T]{codec: p.codec}
	}
	s.in = s.router(o)
	return s
}

func (s *sender[T]) router(o OutputOptions) Collector[T] {
	switch {
	case o.Ship == graph.Broadcast && o.Channels > 1:
		return (*broadcast[T])(s)
	case o.Channels == 1:
		return (*single[T])(s)
	case o.Ship == graph.Hash:
		return &byHash[T]{to: s, hash: o.Hash.(func(*T) uint64), max: o.MaxParallelism, channels: channelsOf(o)}
	default:
		return &dealt[T]{to: s, next: o.First % o.Channels}
	}
}

// channelsOf lists the channel of each key group.
func channelsOf(o OutputOptions) []int32 {
	c := make([]int32, o.MaxParallelism)
	for g := range c {
		c[g] = int32(graph.TaskOf(g, o.MaxParallelism, o.Channels))
	}
	return c
}

// sender gathers records in a buffer for each channel of a link.
type sender[T any] struct {
	codec   *codec.Codec[T]
	in      Collector[T]
	buffers []*buffer[T]
	free    []*buffer[T]
	limit   int // records in a full buffer
	most    int // of limit
	large   int // bytes that a batch should not take between processes
	full    func(channel int)
	dirty   func(channel int)
	_       pad
}

func (s *sender[T]) Input(int) any { return s.in }

func (s *sender[T]) Len(channel int) int { return len(s.buffers[channel].records) }

func (s *sender[T]) Take(channel int) Records {
	b := s.buffers[channel]
	if n := len(s.free); n > 0 {
		s.buffers[channel] = s.free[n-1]
		s.free = s.free[:n-1]
	} else {
		s.buffers[channel] = &buffer[T]{codec: s.codec}
	}
	return b
}

// underWay is how many buffers a sender keeps beside those that can be filling at once. Some are
// always on their way to a receiver and back, and come back together.
const underWay = 32

// Recycle keeps a buffer, within bounds.
func (s *sender[T]) Recycle(r Records) {
	if b, ok := r.(*buffer[T]); ok && len(s.free) < len(s.buffers)+underWay {
		b.reset()
		s.free = append(s.free, b)
	}
}

// maxSpread is how much larger than its records a batch may become by what they refer to.
const maxSpread = 4

// Sent is Output.
func (s *sender[T]) Sent(records, bytes int) {
	if bytes > 0 {
		s.limit = min(s.most, max(1, records*s.large/bytes))
	}
}

func (s *sender[T]) put(channel int, in *T, ts int64) {
	b := s.buffers[channel]
	if len(b.records) == 0 {
		s.dirty(channel)
	}
	b.records = append(b.records, *in)
	b.times = append(b.times, ts)
	if len(b.records) >= s.limit {
		s.full(channel)
	}
}

// The ways in are types of their own without an embedded sender: its methods would be compiled
// for each of them and for each type of records.

// single is the only channel.
type single[T any] sender[T]

func (s *single[T]) Collect(in *T, ts int64) { (*sender[T])(s).put(0, in, ts) }

// CollectBatch is BatchCollector.
func (s *single[T]) CollectBatch(records []T, times []int64) {
	for len(records) > 0 {
		b := s.buffers[0]
		if len(b.records) == 0 {
			s.dirty(0)
		}
		n := min(len(records), max(1, s.limit-len(b.records))) // limit may have become less
		b.records, b.times = append(b.records, records[:n]...), append(b.times, times[:n]...)
		if records, times = records[n:], times[n:]; len(b.records) >= s.limit {
			s.full(0)
		}
	}
}

type broadcast[T any] sender[T]

func (s *broadcast[T]) Collect(in *T, ts int64) {
	for i := range s.buffers {
		(*sender[T])(s).put(i, in, ts)
	}
}

// dealt is Rebalance, and Forward between different parallelisms.
type dealt[T any] struct {
	to   *sender[T]
	next int
}

func (s *dealt[T]) Collect(in *T, ts int64) {
	at := s.next
	if s.next++; s.next == len(s.to.buffers) {
		s.next = 0
	}
	s.to.put(at, in, ts)
}

type byHash[T any] struct {
	to       *sender[T]
	hash     func(*T) uint64
	max      int
	channels []int32 // by key group
}

func (s *byHash[T]) Collect(in *T, ts int64) { s.CollectHashed(in, ts, s.hash(in)) }

// CollectBatch is BatchCollector.
func (s *byHash[T]) CollectBatch(records []T, times []int64) {
	for i := range records {
		s.CollectHashed(&records[i], times[i], s.hash(&records[i]))
	}
}

// CollectHashed is HashedCollector. The hash travels with the record: the other end looks its
// state up with it.
func (s *byHash[T]) CollectHashed(in *T, ts int64, hash uint64) {
	channel := int(s.channels[graph.KeyGroup(hash, s.max)])
	b := s.to.buffers[channel]
	b.hashes = append(b.hashes, hash)
	s.to.put(channel, in, ts)
}
