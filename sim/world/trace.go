package world

import (
	"reflect"
	"time"

	"blink/actors"

	"github.com/zeebo/xxh3"
)

// trace is what a run is recognised by: a hash over every turn (its time, node, actor,
// number and kind of message) and everything else that happens, and on demand a line for
// each. Two runs with the same hash did the same.
type trace struct {
	hash  uint64
	seq   uint64
	kinds map[reflect.Type]uint64
	line  func(at time.Duration, where, what string)
}

// turn notes that an actor handles m.
func (t *trace) turn(now int64, node *Node, id string, m any) {
	t.add(now, node.hash^xxh3.HashString(id), t.kind(m))
	if t.line != nil {
		t.line(time.Duration(now), node.name+"/"+id, actors.Kind(m))
	}
}

// note notes that something else happens.
func (t *trace) note(now int64, where, what string) {
	t.add(now, xxh3.HashString(where), xxh3.HashString(what))
	if t.line != nil {
		t.line(time.Duration(now), where, what)
	}
}

func (t *trace) add(now int64, where, what uint64) {
	t.seq++
	h := mix(t.hash ^ uint64(now))
	h = mix(h ^ where)
	t.hash = mix(h ^ what ^ t.seq)
}

// kind returns a hash of the name of m, which is the same in every build.
func (t *trace) kind(m any) uint64 {
	if named, ok := m.(interface{ Kind() string }); ok {
		return xxh3.HashString(named.Kind())
	}
	typ := reflect.TypeOf(m)
	k, ok := t.kinds[typ]
	if !ok {
		k = xxh3.HashString(actors.Kind(m))
		t.kinds[typ] = k
	}
	return k
}

func newTrace(seed uint64, line func(at time.Duration, where, what string)) trace {
	return trace{hash: mix(seed), kinds: map[reflect.Type]uint64{}, line: line}
}
