package exchange

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"blink/actors"
)

// town is some processes that find each other by name.
type town struct {
	t  *testing.T
	mu sync.Mutex
	at map[string]string // addresses
}

func newTown(t *testing.T) *town { return &town{t: t, at: map[string]string{}} }

func (w *town) find(_ context.Context, node string) (string, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.at[node] == "" {
		return "", fmt.Errorf("nobody knows %s", node)
	}
	return w.at[node], nil
}

func (w *town) move(node, address string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.at[node] = address
}

// house is a process: its connections, and what it has heard.
type house struct {
	*Conns
	t    *testing.T
	mu   sync.Mutex
	got  map[string][]string // by actor
	lost []string
	news chan struct{}
}

func (w *town) house(node string, change ...func(*ConnOptions)) *house {
	w.t.Helper()
	h := &house{t: w.t, got: map[string][]string{}, news: make(chan struct{}, 1)}
	o := ConnOptions{Node: node, Find: w.find, Handshake: 2 * time.Second, Silence: time.Second}
	o.Deliver = func(to actors.Ref, m any) {
		h.hear(func() { h.got[to.ID] = append(h.got[to.ID], textOf(m.(Frame).Data)) })
	}
	o.Lost = func(node string) { h.hear(func() { h.lost = append(h.lost, node) }) }
	for _, f := range change {
		f(&o)
	}
	c, err := Listen("127.0.0.1:0", o)
	if err != nil {
		w.t.Fatal(err)
	}
	h.Conns = c
	w.move(node, c.Addr().String())
	w.t.Cleanup(func() { _ = c.Close() }) // some tests have closed it
	return h
}

func (h *house) hear(f func()) {
	h.mu.Lock()
	f()
	h.mu.Unlock()
	select {
	case h.news <- struct{}{}:
	default:
	}
}

// until waits for something to hold of what was heard.
func (h *house) until(what string, holds func() bool) {
	h.t.Helper()
	for end := time.After(20 * time.Second); ; {
		h.mu.Lock()
		ok := holds()
		h.mu.Unlock()
		if ok {
			return
		}
		select {
		case <-h.news:
		case <-end:
			h.t.Fatalf("%s: heard %v, lost %v", what, h.got, h.lost)
		}
	}
}

// losses are the nodes that were lost, so far.
func (h *house) losses() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.lost)
}

func (h *house) hears(id string, want ...string) {
	h.t.Helper()
	h.until("hears "+strings.Join(want, " "), func() bool { return slices.Equal(h.got[id], want) })
}

func (h *house) tell(node, id, text string) {
	h.Send(actors.Ref{Node: node, ID: id}, frameOf(text))
	h.Flush()
}

// frameOf is a frame that carries a text.
func frameOf(text string) []byte {
	frame, err := AppendBatch(Buffer(), &Batch{Address: addr, Seq: 1, Records: records(text)})
	if err != nil {
		panic(err) // bytes can be encoded
	}
	return frame
}

// aroundText is how much longer a frame is than its text.
const aroundText = headerBytes + batchBytes

func textOf(frame []byte) string {
	m, err := Decode(frame)
	if err != nil {
		return err.Error()
	}
	return string(m.(*Batch).Data)
}

func TestFramesArriveInOrderAtTheirActors(t *testing.T) {
	w := newTown(t)
	a, b := w.house("a"), w.house("b")
	var left, right []string
	for i := range 500 {
		text := strings.Repeat(fmt.Sprint(i, " "), 1+i%50)
		id, to := "left", &left
		if i%3 == 0 {
			id, to = "right", &right
		}
		a.tell("b", id, text)
		*to = append(*to, text)
	}
	big := strings.Repeat("x", 5<<20)
	a.tell("b", "left", big)
	b.hears("left", append(left, big)...)
	b.hears("right", right...)
	b.tell("a", "back", "hello") // on the same connection
	a.hears("back", "hello")
	if len(a.losses())+len(b.losses()) > 0 || a.peer("b").dials != 1 || b.peer("a").dials != 0 {
		t.Errorf("lost %v %v, dialled %d and %d times", a.lost, b.lost, a.peer("b").dials, b.peer("a").dials)
	}
}

