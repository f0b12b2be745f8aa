package world

import (
	"encoding/binary"
	"testing"
	"time"

	"blink/actors"
)

// stream is two nodes; when told, each sends numbered frames to the other.
type stream struct {
	*World
	nodes  [2]*Node
	sent   [2]uint32
	got    [2][]uint32 // since the last loss
	losses [2]int
}

// numbered is a frame that has arrived.
type numbered struct {
	from string
	n    uint32
}

func newStream(t *testing.T, seed uint64) *stream {
	o := options()
	s := &stream{}
	o.Frame = func(from string, data []byte) any { return numbered{from, binary.LittleEndian.Uint32(data)} }
	s.World = New(seed, o)
	for i, name := range []string{"a", "b"} {
		s.nodes[i] = s.Node(name, Clock{})
		s.boot(t, i)
	}
	return s
}

func (s *stream) boot(t *testing.T, i int) {
	system := s.nodes[i].Start()
	links := s.nodes[i].Links()
	s.got[i] = nil
	spawn(t, system, "te", func(c *actors.Ctx, m any) error {
		switch m := m.(type) {
		case numbered:
			if n := len(s.got[i]); n > 0 && m.n != s.got[i][n-1]+1 || m.from != s.nodes[1-i].Name() {
				t.Errorf("frame %d came from %s behind %v", m.n, m.from, s.got[i])
			}
			s.got[i] = append(s.got[i], m.n)
		case lost:
			if m.node != s.nodes[1-i].Name() {
				t.Errorf("lost %v", m)
			}
			s.losses[i]++
			s.got[i] = nil
		case string:
			s.sent[i]++
			links.Send(actors.Ref{Node: s.nodes[1-i].Name(), ID: "te"}, binary.LittleEndian.AppendUint32(nil, s.sent[i]))
			links.Flush()
		}
		return nil
	})
}

// send lets node i send n frames, half a millisecond apart.
func (s *stream) send(i, n int) {
	for k := range n {
		s.At(time.Duration(k)*500*time.Microsecond, func() {
			if sys := s.nodes[i].System(); sys != nil {
				sys.Tell(actors.Ref{Node: s.nodes[i].Name(), ID: "te"}, "send")
			}
		})
	}
}

func (s *stream) pass(t *testing.T, d time.Duration) {
	t.Helper()
	if err := s.Run(s.Elapsed() + d); err != nil {
		t.Fatal(err)
	}
}

func TestFramesArriveInOrder(t *testing.T) {
	s := newStream(t, 1)
	defer s.Close()
	s.send(0, 1000)
	s.send(1, 1000)
	s.pass(t, time.Minute)
	if len(s.got[0]) != 1000 || len(s.got[1]) != 1000 || s.losses != [2]int{} {
		t.Error(len(s.got[0]), len(s.got[1]), s.losses)
	}
}

func TestABrokenConnectionIsLostForBothOnceAndOpensAnew(t *testing.T) {
	for seed := range uint64(50) {
		s := newStream(t, seed)
		s.send(0, 100)
		s.send(1, 100)
		s.At(20*time.Millisecond, func() { s.Break(s.nodes[0], s.nodes[1]) })
		s.pass(t, time.Minute)
		if s.losses != [2]int{1, 1} {
			t.Errorf("seed %d: losses %v", seed, s.losses)
		}
		s.send(0, 10)
		s.send(1, 10)
		s.pass(t, time.Minute)
		if s.losses != [2]int{1, 1} || len(s.got[0]) < 10 || len(s.got[1]) < 10 {
			t.Errorf("seed %d: losses %v, then %d and %d", seed, s.losses, len(s.got[0]), len(s.got[1]))
		}
		s.Close()
	}
}

func TestAConnectionStallsOnACutAndGoesOnWhenItIsMendedSoon(t *testing.T) {
	s := newStream(t, 1)
	defer s.Close()
	s.send(0, 100)
	s.At(10*time.Millisecond, func() { s.Cut(s.nodes[0], s.nodes[1]) })
	s.At(300*time.Millisecond, func() { s.Mend(s.nodes[0], s.nodes[1]) })
	s.pass(t, 200*time.Millisecond)
	if n := len(s.got[1]); n == 0 || n > 25 {
		t.Errorf("%d frames before the cut", n)
	}
	s.pass(t, time.Minute)
	if len(s.got[1]) != 100 || s.losses != [2]int{} {
		t.Error(len(s.got[1]), s.losses)
	}
}

func TestAConnectionBreaksOnALongCut(t *testing.T) {
	s := newStream(t, 1)
	defer s.Close()
	s.send(0, 100)
	s.At(10*time.Millisecond, func() { s.Cut(s.nodes[1], s.nodes[0]) })
	s.pass(t, time.Minute)
	if s.losses != [2]int{1, 1} {
		t.Error(s.losses)
	}
	s.send(0, 1) // there is still no way
	s.pass(t, time.Minute)
	if s.losses[0] != 2 {
		t.Error(s.losses)
	}
}

func TestACrashBreaksTheConnectionForTheOtherEnd(t *testing.T) {
	s := newStream(t, 1)
	defer s.Close()
	s.send(0, 20)
	s.At(15*time.Millisecond, s.nodes[1].Crash)
	s.pass(t, time.Minute)
	if s.losses != [2]int{1, 0} {
		t.Errorf("losses %v", s.losses)
	}
	s.send(0, 1)
	s.pass(t, time.Minute)
	if s.losses != [2]int{2, 0} {
		t.Errorf("nobody is there: losses %v", s.losses)
	}
	s.boot(t, 1)
	s.send(0, 10)
	s.pass(t, time.Minute)
	if s.losses != [2]int{2, 0} || len(s.got[1]) != 10 {
		t.Errorf("losses %v, %d frames", s.losses, len(s.got[1]))
	}
}
