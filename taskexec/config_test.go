package taskexec

import (
	"math"
	"strings"
	"testing"

	"blink/actors"
	"blink/snapshot/store"
)

func TestWhatAnExecutorCannotDoWithIsRefused(t *testing.T) {
	good := Config{Program: (&stage{}).program, NewLoop: func(string) *actors.Loop { return nil }, Store: store.Memory()}.Defaults()
	if err := good.Validate(); err != nil {
		t.Fatal(err)
	}
	for want, spoil := range map[string]func(*Config){
		"rate of NaN":         func(c *Config) { c.Rate = math.NaN() },
		"rate of -1":          func(c *Config) { c.Rate = -1 },
		"batches of -1 bytes": func(c *Config) { c.BatchBytes = -1 },
		"batches of 4611686018427387904 bytes: 1 to 16777216": func(c *Config) { c.BatchBytes = 1 << 62 },
		"batches of 4294967296 records":                       func(c *Config) { c.BatchRecords = 1 << 32 },
		"4294967296 credits":                                  func(c *Config) { c.Credits = 1 << 32 }, // a frame has 32 bits for them
		"4294967296 floating":                                 func(c *Config) { c.Floating = 1 << 32 },
		"buffer timeout of 0s: more":                          func(c *Config) { c.BufferTimeout = 0 },
		"no object store":                                     func(c *Config) { c.Store = nil },
		"lease of 1m0s with a heartbe":                        func(c *Config) { c.Heartbeat = c.Lease / 2 },
	} {
		c := good
		spoil(&c)
		if err := c.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}
