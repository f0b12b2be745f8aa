package state

import (
	"testing"
	"time"

	"blink/graph"
)

// wide is a processor with more states than a row's head has bits for, of many sizes.
type wide struct {
	Bytes [40]Value[byte]
	Lists [40]List[string]
	Texts [40]Value[string]
}

func newWide(t *testing.T) (*Store[uint8], *wide) {
	t.Helper()
	s, err := NewStore[uint8](1, graph.Range{To: 1}, noClock)
	w := &wide{}
	if err == nil {
		err = s.Bind(w)
	}
	if err != nil {
		t.Fatal(err)
	}
	return s, w
}

func TestEveryStateOfManyHasItsOwnPlaceAndBit(t *testing.T) {
	s, w := newWide(t)
	for i := range 40 {
		for k := range uint8(50) {
			s.SetKey(k, s.hash(k))
			switch (i + int(k)) % 4 {
			case 0:
				w.Bytes[i].Set(k + byte(i))
			case 1:
				w.Lists[i].Append("list")
			case 2:
				w.Texts[i].Set("text")
			}
		}
	}
	for k := range uint8(50) {
		s.SetKey(k, s.hash(k))
		for i := range 40 {
			x, one := w.Bytes[i].Load()
			text, three := w.Texts[i].Load()
			n, kind := w.Lists[i].Len(), (i+int(k))%4
			if one != (kind == 0) || one && x != k+byte(i) || n == 1 != (kind == 1) || three != (kind == 2) || three && text != "text" {
				t.Fatalf("key %d, state %d: %v %v, %d, %q %v", k, i, x, one, n, text, three)
			}
			w.Bytes[i].Clear()
			w.Lists[i].Clear()
			w.Texts[i].Clear()
		}
	}
	if s.Len() != 0 {
		t.Errorf("%d keys are held", s.Len())
	}
}

func TestAPlaceStaysWhileOtherKeysCome(t *testing.T) {
	x := newTask(t).enter(customer{"a", 0})
	first := x.Sum.Ref()
	for i := range 5000 {
		if i == 2000 { // the first page has its size
			first = x.enter(customer{"a", 0}).Sum.Ref()
		}
		*x.enter(customer{"a", i}).Sum.Ref() = i
	}
	if *first = 7; x.enter(customer{"a", 0}).Sum.Get() != 7 {
		t.Error("the row was moved")
	}
	for i := range 4999 {
		if got := x.enter(customer{"a", i + 1}).Sum.Get(); got != i+1 {
			t.Fatalf("key %d has %d", i+1, got)
		}
	}
}

// lists is a processor that appends.
type lists struct {
	Last List[int64]
	All  Map[int64, int64]
	End  Timer
}

func TestListsThatComeAndGoCostNoAllocation(t *testing.T) {
	s, err := NewStore[int](groups, graph.Range{To: groups}, noClock)
	p := &lists{}
	if err == nil {
		err = s.Bind(p)
	}
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	record := func() {
		n++
		s.SetKey(n%100, s.hash(n%100))
		p.Last.Append(int64(n))
		if p.End.Set(time.Unix(0, 1)); p.Last.Len() > 50 {
			p.Last.Clear()
		}
	}
	for range 20_000 {
		record()
	}
	if a := testing.AllocsPerRun(5000, record); a != 0 {
		t.Errorf("%v allocations a record", a)
	}
}

func upsert(b *testing.B, keys int) {
	s, err := NewStore[uint64](128, graph.Range{To: 128}, noClock)
	var p struct{ Sum Value[[2]int64] }
	if err == nil {
		err = s.Bind(&p)
	}
	if err != nil {
		b.Fatal(err)
	}
	touch := func(i int) {
		k := uint64(i) * 0x9e3779b97f4a7c15 >> 20 % uint64(keys)
		s.SetKey(k, s.hash(k))
		at := p.Sum.Ref()
		at[0]++
		at[1] += int64(i)
	}
	for k := range keys {
		s.SetKey(uint64(k), s.hash(uint64(k)))
		p.Sum.Set([2]int64{})
	}
	b.ResetTimer()
	for i := range b.N {
		touch(i)
	}
}

func goMap(b *testing.B, keys int) {
	m := map[uint64][2]int64{}
	for k := range keys {
		m[uint64(k)] = [2]int64{}
	}
	b.ResetTimer()
	for i := range b.N {
		k := uint64(i) * 0x9e3779b97f4a7c15 >> 20 % uint64(keys)
		at := m[k]
		at[0]++
		at[1] += int64(i)
		m[k] = at
	}
}

func BenchmarkUpsert1K(b *testing.B)   { upsert(b, 1000) }
func BenchmarkUpsert100K(b *testing.B) { upsert(b, 100_000) }
func BenchmarkUpsert1M(b *testing.B)   { upsert(b, 1_000_000) }
func BenchmarkUpsert8M(b *testing.B)   { upsert(b, 8_000_000) }
func BenchmarkGoMap1K(b *testing.B)    { goMap(b, 1000) }
func BenchmarkGoMap100K(b *testing.B)  { goMap(b, 100_000) }
func BenchmarkGoMap1M(b *testing.B)    { goMap(b, 1_000_000) }
func BenchmarkGoMap8M(b *testing.B)    { goMap(b, 8_000_000) }
