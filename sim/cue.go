package sim

import (
	"fmt"
	"slices"
	"strings"
)

// Cue makes faults happen when the story tells something for the first time, so that they
// hit one phase of a protocol under every seed.
type Cue struct {
	Says   string  // part of a line of the story
	Faults []Fault // At counts from then on
}

// Leader is, as the target of a cue's fault, the node that leads when it happens.
const Leader = "leader"

// say adds a line to the story of a run, and gives the cues that wait for it. Story and
// trace are apart: a run that is told is the same run.
func (c *cluster) say(where, format string, args ...any) {
	if !c.told() {
		return
	}
	text := fmt.Sprintf(format, args...)
	if c.scenario.Story != nil {
		c.scenario.Story(c.w.Elapsed(), where, text)
	}
	var now []Cue
	c.cues = slices.DeleteFunc(c.cues, func(q Cue) bool {
		if strings.Contains(text, q.Says) {
			now = append(now, q)
			return true
		}
		return false
	})
	for _, q := range now {
		for _, f := range q.Faults {
			c.w.At(f.At, func() { c.happen(f) })
		}
	}
}

// told says whether anybody listens to the story.
func (c *cluster) told() bool { return c.scenario.Story != nil || len(c.cues) > 0 }

// happen strikes a fault, unless the job is over.
func (c *cluster) happen(f Fault) {
	if c.result != nil {
		return
	}
	for _, node := range []*string{&f.Target, &f.Other} {
		if *node == Leader {
			*node = c.leading()
		}
	}
	c.strike(f)
}

// leading is the node that holds the job's key, or held it last.
func (c *cluster) leading() string {
	if l := c.leaders.keys[jobName]; l != nil {
		node, _, _ := strings.Cut(l.entry.Value, "/")
		return node
	}
	return c.candidates[0]
}
