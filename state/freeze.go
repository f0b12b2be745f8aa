package state

import (
	"encoding/binary"
	"unsafe"

	"blink/graph"
	"blink/internal/invariant"
	"blink/internal/mutate"
)

// Time in a store is cut into generations: Freeze ends one. A row bears the generation of its
// last write, so one comparison tells its first write since. Then it is encoded before it
// changes, unless Drain has been there: a snapshot is the state when it was frozen, in an order
// that does not depend on how it was drained.
//
//	generation   4          5                6
//	           ─────Freeze─────────┬──Freeze─────┬──writes──►
//	                complete, 17   │  18, aborted│  19 onto 17:
//	                               rows 3 9      rows 9 12        what 5 and 6 list
//	                                             a key is gone
//
// From the first Freeze on, each generation lists its rows and the keys that are gone. A
// snapshot onto a checkpoint holds what the generations behind it list; those up to the newest
// complete one are dropped, and that of a checkpoint that was aborted stays among them.

// generation is what was written between two freezes.
type generation struct {
	checkpoint uint64   // that of the freeze at its end
	rows       []uint32 // by their first write
	gone       []goneKey
	keys       []byte // those of gone, encoded
	whole      int    // bytes of the newest whole snapshot up to that freeze …
	deltas     int    // … and of all that go onto it
}

type goneKey struct {
	group int
	end   int // in keys
}

// Group is the stored state of one key group.
type Group struct {
	Number int
	Data   []byte
}

// FreezeOptions say what a snapshot is for.
type FreezeOptions struct {
	Checkpoint uint64
	Onto       uint64 // the newest complete checkpoint that may be built on; 0: none
	Head       []byte // goes before the data of each group
}

// Frozen is the state of a store when it was frozen, on its way into a snapshot.
type Frozen[K comparable] struct {
	s      *Store[K]
	onto   uint64
	base   int64        // the generation that ended with Onto; whole: all are behind it
	below  generation   // that one
	end    uint32       // the generation that ended with this
	behind []generation // from base+1 to end, if it is no whole one
	head   []byte
	used   uint32 // rows that there were
	room   int    // bytes that a group is likely to need

	goneList, goneNext int // what is drained next: see gone
	list, next         int // see row
	groups             []frozenGroup
	saved              map[uint32]savedRow // written before they were drained
	bytes              []byte              // of those, encoded
	err                error               // of one that could not be
}

const whole = int64(-1)

// frozenGroup is the data of a group: head, the number of keys that are gone, u32, these keys,
// the number of rows, u32, and the rows.
type frozenGroup struct {
	data           []byte
	goneAt, rowsAt int // where the numbers stand
	gone, rows     uint32
}

// savedRow is a row that was written, as it was when it was frozen.
type savedRow struct {
	generation uint32
	group      int
	from, to   int // in Frozen.bytes
}

const (
	lookBytes     = 16  // what looking at a row costs of a budget
	expirePerCall = 256 // rows that are looked at for state that has expired
	fewRows       = 1024
	mostRoom      = 1 << 20
	// maxGenerations are remembered: then a whole snapshot is due. So many checkpoints in a row
	// have not become complete, or are not to be built on.
	maxGenerations = 256
)

// Freeze begins a snapshot of what the store holds, at a cost that does not grow with it. It
// is whole if there is nothing to go onto, or if a delta is not worth it. One snapshot is
// taken at a time: the last one is drained or dropped by then.
func (s *Store[K]) Freeze(o FreezeOptions) *Frozen[K] {
	invariant.Check(s.frozen == nil, "a store is frozen for checkpoint %d before the last snapshot is drained or dropped", o.Checkpoint)
	s.release()
	ended := len(s.generations) - 1
	s.generations[ended].checkpoint = o.Checkpoint
	f := &Frozen[K]{s: s, base: whole, end: s.gen, head: o.Head, used: s.used, groups: make([]frozenGroup, len(s.groups)), saved: map[uint32]savedRow{}}
	if at := s.generationOf(o.Onto); at >= 0 && s.worthwhile(at) {
		f.onto, f.base, f.behind = o.Onto, int64(s.gen)-int64(ended-at), s.generations[at+1:ended+1]
		f.below = s.generations[at]
	}
	f.room = f.likely(len(o.Head))
	s.forget(o.Onto)
	s.base = s.gen - uint32(len(s.generations)-1)
	s.generations = append(s.generations, generation{})
	s.gen++
	for int(s.used+63)/64 > len(s.drained) {
		s.drained = append(s.drained, 0)
	}
	s.frozen = f
	return f
}

