package sim

import (
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"
)

func TestDbg(t *testing.T) {
	seed, _ := strconv.ParseUint(os.Getenv("SEED"), 10, 64)
	s, _ := Draw(seed, Workload{})
	fmt.Printf("%+v\n", s.Faults)
	fmt.Printf("%+v\n", drawJob(seed))
	if os.Getenv("T") != "" {
		s.Trace = func(at time.Duration, where, what string) { fmt.Println(at, where, what) }
	}
	o := Run(seed, s)
	fmt.Println(o.Err, o.Virtual, o.Restarts, o.Leaders, o.Checkpoints)
}
