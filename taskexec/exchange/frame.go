package exchange

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
)

// A frame is, little-endian:
//
//	kind u8 | link u32 | from u32 | to u32 | epoch u64 | attempt u32 | then
//	batch:  seq u64 | marks u16 | marks × (at u32, kind u8, value u64) | encoded records
//	open:   credits u32 | schema u64
//	credit: batches u32
//
// A frame has at most MaxFrame bytes. Who sends cuts a batch that would take more.
const (
	kindBatch = iota + 1
	kindOpen
	kindCredit

	headerBytes = 1 + 4 + 4 + 4 + 8 + 4
	batchBytes  = 8 + 2
	openBytes   = 4 + 8
	creditBytes = 4
	markBytes   = 4 + 1 + 8
)

// MaxFrame bounds a frame.
const MaxFrame = 64 << 20

// MaxMarks bounds the marks of one batch; a sender flushes before it has more.
const MaxMarks = 256

var errFrame = errors.New("exchange: malformed frame")

// AppendBatch appends b as a frame.
func AppendBatch(dst []byte, b *Batch) ([]byte, error) {
	dst = appendHeader(dst, kindBatch, b.Address)
	dst = binary.LittleEndian.AppendUint64(dst, b.Seq)
	dst = binary.LittleEndian.AppendUint16(dst, uint16(len(b.Marks)))
	for _, m := range b.Marks {
		dst = binary.LittleEndian.AppendUint32(dst, uint32(m.At))
		dst = append(dst, byte(m.Kind))
		dst = binary.LittleEndian.AppendUint64(dst, m.Value)
	}
	dst, err := b.Records.AppendTo(dst)
	if err != nil {
		return nil, fmt.Errorf("encode a batch: %w", err)
	}
	return dst, nil
}

// AppendOpen appends o as a frame.
func AppendOpen(dst []byte, o Open) []byte {
	dst = appendHeader(dst, kindOpen, o.Address)
	dst = binary.LittleEndian.AppendUint32(dst, uint32(o.Credits))
	return binary.LittleEndian.AppendUint64(dst, o.Schema)
}

// AppendCredit appends c, without its records, as a frame.
func AppendCredit(dst []byte, c Credit) []byte {
	return binary.LittleEndian.AppendUint32(appendHeader(dst, kindCredit, c.Address), uint32(c.N))
}

// Decode reads a frame into a *Batch with Data, an Open or a Credit. Data is aliased.
func Decode(data []byte) (any, error) {
	if err := checkFrame(data); err != nil {
		return nil, err
	}
	le := binary.LittleEndian
	a := Address{
		Link: int(le.Uint32(data[1:])), From: int(le.Uint32(data[5:])), To: int(le.Uint32(data[9:])),
		Epoch: le.Uint64(data[13:]), Attempt: le.Uint32(data[21:]),
	}
	rest := data[headerBytes:]
	switch data[0] {
	case kindOpen:
		return Open{a, int(le.Uint32(rest)), le.Uint64(rest[4:])}, nil
	case kindCredit:
		return Credit{Address: a, N: int(le.Uint32(rest))}, nil
	}
	b := &Batch{Address: a, Seq: le.Uint64(rest)}
	n, rest := marksOf(rest), rest[batchBytes:]
	for i := range n {
		m := rest[i*markBytes:]
		b.Marks = append(b.Marks, Mark{int(le.Uint32(m)), MarkKind(m[4]), le.Uint64(m[5:])})
	}
	b.Data = rest[n*markBytes:]
	return b, nil
}

// checkFrame refuses what Decode cannot read. Of marks and records it only finds the place.
func checkFrame(data []byte) error {
	if len(data) < headerBytes {
		return fmt.Errorf("%w: %d bytes", errFrame, len(data))
	}
	kind, rest, fits := data[0], data[headerBytes:], false
	switch kind {
	case kindBatch:
		fits = len(rest) >= batchBytes && marksOf(rest) <= MaxMarks && len(rest) >= batchBytes+marksOf(rest)*markBytes
	case kindOpen:
		fits = len(rest) == openBytes
	case kindCredit:
		fits = len(rest) == creditBytes
	}
	if !fits {
		return fmt.Errorf("%w: kind %d, %d bytes", errFrame, kind, len(data))
	}
	return nil
}

// marksOf is how many marks a batch has, by what is behind its header.
func marksOf(rest []byte) int { return int(binary.LittleEndian.Uint16(rest[8:])) }

// CheckMarks refuses marks that do not fit a batch of n records: out of order, of an
// unknown kind, with a value that means nothing, or a barrier or end with something behind it.
func CheckMarks(marks []Mark, n int) error {
	at := 0
	for i, m := range marks {
		last := i == len(marks)-1 && m.At == n
		if m.At < at || m.At > n || !m.fits(last) {
			return fmt.Errorf("%w: mark %d of %d at %d of %d records", errFrame, m.Kind, i, m.At, n)
		}
		at = m.At
	}
	return nil
}

func (m Mark) fits(last bool) bool {
	switch m.Kind {
	case Watermark:
		return true
	case Idle:
		return m.Value == 0
	case Barrier:
		return last
	case End:
		return last && m.Value == 0
	}
	return false
}

func appendHeader(dst []byte, kind byte, a Address) []byte {
	le := binary.LittleEndian
	dst = append(dst, kind)
	dst = le.AppendUint32(dst, uint32(a.Link))
	dst = le.AppendUint32(dst, uint32(a.From))
	dst = le.AppendUint32(dst, uint32(a.To))
	dst = le.AppendUint64(dst, a.Epoch)
	return le.AppendUint32(dst, a.Attempt)
}

func taskName(vertex, subtask int, attempt uint32) string {
	b := append([]byte("t"), strconv.Itoa(vertex)...)
	b = append(b, '.')
	b = strconv.AppendInt(b, int64(subtask), 10)
	b = append(b, '@')
	return string(strconv.AppendUint(b, uint64(attempt), 10))
}
