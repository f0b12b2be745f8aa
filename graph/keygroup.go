package graph

import "math/bits"

// MaxKeyGroups is the greatest number of key groups of a job.
const MaxKeyGroups = 1 << 15

// UsualKeyGroups is how many a job has that asks for no other number.
const UsualKeyGroups = 128

// KeyGroup is the key group, in [0, max), of a key with this hash: its high bits, since
// tables use the low ones.
func KeyGroup(hash uint64, max int) int {
	hi, _ := bits.Mul64(hash, uint64(max))
	return int(hi)
}

// GroupRange is the range of key groups that subtask i of a vertex owns. The ranges of all
// subtasks cover [0, max) without overlap; none is empty when parallelism <= max.
func GroupRange(max, parallelism, i int) Range {
	return Range{From: (i*max + parallelism - 1) / parallelism, To: ((i+1)*max + parallelism - 1) / parallelism}
}

// TaskOf is the subtask whose GroupRange holds the key group.
func TaskOf(group, max, parallelism int) int { return group * parallelism / max }

// Contains says whether the range holds group g.
func (r Range) Contains(g int) bool { return g >= r.From && g < r.To }

// Intersect is the part of r that lies in o; From equals To when there is none.
func (r Range) Intersect(o Range) Range {
	x := Range{max(r.From, o.From), min(r.To, o.To)}
	if x.To < x.From {
		x.To = x.From
	}
	return x
}
