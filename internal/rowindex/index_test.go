package rowindex

import (
	"math/rand/v2"
	"testing"
)

func TestAnIndexFindsWhatItHoldsWhateverHasBeenTakenOut(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	var x Index
	held := map[uint32]uint64{}
	has := func(row uint32, hash uint64) bool {
		for at := x.Seek(hash, hash); x.Slots[at] != 0; at = x.Seek(hash, at+1) {
			if Row(x.Slots[at]) == row {
				return true
			}
		}
		return false
	}
	hashes := func() uint64 { return uint64(r.IntN(40)) * 0x100000007 } // many have the same place
	for range 50_000 {
		row := uint32(r.IntN(300))
		switch hash, in := held[row]; {
		case !in:
			held[row] = hashes()
			x.Add(held[row], row)
		case r.IntN(3) == 0:
			x.Move(hash, row, row+300)
			x.Move(hash, row+300, row)
		default:
			x.Remove(hash, row)
			delete(held, row)
		}
		if x.Len != len(held) {
			t.Fatalf("%d are there, want %d", x.Len, len(held))
		}
	}
	for row := range uint32(300) {
		if hash, in := held[row]; in != has(row, hash) {
			t.Errorf("row %d is there: %v", row, in)
		}
	}
}
