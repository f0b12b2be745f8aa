//go:build linux && (amd64 || arm64) && !race && !msan && !asan

package process

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"unsafe"
)

func TestTheHeapAsksForHugePages(t *testing.T) {
	Fit()
	_, err := os.Stat("/sys/kernel/mm/transparent_hugepage")
	built := err == nil // the kernel, with huge pages
	b := make([]byte, 16<<20)
	if flags := flagsOf(t, uintptr(unsafe.Pointer(&b[len(b)/2]))); slices.Contains(flags, "hg") != built {
		t.Errorf("the flags of its memory are %v; the kernel has huge pages: %v", flags, built)
	}
}

func TestMemoryIsWhatTheProcessMayHave(t *testing.T) {
	limit := memory() / 2
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(int64(limit)))
	if have := memory(); have != limit || limit == 0 {
		t.Errorf("%d bytes with a limit of %d", have, limit)
	}
	file := filepath.Join(t.TempDir(), "limit")
	for text, want := range map[string]int{"max\n": math.MaxInt, "536870912\n": 512 << 20} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if have := limitIn(file); have != want {
			t.Errorf("%q is %d", text, have)
		}
	}
	if limitIn(file+"s") != math.MaxInt {
		t.Error("a file that is not there is a limit")
	}
}

func TestThereIsNoRoomForMoreThanThereIs(t *testing.T) {
	if roomFor(1<<62) || !roomFor(1<<20) {
		t.Error("there is room for 4 EiB, or none for a MiB")
	}
}

// flagsOf are the VmFlags of the mapping that an address lies in: see proc_pid_smaps(5).
func flagsOf(t *testing.T, address uintptr) []string {
	text, err := os.ReadFile("/proc/self/smaps")
	if err != nil {
		t.Fatal(err)
	}
	inside := false
	for line := range strings.Lines(string(text)) {
		var from, to uintptr
		if n, _ := fmt.Sscanf(line, "%x-%x ", &from, &to); n == 2 {
			inside = from <= address && address < to
		}
		if flags, found := strings.CutPrefix(line, "VmFlags:"); found && inside {
			return strings.Fields(flags)
		}
	}
	t.Fatalf("no mapping has %x", address)
	return nil
}
