package exchange

import (
	"bufio"
	"crypto/tls"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"sync"
	"time"
)

// directBytes is how much must wait for a peer for Send to write it. Less waits for Flush, which
// finds more of it together.
const directBytes = 16 << 10

// write sends what waits for the peer and what direct writes have left, until the connection ends.
func (c *Conns) write(p *peer, x *conn) error {
	life, limit := time.NewTicker(c.o.Silence/3), deadline{set: x.SetWriteDeadline, after: c.o.Silence}
	defer life.Stop()
	to := gathered(x.Conn)
	for {
		begin := c.begin
		select {
		case <-x.gone:
			return net.ErrClosed
		case <-c.life.Done():
			return net.ErrClosed
		case <-life.C:
			begin = c.beginIdle
		case <-x.wake:
		}
		if err := limit.extend(); err != nil { // of direct writes too
			return err
		}
		if !begin(p, x) {
			continue
		}
		if err := x.out.writeTo(to, &limit); err != nil {
			return fmt.Errorf("to %s: %w", p.node, err)
		}
		c.written(p, x)
	}
}

// begin says whether there is something for the writer in out: what a direct write has left, or
// what waits.
func (c *Conns) begin(p *peer, x *conn) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case p.live != x:
		return false
	case x.writing:
		return x.handed
	case len(p.queue) > 0:
		x.take(p)
	}
	return x.writing
}

// beginIdle is begin, with a sign of life in out if the connection is idle.
func (c *Conns) beginIdle(p *peer, x *conn) bool {
	if c.begin(p, x) {
		return true
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if p.live != x || x.writing {
		return false
	}
	x.take(p)
	x.out.left = append(x.out.left, sign[:])
	return true
}

// take moves what waits into out, for the caller to write.
func (c *conn) take(p *peer) {
	c.writing = true
	c.out.parcels, p.queue = p.queue, c.out.parcels[:0]
	c.taken, p.queued, p.due = p.queued, 0, false
	c.out.seal()
}

// written says that all of out has been written.
func (c *Conns) written(p *peer, x *conn) {
	x.out.recycle()
	c.mu.Lock()
	defer c.mu.Unlock()
	x.writing, x.handed, x.taken = false, false, 0
	if p.live == x && p.due {
		x.rouse()
	}
}

// writeDirect writes what of out the kernel takes, and leaves the rest to the writer.
func (c *Conns) writeDirect(p *peer, x *conn) {
	if err := x.direct.writeFrom(&x.out); err != nil {
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
	piece   net.Buffers // of left: what is being written with one call
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

// pieceBytes, about, are written with one call. Each piece has the whole deadline, so that a peer
// which is slow to take all that waits is not held for one that takes nothing.
const pieceBytes = 1 << 20

// gathered is nc, or a buffer before it where each small write would be a record of TLS.
func gathered(nc net.Conn) io.Writer {
	const records = 4 << 14
	if _, encrypts := nc.(*tls.Conn); encrypts {
		return bufio.NewWriterSize(nc, records)
	}
	return nc
}

// writeTo writes all that is left.
func (e *envelope) writeTo(to io.Writer, limit *deadline) error {
	for len(e.left) > 0 {
		if err := limit.extend(); err != nil {
			return err
		}
		n, bytes := 0, 0
		for n < len(e.left) && bytes < pieceBytes {
			bytes += len(e.left[n])
			n++
		}
		e.piece, e.left = e.left[:n], e.left[n:]
		if _, err := e.piece.WriteTo(to); err != nil {
			return err
		}
		if buffer, ok := to.(*bufio.Writer); ok {
			if err := buffer.Flush(); err != nil {
				return err
			}
		}
	}
	return nil
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
