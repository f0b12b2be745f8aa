package operator

import (
	"encoding/binary"
	"fmt"

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

// AppendTo is Records: the number of records (4 bytes), their times (8 bytes each), then
// the records in columns.
func (b *buffer[T]) AppendTo(dst []byte) ([]byte, error) {
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(b.records)))
	for _, ts := range b.times {
		dst = binary.LittleEndian.AppendUint64(dst, uint64(ts))
	}
	return b.codec.Append(dst, b.records)
}

// Decode is Port.
func (p port[T]) Decode(data []byte, into Records) (Records, error) {
	b, _ := into.(*buffer[T])
	if b == nil {
		b = &buffer[T]{codec: p.codec}
	}
	b.reset()
	if len(data) < 4 {
		return nil, fmt.Errorf("batch of %s: %d bytes hold no length", TypeName[T](), len(data))
	}
	n := int(binary.LittleEndian.Uint32(data))
	if data = data[4:]; len(data)/8 < n {
		return nil, fmt.Errorf("batch of %s: %d bytes cannot hold the times of %d records", TypeName[T](), len(data), n)
	}
	for i := range n {
		b.times = append(b.times, int64(binary.LittleEndian.Uint64(data[8*i:])))
	}
	records, err := p.codec.Decode(b.records, data[8*n:])
	if err != nil {
		return nil, fmt.Errorf("batch of %s: %w", TypeName[T](), err)
	}
	if len(records) != n {
		return nil, fmt.Errorf("batch of %s: %d records and %d times", TypeName[T](), len(records), n)
	}
	b.records = records
	return b, nil
}
