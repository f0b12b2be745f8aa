//go:build linux && (amd64 || arm64) && !race && !msan && !asan

package process

import (
	"fmt"
	"os"
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

func TestThereIsNoRoomForMoreThanThereIs(t *testing.T) {
	if roomFor(1 << 60) {
		t.Error("there is room for an EiB")
	}
	hugePages(1 << 60) // does not end the process
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
