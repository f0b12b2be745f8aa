package state

import (
	"fmt"
	"runtime"
	"time"

	"blink/bench/usage"
	"blink/graph"
	"blink/internal/hash"
	keyed "blink/state"
)

// Result is one line of figures. Times are CPU time, in nanoseconds, of one operation or key;
// those of plain Go are 0 where there is nothing to compare with.
type Result struct {
	Case   string  `json:"case"`
	Keys   int     `json:"keys"`
	Time   float64 `json:"cpu_ns"`
	Plain  float64 `json:"plain_cpu_ns"`
	Allocs float64 `json:"allocs_per_operation"`
	// Access is what it costs to write to one of as many places in memory, in no order.
	Access float64 `json:"access_cpu_ns"`
	// Bytes is the memory of a key, or what a snapshot has of each key in it.
	Bytes      float64 `json:"bytes_per_key"`
	PlainBytes float64 `json:"plain_bytes_per_key"`
	// Peak is the most memory that the process has had before plain Go had its turn. What it has
	// measured before counts: it is that of a case in a process which measures nothing else.
	Peak int64 `json:"peak_rss_bytes"`
}

// Case is something that Run measures, and the numbers of keys that tell most of it.
type Case struct {
	Name, About string
	Keys        []int
	Least       int // keys with which it can be measured
	run         func(keys, n int) (Result, error)
}

// Cases are all of them.
func Cases() []Case {
	return []Case{
		{"upsert", "count and sum under a key, an integer", []int{1000, 100_000, 1_000_000, 8_000_000}, 1, upserts},
		{"strings", "the same under a string", []int{1000, 100_000, 1_000_000}, 1, strings},
		{"list", "append to a list, which is cleared at 16 elements", []int{1000, 100_000, 1_000_000}, 1, lists},
		{"timers", "a timer that fires and is set again; so many are pending", []int{10_000, 100_000, 1_000_000, 10_000_000}, 1, timers},
		{"whole", "a snapshot of all keys, for each", []int{1_000_000}, 1, wholes},
		{"delta", "a snapshot of one key in a hundred, for each of these", []int{1_000_000}, share, deltas},
		{"size", "a new key with 100 bytes", []int{10_000_000}, 1, sizes},
	}
}

// Operations is how many it takes for figures that can be trusted.
func Operations(keys int) int { return max(2*keys, 4_000_000) }

// Run measures a case with so many keys in about n operations.
func Run(name string, keys, n int) (Result, error) {
	for _, c := range Cases() {
		if c.Name != name {
			continue
		}
		if keys < c.Least {
			return Result{}, fmt.Errorf("state: %s with %d keys: at least %d", name, keys, c.Least)
		}
		r, err := c.run(keys, n)
		r.Case, r.Keys = name, keys
		return r, err
	}
	return Result{}, fmt.Errorf("state: there is no case %q", name)
}

// total is what an aggregate keeps.
type total struct{ Count, Sum int64 }

type totals struct{ Of keyed.Value[total] }

// store is an empty one for a processor.
func store[K comparable](p any) (*keyed.Store[K], error) {
	const groups = graph.UsualKeyGroups
	s, err := keyed.NewStore[K](groups, graph.Range{To: groups}, time.Now)
	if err != nil {
		return nil, err
	}
	return s, s.Bind(p)
}

// shuffled is the i-th of keys numbers, in an order without order.
func shuffled(i, keys int) int { return int(hash.Uint64(uint64(i)) % uint64(keys)) }

// timed is what n operations cost.
func timed(n int, do func(i int)) (ns, allocs float64) {
	m := usage.Begin()
	for i := range n {
		do(i)
	}
	u := m.End()
	return u.CPU * 1e9 / float64(n), float64(u.Allocs) / float64(n)
}

// accesses is what n writes to places of so many bytes in all cost, none of which begins before
// the one before it has ended.
func accesses(bytes float64, n int) float64 {
	lines := make([][8]int, int(bytes)/64+1)
	ns, _ := timed(n, func(i int) {
		at := &lines[shuffled(i+lines[0][0], len(lines))]
		at[1]++
		lines[0][0] = at[2] // 0, but who knows
	})
	return ns
}

// live is the memory of what is reachable.
func live() float64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc)
}

// filled measures an operation on keys that are all there, and what a key takes.
func filled(keys, n int, do func(key, i int)) (ns, allocs, bytes float64) {
	before := live()
	for k := range keys {
		do(k, 0)
	}
	bytes = (live() - before) / float64(keys)
	ns, allocs = timed(n, func(i int) { do(shuffled(i, keys), i) })
	return ns, allocs, bytes
}

func upserts(keys, n int) (Result, error) {
	return aggregates(keys, n, func(i int) (uint64, uint64) { return uint64(i), hash.Uint64(uint64(i)) })
}

func strings(keys, n int) (Result, error) {
	type named struct {
		key  string
		hash uint64
	}
	all := make([]named, keys)
	for i := range all {
		key := fmt.Sprintf("customer-%010d", i)
		all[i] = named{key, hash.String(key)}
	}
	return aggregates(keys, n, func(i int) (string, uint64) { return all[i].key, all[i].hash })
}

// aggregates takes the keys with their hashes.
func aggregates[K comparable](keys, n int, key func(i int) (K, uint64)) (Result, error) {
	var p totals
	s, err := store[K](&p)
	if err != nil {
		return Result{}, err
	}
	var r Result
	r.Time, r.Allocs, r.Bytes = filled(keys, n, func(k, i int) {
		s.SetKey(key(k))
		t := p.Of.Ref()
		t.Count++
		t.Sum += int64(i)
	})
	r.Peak = usage.Peak()
	runtime.KeepAlive(s)
	plain := map[K]total{}
	r.Plain, _, r.PlainBytes = filled(keys, n, func(k, i int) {
		name, _ := key(k)
		t := plain[name]
		plain[name] = total{t.Count + 1, t.Sum + int64(i)}
	})
	runtime.KeepAlive(plain)
	return r, nil
}

func lists(keys, n int) (Result, error) {
	const longest = 16
	var p struct{ Of keyed.List[int64] }
	s, err := store[uint64](&p)
	if err != nil {
		return Result{}, err
	}
	var r Result
	r.Time, r.Allocs, r.Bytes = filled(keys, n, func(k, i int) {
		s.SetKey(uint64(k), hash.Uint64(uint64(k)))
		if p.Of.Len() == longest {
			p.Of.Clear()
		}
		p.Of.Append(int64(i))
	})
	r.Peak = usage.Peak()
	runtime.KeepAlive(s)
	plain := map[uint64][]int64{}
	r.Plain, _, r.PlainBytes = filled(keys, n, func(k, i int) {
		all := plain[uint64(k)]
		if len(all) == longest {
			all = nil
		}
		plain[uint64(k)] = append(all, int64(i))
	})
	runtime.KeepAlive(plain)
	return r, nil
}