// One Flush is for all nodes, whether they are connected or not.
func TestFlushLetsGoWhatWaitsForAnyNode(t *testing.T) {
	w := newTown(t)
	a := w.house("a")
	others := map[string]*house{"b": w.house("b"), "c": w.house("c"), "d": w.house("d")}
	a.tell("b", "x", "connects")
	others["b"].hears("x", "connects")
	for node := range others {
		a.Send(actors.Ref{Node: node, ID: "y"}, frameOf("one"))
		a.Send(actors.Ref{Node: node, ID: "y"}, frameOf("two"))
	}
	a.Flush()
	for _, other := range others {
		other.hears("y", "one", "two")
	}
}

// Who flushes while another writes leaves it to that one.
func TestWhatIsFlushedDuringAWriteIsWrittenBehindIt(t *testing.T) {
	w := newTown(t)
	a, b := w.house("a", patient), w.house("b", patient)
	a.tell("b", "x", "connects")
	b.hears("x", "connects")
	a.Conns.mu.Lock()
	p := a.peer("b")
	for p.live.writing { // who has sent that is not done with it
		a.Conns.mu.Unlock()
		runtime.Gosched()
		a.Conns.mu.Lock()
	}
	p.live.writing = true
	a.Conns.mu.Unlock()
	a.tell("b", "x", "waits")
	a.written(p, p.live)
	b.hears("x", "connects", "waits")
}

// Whoever dials, and when: one connection, and nothing is lost.
func TestBothMayDialAtOnce(t *testing.T) {
	for round := range 100 {
		w := newTown(t)
		a, b := w.house("a"), w.house("b")
		var both sync.WaitGroup
		for _, h := range []*house{a, b} {
			both.Go(func() {
				for range rand.IntN(2000) {
					runtime.Gosched()
				}
				for i := range 10 {
					h.tell(string('a'+'b'-h.o.Node[0]), "x", fmt.Sprint(i))
				}
			})
		}
		both.Wait()
		want := []string{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"}
		a.hears("x", want...)
		b.hears("x", want...)
		if len(a.losses())+len(b.losses()) > 0 {
			t.Fatalf("round %d: lost %v %v", round, a.lost, b.lost)
		}
		if err := a.Close(); err != nil {
			t.Fatal(err)
		}
		if err := b.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestALostConnectionIsToldAtBothEndsAndMadeAnew(t *testing.T) {
	w := newTown(t)
	a, b := w.house("a"), w.house("b")
	a.tell("b", "x", "1")
	b.hears("x", "1")
	b.Conns.mu.Lock()
	live := b.peer("a").live
	b.Conns.mu.Unlock()
	if err := live.Conn.(*net.TCPConn).SetLinger(0); err != nil { // a reset
		t.Fatal(err)
	}
	live.close()
	a.until("a loses b", func() bool { return len(a.lost) == 1 })
	b.until("b loses a", func() bool { return len(b.lost) == 1 })
	a.tell("b", "x", "2")
	b.hears("x", "1", "2")
}

// patient makes the ends of a connection the only sign that a peer is gone, and what is sent the
// only reason to write.
func patient(o *ConnOptions) { o.Silence = time.Hour }

func TestAProcessThatIsGoneIsLost(t *testing.T) {
	w := newTown(t)
	a, b := w.house("a", patient), w.house("b", patient)
	a.tell("b", "x", "1")
	b.hears("x", "1")
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	a.until("a loses b", func() bool { return len(a.lost) == 1 })
	a.tell("b", "x", "2") // nobody listens
	a.until("a loses b again", func() bool { return len(a.lost) == 2 })
	a.tell("c", "x", "3") // nobody knows it
	a.until("a loses c", func() bool { return slices.Contains(a.lost, "c") })
	b2 := w.house("b")
	a.tell("b", "x", "4")
	b2.hears("x", "4")
}

// middle carries bytes between a client and an address until it is told to stand still.
func middle(t *testing.T, to string) (address string, carried *atomic.Int64, still func()) {
	carried = new(atomic.Int64)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	stop := make(chan struct{})
	var once sync.Once
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial("tcp", to)
			if err != nil {
				return
			}
			carry := func(dst, src net.Conn) {
				buf := make([]byte, 4096)
				for {
					n, err := src.Read(buf)
					select {
					case <-stop:
						select {} // half open: neither bytes nor an end
					default:
					}
					if err != nil {
						_ = dst.Close()
						return
					}
					carried.Add(int64(n))
					_, _ = dst.Write(buf[:n]) // an end is noticed when it is read
				}
			}
			go carry(in, out)
			go carry(out, in)
		}
	}()
	return l.Addr().String(), carried, func() { once.Do(func() { close(stop) }) }
}

// The network swallows everything, and no end is told: silence is the only sign.
func TestAHalfOpenConnectionIsLostAfterSilence(t *testing.T) {
	w := newTown(t)
	a, b := w.house("a"), w.house("b")
	address, carried, still := middle(t, b.Addr().String())
	w.move("b", address)
	a.tell("b", "x", "1")
	b.hears("x", "1")
	const signs = 12 // of life keep an idle connection, for longer than Silence
	idle, look := carried.Load(), time.NewTicker(10*time.Millisecond)
	defer look.Stop()
	for range look.C {
		if carried.Load() >= idle+4*signs {
			break
		}
	}
	if len(a.losses())+len(b.losses()) > 0 {
		t.Fatalf("lost %v %v", a.lost, b.lost)
	}
	still()
	a.until("a loses b", func() bool { return len(a.lost) == 1 })
	b.until("b loses a", func() bool { return len(b.lost) == 1 })
}

// introduce connects with a house as a process that does nothing by itself.
func (h *house) introduce(node string) *net.TCPConn {
	h.t.Helper()
	c, err := net.Dial("tcp", h.Addr().String())
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { _ = c.Close() }) // some tests have closed it
	if _, err := c.Write(hello{nonce: 7, dial: 1, from: node, to: h.o.Node}.append(nil)); err != nil {
		h.t.Fatal(err)
	}
	if _, err := readAnswer(c); err != nil {
		h.t.Fatal(err)
	}
	return c.(*net.TCPConn)
}

