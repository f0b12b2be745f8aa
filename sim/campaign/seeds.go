package campaign

import (
	"fmt"
	"strconv"
	"strings"
)

// Seeds reads "A-B", inclusive, A not above B.
func Seeds(text string) (first, last uint64, err error) {
	a, b, ok := strings.Cut(text, "-")
	first, err1 := strconv.ParseUint(a, 10, 64)
	last, err2 := strconv.ParseUint(b, 10, 64)
	if !ok || err1 != nil || err2 != nil || last < first {
		return 0, 0, fmt.Errorf("seeds %s: want A-B with A not above B, such as 1-20", text)
	}
	if last-first >= maxSeeds {
		return 0, 0, fmt.Errorf("seeds %s: more than %d", text, uint64(maxSeeds))
	}
	return first, last, nil
}

const maxSeeds = 1 << 32
