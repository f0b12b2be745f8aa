package world

import (
	"fmt"
	"testing"
	"time"

	"blink/actors"

	"google.golang.org/protobuf/types/known/wrapperspb"
)

// pair is two nodes that tell each other a number every 10 ms, and count what they hear.
type pair struct {
	*World
	a, b  *Node
	heard map[string]int
}

func newPair(t *testing.T, o Options) *pair {
	w := New(3, o)
	p := &pair{w, w.Node("a", Clock{}), w.Node("b", Clock{}), map[string]int{}}
	for _, ends := range [][2]*Node{{p.a, p.b}, {p.b, p.a}} {
		spawn(t, ends[0].Start(), "x", func(c *actors.Ctx, m any) error {
			switch m.(type) {
			case *wrapperspb.StringValue:
				p.heard[c.Sender().Node+">"+c.Self().Node]++
			default:
				c.Tell(actors.Ref{Node: ends[1].Name(), ID: "x"}, text("beat"))
				c.After("beat", 10*time.Millisecond, "beat")
			}
			return nil
		})
	}
	return p
}

func (p *pair) during(t *testing.T, d time.Duration) string {
	t.Helper()
	clear(p.heard)
	if err := p.Run(p.Elapsed() + d); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprint(p.heard["a>b"], " ", p.heard["b>a"])
}

func TestAPartitionMayBeInOneDirectionAndHeals(t *testing.T) {
	o := options()
	o.Network.Delay = Delay{Min: 1, Max: 1}
	p := newPair(t, o)
	defer p.Close()
	settle := func() { p.during(t, 5*time.Millisecond) }
	settle()
	if got := p.during(t, time.Second); got != "100 100" {
		t.Error(got)
	}
	p.Cut(p.a, p.b)
	if got := p.during(t, time.Second); got != "0 100" {
		t.Error(got)
	}
	p.Part([]*Node{p.a}, []*Node{p.b})
	if got := p.during(t, time.Second); got != "0 0" {
		t.Error(got)
	}
	p.Heal([]*Node{p.a}, []*Node{p.b})
	if got := p.during(t, time.Second); got != "100 100" {
		t.Error(got)
	}
}

func TestMessagesAreLostAndComeTwiceAsOftenAsAsked(t *testing.T) {
	p := newPair(t, options())
	defer p.Close()
	p.Shape(p.a, p.b, Network{Loss: 0.5})
	p.Shape(p.b, p.a, Network{Twice: 0.5})
	p.during(t, 100*time.Second)
	if n := p.heard["a>b"]; n < 4700 || n > 5300 {
		t.Errorf("%d of 10000 came", n)
	}
	if n := p.heard["b>a"]; n < 14700 || n > 15300 {
		t.Errorf("%d of 10000, half of them twice", n)
	}
}

func TestAMessageIsACopy(t *testing.T) {
	w := New(1, options())
	defer w.Close()
	m := text("first")
	var got string
	spawn(t, w.Node("b", Clock{}).Start(), "x", func(_ *actors.Ctx, m any) error {
		if m, ok := m.(*wrapperspb.StringValue); ok {
			got = m.Value
		}
		return nil
	})
	spawn(t, w.Node("a", Clock{}).Start(), "x", func(c *actors.Ctx, _ any) error {
		c.Tell(actors.Ref{Node: "b", ID: "x"}, m)
		m.Value = "second"
		return nil
	})
	if err := w.Run(time.Second); err != nil || got != "first" {
		t.Error(got, err)
	}
}
