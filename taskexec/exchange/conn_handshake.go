package exchange

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"syscall"
	"time"
)

// How two processes get a connection, little-endian:
//
//	hello:  magic 8 bytes | nonce u64 | dial u32 | from: length u8, bytes | to: length u8, bytes
//	answer: magic 8 bytes | busy u8 | nonce u64 | void u32
//
// The dialling side says hello, the other answers. A dial that crosses one of the peer's is void
// when that one is accepted: the answer says up to which number.
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

// A dial that may be luckier later is tried again after a pause, which doubles up to maxPause.
const (
	dialPause = 20 * time.Millisecond
	maxPause  = 50 * dialPause // a peer that refuses us for good ends the connection as well
)

// dial connects with a peer, unless the peer is faster. It has the time of a handshake.
func (c *Conns) dial(p *peer) {
	ctx, cancel := context.WithTimeout(c.life, c.o.Handshake)
	defer cancel()
	for pause := dialPause; ; pause = min(2*pause, maxPause) {
		err := c.dialOnce(ctx, p)
		if err == nil {
			return
		}
		again := passes(err) && wait(ctx, pause)
		c.mu.Lock()
		up := p.live != nil || c.shut
		if !up && !again {
			c.lose(p, err)
			up = true
		}
		if up {
			p.dialing = false
			c.mu.Unlock()
			return
		}
		c.mu.Unlock()
	}
}

// passes says whether what a dial has met may be over the next time: the peer dials too, does not
// listen yet, or has ended the connection before its answer, as one does on which many knock.
func passes(err error) bool {
	return slices.ContainsFunc([]error{errBusy, syscall.ECONNREFUSED, syscall.ECONNRESET, syscall.EPIPE, io.EOF, io.ErrUnexpectedEOF},
		func(passing error) bool { return errors.Is(err, passing) })
}

// wait says whether the time of ctx lasts longer.
func wait(ctx context.Context, d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-ctx.Done():
		return false
	}
}

// dialOnce ends the dialling if it returns nil. With the connection, not after it: a connection
// that is lost at once is dialled anew by the next who sends.
func (c *Conns) dialOnce(ctx context.Context, p *peer) error {
	address, err := c.o.Find(ctx, p.node)
	if err != nil {
		return fmt.Errorf("find %s: %w", p.node, err)
	}
	var d net.Dialer
	plain, err := d.DialContext(ctx, "tcp", address)
	if err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { _ = plain.Close() }) // ends what waits below
	nc, err := c.introduce(ctx, p, plain)
	if !stop() && err == nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		return errors.Join(err, ignoreClosed(nc.Close()))
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	p.dialing = false
	if c.shut || p.live != nil {
		_ = nc.Close() // there is another
		return nil
	}
	c.adopt(p, nc)
	return nil
}

func ignoreClosed(err error) error {
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// introduce is the handshake of the dialling side.
func (c *Conns) introduce(ctx context.Context, p *peer, nc net.Conn) (net.Conn, error) {
	if c.o.TLS == nil && !loopback(nc.RemoteAddr()) {
		return nc, fmt.Errorf("%s is no loopback address: give certificates for it", nc.RemoteAddr())
	}
	if c.o.TLS != nil {
		config := c.o.TLS.Clone()
		config.ServerName = p.node
		secure := tls.Client(nc, config)
		if err := secure.HandshakeContext(ctx); err != nil {
			return nc, fmt.Errorf("TLS with %s: %w", p.node, err)
		}
		nc = secure
	}
	h, ok := c.hello(p)
	if !ok {
		return nc, errBusy
	}
	if _, err := nc.Write(h.append(nil)); err != nil {
		return nc, err
	}
	a, err := readAnswer(nc)
	if err != nil {
		return nc, err
	}
	if a.busy {
		return nc, errBusy
	}
	c.mu.Lock()
	p.voidOf, p.void = a.nonce, a.void
	c.mu.Unlock()
	return nc, nil
}

// hello is for a dial that the peer's own has not overtaken.
func (c *Conns) hello(p *peer) (h hello, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if p.live != nil {
		return h, false
	}
	p.dials++
	return hello{nonce: c.nonce, dial: p.dials, from: c.o.Node, to: p.node}, true
}

// accept takes connections; each introduces itself in its own time.
func (c *Conns) accept() {
	for {
		nc, err := c.listener.Accept()
		if err != nil {
			if c.life.Err() != nil {
				return
			}
			c.o.Log.Warn().Err(err).Msg("accept a connection of the data plane")
			wait(c.life, dialPause) // too many open files, say
			continue
		}
		ctx, leave := c.knock()
		c.all.Go(func() {
			defer leave()
			c.welcome(ctx, nc)
		})
	}
}

// knock begins a handshake, which ends with ctx.
func (c *Conns) knock() (ctx context.Context, leave func()) {
	ctx, end := context.WithCancelCause(c.life)
	k := &knock{end}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.knocking) == maxKnocking {
		c.knocking[0].end(fmt.Errorf("%d others have knocked since", maxKnocking))
		c.knocking = slices.Delete(c.knocking, 0, 1)
	}
	c.knocking = append(c.knocking, k)
	return ctx, func() {
		end(nil)
		c.mu.Lock()
		defer c.mu.Unlock()
		c.knocking = slices.DeleteFunc(c.knocking, func(other *knock) bool { return other == k })
	}
}

// welcome is the handshake of the accepting side.
func (c *Conns) welcome(ctx context.Context, nc net.Conn) {
	ctx, cancel := context.WithTimeout(ctx, c.o.Handshake)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { _ = nc.Close() }) // ends what waits below
	if err := c.meet(ctx, nc, stop); err != nil {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		c.o.Log.Warn().Err(err).Stringer("from", nc.RemoteAddr()).Msg("a connection of the data plane is refused")
		_ = nc.Close() // refused
	}
}

func (c *Conns) meet(ctx context.Context, nc net.Conn, stop func() bool) error {
	if c.o.TLS != nil {
		secure := tls.Server(nc, c.o.TLS)
		if err := secure.HandshakeContext(ctx); err != nil {
			return fmt.Errorf("TLS: %w", err)
		}
		nc = secure
	}
	h, err := readHello(nc)
	if err != nil {
		return err
	}
	if err := c.known(h, nc); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.shut {
		return net.ErrClosed
	}
	if !stop() { // nothing ends it any more: who is told yes gets its connection
		return context.Cause(ctx)
	}
	p := c.peer(h.from)
	a := answer{nonce: c.nonce, void: p.dials}
	a.busy = p.dialing && p.live == nil && c.o.Node < h.from || p.voidOf == h.nonce && h.dial <= p.void
	_, err = nc.Write(a.append(nil)) // a few bytes into an empty buffer
	switch {
	case err != nil:
		return err
	case a.busy:
		return ignoreClosed(nc.Close())
	}
	c.adopt(p, nc)
	return nil
}

// known checks that the peer is who it says, and means us.
func (c *Conns) known(h hello, nc net.Conn) error {
	if h.to != c.o.Node {
		return fmt.Errorf("%q looks for %q, and this is %q", h.from, h.to, c.o.Node)
	}
	if h.from == c.o.Node {
		return fmt.Errorf("another process calls itself %q", h.from)
	}
	secure, ok := nc.(*tls.Conn)
	if !ok {
		return nil
	}
	chains := secure.ConnectionState().VerifiedChains
	if len(chains) == 0 {
		return fmt.Errorf("%q shows no certificate that was verified", h.from)
	}
	return chains[0][0].VerifyHostname(h.from)
}