// A peer that reads nothing: its frames wait, up to a bound. Others get theirs.
func TestASlowPeerLosesItsOwnConnectionOnly(t *testing.T) {
	const size, kernel = 100_000, 64 << 20 // more than it holds
	w := newTown(t)
	a, b := w.house("a", patient, func(o *ConnOptions) { o.MaxQueued = 1 << 20 }), w.house("b", patient)
	a.introduce("slow")
	var want []string
	for sent := 0; len(a.losses()) == 0 && sent < kernel; sent += size {
		a.tell("slow", "x", strings.Repeat("y", size))
		want = append(want, fmt.Sprint(sent))
		a.tell("b", "x", want[len(want)-1])
	}
	b.hears("x", want...)
	if lost := a.losses(); !slices.Equal(lost, []string{"slow"}) {
		t.Errorf("lost %v", lost)
	}
}

// Several send to a peer that takes a while: what each lets go arrives, and in its order, whoever
// of them, of the kernel and of the writer has to do with it. In each round they fall silent, so
// that nothing of a later one mends what was forgotten; in every second one the peer waits for that.
func TestManyMaySendToASlowPeer(t *testing.T) {
	const senders, rounds, most, largest = 8, 60, 4, 300_000
	w := newTown(t)
	a := w.house("a", patient)
	c := a.introduce("slow")
	if err := c.SetReadBuffer(32 << 10); err != nil {
		t.Fatal(err)
	}
	p, x := a.connection("slow")
	if err := x.Conn.(*net.TCPConn).SetWriteBuffer(32 << 10); err != nil {
		t.Fatal(err)
	}
	come := parcels{from: c, maxFrame: MaxFrame, known: ids{}}
	left := 0 // rounds in which the writer had something to do
	var next [senders]uint64
	for round := range rounds {
		var want [senders]int
		var all sync.WaitGroup
		for i := range senders {
			want[i] = 1 + rand.IntN(most)
			first := next[i]
			all.Go(func() {
				to := actors.Ref{Node: "slow", ID: string(rune('a' + i))}
				for n := range want[i] {
					size := int(math.Pow(largest, rand.Float64()))
					a.Send(to, numbered(first+uint64(n), size))
					if rand.IntN(2) == 0 {
						a.Flush()
					}
				}
				a.Flush()
			})
		}
		if round%2 == 0 {
			all.Wait()
			a.Conns.mu.Lock()
			if p.live == x && x.handed {
				left++
			}
			a.Conns.mu.Unlock()
		}
		if err := c.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
			t.Fatal(err)
		}
		frames := 0
		for _, n := range want {
			frames += n
		}
		for range frames {
			id, frame, err := come.next()
			if err != nil {
				t.Fatalf("frames %v have come, then %v, lost %v", next, err, a.losses())
			}
			i := id[0] - 'a'
			if !bytes.Equal(frame, numbered(next[i], len(frame))) {
				t.Fatalf("frame %d of sender %d differs", next[i], i)
			}
			next[i]++
		}
		all.Wait()
	}
	if left < rounds/4 {
		t.Errorf("in %d of %d rounds only the kernel had not taken all", left, rounds/2)
	}
}

