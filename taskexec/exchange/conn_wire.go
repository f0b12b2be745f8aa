package exchange

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"time"
	"unsafe"

	"blink/actors"
)

// On a connection, little-endian:
//
//	hello:  magic 8 bytes | nonce u64 | dial u32 | from: length u8, bytes | to: length u8, bytes
//	answer: magic 8 bytes | busy u8 | nonce u64 | void u32
//	parcel: length u32 of what follows | length u8 of the actor's id | id | frame
//
// The dialling side says hello, the other answers; then both send parcels. One of length 0 only
// says that the sender lives. A dial that crosses one of the peer's is void when that one is
// accepted: the answer says up to which number.
const (
	magic   = "blinkex1"
	maxName = 255
)

var errBusy = errors.New("the peer dials too")

type hello struct {
	nonce    uint64
	dial     uint32
	from, to string
}

func (h hello) append(dst []byte) []byte {
	dst = append(dst, magic...)
	dst = binary.LittleEndian.AppendUint64(dst, h.nonce)
	dst = binary.LittleEndian.AppendUint32(dst, h.dial)
	for _, name := range []string{h.from, h.to} {
		dst = append(append(dst, byte(len(name))), name...)
	}
	return dst
}

func readHello(r io.Reader) (h hello, err error) {
	var b [20]byte
	if err := readMagic(r, b[:]); err != nil {
		return h, err
	}
	h.nonce, h.dial = binary.LittleEndian.Uint64(b[8:]), binary.LittleEndian.Uint32(b[16:])
	for _, name := range []*string{&h.from, &h.to} {
		var n [1]byte
		if _, err := io.ReadFull(r, n[:]); err != nil {
			return h, err
		}
		text := make([]byte, n[0])
		if _, err := io.ReadFull(r, text); err != nil {
			return h, err
		}
		*name = string(text)
	}
	if h.from == "" {
		return h, errors.New("a hello without a name")
	}
	return h, nil
}

// readMagic fills b, which begins with the magic.
func readMagic(r io.Reader, b []byte) error {
	if _, err := io.ReadFull(r, b); err != nil {
		return err
	}
	if string(b[:len(magic)]) != magic {
		return errors.New("the peer does not speak this version of the exchange")
	}
	return nil
}

type answer struct {
	busy  bool
	nonce uint64
	void  uint32
}

func (a answer) append(dst []byte) []byte {
	dst = append(append(dst, magic...), 0)
	if a.busy {
		dst[len(magic)] = 1
	}
	dst = binary.LittleEndian.AppendUint64(dst, a.nonce)
	return binary.LittleEndian.AppendUint32(dst, a.void)
}

func readAnswer(r io.Reader) (a answer, err error) {
	var b [21]byte
	if err := readMagic(r, b[:]); err != nil {
		return a, err
	}
	return answer{b[8] != 0, binary.LittleEndian.Uint64(b[9:]), binary.LittleEndian.Uint32(b[17:])}, nil
}

// readBuffer is enough for the heads of parcels and for small ones; what is larger goes past
// it, from the connection into its frame.
const readBuffer = 4 << 10

// read delivers what the peer sends, until the connection ends.
func (c *Conns) read(p *peer, x *conn) error {
	r, known, limit := bufio.NewReaderSize(x, readBuffer), ids{}, deadline{set: x.SetReadDeadline, after: c.o.Silence}
	for {
		if err := limit.extend(); err != nil {
			return err
		}
		id, frame, err := readParcel(r, known, c.o.MaxFrame)
		if err != nil {
			return fmt.Errorf("from %s: %w", p.node, err)
		}
		if id == "" {
			continue // a sign of life
		}
		c.mu.Lock()
		current := p.live == x && !c.shut
		if current {
			c.o.Deliver(actors.Ref{Node: c.o.Node, ID: id}, Frame{frame})
		}
		c.mu.Unlock()
		if !current {
			return net.ErrClosed
		}
	}
}

// deadline is one that moves on with the clock. To set it costs more than many a frame, so it
// is set anew when an eighth of its time is over.
type deadline struct {
	set   func(time.Time) error
	after time.Duration
	last  time.Time
}

func (d *deadline) extend() error {
	now := time.Now()
	if now.Sub(d.last) < d.after/8 {
		return nil
	}
	d.last = now
	return d.set(now.Add(d.after))
}

// ids are the names of actors that a connection has heard: few, and each many times.
type ids map[string]string

// maxIDs bounds them.
const maxIDs = 4096

func (i ids) of(name []byte) string {
	id, ok := i[string(name)]
	if ok {
		return id
	}
	if len(i) == maxIDs {
		clear(i)
	}
	id = string(name)
	i[id] = id
	return id
}

