package sim

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// expect is the plain loop: the lines, sorted, that each branch must have written.
func (j *randomJob) expect(seed uint64) [][]string {
	streams := make([][]fact, len(j.sources))
	for i, s := range j.sources {
		for split := range s.splits {
			streams[i] = append(streams[i], j.facts(seed, i, split)...)
		}
		for _, v := range s.verbs {
			streams[i] = applyVerb(v, streams[i])
		}
	}
	var all [][]string
	for _, b := range j.branches {
		lines := expectBranch(b, streams, j.sources[b.source])
		slices.Sort(lines)
		all = append(all, lines)
	}
	return all
}

func applyVerb(verb string, in []fact) []fact {
	var out []fact
	for _, f := range in {
		switch verb {
		case "filter":
			if keepFact(f) {
				out = append(out, f)
			}
		case "map", "update":
			out = append(out, addOne(f))
		case "flatmap":
			echoFact(f, func(f fact) { out = append(out, f) })
		case "try":
			if g, err := oddFails(f); err == nil {
				out = append(out, g)
			}
		default:
			out = append(out, f)
		}
	}
	return out
}

// expectBranch are the lines of one branch, in any order.
func expectBranch(b randomBranch, streams [][]fact, of randomSource) (lines []string) {
	in, other := streams[b.source], streams[b.other]
	line := func(vs ...int64) {
		lines = append(lines, strings.Trim(strings.ReplaceAll(fmt.Sprint(vs), " ", ","), "[]"))
	}
	switch b.kind {
	case "records":
		expectRecords(in, line)
	case "union":
		expectRecords(slices.Concat(in, other), line)
	case "join":
		expectPairs(in, other, line)
	case "window join":
		expectWindowPairs(in, other, line)
	case "count":
		expectCounts(in, line)
	case "distinct":
		_, row := of.ranking()
		expectRanks(in, 1, alike, row, line)
	case "top":
		compare, row := of.ranking()
		expectRanks(in, ranks, compare, row, line)
	case "states":
		for _, of := range byKey(in) {
			t := sumOf(of)
			line(of[0].Key, t.N, t.Sum)
		}
	case "timers":
		for _, p := range expectPanes(in, window, window) {
			line(p.Key, p.N, p.Sum)
		}
	case "tumbling":
		for _, p := range expectPanes(in, window, window) {
			line(p.Key, p.Start, p.N, p.Sum)
		}
	case "sliding":
		for _, p := range expectPanes(in, window, slide) {
			line(p.Key, p.Start, p.N, p.Sum)
		}
	case "session":
		for _, p := range expectSessions(in) {
			line(p.Key, p.Start, p.N, p.Sum)
		}
	}
	return lines
}

func expectRecords(in []fact, line func(...int64)) {
	for _, f := range in {
		line(f.ID, f.Key, f.Value)
	}
}

func expectPairs(left, right []fact, line func(...int64)) {
	for _, l := range left {
		for _, r := range right {
			if l.Key == r.Key {
				line(l.ID, r.ID)
			}
		}
	}
}

// expectWindowPairs pairs each left record with each right one, or with -1 if there is none,
// in each sliding window that holds it.
func expectWindowPairs(left, right []fact, line func(...int64)) {
	for _, l := range left {
		for start := l.At.Truncate(slide); l.At.Sub(start) < window; start = start.Add(-slide) {
			matched := false
			for _, r := range right {
				if since := r.At.Sub(start); l.Key == r.Key && since >= 0 && since < window {
					line(l.ID, r.ID)
					matched = true
				}
			}
			if !matched {
				line(l.ID, -1)
			}
		}
	}
}

func expectCounts(in []fact, line func(...int64)) {
	for _, of := range byKey(in) {
		for i, f := range of {
			line(f.Key, int64(i+1))
		}
	}
}

// expectRanks ranks each fact among those of its lane that came before it: it has so many ahead
// of it, or equal to it, and a row if these are fewer than n.
func expectRanks(in []fact, n int, compare func(a, b int64) int, row func(int, fact) rankRow, line func(...int64)) {
	before := map[lane][]fact{}
	for _, f := range in {
		ahead := 0
		for _, o := range before[laneOf(f)] {
			if compare(markOf(f), markOf(o)) >= 0 {
				ahead++
			}
		}
		if ahead < n {
			r := row(ahead+1, f)
			line(r.Split, r.Key, r.Rank, r.ID, r.Value)
		}
		before[laneOf(f)] = append(before[laneOf(f)], f)
	}
}

// expectPanes are the windows of a size that begin every slide.
func expectPanes(in []fact, size, slide time.Duration) (panes []paneRow) {
	for _, of := range byKey(in) {
		starts := map[int64]tally{}
		for _, f := range of {
			at, w, s := f.At.UnixNano(), int64(size), int64(slide)
			for start := at / s * s; start > at-w; start -= s {
				t := starts[start]
				t.Add(f)
				starts[start] = t
			}
		}
		for start, t := range starts { // any order: the lines are sorted
			panes = append(panes, paneRow{of[0].Key, start / int64(time.Second), t.N, t.Sum})
		}
	}
	return panes
}

// expectSessions are the stretches of a key's records with no more than a gap in between.
func expectSessions(in []fact) (panes []paneRow) {
	for _, of := range byKey(in) {
		slices.SortStableFunc(of, func(a, b fact) int { return a.At.Compare(b.At) })
		from := 0
		for i := range of {
			if i+1 == len(of) || of[i+1].At.Sub(of[i].At) > gap {
				t := sumOf(of[from : i+1])
				panes = append(panes, paneRow{of[0].Key, of[from].At.Unix(), t.N, t.Sum})
				from = i + 1
			}
		}
	}
	return panes
}

// byKey parts records by key, ascending, and keeps their order.
func byKey(in []fact) (parts [][]fact) {
	all := map[int64][]fact{}
	for _, f := range in {
		all[f.Key] = append(all[f.Key], f)
	}
	for _, key := range slices.Sorted(maps.Keys(all)) {
		parts = append(parts, all[key])
	}
	return parts
}

func sumOf(in []fact) (t tally) {
	for _, f := range in {
		t.Add(f)
	}
	return t
}

// differ tells how two sorted lists differ, "" if they do not.
func differ(got, want []string) string {
	for i := 0; i < max(len(got), len(want)); i++ {
		switch {
		case i == len(got) || i < len(want) && want[i] < got[i]:
			return fmt.Sprintf("%d rows, want %d: %q is missing", len(got), len(want), want[i])
		case i == len(want) || got[i] < want[i]:
			return fmt.Sprintf("%d rows, want %d: %q is too many", len(got), len(want), got[i])
		}
	}
	return ""
}