// numbered is a frame of some bytes; the number is in them, as far as there is room.
func numbered(n uint64, size int) []byte {
	frame := slices.Grow(Buffer(), size)[:size]
	for i := range frame {
		frame[i] = byte(n>>(8*(i%8))) + byte(i>>3)
	}
	return frame
}

// connection is the one that a house has with a node.
func (h *house) connection(node string) (*peer, *conn) {
	h.Conns.mu.Lock()
	defer h.Conns.mu.Unlock()
	p := h.peer(node)
	return p, p.live
}

func TestWhatAHostileClientSendsHurtsNobody(t *testing.T) {
	w := newTown(t)
	forbearing := func(o *ConnOptions) { o.Silence, o.Handshake, o.MaxFrame = time.Hour, time.Hour, 1<<20 } // no time ends it
	a, b := w.house("a", patient), w.house("b", forbearing)
	a.tell("b", "x", "1")
	b.hears("x", "1")
	parcel := func(length uint32, rest ...byte) []byte {
		return append(binary.LittleEndian.AppendUint32(nil, length), rest...)
	}
	introduced := hello{nonce: 7, dial: 1, from: "mallory", to: "b"}.append(nil)
	for name, say := range map[string][]byte{
		"garbage":                 []byte("GET / HTTP/1.1\r\n\r\n............"),
		"another version":         []byte("blinkex9............................"),
		"for somebody else":       hello{nonce: 7, dial: 1, from: "mallory", to: "c"}.append(nil),
		"our own name":            hello{nonce: 7, dial: 1, from: "b", to: "b"}.append(nil),
		"no name":                 hello{nonce: 7, dial: 1, to: "b"}.append(nil),
		"a frame too large":       append(slices.Clone(introduced), parcel(1<<31, 1, 'x')...),
		"an actor without a name": append(slices.Clone(introduced), parcel(5, 0, 1, 2, 3, 4)...),
		"a name beyond its end":   append(slices.Clone(introduced), parcel(3, 200, 1, 2)...),
	} {
		t.Run(name, func(t *testing.T) {
			c, err := net.Dial("tcp", b.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			if _, err := c.Write(say); err != nil {
				t.Fatal(err)
			}
			if err := c.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
				t.Fatal(err)
			}
			if _, err := io.Copy(io.Discard, c); err != nil && strings.Contains(err.Error(), "timeout") {
				t.Error("it is not thrown out")
			}
		})
	}
	a.tell("b", "x", "2")
	b.hears("x", "1", "2")
	if slices.Contains(b.losses(), "a") {
		t.Error("a is lost")
	}
}

func TestFramesSayFromWhomTheyCome(t *testing.T) {
	w := newTown(t)
	a, b := w.house("a"), w.house("b")
	senders := func(o *ConnOptions) {
		deliver := o.Deliver
		o.Deliver = func(_ actors.Ref, m any) {
			f := m.(Frame)
			deliver(actors.Ref{ID: f.From}, f)
		}
	}
	c := w.house("c", senders)
	a.tell("c", "b", "1")
	c.hears("a", "1")
	b.tell("c", "a", "2")
	c.hears("b", "2")
}