// likely is how many bytes a group will need if rows are as long as those of the last snapshot,
// and an eighth more; at most so many that making them holds nobody up.
func (f *Frozen[K]) likely(head int) int {
	rows := int(f.used)
	if f.base != whole {
		rows = 0
		for _, g := range f.behind {
			rows += len(g.rows) + len(g.gone)
		}
	}
	n := rows * f.s.rowBytes / max(1, len(f.groups))
	return min(n+n/8, mostRoom) + head + 8
}

// generationOf is the place of the generation that ended with a checkpoint, -1 if it is not
// known any more.
func (s *Store[K]) generationOf(checkpoint uint64) int {
	for i, g := range s.generations {
		if g.checkpoint == checkpoint && checkpoint > 0 {
			return i
		}
	}
	return -1
}

// worthwhile says whether a delta behind a generation may be smaller than a whole snapshot,
// and what has been replaced below it takes less than what has not.
func (s *Store[K]) worthwhile(at int) bool {
	base, n := s.generations[at], 0
	for _, g := range s.generations[at+1:] {
		n += len(g.rows) + len(g.gone)
	}
	return base.deltas <= base.whole && n <= int(s.used)/2
}

// forget drops the generations that no snapshot will ask for: nothing goes onto a checkpoint
// before Onto. If they list more than there is, or are many, a whole snapshot is taken next.
func (s *Store[K]) forget(onto uint64) {
	if at := s.generationOf(onto); at >= 0 {
		s.generations = s.generations[at:]
		g := &s.generations[0]
		g.rows, g.gone, g.keys = nil, nil, nil
	}
	n, last := 0, len(s.generations)-1
	for _, g := range s.generations {
		n += len(g.rows) + len(g.gone)
	}
	if n > max(int(s.used), fewRows) || last >= maxGenerations {
		s.generations = s.generations[last:]
	}
}

// written is called for the first write to a row in a generation, before it.
func (s *Store[K]) written(row uint32, at unsafe.Pointer) {
	if s.frozen != nil && !mutate.On(mutate.WriteFrozen) {
		s.frozen.save(row, at)
	}
	h := (*head)(at)
	h.gen, h.bits = s.gen, h.bits&^newborn
	s.list(row)
}

// born is called for a row that was given to a key. A key that is gone in the generation that
// it came in is in no snapshot.
func (s *Store[K]) born(row uint32, h *head) {
	if s.gen == 0 {
		return
	}
	if h.bits |= newborn; h.gen != s.gen {
		h.gen = s.gen
		s.list(row)
	}
}

// list puts a row on the list of the current generation.
func (s *Store[K]) list(row uint32) {
	g := &s.generations[len(s.generations)-1]
	g.rows = append(g.rows, row)
}

// buried is called for a row whose key is gone, after the row was written to.
func (s *Store[K]) buried(at unsafe.Pointer) {
	h := (*head)(at)
	if s.gen == 0 || h.bits&newborn != 0 {
		return
	}
	g := &s.generations[len(s.generations)-1]
	keys, err := s.keys.AppendOne(g.keys, s.keyOf(at))
	invariant.Check(err == nil, "a key that was stored cannot be: %v", err)
	g.keys = keys
	g.gone = append(g.gone, goneKey{graph.KeyGroup(h.hash, s.max), len(keys)})
}

// save encodes a row that is about to change, if it is part of the snapshot and not drained.
func (f *Frozen[K]) save(row uint32, at unsafe.Pointer) {
	h := (*head)(at)
	if row >= f.used || h.hash == 0 || int64(h.gen) <= f.base || f.s.drained[row/64]&(1<<(row%64)) != 0 {
		return
	}
	from := len(f.bytes)
	bytes, err := f.s.encode(f.bytes, at, f.base)
	if err != nil {
		f.err = err
		return
	}
	f.bytes = bytes
	f.saved[row] = savedRow{h.gen, graph.KeyGroup(h.hash, f.s.max), from, len(bytes)}
}

// encode appends the key and the states of a row.
func (s *Store[K]) encode(dst []byte, at unsafe.Pointer, base int64) ([]byte, error) {
	dst, err := s.keys.AppendOne(dst, s.keyOf(at))
	for _, h := range s.handles {
		if err != nil {
			return nil, err
		}
		dst, err = h.append(dst, at, base)
	}
	return dst, err
}

// Drain encodes about budget bytes more. When done, the store is not frozen any more.
func (f *Frozen[K]) Drain(budget int) (done bool, err error) {
	if f.err != nil {
		return false, f.err
	}
	f.s.expireSome()
	for budget > 0 {
		n, more := f.gone()
		if !more {
			if n, more, err = f.row(); err != nil {
				return false, err
			}
		}
		if !more {
			f.finish()
			return true, nil
		}
		budget -= n + lookBytes
	}
	return false, nil
}

