package codec

import (
	"fmt"
	"math"
	"time"

	"blink/bench/usage"
	"blink/connector/nexmark"
	"blink/internal/codec"
)

// Batch is how many records are encoded at once.
const Batch = 512

// Result is one line of figures. Times are CPU time for one record, in nanoseconds.
type Result struct {
	Type   string  `json:"type"`
	Bytes  int     `json:"bytes_per_record"`
	Encode float64 `json:"encode_ns"`
	// Decode takes strings as parts of the data, DecodeCopy copies them.
	Decode     float64 `json:"decode_ns"`
	DecodeCopy float64 `json:"decode_copy_ns"`
	Copy       float64 `json:"memcpy_ns"`         // of as many bytes
	Allocs     float64 `json:"allocs_per_record"` // of Encode and Decode
}

// Types are the names of what Run measures.
func Types() (names []string) {
	for _, k := range kinds() {
		names = append(names, k.name)
	}
	return names
}

// Run measures one type for about as long as asked, several times that in all.
func Run(name string, each time.Duration) (Result, error) {
	codec.OneOf[figure](&numbers{}) // for the type interface
	for _, k := range kinds() {
		if k.name == name {
			r, err := k.run(each)
			r.Type = name
			return r, err
		}
	}
	return Result{}, fmt.Errorf("codec: unknown type %q: there are %v", name, Types())
}

// kind is a type of record.
type kind struct {
	name string
	run  func(each time.Duration) (Result, error)
}

func kinds() []kind {
	bids := firstBids()
	return []kind{
		{"bid", measure(func(i int) nexmark.Bid { return bids[i] })},
		{"numbers", measure(func(i int) numbers { return numbers{int64(i), int64(i) * 7} })},
		{"mixed", measure(func(i int) mixed {
			return mixed{Ok: i%2 == 0, Small: int16(i), Ratio: float32(i), At: time.Unix(int64(i), 0), Point: [2]float64{1, 2}}
		})},
		{"strings", measure(func(i int) []string { return []string{bids[i].Channel, bids[i].URL} })},
		{"pointer", measure(func(i int) *numbers { return &numbers{int64(i), 1} })},
		{"interface", measure(func(i int) figure { return &numbers{int64(i), 2} })},
		{"map", measure(func(i int) map[string]int64 { return map[string]int64{bids[i].Channel: 1, "x": 2} })},
	}
}

type numbers struct{ A, B int64 }

// figure is an interface.
type figure interface{ sum() int64 }

func (n *numbers) sum() int64 { return n.A + n.B }

type mixed struct {
	Ok    bool
	Small int16
	Ratio float32
	At    time.Time
	Point [2]float64
}

// firstBids are the first of the benchmark's.
func firstBids() (all [Batch]nexmark.Bid) {
	g, n := nexmark.NewGenerator(), 0
	for i := uint64(0); n < Batch; i++ {
		var e nexmark.Event
		if g.Event(i, &e); e.Kind == nexmark.BidKind {
			all[n] = e.Bid
			n++
		}
	}
	return all
}

// measure makes the run of a type of which make gives the records.
func measure[T any](make func(i int) T) func(time.Duration) (Result, error) {
	return func(each time.Duration) (Result, error) {
		c, err := codec.For[T]()
		if err != nil {
			return Result{}, err
		}
		var records [Batch]T
		for i := range records {
			records[i] = make(i)
		}
		data, err := c.Append(nil, records[:])
		if err != nil {
			return Result{}, err
		}
		return times(c, records[:], data, each)
	}
}

func times[T any](c *codec.Codec[T], records []T, data []byte, each time.Duration) (Result, error) {
	r := Result{Bytes: len(data) / Batch}
	var buf, copied = make([]byte, 0, len(data)), make([]byte, len(data))
	into, shared := make([]T, Batch), c.Shared()
	var err error
	var allocs [2]float64
	for _, m := range []struct {
		to     *float64
		allocs *float64
		do     func()
	}{
		{&r.Encode, &allocs[0], func() { buf, err = c.Append(buf[:0], records) }},
		{&r.Decode, &allocs[1], func() { into, err = shared.Decode(into, data) }},
		{&r.DecodeCopy, new(float64), func() { into, err = c.Decode(into, data) }},
		{&r.Copy, new(float64), func() { copy(copied, data) }},
	} {
		*m.to, *m.allocs = timed(each, m.do)
		if err != nil {
			return r, err
		}
	}
	r.Allocs = allocs[0] + allocs[1]
	return r, nil
}

// parts is how often each figure is measured; the least counts, for whatever else the machine
// does can only make it larger.
const parts = 5

// timed is how much CPU time, in nanoseconds, and how many allocations do takes for a record.
func timed(each time.Duration, do func()) (ns, allocs float64) {
	const rounds = 64
	do() // what is used again is made
	ns = math.Inf(1)
	for range parts {
		m, n := usage.Begin(), 0
		for start := usage.CPU(); n == 0 || usage.CPU()-start < each/parts; n += rounds {
			for range rounds {
				do()
			}
		}
		u := m.End()
		records := float64(n * Batch)
		ns, allocs = min(ns, u.CPU*1e9/records), max(allocs, float64(u.Allocs)/records)
	}
	return ns, allocs
}
