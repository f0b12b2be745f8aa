package sim

import "blink/jobmaster/exec"

// tell says what a step of the JobMaster's machine means to a person.
func (c *cluster) tell(ev exec.Event, actions []exec.Action) {
	if !c.told() {
		return
	}
	const where = "jobmaster"
	switch ev := ev.(type) {
	case exec.Recovered:
		newest := uint64(0)
		if n := len(ev.Manifests); n > 0 {
			newest = ev.Manifests[n-1].Checkpoint
		}
		c.say(where, "takes over: newest complete checkpoint %d, executors %v", newest, ev.Executors)
	case exec.PointerAdvanced:
		c.say(where, "checkpoint %d is complete", ev.Checkpoint)
	case exec.StoreFailed:
		c.say(where, "the manifest of checkpoint %d cannot be stored: %s", ev.Checkpoint, ev.Reason)
	case exec.AdvanceFailed:
		c.say(where, "whether the pointer names checkpoint %d is not known", ev.Checkpoint)
	case exec.Fenced:
		c.say(where, "is fenced")
	case exec.StopRequested:
		c.say(where, "is asked to stop the job")
	case exec.CancelRequested:
		c.say(where, "is asked to cancel the job")
	}
	triggered := uint64(0)
	for _, a := range actions {
		switch a := a.(type) {
		case exec.Deploy:
			c.say(where, "deploys attempt %d of task %v to slot %d of %s, from checkpoint %d", a.Attempt, a.Task, a.Slot, a.Node, a.Restore)
		case exec.Cancel:
			c.say(where, "cancels attempt %d of task %v on %s", a.UpTo, a.Task, a.Node)
		case exec.Trigger:
			if a.Checkpoint != triggered {
				triggered = a.Checkpoint
				c.say(where, "triggers checkpoint %d", a.Checkpoint)
			}
		case exec.StoreManifest:
			c.say(where, "stores the manifest of checkpoint %d", a.Manifest.Checkpoint)
		case exec.AdvancePointer:
			c.say(where, "advances the pointer to checkpoint %d", a.Checkpoint)
		case exec.Place:
			c.say(where, "looks for %d slots", len(a.Units))
		case exec.StoreResult:
			c.say(where, "stores the result")
		case exec.Available:
			if a.Slots > 0 {
				c.say(where, "hears of executor %s", a.Node)
			} else {
				c.say(where, "gives executor %s up", a.Node)
			}
		case exec.Note:
			c.say(where, "%s", a.Text)
		case exec.StepDown:
			c.say(where, "steps down: %s", a.Reason)
		case exec.Finish:
			c.say(where, "ends the job: %s %s", a.State, a.Reason)
		}
	}
}
