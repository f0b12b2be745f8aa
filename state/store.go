package state

import (
	"slices"
	"time"
	"unsafe"

	"blink/graph"
	"blink/internal/codec"
	"blink/internal/hash"
	"blink/internal/rowindex"
)

// Store is the keyed state of one operator in one task. It is used by one goroutine.
type Store[K comparable] struct {
	rows
	keys   *codec.Codec[K]
	hash   func(K) uint64
	max    int              // key groups of the job
	owned  graph.Range      // those of the task
	groups []rowindex.Index // of the owned key groups
	keyAt  uintptr          // offset of the key in a row
	key    K
	sum    uint64 // hash of key

	generations []generation // the last one is the current
	frozen      *Frozen[K]   // the snapshot being drained
	drained     []uint64     // bit of each row that is in it
	looked      uint32       // rows that were looked at in search of expired state
	rowBytes    int          // of a row in the last snapshot, on average
}

// handle is the state of one field for every key. Its methods are given a row.
type handle interface {
	// declare describes the state under a name, or says why it cannot be stored.
	declare(name string) (graph.State, error)
	// bind reserves the handle's cell in the rows.
	bind(r *rows) error
	// has says whether the row holds something that has not expired; clear forgets it.
	has(row unsafe.Pointer) bool
	clear(row unsafe.Pointer)
	// append appends the stored form, or what has changed since the end of a generation, if that
	// says as much for one who has what was then; base is whole otherwise.
	append(dst []byte, row unsafe.Pointer, base int64) ([]byte, error)
	// digest is a number for what the row, which has something, holds: see Store.Digest.
	digest(row unsafe.Pointer, seed uint64) (uint64, error)
	// reader reads what append wrote when the state had that schema.
	reader(schema string) (reader, error)
}

// reader reads the state of the current key, which has a row, from the beginning of src.
type reader func(src []byte) (rest []byte, err error)

// NewStore returns an empty store for keys of the owned groups, of a job with max key groups.
// now is processing time, for TTL.
func NewStore[K comparable](max int, owned graph.Range, now func() time.Time) (*Store[K], error) {
	keys, err := codec.For[K]()
	if err != nil {
		return nil, err
	}
	h, err := hash.Of[K]()
	if err != nil {
		return nil, err
	}
	s := &Store[K]{keys: keys, hash: h, max: max, owned: owned, groups: make([]rowindex.Index, owned.To-owned.From), generations: make([]generation, 1)}
	s.now, s.claim, s.first, s.lent = now, s.claimRow, s.written, &codec.Memory{}
	for i := range s.queues {
		s.queues[i].hashOf = func(row uint32) uint64 { return (*head)(s.address(row)).hash }
	}
	return s, nil
}

// Borrow tells where memory stands that strings of the record at hand may be parts of, and that
// is not to be kept for their sake: of keys and values that are stored, they are copied. The
// place may change from record to record.
func (s *Store[K]) Borrow(lent *codec.Memory) { s.lent = lent }

// Deep says whether strings that are kept may stand behind slices and the like: to find those
// that lie in lent memory, all that such a Value or Map holds is looked through. Whoever hands on
// records without lent strings saves that.
func (s *Store[K]) Deep() bool {
	return slices.ContainsFunc(s.handles, func(h handle) bool {
		d, ok := h.(interface{ deep() bool })
		return ok && d.deep()
	})
}

// SetKey makes key the one that the handles speak of. hash is that of hash.Of; the key group
// that it chooses is one of the store's.
func (s *Store[K]) SetKey(key K, hash uint64) {
	if s.at != nil && s.sum == hash && s.key == key && len(s.loans) == 0 {
		return
	}
	s.release()
	s.key, s.sum, s.at = key, hash, nil
	x := s.group(hash)
	if x.Len == 0 {
		return
	}
	for i := x.Seek(hash, hash); x.Slots[i] != 0; i = x.Seek(hash, i+1) {
		row := rowindex.Row(x.Slots[i])
		if at := s.address(row); (*head)(at).hash == hash && *s.keyOf(at) == key {
			s.current, s.at = row, at
			return
		}
	}
}

// enter makes the key of a row the current one.
func (s *Store[K]) enter(row uint32) {
	s.release()
	s.current, s.at = row, s.address(row)
	s.key, s.sum = *s.keyOf(s.at), (*head)(s.at).hash
}

// Key is the current key.
func (s *Store[K]) Key() K { return s.key }

// Len is the number of keys that hold something, those included that have expired since the
// last snapshot.
func (s *Store[K]) Len() int { s.release(); return int(s.used) - len(s.free) }

func (s *Store[K]) keyOf(row unsafe.Pointer) *K { return (*K)(unsafe.Add(row, s.keyAt)) }

// group is the index of the key group of a hash.
func (s *Store[K]) group(hash uint64) *rowindex.Index {
	return &s.groups[graph.KeyGroup(hash, s.max)-s.owned.From]
}

// claimRow gives the current key a row.
func (s *Store[K]) claimRow() {
	x := s.group(s.sum)
	if x.Full() {
		s.expire(x)
		if x.Len*2 >= len(x.Slots) {
			x.Grow()
		}
	}
	s.current = s.take()
	s.at = s.address(s.current)
	h := (*head)(s.at)
	h.hash, *s.keyOf(s.at), s.hollow = s.sum, s.key, true
	if s.lent.Any() {
		s.keys.Detach(s.keyOf(s.at), nil, *s.lent)
	}
	x.Add(s.sum, s.current)
	s.born(s.current, h)
}

// release gives back the row of the current key if it holds nothing any more.
func (s *Store[K]) release() {
	if len(s.loans) > 0 {
		s.settleLoans()
	}
	if s.at != nil && (s.hollow || s.timed) && !s.holds(s.at) {
		s.vacate(s.current, s.at)
	}
	s.hollow = false
}

// expire gives back the rows of a key group whose state has expired.
func (s *Store[K]) expire(x *rowindex.Index) {
	for i := 0; s.timed && i < len(x.Slots); {
		e := x.Slots[i]
		row := rowindex.Row(e)
		if e == 0 || s.holds(s.address(row)) {
			i++
			continue
		}
		s.vacate(row, s.address(row)) // another entry may take its place
	}
}

// expireSome gives back a few more rows whose state has expired, taking them in turn.
func (s *Store[K]) expireSome() {
	if !s.timed {
		return
	}
	for range min(expirePerCall, s.used) {
		s.looked = (s.looked + 1) % s.used
		if at := s.address(s.looked); (*head)(at).hash != 0 && !s.holds(at) {
			s.vacate(s.looked, at)
		}
	}
}

// vacate gives back a row.
func (s *Store[K]) vacate(row uint32, at unsafe.Pointer) {
	s.change(row, at)
	s.buried(at)
	for _, h := range s.handles {
		h.clear(at)
	}
	if at == s.at {
		s.at = nil
	}
	h := (*head)(at)
	s.group(h.hash).Remove(h.hash, row)
	var zero K
	h.hash, h.bits, *s.keyOf(at) = 0, 0, zero
	s.free = append(s.free, row)
}

// each calls f for the rows that are taken.
func (s *Store[K]) each(f func(row uint32, at unsafe.Pointer) error) error {
	for row := range s.used {
		if at := s.address(row); (*head)(at).hash != 0 {
			if err := f(row, at); err != nil {
				return err
			}
		}
	}
	return nil
}
