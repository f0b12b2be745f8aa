package sim

import (
	"fmt"
	"slices"
	"time"

	"blink/graph"
	"blink/sim/world"
)

// excuses say of every region why it may be restarted: something has happened to it since
// it was last whole. A change of leader is no excuse, nor is what happens to others.
type excuses struct {
	why       []string
	disturbed map[string]int           // how often something has happened to a node
	ill       map[string]int           // faults of a node that are not mended
	ending    bool                     // the run ends, and that could not be stored
	frozen    map[string]time.Duration // until when a node cannot notice that its lease has run out
}

func newExcuses(regions int) excuses {
	e := excuses{why: make([]string, regions), disturbed: map[string]int{}, ill: map[string]int{}, frozen: map[string]time.Duration{}}
	for i := range e.why {
		e.why[i] = "it was never whole"
	}
	return e
}

func (e *excuses) of(region int) string {
	if e.ending {
		return "the run has ended, and a later leader cannot know"
	}
	return e.why[region]
}

func (e *excuses) excuse(region int, why string) { e.why[region] = why }

func (e *excuses) clear(region int) { e.why[region] = "" }

// any says whether anything has happened to any node.
func (e *excuses) any() bool { return len(e.disturbed) > 0 }

// home is where a task lived last.
type home struct {
	node      string
	starts    int // of the node, which tell its processes apart
	slot      int
	disturbed int // how often something had happened to the node or to a JobMaster's
}

// disturbances counts what has happened to a node, or to those that must hear of it in time.
func (k *checker) disturbances(node string) int {
	n := k.excuses.disturbed[node]
	for _, c := range k.c.candidates {
		n += k.excuses.disturbed[c]
	}
	return n
}

// unheard says whether something is wrong with a node, or with one that must hear of it.
func (k *checker) unheard(node string) bool {
	return k.excuses.ill[node] > 0 || slices.ContainsFunc(k.c.candidates, func(c string) bool { return k.excuses.ill[c] > 0 })
}

// returned checks I8 for a task that is started again: its slot is alive and undisturbed.
func (k *checker) returned(n *world.Node, t graph.TaskID, slot int) {
	h := k.homes[t]
	if k.unheard(h.node) {
		return
	}
	if old := k.c.node(h.node); old.System() == nil || old.Starts() != h.starts || k.disturbances(h.node) != h.disturbed {
		return
	}
	if n.Name() != h.node || slot != h.slot {
		k.fail("I8: task %v moves from slot %d of %s, which is alive, to slot %d of %s", t, h.slot, h.node, slot, n.Name())
	}
}

// strikes excuses what a fault may restart.
func (k *checker) strikes(f Fault) {
	if f.Kind == Pause {
		k.excuses.frozen[f.Target] = max(k.excuses.frozen[f.Target], k.c.w.Elapsed()+f.For+heartbeat)
	}
	switch f.Kind {
	case Pause, Partition, OneWay, Isolate, ClockJump, NoServices:
		for _, node := range []string{f.Target, f.Other} {
			if node != "" {
				k.disturbed(node, fmt.Sprintf("had a %s", f.Kind))
				k.excuses.ill[node]++
				k.c.w.At(f.For, func() {
					k.disturbed(node, fmt.Sprintf("had a %s", f.Kind))
					k.excuses.ill[node]--
				})
			}
		}
	case StopJob, CancelJob, StoreErrors, SlowStore, DiskErrors, SlowDisk, FullDisk, LeaderErrors, SessionsLost, LossyNetwork, LateMessages, PanicTask, BreakLink, CrashExecutor, LoseExecutor, CrashJobMaster:
		// They excuse nothing by themselves: a crash is seen, and so is a task that fails. How
		// a run ends is durable before its tasks leave, so no later leader runs them again.
	}
}