// Nor does it get further than the connection.
func TestWhatIsNoFrameEndsItsConnection(t *testing.T) {
	w := newTown(t)
	a, b := w.house("a", patient), w.house("b", patient)
	a.tell("b", "x", "1")
	b.hears("x", "1")
	frame := frameOf("evil")
	unknown := slices.Clone(frame)
	unknown[0] = 9
	for i, bad := range [][]byte{nil, frame[:headerBytes-1], frame[:headerBytes+batchBytes-1], unknown} {
		c, err := net.Dial("tcp", b.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		say := hello{nonce: 7, dial: uint32(i + 1), from: "mallory", to: "b"}.append(nil)
		say = append(binary.LittleEndian.AppendUint32(say, uint32(2+len(bad))), 1, 'x')
		if _, err := c.Write(append(say, bad...)); err != nil {
			t.Fatal(err)
		}
		b.until("b loses mallory", func() bool { return len(b.lost) == i+1 && b.lost[i] == "mallory" })
	}
	a.tell("b", "x", "2")
	b.hears("x", "1", "2")
	if slices.Contains(b.losses(), "a") {
		t.Error("a is lost")
	}
}

// However many say nothing, and however long they may: who comes behind them gets in.
func TestSilentClientsKeepNobodyOut(t *testing.T) {
	w := newTown(t)
	b := w.house("b", func(o *ConnOptions) { o.Handshake = time.Hour })
	var silent []net.Conn
	for range maxKnocking {
		c, err := net.Dial("tcp", b.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		silent = append(silent, c)
	}
	a := w.house("a", func(o *ConnOptions) { o.Handshake = time.Hour })
	a.tell("b", "x", "1")
	b.hears("x", "1")
	if err := silent[0].SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := silent[0].Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("the oldest has not made room: %v", err)
	}
	if len(a.losses())+len(b.losses()) > 0 {
		t.Errorf("lost %v %v", a.lost, b.lost)
	}
	if err := b.Close(); err != nil { // it waits for none of the others
		t.Error(err)
	}
}

// A peer that is not there yet, or has no time for us, is no lost one before the time of a
// handshake is over.
func TestADialThatIsNotAnsweredIsTriedAgain(t *testing.T) {
	w := newTown(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b := w.house("b")
	var refused atomic.Int32
	go func() { // lets two in, and tells them nothing
		defer l.Close()
		for refused.Load() < 2 {
			c, err := l.Accept()
			if err != nil {
				return
			}
			refused.Add(1)
			_ = c.Close()
		}
	}()
	dials := 0
	a := w.house("a", func(o *ConnOptions) {
		o.Handshake = time.Hour
		o.Find = func(ctx context.Context, node string) (string, error) {
			if dials++; dials < 5 { // of these two find nobody
				return l.Addr().String(), nil
			}
			return w.find(ctx, node)
		}
	})
	a.tell("b", "x", "1")
	b.hears("x", "1")
	if lost := a.losses(); len(lost) > 0 || refused.Load() != 2 || dials != 5 {
		t.Errorf("lost %v, refused %d of %d dials", lost, refused.Load(), dials)
	}
}

// They say nothing, or a byte now and then; others still get in, and they do not stay.
func TestSlowHandshakesKeepNobodyOut(t *testing.T) {
	w := newTown(t)
	b := w.house("b", func(o *ConnOptions) { o.Handshake = 300 * time.Millisecond })
	var all []net.Conn
	for range maxKnocking / 2 {
		c, err := net.Dial("tcp", b.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Write([]byte(magic[:1])); err != nil {
			t.Fatal(err)
		}
		all = append(all, c)
	}
	a := w.house("a")
	a.tell("b", "x", "1")
	b.hears("x", "1")
	for _, c := range all {
		if err := c.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Read(make([]byte, 1)); err != io.EOF && !strings.Contains(fmt.Sprint(err), "reset") {
			t.Errorf("a client that says nothing is answered %v", err)
		}
		_ = c.Close()
	}
}

func TestPlaintextStaysOnLoopback(t *testing.T) {
	if _, err := Listen("0.0.0.0:0", ConnOptions{Node: "a"}); err == nil || !strings.Contains(err.Error(), "certificates") {
		t.Errorf("got %v", err)
	}
}

func FuzzHello(f *testing.F) {
	f.Add(hello{nonce: 1, dial: 2, from: "a", to: "b"}.append(nil))
	f.Fuzz(func(t *testing.T, data []byte) {
		h, err := readHello(bytes.NewReader(data))
		if err != nil {
			return
		}
		if again := h.append(nil); !bytes.HasPrefix(data, again) {
			t.Errorf("%x is read as %x", data, again)
		}
	})
}

// A peer that introduces itself, promises a frame and then sends it byte by byte: the time of a
// silent peer is what a frame may take, so it ends before the frame does.
func TestAFrameThatComesByteByByteEndsItsConnection(t *testing.T) {
	w := newTown(t)
	a, b := w.house("a"), w.house("b")
	a.tell("b", "x", "1")
	b.hears("x", "1")
	c, err := net.Dial("tcp", b.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	say := hello{nonce: 7, dial: 1, from: "mallory", to: "b"}.append(nil)
	say = append(binary.LittleEndian.AppendUint32(say, MaxFrame), 1, 'x')
	for err == nil { // until it is thrown out
		_, err = c.Write(say)
		say = []byte{0}
	}
	b.until("b loses mallory", func() bool { return slices.Contains(b.lost, "mallory") })
	a.tell("b", "x", "2")
	b.hears("x", "1", "2")
	if slices.Contains(b.losses(), "a") {
		t.Error("a is lost too")
	}
}

// waits is how many bytes wait for a node.
func (h *house) waits(node string) int {
	h.Conns.mu.Lock()
	defer h.Conns.mu.Unlock()
	return h.peer(node).queued
}

// A peer that introduces itself and then takes nothing loses its connection when writes to it
// have stood still for the time of a silent peer, and what waits for it is let go.
func TestAPeerThatStopsReadingIsLost(t *testing.T) {
	w := newTown(t)
	b := w.house("b")
	c := b.introduce("deaf")
	alive, stop := make(chan error, 1), make(chan struct{})
	go func() { // it says that it lives, all the time
		var err error
		for err == nil {
			select {
			case <-stop:
				err = net.ErrClosed
			default:
				_, err = c.Write(sign[:])
			}
		}
		alive <- err
	}()
	for range 100 {
		b.tell("deaf", "x", strings.Repeat("y", 1<<20)) // far more than the kernel holds
	}
	b.until("b loses deaf", func() bool { return slices.Contains(b.lost, "deaf") })
	// What was told behind the loss is lost too, for nobody finds it.
	for end := time.After(20 * time.Second); b.waits("deaf") > 0; {
		select {
		case <-b.news:
		case <-end:
			t.Fatalf("%d bytes still wait for it", b.waits("deaf"))
		}
	}
	close(stop)
	<-alive
}

// What is being written waits as well as what is queued behind it.
func TestTheBoundHoldsForAllThatWaits(t *testing.T) {
	w := newTown(t)
	a := w.house("a", func(o *ConnOptions) { o.MaxQueued = 1000 })
	near, far := net.Pipe()
	defer far.Close()
	a.Conns.mu.Lock()
	p, x := a.peer("b"), &conn{Conn: near, wake: make(chan struct{}, 1), gone: make(chan struct{})}
	p.live = x
	a.Conns.mu.Unlock()
	a.tell("b", "x", strings.Repeat("y", 600-aroundText))
	a.Conns.mu.Lock()
	x.take(p)
	a.Conns.mu.Unlock()
	a.tell("b", "x", strings.Repeat("y", 300-aroundText))
	if lost := a.losses(); len(lost) > 0 || a.waits("b") != 300 {
		t.Fatalf("lost %v, %d bytes wait", lost, a.waits("b"))
	}
	a.tell("b", "x", strings.Repeat("y", 300-aroundText))
	a.until("a loses b", func() bool { return slices.Equal(a.lost, []string{"b"}) })
}

// A peer that takes bit by bit what waits for it, in more time than a silent one has, is not lost.
func TestAPeerThatReadsSlowlyIsKept(t *testing.T) {
	const silence, frames, size = time.Second, 8000, 4 << 10
	w := newTown(t)
	b := w.house("b", func(o *ConnOptions) { o.Silence = silence })
	c := b.introduce("slow")
	for range frames {
		b.tell("slow", "x", strings.Repeat("y", size-aroundText))
	}
	const all = frames * size
	pause := time.NewTicker(2 * silence * (256 << 10) / all) // twice the silence for all of it
	defer pause.Stop()
	for read := int64(0); read < all; {
		<-pause.C
		if _, err := c.Write(sign[:]); err != nil {
			t.Fatal(err)
		}
		n, err := io.CopyN(io.Discard, c, min(256<<10, all-read))
		if read += n; err != nil {
			t.Fatalf("%d of %d bytes came, then %v, lost %v", read, all, err, b.losses())
		}
	}
}
