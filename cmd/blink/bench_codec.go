package main

import (
	"fmt"
	"strings"
	"time"

	"blink/bench/codec"
)

// benchCodec measures types one after the other.
func benchCodec(c console, args []string) int {
	set := c.flags()
	types := set.String("type", "all", "`names` of types with commas between them, or all: "+strings.Join(codec.Types(), " "))
	each := set.Duration("time", 500*time.Millisecond, "CPU `time` for each of the four figures of a type")
	inJSON := set.Bool("json", false, "print one JSON object a line for each type")
	if status, done := c.parse(set, args); done {
		return status
	}
	names, err := choose("type", *types, codec.Types())
	if err != nil {
		return c.refuse("%v", err)
	}
	if *each <= 0 {
		return c.refuse("--time %v: more than 0", *each)
	}
	t := table[codec.Result]{console: c, json: *inJSON, line: codecLine,
		head: fmt.Sprintf("%-9s %6s %9s %9s %11s %9s %10s\n", "type", "bytes", "encode ns", "decode ns", "and copy ns", "memcpy ns", "allocs/rec")}
	for _, name := range names {
		if err := t.add(codec.Run(name, *each)); err != nil {
			return c.fail(err)
		}
	}
	return exitOK
}

func codecLine(r codec.Result) string {
	return fmt.Sprintf("%-9s %6d %9.1f %9.1f %11.1f %9.2f %10.3f\n", r.Type, r.Bytes, r.Encode, r.Decode, r.DecodeCopy, r.Copy, r.Allocs)
}
