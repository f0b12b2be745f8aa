package state

import (
	"fmt"
	"time"

	"blink/graph"
	"blink/internal/codec"
	"blink/internal/hash"
)

// Store is the keyed state of one operator in one task. It is used by one goroutine.
type Store[K comparable] struct {
	rows
	keys  *codec.Codec[K]
	hash  func(K) uint64
	max   int // key groups of the job
	slots []slot[K]
	mask  uint64
	taken int
	byRow []K
	hashs []uint64 // by row
	free  []int32
	key   K
	sum   uint64 // hash of key
}

// slot is free when its hash is 0. A row of -1 is a key that has no state any more.
type slot[K comparable] struct {
	hash uint64
	row  int32
	key  K
}

// rows is what handles see of a Store, whatever its key type.
type rows struct {
	current int32 // row of the current key, none
	make    func() int32
	handles []handle
	heaps   [2]heap // event time, processing time
	now     func() time.Time
}

const none = int32(-1)

// handle is a column: the state of one field for every row.
type handle interface {
	// declare describes the state under a name, or says why it cannot be stored.
	declare(name string) (graph.State, error)
	bind(r *rows, index int) error
	grow(rows int)
	// has says whether the row holds something that has not expired; clear forgets it.
	has(row int32) bool
	clear(row int32)
	append(dst []byte, row int32) ([]byte, error)
	// digest is a number for what the row, which has something, holds: see Store.Digest.
	digest(row int32, seed uint64) (uint64, error)
	// reader reads what append wrote when the state had that schema.
	reader(schema string) (reader, error)
}

// reader reads the state of a row from the beginning of src.
type reader func(row int32, src []byte) (rest []byte, err error)

// NewStore returns an empty store for keys of a job with max key groups. now is processing
// time, for TTL.
func NewStore[K comparable](max int, now func() time.Time) (*Store[K], error) {
	keys, err := codec.For[K]()
	if err != nil {
		return nil, err
	}
	h, err := hash.Of[K]()
	if err != nil {
		return nil, err
	}
	s := &Store[K]{keys: keys, hash: h, max: max}
	s.now, s.current, s.make = now, none, s.claim
	s.resize(16)
	return s, nil
}

// SetKey makes key the one that the handles speak of. hash is that of hash.Of.
func (s *Store[K]) SetKey(key K, hash uint64) {
	s.release()
	s.key, s.sum = key, hash
	s.current = none
	if i, ok := s.find(hash, &key); ok {
		s.current = s.slots[i].row
	}
}

// Key is the current key.
func (s *Store[K]) Key() K { return s.key }

// Len is the number of keys that hold something, those included that have expired since the
// last snapshot.
func (s *Store[K]) Len() int { s.release(); return len(s.byRow) - len(s.free) }

// find returns the slot of key, or the free one where it would stand.
func (s *Store[K]) find(hash uint64, key *K) (int, bool) {
	for i := hash & s.mask; ; i = (i + 1) & s.mask {
		switch x := &s.slots[i]; {
		case x.hash == 0:
			return int(i), false
		case x.hash == hash && x.row != none && x.key == *key:
			return int(i), true
		}
	}
}

// claim gives the current key a row.
func (s *Store[K]) claim() int32 {
	if s.taken*2 >= len(s.slots) {
		s.rehash()
	}
	row := int32(len(s.byRow))
	if n := len(s.free); n > 0 {
		row = s.free[n-1]
		s.free = s.free[:n-1]
		s.byRow[row], s.hashs[row] = s.key, s.sum
	} else {
		s.byRow = append(s.byRow, s.key)
		s.hashs = append(s.hashs, s.sum)
		for _, h := range s.handles {
			h.grow(len(s.byRow))
		}
	}
	i, _ := s.find(s.sum, &s.key)
	s.slots[i] = slot[K]{s.sum, row, s.key}
	s.taken++
	s.current = row
	return row
}

// release gives back the row of the current key if it holds nothing any more.
func (s *Store[K]) release() {
	if s.current == none || s.holds(s.current) {
		return
	}
	if i, ok := s.find(s.sum, &s.key); ok {
		s.vacate(&s.slots[i])
	}
}

// sweep gives back the rows of keys whose state has expired.
func (s *Store[K]) sweep() {
	for i := range s.slots {
		if x := &s.slots[i]; x.hash != 0 && x.row != none && !s.holds(x.row) {
			s.vacate(x)
		}
	}
}

func (s *Store[K]) holds(row int32) bool {
	for _, h := range s.handles {
		if h.has(row) {
			return true
		}
	}
	return false
}

// vacate gives back the row of a slot.
func (s *Store[K]) vacate(x *slot[K]) {
	for _, h := range s.handles {
		h.clear(x.row)
	}
	if x.row == s.current {
		s.current = none
	}
	var zero K
	s.byRow[x.row], s.hashs[x.row] = zero, 0
	s.free = append(s.free, x.row)
	x.row, x.key = none, zero
}

// rehash makes room, and drops the slots of keys that are gone.
func (s *Store[K]) rehash() {
	s.sweep()
	n := len(s.slots)
	if (len(s.byRow)-len(s.free))*4 >= n {
		n *= 2
	}
	old := s.slots
	s.resize(n)
	for _, x := range old {
		if x.hash != 0 && x.row != none {
			i, _ := s.find(x.hash, &x.key)
			s.slots[i] = x
			s.taken++
		}
	}
}

func (s *Store[K]) resize(n int) {
	s.slots, s.mask, s.taken = make([]slot[K], n), uint64(n-1), 0
}

// row is the current key's row, none if it has no state.
func (r *rows) row() int32 {
	if r == nil {
		panic("blink: a state handle was used outside of a task: call it in Process or OnTimer, or drive the processor with blinktest")
	}
	return r.current
}

// need is the current key's row, made if it has none.
func (r *rows) need() int32 {
	if row := r.row(); row != none {
		return row
	}
	return r.make()
}

// expired says whether something written at the given Unix nanoseconds is older than ttl.
func (r *rows) expired(written int64, ttl time.Duration) bool {
	return ttl > 0 && r.now().UnixNano()-written >= int64(ttl)
}

func (r *rows) stamp(ttl time.Duration) int64 {
	if ttl == 0 {
		return 0
	}
	return r.now().UnixNano()
}

// restored is when something stored with that time was last written. What had no TTL then
// has no time: a TTL that was given later counts from now.
func (r *rows) restored(written int64, ttl time.Duration) int64 {
	if written == 0 {
		return r.stamp(ttl)
	}
	return written
}

// ttlCheck refuses what TTL cannot be.
func ttlCheck(ttl time.Duration) error {
	if ttl < 0 {
		return fmt.Errorf("TTL of %v: it must not be negative", ttl)
	}
	return nil
}
