package usage

import (
	"bytes"
	"os"
	"strconv"
)

// RSS is the memory of this process that is in the machine's, in bytes; 0 where the machine
// does not tell it in /proc.
func RSS() uint64 {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	_, rest, _ := bytes.Cut(text, []byte("VmRSS:"))
	line, _, _ := bytes.Cut(rest, []byte("kB"))
	kilobytes, _ := strconv.ParseUint(string(bytes.TrimSpace(line)), 10, 64) // 0 when it fails
	return kilobytes << 10
}
