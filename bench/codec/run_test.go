package codec

import (
	"math"
	"testing"
	"time"
)

// No test depends on a timing: these look at the measurement.
func TestEveryTypeIsMeasured(t *testing.T) {
	for _, name := range Types() {
		r, err := Run(name, time.Millisecond)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if r.Encode <= 0 || r.Decode <= 0 || r.DecodeCopy <= 0 || r.Copy <= 0 || r.Bytes == 0 {
			t.Errorf("%+v", r)
		}
	}
	if r, err := Run("numbers", 1); err != nil || math.IsInf(r.Encode, 0) || math.IsNaN(r.Allocs) {
		t.Errorf("in no time: %+v, %v", r, err)
	}
	if _, err := Run("nothing", time.Millisecond); err == nil {
		t.Error("an unknown type was measured")
	}
}

func TestBidsAndNumbersAllocateNothing(t *testing.T) {
	for _, name := range []string{"bid", "numbers", "mixed"} {
		r, err := Run(name, 50*time.Millisecond)
		if err != nil || r.Allocs > 0.001 {
			t.Errorf("%+v, %v", r, err)
		}
	}
}
