package exchange

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

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

// read delivers what the peer sends, until the connection ends.
func (c *Conns) read(p *peer, x *conn) error {
	r, limit := parcels{from: x, maxFrame: c.o.MaxFrame, known: ids{}}, deadline{set: x.SetReadDeadline, after: c.o.Silence}
	for {
		if err := limit.extend(); err != nil {
			return err
		}
		id, frame, err := r.next()
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

// parcels reads them from a connection into slabs. A frame is a part of its slab and is never
// copied; there is a new slab when the next parcel has no room in the one at hand.
type parcels struct {
	from     io.Reader
	maxFrame int
	known    ids

	slab   []byte // what was read of it
	at     int    // of slab: the next parcel
	lent   bool   // frames are parts of slab
	recent int    // bytes of the last parcel
}

const (
	// readAhead is how much is read beyond a parcel: the heads of others, and small ones.
	readAhead = 4 << 10
	// A slab holds some parcels like the last one, and has at least leastSlab bytes and, unless
	// a single parcel is larger, at most mostSlab: as much as a string that is kept may keep.
	slabParcels = 4
	leastSlab   = 4 << 10
	mostSlab    = 256 << 10
	// maxPromised is the memory that a parcel gets before its bytes have come.
	maxPromised = 1 << 20
)

// next reads one; the id of a sign of life is empty.
func (p *parcels) next() (id string, frame []byte, err error) {
	if !p.lent && p.at == len(p.slab) {
		p.slab, p.at = p.slab[:0], 0
	}
	if err := p.need(4); err != nil {
		return "", nil, err
	}
	n := int(binary.LittleEndian.Uint32(p.slab[p.at:]))
	switch {
	case n == 0:
		p.at += 4
		return "", nil, nil
	case n > p.maxFrame+1+maxName:
		return "", nil, fmt.Errorf("a parcel of %d bytes: at most %d", n, p.maxFrame)
	}
	if err := p.need(5); err != nil {
		return "", nil, err
	}
	l := int(p.slab[p.at+4])
	if l == 0 || 1+l > n {
		return "", nil, fmt.Errorf("a parcel of %d bytes for a name of %d", n, l)
	}
	if err := p.need(4 + n); err != nil {
		return "", nil, err
	}
	name, end := p.at+5, p.at+4+n
	id, frame = p.known.of(p.slab[name:name+l]), p.slab[name+l:end:end]
	p.at, p.lent, p.recent = end, true, 4+n
	return id, frame, nil
}

// need reads until n bytes of the parcel are there.
func (p *parcels) need(n int) error {
	for len(p.slab)-p.at < n {
		room := maxPromised
		if len(p.slab) == cap(p.slab) {
			room = max(room, 2*(len(p.slab)-p.at))
		}
		if room = min(room, n); cap(p.slab)-p.at < room {
			p.move(room)
		}
		end := min(cap(p.slab), p.at+n+readAhead)
		more, err := p.from.Read(p.slab[len(p.slab):end])
		if p.slab = p.slab[:len(p.slab)+more]; err != nil && len(p.slab)-p.at < n {
			return err
		}
	}
	return nil
}

// move takes what was read and not used yet to a new slab with room for n bytes.
func (p *parcels) move(n int) {
	size := max(n, leastSlab, min(mostSlab, slabParcels*max(n, p.recent)))
	p.slab = append(make([]byte, 0, size), p.slab[p.at:]...)
	p.at, p.lent = 0, false
}

// directBytes is how much must wait for a peer before who sends writes it: less is left to the
// writer, which finds more of it together.
const directBytes = 16 << 10

// write sends what waits for the peer and what direct writes have left, all of it with one call,
// until the connection ends.
func (c *Conns) write(p *peer, x *conn) error {
	life, limit := time.NewTicker(c.o.Silence/3), deadline{set: x.SetWriteDeadline, after: c.o.Silence}
	defer life.Stop()
	for {
		idle := false
		select {
		case <-x.gone:
			return net.ErrClosed
		case <-c.life.Done():
			return net.ErrClosed
		case <-life.C:
			idle = true
		case <-x.wake:
		}
		if err := limit.extend(); err != nil {
			return err
		}
		if !c.begin(p, x, idle) {
			continue
		}
		if _, err := x.out.left.WriteTo(x.Conn); err != nil {
			return fmt.Errorf("to %s: %w", p.node, err)
		}
		c.written(p, x)
	}
}

// begin says whether there is something for the writer in out: what a direct write has left,
// what waits, or a sign of life if the connection is idle.
func (c *Conns) begin(p *peer, x *conn, idle bool) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case p.live != x:
		return false
	case x.writing:
		return x.handed
	case len(p.queue) > 0:
		x.take(p)
	case idle:
		x.take(p)
		x.out.left = append(x.out.left, sign[:])
	}
	return x.writing
}

// take moves what waits into out, for the caller to write.
func (c *conn) take(p *peer) {
	c.writing = true
	c.out.parcels, p.queue = p.queue, c.out.parcels[:0]
	p.queued = 0
	c.out.seal()
}

// written says that all of out has been written.
func (c *Conns) written(p *peer, x *conn) {
	x.out.recycle()
	c.mu.Lock()
	defer c.mu.Unlock()
	x.writing, x.handed = false, false
	if p.live == x && len(p.queue) > 0 {
		x.rouse()
	}
}

// writeDirect writes what of out the kernel takes, and leaves the rest to the writer.
func (c *Conns) writeDirect(p *peer, x *conn) {
	if err := x.out.writeDirect(x.direct); err != nil {
		c.broke(p, x, fmt.Errorf("to %s: %w", p.node, err))
		return
	}
	if len(x.out.left) == 0 {
		c.written(p, x)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	x.handed = true
	x.rouse()
}

// envelope lays out parcels for one write. What it needs for that it uses again.
type envelope struct {
	parcels []parcel
	heads   []byte
	ends    []int // of the heads
	bufs    net.Buffers
	left    net.Buffers // of bufs: what is to be written
}

// seal puts the parcels into left.
func (e *envelope) seal() {
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
	e.left = e.bufs
}

// wrote takes the first n bytes off what is to be written.
func (e *envelope) wrote(n int) {
	for len(e.left) > 0 && n >= len(e.left[0]) {
		n -= len(e.left[0])
		e.left = e.left[1:]
	}
	if n > 0 {
		e.left[0] = e.left[0][n:]
	}
}

// recycle gives the frames back, which have been written.
func (e *envelope) recycle() {
	for i, q := range e.parcels {
		recycle(q.frame)
		e.parcels[i] = parcel{}
	}
	clear(e.bufs)
	e.parcels = e.parcels[:0]
}

// sign of life is a parcel of length 0.
var sign [4]byte

// frames are buffers that were sent and may be filled again.
var frames = sync.Pool{New: func() any { return new([]byte) }}

// maxRecycled keeps a few large frames from holding memory for ever.
const maxRecycled = 1 << 20

// Buffer returns an empty buffer to append a frame to, for Links.Send.
func Buffer() []byte { return (*frames.Get().(*[]byte))[:0] }

func recycle(frame []byte) {
	if cap(frame) <= maxRecycled {
		frames.Put(&frame)
	}
}
