package hash

import (
	"fmt"
	"testing"
)

type pair struct {
	City string
	Day  int32
}

// Hashes are stored with state: a change of these values loses every job's keys.
func TestHashesNeverChange(t *testing.T) {
	for _, c := range []struct {
		name string
		got  uint64
		want uint64
	}{
		{"int64", of(t, int64(42)), 0xbe41c127b1852750},
		{"int 0", of(t, 0), 0xf3e15ad2d2b1a588},
		{"uint8", of(t, uint8(7)), 0x7e4b1d857aed9f7},
		{"string", of(t, "JFK"), 0x285b488641389eef},
		{"struct", of(t, pair{"EWR", 3}), 0xb10a328475fdd36d},
		{"array", of(t, [2]int32{1, 2}), 0xcfd3a8a604531324},
	} {
		if c.got != c.want {
			t.Errorf("%s: %#x, want %#x", c.name, c.got, c.want)
		}
	}
}

func of[K comparable](t *testing.T, k K) uint64 {
	t.Helper()
	f, err := Of[K]()
	if err != nil {
		t.Fatal(err)
	}
	return f(k)
}

func TestEqualKeysHashEquallyAndOthersSpread(t *testing.T) {
	f, err := Of[pair]()
	if err != nil {
		t.Fatal(err)
	}
	const keys, bins = 1 << 16, 128
	var high, low [bins]int
	for i := range keys {
		a, b := pair{fmt.Sprint("city", i%300), int32(i / 300)}, pair{fmt.Sprint("city", i%300), int32(i / 300)}
		if f(a) != f(b) {
			t.Fatalf("%v hashes in two ways", a)
		}
		high[f(a)>>57]++
		low[f(a)%bins]++
	}
	for i := range bins {
		for _, n := range []int{high[i], low[i]} {
			if n < keys/bins*7/10 || n > keys/bins*13/10 {
				t.Errorf("bin %d holds %d of %d keys", i, n, keys)
			}
		}
	}
}

func TestSequentialIntegersSpreadOverKeyGroups(t *testing.T) {
	var bins [128]int
	for i := range 1 << 16 {
		bins[Uint64(uint64(i))>>57]++
	}
	for i, n := range bins {
		if n < 350 || n > 700 {
			t.Errorf("group %d holds %d", i, n)
		}
	}
}

func TestTypesThatAreNoKeysAreRefused(t *testing.T) {
	if _, err := Of[*int](); err == nil {
		t.Error("a pointer was taken")
	}
	if _, err := Of[struct{ F float64 }](); err == nil {
		t.Error("a struct with a float was taken")
	}
	if _, err := Of[[2]any](); err == nil {
		t.Error("an array of interfaces was taken")
	}
}

func TestHashingAllocatesNothing(t *testing.T) {
	f, err := Of[pair]()
	if err != nil {
		t.Fatal(err)
	}
	k := pair{"LGA", 9}
	if n := testing.AllocsPerRun(100, func() { f(k) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
