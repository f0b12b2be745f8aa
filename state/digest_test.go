package state

import (
	"testing"
	"time"

	"blink/graph"
)

func (c cluster) digest(t *testing.T) (sum uint64) {
	t.Helper()
	for _, x := range c {
		n, err := x.Digest()
		if err != nil {
			t.Fatal(err)
		}
		sum += n
	}
	return sum
}

func TestTheDigestOfRestoredStateIsThatOfTheState(t *testing.T) {
	m, c := newModel(2), newCluster(t, 1)
	m.run(t, c, 4000)
	want := c.digest(t)
	for _, parallelism := range []int{1, 7, 3} {
		if c = c.rescale(t, parallelism); c.digest(t) != want {
			t.Errorf("the digest of %d tasks is another", parallelism)
		}
	}
}

func TestTheDigestDoesNotTellInWhichOrderStateCame(t *testing.T) {
	a, b := customer{"a", 1}, customer{"b", 2}
	set := func(x *task) {
		x.Seen.Set(x.Key().Shop, 1)
		x.Seen.Set("z", 2)
		x.End.Set(time.Unix(9, 0))
	}
	one, other := newTask(t), newTask(t)
	set(one.enter(a))
	set(one.enter(b))
	other.enter(customer{"gone", 1}).Sum.Set(1)
	other.Sum.Clear()
	other.enter(b).End.Set(time.Unix(3, 0))
	set(other)
	set(other.enter(a))
	if x, y := (cluster{one}).digest(t), (cluster{other}).digest(t); x != y {
		t.Errorf("%x and %x", x, y)
	}
}

func TestTheDigestShowsEveryChange(t *testing.T) {
	seen := map[uint64]string{}
	for _, test := range []struct {
		name   string
		change func(x *task)
	}{
		{"nothing", func(x *task) {}},
		{"a value", func(x *task) { x.Sum.Set(2) }},
		{"no value", func(x *task) { x.Sum.Clear() }},
		{"an element more", func(x *task) { x.Log.Append("d") }},
		{"no element", func(x *task) { x.Log.Clear() }},
		{"an entry less", func(x *task) { x.Seen.Delete("e") }},
		{"another entry", func(x *task) { x.Seen.Set("e", 3) }},
		{"a later timer", func(x *task) { x.End.Set(time.Unix(8, 0)) }},
		{"no timer", func(x *task) { x.End.Clear() }},
		{"another timer", func(x *task) { x.End.Clear(); x.Close.Set(time.Unix(7, 0)) }},
		{"another key", func(x *task) { x.enter(customer{"b", 1}).Sum.Set(1) }},
	} {
		x := newTask(t).enter(customer{"a", 1})
		x.Sum.Set(1)
		x.Log.Append("b")
		x.Log.Append("c")
		x.Seen.Set("e", 2)
		x.Seen.Set("f", 2)
		x.End.Set(time.Unix(7, 0))
		test.change(x)
		d := cluster{x}.digest(t)
		if other, same := seen[d]; same {
			t.Errorf("%s has the digest of %s", test.name, other)
		}
		seen[d] = test.name
	}
}

// What has expired is not stored, and when something was written decides when it will.
func TestTheDigestKnowsWhatHasExpiredAndWhatWill(t *testing.T) {
	now := time.Unix(100, 0)
	var p struct{ Sum Value[int] }
	p.Sum.TTL = time.Minute
	s, err := NewStore[int](groups, graph.Range{To: groups}, func() time.Time { return now })
	if err == nil {
		err = s.Bind(&p)
	}
	if err != nil {
		t.Fatal(err)
	}
	digests := map[uint64]bool{}
	for range 2 {
		s.SetKey(1, 1)
		p.Sum.Set(1)
		d, err := s.Digest()
		if err != nil {
			t.Fatal(err)
		}
		digests[d] = true
		now = now.Add(time.Second)
	}
	now = now.Add(time.Minute)
	if d, err := s.Digest(); err != nil || d != 0 || len(digests) != 2 {
		t.Errorf("%d digests of two times; %x of what has expired, %v", len(digests), d, err)
	}
}
