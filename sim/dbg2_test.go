package sim

import (
	"fmt"
	"os"
	"strconv"
	"testing"
)

func TestMany(t *testing.T) {
	n, _ := strconv.Atoi(os.Getenv("N"))
	a, _ := strconv.Atoi(os.Getenv("A"))
	bad := 0
	for seed := uint64(a); seed < uint64(a+n); seed++ {
		s, _ := Draw(seed, Workload{})
		o := Run(seed, s)
		if o.Err != nil {
			bad++
			e := o.Err.Error()
			if len(e) > 160 {
				e = e[:160]
			}
			fmt.Println(seed, len(s.Faults), o.Faults, e)
		}
	}
	fmt.Println("bad", bad)
}
