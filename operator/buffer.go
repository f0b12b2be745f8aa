package operator

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"

	"blink/graph"
	"blink/internal/codec"
)

// buffer is Records of T: what a batch between two tasks holds.
type buffer[T any] struct {
	records []T
	times   []int64
	hashes  []uint64 // of the records' keys; none, unless several tasks share them by hash
	codec   *codec.Codec[T]
}

func (b *buffer[T]) Len() int { return len(b.records) }

func (b *buffer[T]) reset() {
	b.records, b.times, b.hashes = b.records[:0], b.times[:0], b.hashes[:0]
}

// Cut is Records.
func (b *buffer[T]) Cut(n int) Records {
	head := &buffer[T]{records: b.records[:n:n], times: b.times[:n:n], codec: b.codec}
	b.records, b.times = b.records[n:], b.times[n:]
	if len(b.hashes) > 0 {
		head.hashes, b.hashes = b.hashes[:n:n], b.hashes[n:]
	}
	return head
}

// Between processes a batch is, little-endian,
//
//	count and records, as the codec writes them
//	times:  form u8 | 0: none | 1: the one of all, i64 | 2: the least, i64, and u32 above it for each | 3: i64 each
//	hashes: u64 for each record, or nothing
//
// Times of a batch are close to each other, so form 2 is what most have.
const (
	noTimes = iota
	oneTime
	nearTimes
	farTimes
)

// AppendTo is Records.
func (b *buffer[T]) AppendTo(dst []byte) ([]byte, error) {
	dst, err := b.codec.Append(dst, b.records)
	if err != nil {
		return nil, err
	}
	dst = appendTimes(dst, b.times)
	at := len(dst)
	dst = slices.Grow(dst, 8*len(b.hashes))[:at+8*len(b.hashes)]
	for i, h := range b.hashes {
		binary.LittleEndian.PutUint64(dst[at+8*i:], h)
	}
	return dst, nil
}

func appendTimes(dst []byte, times []int64) []byte {
	if len(times) == 0 {
		return append(dst, noTimes)
	}
	le, least, most := binary.LittleEndian, times[0], times[0]
	for _, t := range times {
		least, most = min(least, t), max(most, t)
	}
	switch {
	case least == most:
		return le.AppendUint64(append(dst, oneTime), uint64(least))
	case uint64(most-least) <= math.MaxUint32: // as unsigned numbers, however far apart
		dst = le.AppendUint64(append(dst, nearTimes), uint64(least))
		at := len(dst)
		dst = slices.Grow(dst, 4*len(times))[:at+4*len(times)]
		for i, t := range times {
			le.PutUint32(dst[at+4*i:], uint32(t-least))
		}
		return dst
	}
	at := len(dst) + 1
	dst = slices.Grow(append(dst, farTimes), 8*len(times))[:at+8*len(times)]
	for i, t := range times {
		le.PutUint64(dst[at+8*i:], uint64(t))
	}
	return dst
}

// Decode is Port.
func (p *port[T]) Decode(data []byte, into Records) (Records, error) {
	b, _ := into.(*buffer[T])
	if b == nil {
		b = &buffer[T]{codec: p.codec}
	}
	b.reset()
	if err := p.decode(data, b); err != nil {
		return nil, fmt.Errorf("batch of %s: %w", TypeName[T](), err)
	}
	return b, nil
}

// Shares is Port.
func (p *port[T]) Shares() bool { return p.codec.Shares() }

func (p *port[T]) decode(data []byte, b *buffer[T]) (err error) {
	if b.records, data, err = p.shared.DecodeSome(b.records, data); err != nil {
		return err
	}
	n := len(b.records)
	if b.times, data, err = decodeTimes(b.times, n, data); err != nil {
		return err
	}
	switch len(data) {
	case 0:
		return nil
	case 8 * n:
	default:
		return fmt.Errorf("%d bytes of hashes for %d records", len(data), n)
	}
	b.hashes = slices.Grow(b.hashes, n)[:n]
	for i := range b.hashes {
		if b.hashes[i] = binary.LittleEndian.Uint64(data[8*i:]); b.hashes[i] == 0 {
			return errors.New("a hash of 0, which no key has")
		}
	}
	return nil
}

// Belong is Port. Key groups ascend with the hashes.
func (*port[T]) Belong(r Records, groups int, owned graph.Range) error {
	hashes := r.(*buffer[T]).hashes
	if len(hashes) == 0 {
		return nil
	}
	for _, hash := range [2]uint64{slices.Min(hashes), slices.Max(hashes)} {
		if g := graph.KeyGroup(hash, groups); !owned.Contains(g) {
			return fmt.Errorf("a key of group %d, but the task has %d to %d", g, owned.From, owned.To-1)
		}
	}
	return nil
}

// decodeTimes reads the times of n records, into memory that may be recycled.
func decodeTimes(into []int64, n int, data []byte) (times []int64, rest []byte, err error) {
	if len(data) == 0 {
		return nil, nil, errTimes
	}
	form, data, le := data[0], data[1:], binary.LittleEndian
	head, each := 8, 0
	switch form {
	case noTimes:
		head = 0
	case oneTime: // eight bytes, whatever n is
	case nearTimes:
		each = 4
	case farTimes:
		head, each = 0, 8
	default:
		return nil, nil, errTimes
	}
	if (form == noTimes) != (n == 0) || len(data) < head+each*n {
		return nil, nil, errTimes
	}
	times, least := slices.Grow(into, n)[:n], int64(0)
	if head > 0 {
		least = int64(le.Uint64(data))
	}
	rest, data = data[head+each*n:], data[head:head+each*n]
	switch each {
	case 0:
		for i := range times {
			times[i] = least
		}
	case 4:
		for i := range times {
			times[i] = least + int64(le.Uint32(data[4*i:]))
		}
	default:
		for i := range times {
			times[i] = int64(le.Uint64(data[8*i:]))
		}
	}
	return times, rest, nil
}

var errTimes = errors.New("the times of its records are missing")