// gone drains a key that is gone.
func (f *Frozen[K]) gone() (n int, more bool) {
	for ; f.goneList < len(f.behind); f.goneList, f.goneNext = f.goneList+1, 0 {
		g := &f.behind[f.goneList]
		if f.goneNext == len(g.gone) {
			continue
		}
		from := 0
		if f.goneNext > 0 {
			from = g.gone[f.goneNext-1].end
		}
		key := g.gone[f.goneNext]
		f.goneNext++
		to := f.group(key.group)
		to.gone++
		to.data = append(to.data, g.keys[from:key.end]...)
		return key.end - from, true
	}
	return 0, false
}

// row drains a row: the next of all, or of those that are listed.
func (f *Frozen[K]) row() (n int, more bool, err error) {
	if f.base == whole {
		if f.next == int(f.used) {
			return 0, false, nil
		}
		f.next++
		n, err = f.drain(uint32(f.next-1), whole)
		return n, true, err
	}
	for ; f.list < len(f.behind); f.list, f.next = f.list+1, 0 {
		if rows := f.behind[f.list].rows; f.next < len(rows) {
			f.next++
			n, err = f.drain(rows[f.next-1], f.base+1+int64(f.list))
			return n, true, err
		}
	}
	return 0, false, nil
}

// drain puts a row in its group if it is part of the snapshot and, unless that is whole, the
// generation is that of its last write before the freeze: several may list it.
func (f *Frozen[K]) drain(row uint32, generation int64) (n int, err error) {
	s := f.s
	at := s.address(row)
	h := (*head)(at)
	if row == 1 && mutate.On(mutate.DropKey) {
		return 0, nil
	}
	if h.gen > f.end {
		kept, in := f.saved[row]
		if !in || generation != whole && int64(kept.generation) != generation {
			return 0, nil
		}
		bytes := f.bytes[kept.from:kept.to]
		to := f.group(kept.group)
		to.row()
		to.data = append(to.data, bytes...)
		return len(bytes), nil
	}
	if h.hash == 0 || generation != whole && int64(h.gen) != generation {
		return 0, nil
	}
	s.drained[row/64] |= 1 << (row % 64)
	if generation == whole && s.timed && !s.holds(at) {
		return 0, nil
	}
	to := f.group(graph.KeyGroup(h.hash, s.max))
	to.row()
	before := len(to.data)
	to.data, err = s.encode(to.data, at, f.base)
	return len(to.data) - before, err
}

// group is that with a number, begun.
func (f *Frozen[K]) group(number int) *frozenGroup {
	g := &f.groups[number-f.s.owned.From]
	if g.data == nil {
		g.goneAt = len(f.head)
		g.data = append(append(make([]byte, 0, f.room), f.head...), 0, 0, 0, 0)
	}
	return g
}

// row is told before a row is appended.
func (g *frozenGroup) row() {
	if g.rowsAt == 0 {
		g.rowsAt = len(g.data)
		g.data = append(g.data, 0, 0, 0, 0)
	}
	g.rows++
}

// finish completes the groups, and notes how long they are.
func (f *Frozen[K]) finish() {
	bytes, rows := 0, 0
	for i := range f.groups {
		g := &f.groups[i]
		if g.data == nil {
			continue
		}
		g.row()
		binary.LittleEndian.PutUint32(g.data[g.goneAt:], g.gone)
		binary.LittleEndian.PutUint32(g.data[g.rowsAt:], g.rows-1)
		bytes += len(g.data)
		rows += int(g.gone + g.rows - 1)
	}
	s := f.s
	if rows > 0 {
		s.rowBytes = bytes / rows
	}
	g := &s.generations[len(s.generations)-2] // nothing was frozen since
	if g.whole = bytes; f.base != whole {
		g.whole, g.deltas = f.below.whole, f.below.deltas+bytes
	}
	f.Drop()
}

// Onto is the checkpoint that the snapshot goes onto; 0: it is whole.
func (f *Frozen[K]) Onto() uint64 { return f.onto }

// Groups is what was drained, when done: ascending, without empty groups. It shares nothing
// with the store.
func (f *Frozen[K]) Groups() []Group {
	var groups []Group
	for i, g := range f.groups {
		if g.data != nil {
			groups = append(groups, Group{f.s.owned.From + i, g.data})
		}
	}
	return groups
}

// Drop gives the snapshot up; once it is drained, that changes nothing.
func (f *Frozen[K]) Drop() {
	if f.s.frozen == f {
		f.s.frozen = nil
		clear(f.s.drained)
		f.behind, f.saved, f.bytes = nil, nil, nil
	}
}
