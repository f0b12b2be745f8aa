package usage

import (
	"errors"
	"fmt"
	"os"
	"runtime/pprof"
)

// Profiled runs f and writes its CPU profile to a file; "": it only runs f.
func Profiled(file string, f func() error) error {
	if file == "" {
		return f()
	}
	to, err := os.Create(file)
	if err != nil {
		return fmt.Errorf("CPU profile: %w", err)
	}
	if err := pprof.StartCPUProfile(to); err != nil {
		return errors.Join(err, to.Close())
	}
	err = f()
	pprof.StopCPUProfile()
	return errors.Join(err, to.Close())
}
