package nexmark

import (
	"bufio"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"blink/examples/nexmark/job"
)

// Report is the medians of measurements, to be shown beside the goals.
type Report struct{ queries []queryCosts }

// queryCosts are what was measured of one query.
type queryCosts struct {
	query  string
	goal   Goal // zero: none is set
	events uint64
	every  float64        // seconds between two checkpoints; 0: none but the last
	unit   float64        // what the generator takes for an event, in ns
	loop   float64        // cost of the plain loop
	costs  map[int]figure // by parallelism
}

// figure is the median cost of several runs.
type figure struct {
	cost        float64
	checkpoints int64 // the fewest of a run
	allocs      float64
}

// ReadReport reads the lines that blink bench nexmark --json has printed, of any number of
// runs. Of a query measured several times the medians count.
func ReadReport(from io.Reader) (Report, error) {
	var all []Result
	lines := bufio.NewScanner(from)
	for n := 1; lines.Scan(); n++ {
		var r Result
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			return Report{}, fmt.Errorf("line %d: %w", n, err)
		}
		if r.Events == 0 || r.GeneratorCPUSeconds <= 0 || !slices.Contains(job.Queries(), r.Query) {
			return Report{}, fmt.Errorf("line %d is no result of blink bench nexmark", n)
		}
		if r.Restarts > 0 {
			return Report{}, fmt.Errorf("line %d: a run of %s with %d restarts says nothing about its cost", n, r.Query, r.Restarts)
		}
		if r.atGoal() && r.Checkpoints < goalCheckpoints {
			return Report{}, fmt.Errorf("line %d: a run of %s with %d checkpoints: the goals are set for %d at least: give it more events", n, r.Query, r.Checkpoints, goalCheckpoints)
		}
		if r.Full != "" {
			return Report{}, fmt.Errorf("line %d: a run of %s with its full digest says little about its cost: most of it is the digest's", n, r.Query)
		}
		if i := slices.IndexFunc(all, func(x Result) bool { return x.Query == r.Query && !x.comparable(r) }); i >= 0 {
			return Report{}, fmt.Errorf("line %d: %s, and %s before: a cost depends on all that", n, r.conditions(), all[i].conditions())
		}
		all = append(all, r)
	}
	if err := lines.Err(); err != nil {
		return Report{}, err
	}
	if len(all) == 0 {
		return Report{}, errors.New("line 1 is missing: there is no result")
	}
	var rep Report
	for _, q := range job.Queries() {
		of := slices.DeleteFunc(slices.Clone(all), func(r Result) bool { return r.Query != q })
		if len(of) > 0 {
			rep.queries = append(rep.queries, costsOf(q, of))
		}
	}
	return rep, nil
}

// goalCheckpoints are as many as a run has at least for which the goals are set.
const goalCheckpoints = 10

// atGoal says whether the result is shown beside a goal, with the events and the interval for which
// that is set.
func (r Result) atGoal() bool {
	return goalOf(r.Query) != Goal{} && r.Events == GoalEvents(r.Query) && r.CheckpointSeconds == GoalCheckpoints.Seconds()
}

// comparable says whether two runs of a query were of the same size.
func (r Result) comparable(o Result) bool {
	return r.Events == o.Events && r.CheckpointSeconds == o.CheckpointSeconds && r.Settings == o.Settings
}

func (r Result) conditions() string {
	return fmt.Sprintf("%s with %d events, a checkpoint each %g s, %d processors and GOGC %d", r.Query, r.Events, r.CheckpointSeconds, r.Processors, r.GOGC)
}

func costsOf(query string, of []Result) queryCosts {
	m := queryCosts{query: query, events: of[0].Events, every: of[0].CheckpointSeconds, costs: map[int]figure{}}
	m.goal = goalOf(query)
	m.unit = medianOf(of, func(r Result) float64 { return r.GeneratorCPUSeconds / float64(r.Events) * 1e9 })
	m.loop = medianOf(of, Result.LoopCost)
	for _, r := range of {
		if _, done := m.costs[r.Parallelism]; done {
			continue
		}
		same := slices.DeleteFunc(slices.Clone(of), func(x Result) bool { return x.Parallelism != r.Parallelism })
		fewest := slices.MinFunc(same, func(a, b Result) int { return cmp.Compare(a.Checkpoints, b.Checkpoints) })
		m.costs[r.Parallelism] = figure{medianOf(same, Result.Cost), fewest.Checkpoints, medianOf(same, func(r Result) float64 { return r.AllocsPerEvent })}
	}
	return m
}

func medianOf(of []Result, figure func(Result) float64) float64 {
	all := make([]float64, len(of))
	for i, r := range of {
		all[i] = figure(r)
	}
	return median(all)
}

// Table is the report as a table in Markdown. A cost above its goal has an exclamation mark.
func (r Report) Table() string {
	var b strings.Builder
	b.WriteString("| query | events | g, ns | plain loop | p = 1 | goal | p = 2 | goal | Flink 2.3 | rewritten by hand | allocations an event | checkpoints | each |\n")
	b.WriteString("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n")
	for _, m := range r.queries {
		fmt.Fprintf(&b, "| %s | %.4g M | %.1f | %.2f | %s | %s | %s | %s | %s | %s | %s | %s |\n", m.query, float64(m.events)/1e6, m.unit, m.loop,
			m.cost(1, m.goal.Most), known(m.goal.Most), m.cost(2, m.goal.Most*atTwo), known(m.goal.Most*atTwo), known(m.goal.Flink), known(m.goal.Hand), m.counts(), m.interval())
	}
	return b.String()
}

// atTwo is how much more a query may cost with two tasks of each operator.
const atTwo = 1.5

func (m queryCosts) cost(parallelism int, goal float64) string {
	f, ok := m.costs[parallelism]
	switch {
	case !ok:
		return ""
	case goal > 0 && f.cost > goal:
		return fmt.Sprintf("%.2f !", f.cost)
	default:
		return fmt.Sprintf("%.2f", f.cost)
	}
}

// counts are the allocations and checkpoints with one task of each operator.
func (m queryCosts) counts() string {
	f, ok := m.costs[1]
	if !ok {
		return " | "
	}
	return fmt.Sprintf("%.3f | %d", f.allocs, f.checkpoints)
}

// interval is the time between two checkpoints.
func (m queryCosts) interval() string {
	if m.every == 0 {
		return ""
	}
	return fmt.Sprintf("%.4g ms", 1000*m.every)
}

func known(v float64) string {
	if v == 0 {
		return ""
	}
	return fmt.Sprintf("%.3g", v)
}
