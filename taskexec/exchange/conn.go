package exchange

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"blink/actors"

	"github.com/rs/zerolog"
)

// Conns are the connections of a process: Links over TCP. There is one connection for each
// pair of processes, whoever has dialled it, and all channels between the two share it.
//
//	idle ──Send──► dialling ──accepted──► live ──end, error, silence, a newer one──► idle
//	                  │ failed                             Lost is told ─┘
//	                  └── Lost is told ──► idle
//
// When both dial at once, the one with the lower name wins: it answers "busy", and the other
// takes its dial. What waits for a connection that fails, or is on its way when it ends, is gone:
// Lost says so. What a peer sends that is no frame ends its own connection, and nothing more. Its
// frames say from whom they come, so that a task takes none but of the nodes that it has channels
// with.
type Conns struct {
	o        ConnOptions
	listener net.Listener
	nonce    uint64 // of this process
	life     context.Context
	end      context.CancelFunc
	all      sync.WaitGroup

	mu       sync.Mutex
	peers    map[string]*peer // guarded by mu, with all that is in them
	held     []*peer          // for which frames wait that Flush is to let go
	knocking []*knock         // the oldest first
	shut     bool
}

// ConnOptions of the connections of a process. What is zero and has a default gets it.
type ConnOptions struct {
	Node string // our name
	// TLS is used in both directions, and must verify the certificate of the dialling side too: the
	// name of a node is checked against it. nil: plaintext, on loopback only, where names are believed.
	TLS *tls.Config
	// Find returns the address at which the process of a node listens.
	Find func(ctx context.Context, node string) (address string, err error)
	// Deliver hands a Frame to an actor of this process, whose id is the peer's word: it may be
	// that of any. It must not block.
	Deliver func(to actors.Ref, m any)
	// Lost tells that the connection with a node is gone. It must not block.
	Lost func(node string)
	Log  zerolog.Logger

	Handshake time.Duration // until a connection must be up; default 5 s
	Silence   time.Duration // after which a peer that says nothing, or takes nothing, is gone; default 15 s
	MaxFrame  int           // bytes; default MaxFrame, which senders keep to
	MaxQueued int           // bytes that wait for one peer; default 256 MiB, far above what credits allow
}

// maxKnocking bounds the handshakes that others have begun. One more ends the oldest: who means it
// needs a few round trips, and so those who say nothing cannot keep it out.
const maxKnocking = 64

// knock is a handshake that another process has begun.
type knock struct{ end context.CancelCauseFunc }

// peer is another process, by the name of its node.
type peer struct {
	node    string
	queue   []parcel
	queued  int  // bytes
	held    bool // is one of Conns.held
	due     bool // what waits is to be written as soon as what is being written has been
	live    *conn
	dialing bool
	dials   uint32 // how often we have dialled it
	// A dial of the peer that it made void when it accepted ours: nonce of its process, number.
	voidOf uint64
	void   uint32
}

// waiting is how many bytes wait for the peer, those that are being written included.
func (p *peer) waiting() int {
	if p.live == nil {
		return p.queued
	}
	return p.queued + p.live.taken
}

// parcel is a frame on its way to an actor.
type parcel struct {
	id    string
	frame []byte
}

// conn is a connection that is up. One at a time writes to it: who sets writing owns out until
// all of it is written, or handed to the writer.
type conn struct {
	net.Conn
	direct *direct       // the same, past Go's scheduler; nil: not this one
	wake   chan struct{} // for the writer; holds one
	gone   chan struct{} // closed at its end
	once   sync.Once

	writing, handed bool // guarded by Conns.mu
	taken           int  // bytes of the frames in out; guarded by Conns.mu
	out             envelope
}

// rouse makes the writer look at what there is.
func (c *conn) rouse() {
	select {
	case c.wake <- struct{}{}:
	default: // it will look
	}
}

func (c *conn) close() {
	c.once.Do(func() {
		close(c.gone)
		_ = c.Conn.Close() // it is given up
	})
}

// Listen takes connections at address, such as "10.0.0.7:0", until Close.
func Listen(address string, o ConnOptions) (*Conns, error) {
	if o.Handshake == 0 {
		o.Handshake = 5 * time.Second
	}
	if o.Silence == 0 {
		o.Silence = 15 * time.Second
	}
	if o.MaxFrame == 0 {
		o.MaxFrame = MaxFrame
	}
	if o.MaxQueued == 0 {
		o.MaxQueued = 256 << 20
	}
	if n := len(o.Node); n == 0 || n > maxName {
		return nil, fmt.Errorf("exchange: the name of a node has %d bytes: 1 to %d", n, maxName)
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("exchange: listen at %s: %w", address, err)
	}
	if o.TLS == nil && !loopback(l.Addr()) {
		return nil, errors.Join(fmt.Errorf("exchange: %s is no loopback address: give certificates for it", l.Addr()), l.Close())
	}
	var nonce [8]byte
	if _, err := rand.Read(nonce[:]); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	c := &Conns{o: o, listener: l, nonce: binary.LittleEndian.Uint64(nonce[:]), peers: map[string]*peer{}}
	c.life, c.end = context.WithCancel(context.Background())
	c.all.Go(c.accept)
	return c, nil
}

