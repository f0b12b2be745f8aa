package sim

import (
	"fmt"

	"blink/graph"
	"blink/sim/world"
)

// excuses say of every region why it may be restarted: something has happened to it since
// it was last whole. A change of leader is no excuse, nor is what happens to others.
type excuses struct {
	why       []string
	disturbed map[string]int // how often something has happened to a node
}

func newExcuses(regions int) excuses {
	e := excuses{make([]string, regions), map[string]int{}}
	for i := range e.why {
		e.why[i] = "it was never whole"
	}
	return e
}

func (e *excuses) of(region int) string { return e.why[region] }

func (e *excuses) excuse(region int, why string) { e.why[region] = why }

func (e *excuses) clear(region int) { e.why[region] = "" }

// any says whether anything has happened to any node.
func (e *excuses) any() bool { return len(e.disturbed) > 0 }

// home is where a task lived last.
type home struct {
	node      string
	starts    int // of the node, which tell its processes apart
	slot      int
	disturbed int // how often something had happened to the node
}

// returned checks I8 for a task that is started again: its slot is alive and undisturbed.
func (k *checker) returned(n *world.Node, t graph.TaskID, slot int) {
	h := k.homes[t]
	if old := k.c.node(h.node); old.System() == nil || old.Starts() != h.starts || k.excuses.disturbed[h.node] != h.disturbed {
		return
	}
	if n.Name() != h.node || slot != h.slot {
		k.fail("I8: task %v moves from slot %d of %s, which is alive, to slot %d of %s", t, h.slot, h.node, slot, n.Name())
	}
}

// strikes excuses what a fault may restart.
func (k *checker) strikes(f Fault) {
	switch f.Kind {
	case Pause, Partition, OneWay, Isolate, ClockJump, NoServices:
		for _, node := range []string{f.Target, f.Other} {
			if node != "" {
				k.disturbed(node, fmt.Sprintf("had a %s", f.Kind))
			}
		}
	case StoreErrors, SlowStore, DiskErrors, SessionsLost, LossyNetwork, PanicTask, BreakLink, CrashExecutor, LoseExecutor, CrashJobMaster:
		// They excuse nothing by themselves: a crash is seen, and so is a task that fails.
	}
}
