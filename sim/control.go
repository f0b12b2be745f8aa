package sim

import (
	"slices"
	"strconv"
	"time"

	"blink/graph"
	"blink/jobmaster/exec"
)

// Control is what the sources and sinks of a workload may ask of the simulated world, beside
// what every job may. Its methods are for Go work: readers, writers and committers.
type Control struct{ c *cluster }

// Now is how long the run has lasted.
func (x Control) Now() time.Duration { return x.c.w.Elapsed() }

// Sleep lets d pass. The caller looks at its context afterwards.
func (x Control) Sleep(d time.Duration) { x.c.w.Sleep(d) }

// Call wraps a call of a simulated service, op "service.method": it takes time, and may fail
// as faults say.
func (x Control) Call(op string, f func() error) error { return x.c.w.Call(op, f) }

// Triggered is the highest checkpoint that was triggered.
func (x Control) Triggered() uint64 { return x.c.triggered }

// Completed is the newest complete checkpoint.
func (x Control) Completed() uint64 { return x.c.check.last }

// crashFor is how long a node that a workload crashes is down.
const crashFor = 500 * time.Millisecond

// Crash kills the process that runs this task of an operator, if it runs.
func (x Control) Crash(operator string, subtask int) {
	x.c.w.At(0, func() {
		if node := x.c.runs(operator, subtask); node != "" {
			x.c.happen(Fault{Kind: CrashExecutor, Target: node, For: crashFor})
		}
	})
}

// runs finds the node of a task, "" if it does not run.
func (c *cluster) runs(operator string, subtask int) string {
	for _, v := range c.plan.Vertices {
		if !slices.ContainsFunc(v.Operators, func(i int) bool { return c.plan.Job.Operators[i].ID == operator }) {
			continue
		}
		if live := c.check.live[graph.TaskID{Vertex: v.ID, Subtask: subtask}]; len(live) > 0 {
			return live[len(live)-1].node
		}
	}
	return ""
}

// watch keeps what Control and describe tell of the JobMaster's actions.
func (c *cluster) watch(a exec.Action) {
	switch a := a.(type) {
	case exec.Trigger:
		c.triggered = max(c.triggered, a.Checkpoint)
	case exec.Note:
		c.lastNote = ", last heard: " + strconv.Quote(a.Text)
	}
}