// readParcel reads one; the id of a sign of life is empty.
func readParcel(r *bufio.Reader, known ids, maxFrame int) (id string, frame []byte, err error) {
	var head [4]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return "", nil, err
	}
	n := int(binary.LittleEndian.Uint32(head[:]))
	if n == 0 {
		return "", nil, nil
	}
	if n > maxFrame+1+maxName {
		return "", nil, fmt.Errorf("a parcel of %d bytes: at most %d", n, maxFrame)
	}
	length, err := r.ReadByte()
	if err != nil {
		return "", nil, err
	}
	l := int(length)
	if l == 0 || 1+l > n {
		return "", nil, fmt.Errorf("a parcel of %d bytes for a name of %d", n, l)
	}
	name, err := r.Peek(l) // it fits: a name is shorter than the buffer
	if err != nil {
		return "", nil, err
	}
	id = known.of(name)
	if _, err := r.Discard(l); err != nil {
		return "", nil, err
	}
	frame, err = readFrame(r, n-1-l)
	return id, frame, err
}

// readFrame takes memory as bytes come, not as they are promised.
func readFrame(r io.Reader, n int) ([]byte, error) {
	frame := Buffer()
	if cap(frame) < min(n, 1<<20) {
		Recycle(frame)
		frame = unzeroed(min(n, 1<<20))
	}
	for len(frame) < n {
		if len(frame) == cap(frame) {
			frame = append(frame, 0)[:len(frame)]
		}
		part := frame[len(frame):min(n, cap(frame))]
		if _, err := io.ReadFull(r, part); err != nil {
			return nil, err
		}
		frame = frame[:len(frame)+len(part)]
	}
	return frame, nil
}

// unzeroed is an empty slice of this capacity whose memory holds anything: it is filled from
// the connection before anybody sees it, and to clear it first costs a tenth of receiving.
func unzeroed(n int) []byte {
	var b strings.Builder
	b.Grow(n + 1)
	b.WriteByte(0)
	return unsafe.Slice(unsafe.StringData(b.String()), n)[:0]
}

// write sends what waits for the peer, all of it with one call, until the connection ends.
func (c *Conns) write(p *peer, x *conn) error {
	life, limit := time.NewTicker(c.o.Silence/3), deadline{set: x.SetWriteDeadline, after: c.o.Silence}
	defer life.Stop()
	var e envelope
	for {
		e.parcels = e.parcels[:0]
		select {
		case <-x.gone:
			return net.ErrClosed
		case <-c.life.Done():
			return net.ErrClosed
		case <-life.C:
		case <-x.wake:
			e.parcels = c.take(p, x, e.parcels)
		}
		if err := limit.extend(); err != nil {
			return err
		}
		if _, err := e.seal().WriteTo(x.Conn); err != nil {
			return fmt.Errorf("to %s: %w", p.node, err)
		}
		for i, q := range e.parcels {
			Recycle(q.frame)
			e.parcels[i] = parcel{}
		}
	}
}

// take takes what waits, and leaves an empty queue in its place.
func (c *Conns) take(p *peer, x *conn, empty []parcel) []parcel {
	c.mu.Lock()
	defer c.mu.Unlock()
	if p.live != x {
		return empty
	}
	parcels := p.queue
	p.queue, p.queued = empty, 0
	return parcels
}

// envelope lays out parcels for one write. What it needs for that it uses again.
type envelope struct {
	parcels []parcel
	heads   []byte
	ends    []int // of the heads
	bufs    net.Buffers
	rest    net.Buffers // of bufs, as they are written
}

// seal returns what is to be written: the parcels, or a sign of life if there are none.
func (e *envelope) seal() *net.Buffers {
	e.heads, e.ends, e.bufs = e.heads[:0], e.ends[:0], e.bufs[:0]
	for _, q := range e.parcels {
		e.heads = binary.LittleEndian.AppendUint32(e.heads, uint32(1+len(q.id)+len(q.frame)))
		e.heads = append(append(e.heads, byte(len(q.id))), q.id...)
		e.ends = append(e.ends, len(e.heads))
	}
	from := 0
	for i, q := range e.parcels {
		e.bufs = append(e.bufs, e.heads[from:e.ends[i]], q.frame)
		from = e.ends[i]
	}
	if len(e.parcels) == 0 {
		e.bufs = append(e.bufs, sign[:])
	}
	e.rest = e.bufs
	return &e.rest
}

// sign of life is a parcel of length 0.
var sign [4]byte

// frames are buffers that were sent, or consumed, and may be filled again.
var frames = sync.Pool{New: func() any { return new([]byte) }}

// maxRecycled keeps a few large frames from holding memory for ever.
const maxRecycled = 1 << 20

// Buffer returns an empty buffer to append a frame to, for Links.Send.
func Buffer() []byte { return (*frames.Get().(*[]byte))[:0] }

// Recycle takes back a frame that nobody refers to any more.
func Recycle(frame []byte) {
	if cap(frame) <= maxRecycled {
		frames.Put(&frame)
	}
}
