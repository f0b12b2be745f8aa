package nexmark

import (
	"slices"
	"time"
)

// Goal is what a query shall cost at most, in units of the bare generator, beside what it
// costs elsewhere. 0 stands for a figure that there is not.
type Goal struct {
	Query string
	Most  float64 // with one task of each operator; with two, half as much again
	Flink float64 // Flink 2.3 with heap state and its own operators, without checkpoints
	Hand  float64 // the same, rewritten by hand as a process function
}

// Goals are set for these queries.
func Goals() []Goal {
	return []Goal{
		{"q0", 0.25, 0.85, 0}, {"q1", 0.4, 0.75, 0}, {"q2", 0.25, 0.4, 0}, {"q3", 0.5, 1.0, 0}, {"q4", 2.2, 8.1, 0},
		{"q5", 1.8, 34, 12}, {"q7", 0.35, 8.9, 0}, {"q8", 0.3, 0.9, 0}, {"q11", 1.2, 39, 5.7}, {"q20", 10, 50, 0},
	}
}

// goalOf is the goal of a query; zero: none is set.
func goalOf(query string) (of Goal) {
	if i := slices.IndexFunc(Goals(), func(g Goal) bool { return g.Query == query }); i >= 0 {
		of = Goals()[i]
	}
	return of
}

// GoalCheckpoints is the time between checkpoints for which the goals are set.
const GoalCheckpoints = 100 * time.Millisecond

// GoalEvents is the number of events for which the goal of a query is set, and with which one
// without a goal is measured beside the others: the more it keeps, the fewer.
func GoalEvents(query string) uint64 {
	switch query {
	case "q4", "q5", "q9", "q11", "q17", "q18", "q19":
		return 30_000_000
	case "q20":
		return 10_000_000
	default:
		return 100_000_000
	}
}
