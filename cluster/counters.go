package cluster

import (
	"encoding/json"
	"fmt"
	"io"
	"path"
	"time"

	"blink/connector/files"
	"blink/graph"
)

// counters is the line that --json prints. Counts of records are exact over restarts.
type counters struct {
	Job           string           `json:"job"`
	State         endState         `json:"state"`
	RecordsIn     int64            `json:"records_in"`
	RecordsOut    map[string]int64 `json:"records_out"` // by sink
	Late          int64            `json:"late"`
	Bad           int64            `json:"bad"`
	Checkpoints   int64            `json:"checkpoints"`
	TaskRestarts  int64            `json:"task_restarts"`
	LeaderChanges int64            `json:"leader_changes"`
	CPUSeconds    float64          `json:"cpu_seconds"`
	Seconds       float64          `json:"seconds"`
	Unfired       []string         `json:"drills_not_fired,omitempty"`
}

// The metrics that every task counts for its operators, and those of dropped records.
const (
	metricWritten    = "written"
	metricRead       = "read"
	metricLate       = "late"
	metricDeadLetter = "dead letters"
	metricSkipped    = "skipped"
)

func newCounters(j *graph.Job, o outcome, took time.Duration) counters {
	c := counters{
		Job: j.Name, State: o.state, RecordsOut: map[string]int64{},
		Checkpoints: o.checkpoints, TaskRestarts: int64(o.restarts.Tasks), LeaderChanges: o.leaderChanges,
		CPUSeconds: seconds(cpuTime()), Seconds: seconds(took),
	}
	byID := map[string]*graph.Operator{}
	for i := range j.Operators {
		byID[j.Operators[i].ID] = &j.Operators[i]
		if j.Operators[i].Sink {
			c.RecordsOut[sinkName(&j.Operators[i])] = 0
		}
	}
	for _, n := range o.counts {
		c.add(n, byID[n.operator])
	}
	return c
}

// seconds are rounded to milliseconds behind the conversion, which makes 5.6129999999999995
// of 5,613 ms.
func seconds(d time.Duration) float64 {
	return float64(d.Round(time.Millisecond).Milliseconds()) / 1000
}

func (c *counters) add(n count, o *graph.Operator) {
	if o == nil {
		return // of an operator that the job had before it was changed
	}
	switch n.metric {
	case metricRead:
		if o.Source {
			c.RecordsIn += n.value
		}
	case metricWritten:
		if o.Sink {
			c.RecordsOut[sinkName(o)] += n.value
		}
	case metricLate:
		c.Late += n.value
	case metricDeadLetter, metricSkipped:
		c.Bad += n.value
	}
}

// sinkName is the file's name, or the operator's.
func sinkName(o *graph.Operator) string {
	if file, ok := files.OutputOf(o.Target); ok {
		return path.Base(file.Path())
	}
	if o.Name != "" {
		return o.Name
	}
	return o.ID
}

func (c counters) print(to io.Writer) error { return json.NewEncoder(to).Encode(c) }

// summary is one line for people.
func (c counters) summary() string {
	return fmt.Sprintf("%s records read, %d late, %d bad; %d checkpoints, %d tasks restarted, %d changes of leader; %.1f s, %.1f s of CPU",
		thousands(c.RecordsIn), c.Late, c.Bad, c.Checkpoints, c.TaskRestarts, c.LeaderChanges, c.Seconds, c.CPUSeconds)
}

// thousands groups digits: 27,004.
func thousands(n int64) string {
	if n < 0 {
		return "-" + thousands(-n)
	}
	if n < 1000 {
		return fmt.Sprint(n)
	}
	return fmt.Sprintf("%s,%03d", thousands(n/1000), n%1000)
}
