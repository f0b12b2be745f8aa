package exchange

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"time"

	"blink/actors"
	"blink/internal/process"
)

// On a connection both sides send parcels, little-endian:
//
//	length u32 of what follows | length u8 of the actor's id | id | frame
//
// One of length 0 only says that the sender lives.

// read delivers what the peer sends, until the connection ends.
func (c *Conns) read(p *peer, x *conn) error {
	r, limit := parcels{from: x.reader(), maxFrame: c.o.MaxFrame, known: ids{}}, deadline{set: x.SetReadDeadline, after: c.o.Silence}
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
		if err := checkFrame(frame); err != nil {
			return fmt.Errorf("from %s: %w", p.node, err)
		}
		c.mu.Lock()
		current := p.live == x && !c.shut
		if current {
			c.o.Deliver(actors.Ref{Node: c.o.Node, ID: id}, Frame{From: p.node, Data: frame})
		}
		c.mu.Unlock()
		if !current {
			return net.ErrClosed
		}
	}
}

// reader is how the connection is read.
func (c *conn) reader() io.Reader {
	if c.direct != nil {
		return c.direct
	}
	return c.Conn
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

// parcels reads them from a connection into slabs. A frame is a part of its slab, unless it is so
// small a part that it is copied: a frame may wait for long, and strings of it for ever, and what
// came beside it does not wait with it. There is a new slab when the next parcel has no room in the
// one at hand.
type parcels struct {
	from     io.Reader
	maxFrame int
	known    ids

	slab   []byte // what was read of it
	at     int    // of slab: the next parcel
	lent   bool   // frames are parts of slab: it is not written to again
	recent int    // bytes of the last parcel
}

const (
	// A slab has room for some parcels like the last one, at most slabParcels and in mostSlab bytes,
	// which is as much as a string that is kept may keep, unless a single parcel is larger; and slack
	// for the head of another, and for small ones.
	slabParcels = 4
	mostSlab    = 256 << 10
	slack       = 4 << 10
	// smallPart is the part of a slab that a frame must be to keep all of it.
	smallPart = 8
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
	if smallPart*len(frame) < cap(p.slab) {
		frame = bytes.Clone(frame)
	} else {
		p.lent = true
	}
	p.at, p.recent = end, 4+n
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
		more, err := p.from.Read(p.slab[len(p.slab):cap(p.slab)])
		if p.slab = p.slab[:len(p.slab)+more]; err != nil && len(p.slab)-p.at < n {
			return err
		}
	}
	return nil
}

// move takes what was read and not used yet to the beginning of a slab with room for n bytes: a new
// one, unless the one at hand may be written to again.
func (p *parcels) move(n int) {
	room := p.slab[:0]
	if p.lent || cap(room) < n {
		each := max(n, min(p.recent, mostSlab))
		room = process.Uncleared(each*max(1, min(slabParcels, mostSlab/each)) + slack)
	}
	p.slab = append(room, p.slab[p.at:]...)
	p.at, p.lent = 0, false
}
