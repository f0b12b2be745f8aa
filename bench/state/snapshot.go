package state

import (
	"encoding/binary"
	"runtime"
	"time"

	"blink/bench/usage"
	"blink/internal/hash"
	keyed "blink/state"
)

// totalsOf is a store with the aggregates of so many keys.
func totalsOf(keys int) (*keyed.Store[uint64], *totals, error) {
	p := &totals{}
	s, err := store[uint64](p)
	if err != nil {
		return nil, nil, err
	}
	for k := range keys {
		s.SetKey(uint64(k), hash.Uint64(uint64(k)))
		p.Of.Set(total{1, int64(k)})
	}
	return s, p, nil
}

// drained drains a snapshot in steps as a task does, and says how long it is.
func drained(f *keyed.Frozen[uint64]) (bytes int, err error) {
	const budget = 32 << 10
	for done := false; !done; {
		if done, err = f.Drain(budget); err != nil {
			return 0, err
		}
	}
	for _, g := range f.Groups() {
		bytes += len(g.Data)
	}
	return bytes, nil
}

// mostSnapshots are enough, however few keys there are: each has its share of the key groups.
const mostSnapshots = 1000

// wholes takes whole snapshots, at least one.
func wholes(keys, n int) (Result, error) {
	s, _, err := totalsOf(keys)
	if err != nil {
		return Result{}, err
	}
	var r Result
	bytes, rounds := 0, min(max(n/keys, 1), mostSnapshots)
	r.Time, r.Allocs = timed(rounds, func(i int) {
		if err == nil {
			bytes, err = drained(s.Freeze(keyed.FreezeOptions{Checkpoint: uint64(i + 1)}))
		}
	})
	if err != nil {
		return r, err
	}
	r.Time, r.Allocs, r.Bytes = r.Time/float64(keys), r.Allocs/float64(keys), float64(bytes)/float64(keys)
	r.Peak = usage.Peak()
	plain := map[uint64]total{}
	for k := range keys {
		plain[uint64(k)] = total{1, int64(k)}
	}
	r.Plain, _ = timed(rounds, func(int) {
		var data []byte
		for k, t := range plain {
			data = binary.LittleEndian.AppendUint64(data, k)
			data = binary.LittleEndian.AppendUint64(data, uint64(t.Count))
			data = binary.LittleEndian.AppendUint64(data, uint64(t.Sum))
		}
		runtime.KeepAlive(data)
	})
	r.Plain, r.PlainBytes = r.Plain/float64(keys), 24
	return r, nil
}

// share is one key in so many, of which deltas are taken.
const share = 100

// deltas takes snapshots of what a hundredth of the keys have become; so there are as many at
// least.
func deltas(keys, n int) (Result, error) {
	s, p, err := totalsOf(keys)
	if err != nil {
		return Result{}, err
	}
	churn, written, bytes := keys/share, 0, 0
	var cpu time.Duration
	for checkpoint := uint64(1); written == 0 || written < n/10 && checkpoint <= mostSnapshots; checkpoint++ {
		start := usage.CPU()
		f := s.Freeze(keyed.FreezeOptions{Checkpoint: checkpoint, Onto: checkpoint - 1})
		size, err := drained(f)
		if err != nil {
			return Result{}, err
		}
		if f.Onto() > 0 { // else it is whole: the first one, or the deltas were longer than the keys
			cpu, written, bytes = cpu+usage.CPU()-start, written+churn, bytes+size
		}
		for i := range churn {
			k := uint64(shuffled(int(checkpoint)*churn+i, keys))
			s.SetKey(k, hash.Uint64(k))
			p.Of.Ref().Count++
		}
	}
	return Result{Time: float64(cpu) / float64(written), Bytes: float64(bytes) / float64(written), Peak: usage.Peak()}, nil
}

// sizes fills a store with keys of 100 bytes.
func sizes(keys, _ int) (Result, error) {
	var p struct{ Of keyed.Value[[100]byte] }
	s, err := store[uint64](&p)
	if err != nil {
		return Result{}, err
	}
	var r Result
	before := live()
	r.Time, r.Allocs = timed(keys, func(k int) {
		s.SetKey(uint64(k), hash.Uint64(uint64(k)))
		p.Of.Set([100]byte{byte(k)})
	})
	r.Bytes, r.Peak = (live()-before)/float64(keys), usage.Peak()
	runtime.KeepAlive(s)
	s = nil
	plain := map[uint64][100]byte{}
	before = live()
	r.Plain, _ = timed(keys, func(k int) { plain[uint64(k)] = [100]byte{byte(k)} })
	r.PlainBytes = (live() - before) / float64(keys)
	runtime.KeepAlive(plain)
	return r, nil
}
