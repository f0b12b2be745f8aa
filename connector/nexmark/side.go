package nexmark

import "strconv"

// Side is a row of the side input of q13.
type Side struct {
	Key   int64
	Value string
}

// sides is how many rows the side input has.
const sides = 10_000

// SideInput is what q13 looks up: the keys from 0 to 9,999, the value of k being "side-k".
func SideInput() []Side {
	all := make([]Side, sides)
	for i := range all {
		all[i] = Side{int64(i), "side-" + strconv.Itoa(i)}
	}
	return all
}

// SideKey is the key that a bid on an auction looks up.
func SideKey(auction int64) int64 { return auction % sides }
