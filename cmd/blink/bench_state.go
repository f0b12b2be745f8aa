package main

import (
	"fmt"
	"slices"

	"blink/bench/state"
)

// benchState measures cases one after the other, each with some numbers of keys.
func benchState(c console, args []string) int {
	set := c.flags()
	var known []string
	about := "`names` of cases with commas between them, or all"
	for _, k := range state.Cases() {
		known = append(known, k.Name)
		about += "\n" + k.Name + ": " + k.About
	}
	cases := set.String("case", "all", about)
	keys := set.Int("keys", 0, "`number` of keys; 0: those of each case")
	inJSON := set.Bool("json", false, "print one JSON object a line for each figure")
	if status, done := c.parse(set, args); done {
		return status
	}
	names, err := choose("case", *cases, known)
	if err != nil {
		return c.refuse("%v", err)
	}
	if *keys < 0 {
		return c.refuse("--keys %d: at least 1, or 0 for those of each case", *keys)
	}
	for _, k := range state.Cases() {
		if *keys > 0 && *keys < k.Least && slices.Contains(names, k.Name) {
			return c.refuse("--keys %d: at least %d in the case %s", *keys, k.Least, k.Name)
		}
	}
	t := table[state.Result]{console: c, json: *inJSON, line: stateLine,
		head: fmt.Sprintf("%-8s %9s %8s %9s %9s %9s %11s %11s %8s\n", "case", "keys", "cpu ns", "an access", "plain Go", "allocs/op", "bytes/key", "of plain Go", "peak MB")}
	for _, k := range state.Cases() {
		if !slices.Contains(names, k.Name) {
			continue
		}
		sizes := k.Keys
		if *keys > 0 {
			sizes = []int{*keys}
		}
		for _, n := range sizes {
			if err := t.add(state.Run(k.Name, n, state.Operations(n))); err != nil {
				return c.fail(err)
			}
		}
	}
	return exitOK
}

func stateLine(r state.Result) string {
	return fmt.Sprintf("%-8s %9d %8.1f %9.1f %9.1f %9.3f %11.1f %11.1f %8.0f\n", r.Case, r.Keys, r.Time, r.Access, r.Plain, r.Allocs, r.Bytes, r.PlainBytes, float64(r.Peak)/(1<<20))
}
