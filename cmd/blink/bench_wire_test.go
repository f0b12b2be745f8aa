package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

// benched runs blink bench with these arguments, and returns its lines.
func benched(t *testing.T, args ...string) (status int, out []string, errors string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	status = run(append([]string{"bench"}, args...), &stdout, &stderr)
	return status, strings.Split(strings.TrimSpace(stdout.String()), "\n"), stderr.String()
}

func TestBenchmarksOfTheWirePrintAnObjectALine(t *testing.T) {
	t.Setenv(asProgram, "1") // the other process of bench exchange is this binary
	for _, c := range []struct {
		args   []string
		lines  int
		fields []string
	}{
		{[]string{"codec", "-type", "bid,numbers", "-time", "5ms", "-json"}, 2, []string{"type", "bytes_per_record", "encode_ns", "decode_ns", "memcpy_ns", "allocs_per_record"}},
		{[]string{"latency", "-records", "150000", "-checkpoint-interval", "10ms", "-json"}, 1, []string{"channels", "barrier_median_ms", "timer_median_ms"}},
		{[]string{"exchange", "-case", "plain,count", "-records", "20000", "-json"}, 2, []string{"case", "cpu_seconds", "million_records_per_cpu_second", "raw_tcp_mb_per_cpu_second", "allocs_per_record"}},
	} {
		status, lines, errors := benched(t, c.args...)
		if status != exitOK || len(lines) != c.lines {
			t.Errorf("%v: status %d, lines %q, %s", c.args, status, lines, errors)
			continue
		}
		for _, line := range lines {
			var object map[string]any
			if err := json.Unmarshal([]byte(line), &object); err != nil {
				t.Errorf("%v: %q: %v", c.args, line, err)
			}
			for _, f := range c.fields {
				if object[f] == nil {
					t.Errorf("%v: %q lacks %s", c.args, line, f)
				}
			}
		}
	}
}

func TestBenchmarksOfTheWireRefuseWhatCannotBe(t *testing.T) {
	for _, args := range []string{"codec -time 0", "codec -type nothing", "codec more", "latency -channels 0", "latency -cost 0s", "latency -records 3", "latency -checkpoint-interval 0", "latency more",
		"exchange -case nothing", "exchange -parallelism 0", "exchange -records 1", "exchange -rate 0", "exchange -credits -1", "exchange -runs 0", "exchange -cpuprofile x", "exchange more"} {
		if status, _, errors := benched(t, strings.Fields(args)...); status != exitUsage || errors == "" {
			t.Errorf("%s: status %d, %q", args, status, errors)
		}
	}
}