func loopback(a net.Addr) bool {
	t, ok := a.(*net.TCPAddr)
	return ok && t.IP.IsLoopback()
}

// Addr is where others reach this process.
func (c *Conns) Addr() net.Addr { return c.listener.Addr() }

// Close ends every connection and waits until nothing of them runs. Nobody is told.
func (c *Conns) Close() error {
	c.mu.Lock()
	c.shut = true
	for _, p := range c.peers { // any order: each by itself
		if p.live != nil {
			p.live.close()
		}
	}
	c.mu.Unlock()
	c.end()
	err := c.listener.Close()
	c.all.Wait()
	return err
}

// Send implements Links. A frame waits for Flush, unless it is worth a call with what waits
// already.
func (c *Conns) Send(to actors.Ref, frame []byte) {
	if p, x := c.queue(to, frame); x != nil {
		c.writeDirect(p, x)
	}
}

// Flush implements Links. What waits is written here and now, as far as the kernel takes it at
// once: to wake the writer for it would cost more than the call.
func (c *Conns) Flush() {
	for p, x := c.flushable(); x != nil; p, x = c.flushable() {
		c.writeDirect(p, x)
	}
}

// queue notes a frame, and returns the connection that the caller is to write to; nil: none.
func (c *Conns) queue(to actors.Ref, frame []byte) (*peer, *conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.shut {
		return nil, nil
	}
	p := c.peer(to.Node)
	if len(frame) > c.o.MaxFrame || len(to.ID) > maxName || p.waiting()+len(frame) > c.o.MaxQueued {
		c.lose(p, fmt.Errorf("a frame of %d bytes for %s behind %d that wait", len(frame), to.ID, p.waiting()))
		return nil, nil
	}
	p.queue = append(p.queue, parcel{to.ID, frame})
	p.queued += len(frame)
	if p.queued >= directBytes {
		return p, c.claim(p)
	}
	if !p.held {
		p.held = true
		c.held = append(c.held, p)
	}
	return nil, nil
}

// flushable takes peers off those that Flush is for, up to one that the caller is to write to, with
// its connection.
func (c *Conns) flushable() (*peer, *conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for len(c.held) > 0 {
		last := len(c.held) - 1
		p := c.held[last]
		c.held, p.held = c.held[:last], false
		if x := c.claim(p); x != nil {
			return p, x
		}
	}
	return nil, nil
}

// claim sees to it that what waits for a peer is written: by the caller, if it returns a
// connection, or else by who dials it, who writes to it now, or its writer.
func (c *Conns) claim(p *peer) *conn {
	switch x := p.live; {
	case len(p.queue) == 0 || c.shut:
	case x == nil && !p.dialing:
		p.dialing = true
		c.all.Go(func() { c.dial(p) })
	case x == nil: // who dials rouses the writer
	case x.writing:
		p.due = true
	case x.direct == nil:
		x.rouse()
	default:
		x.take(p)
		return x
	}
	return nil
}

// peer finds or makes what is known of a node.
func (c *Conns) peer(node string) *peer {
	p := c.peers[node]
	if p == nil {
		p = &peer{node: node}
		c.peers[node] = p
	}
	return p
}

// lose ends what there is of a connection and tells so.
func (c *Conns) lose(p *peer, why error) {
	for _, x := range p.queue {
		recycle(x.frame)
	}
	p.queue, p.queued, p.due = nil, 0, false
	if p.live != nil {
		p.live.close()
		p.live = nil
	}
	if c.shut {
		return
	}
	c.o.Log.Warn().Err(why).Str("node", p.node).Msg("a connection of the data plane is lost")
	c.o.Lost(p.node)
}

// broke is told that a connection has ended. An older one is nobody's loss.
func (c *Conns) broke(p *peer, x *conn, why error) {
	x.close()
	c.mu.Lock()
	defer c.mu.Unlock()
	if p.live == x {
		c.lose(p, why)
	}
}

// adopt makes a connection the one with its peer. One that there was is lost: the peer would
// not have made another.
func (c *Conns) adopt(p *peer, nc net.Conn) {
	if p.live != nil {
		c.lose(p, errors.New("the peer has connected anew"))
	}
	x := &conn{Conn: nc, direct: directOf(nc), wake: make(chan struct{}, 1), gone: make(chan struct{})}
	p.live = x
	x.rouse()
	c.all.Go(func() { c.broke(p, x, c.read(p, x)) })
	c.all.Go(func() { c.broke(p, x, c.write(p, x)) })
}
