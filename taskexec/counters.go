package taskexec

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"

	"blink/graph"
	"blink/snapshot"
)

// counters are what the operators of a task have counted. They are part of the snapshot, so
// a total over all tasks is exact however often the job was restarted or rescaled: records
// that are processed again after a restore are counted once.
//
// They travel as items of their operator's part, under names that no split or committable
// has: snapshot.CounterPrefix, the metric, and the task that counted.
type counters struct{ list []counter }

type counter struct {
	operator, metric string
	value            int64
}

// add is operator.Task.Count.
func (c *counters) add(operator, metric string, by int64) {
	for i := range c.list {
		if x := &c.list[i]; x.metric == metric && x.operator == operator {
			x.value += by
			return
		}
	}
	c.list = append(c.list, counter{operator, metric, by})
	slices.SortFunc(c.list, func(a, b counter) int {
		return cmp.Or(strings.Compare(a.operator, b.operator), strings.Compare(a.metric, b.metric))
	})
}

// items are the counters of one operator in the form of a snapshot.
func (c *counters) items(operator string, task graph.TaskID) []snapshot.Item {
	var items []snapshot.Item
	for _, x := range c.list {
		if x.operator == operator {
			name := fmt.Sprintf("%s%s/%d.%d", snapshot.CounterPrefix, x.metric, task.Vertex, task.Subtask)
			items = append(items, snapshot.Item{Name: name, Data: binary.LittleEndian.AppendUint64(nil, uint64(x.value))})
		}
	}
	return items
}

// restore takes the counters out of an operator's items and returns the others.
func (c *counters) restore(operator string, items []snapshot.Item) ([]snapshot.Item, error) {
	var rest []snapshot.Item
	for _, it := range items {
		name, ok := strings.CutPrefix(it.Name, snapshot.CounterPrefix)
		if !ok {
			rest = append(rest, it)
			continue
		}
		metric, _, _ := strings.Cut(name, "/")
		if len(it.Data) != 8 {
			return nil, fmt.Errorf("%w: counter %q of operator %q has %d bytes", errCorrupt, metric, operator, len(it.Data))
		}
		c.add(operator, metric, int64(binary.LittleEndian.Uint64(it.Data)))
	}
	return rest, nil
}
