package cluster

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"

	"blink/graph"
	"blink/internal/durable"
)

// drill is one injected failure.
type drill struct {
	text      string // as it was given
	key       string // identity in the memory of what has fired: text, and which of equal ones
	jobMaster bool
	operator  string
	subtask   int    // -1: the first task to get there
	at        uint64 // records, or checkpoint
}

// jobMasterTarget stands for an operator's id.
const jobMasterTarget = "jobmaster"

// parseDrill reads panic=ID[/SUBTASK]@RECORDS or panic=jobmaster@CHECKPOINT. An ID may
// contain slashes and at signs: the last ones count.
func parseDrill(text string) (drill, error) {
	wrong := func(why string) (drill, error) {
		return drill{}, usagef("--inject %s: %s: want panic=ID[/SUBTASK]@RECORDS or panic=%s@CHECKPOINT", text, why, jobMasterTarget)
	}
	what, ok := strings.CutPrefix(text, "panic=")
	if !ok {
		return wrong("it does not begin with panic=")
	}
	i := strings.LastIndexByte(what, '@')
	if i <= 0 {
		return wrong("it does not say when")
	}
	at, err := strconv.ParseUint(what[i+1:], 10, 63)
	if err != nil || at == 0 {
		return wrong(fmt.Sprintf("%q is not a number above 0", what[i+1:]))
	}
	d := drill{text: text, operator: what[:i], subtask: -1, at: at}
	if d.operator == jobMasterTarget {
		d.jobMaster, d.operator = true, ""
		return d, nil
	}
	if i := strings.LastIndexByte(d.operator, '/'); i > 0 {
		if n, err := strconv.ParseUint(d.operator[i+1:], 10, 31); err == nil {
			d.operator, d.subtask = d.operator[:i], int(n)
		}
	}
	return d, nil
}

// drills are the injected failures of a run. Each fires once for a state dir, or for a run
// without one: what has fired is written down before it fires. Safe for concurrent use.
type drills struct {
	all  []drill
	file string // of what has fired; "" keeps it in memory

	mu     sync.Mutex
	fired  []string // keys
	failed error    // to write one down: none fires any more
}

// newDrills reads and checks what was given, and what has fired before.
func newDrills(given []string, plan *graph.Plan, file string) (*drills, error) {
	d := &drills{file: file}
	count := map[string]int{}
	for _, text := range given {
		one, err := parseDrill(text)
		if err == nil {
			err = one.check(plan)
		}
		if err != nil {
			return nil, err
		}
		count[text]++
		one.key = fmt.Sprintf("%s %d", text, count[text])
		d.all = append(d.all, one)
	}
	if file == "" {
		return d, nil
	}
	data, err := os.ReadFile(file)
	if err != nil && !os.IsNotExist(err) {
		return nil, err
	}
	d.fired = strings.Split(strings.TrimSuffix(string(data), "\n"), "\n")
	return d, nil
}

func (d drill) check(plan *graph.Plan) error {
	if d.jobMaster {
		return nil
	}
	var ids []string // that can have drills
	source := false
	for _, v := range plan.Vertices {
		for _, i := range v.Operators {
			op := &plan.Job.Operators[i]
			id := op.ID
			if op.Source {
				source = source || id == d.operator
				continue
			}
			if id != d.operator {
				ids = append(ids, id)
				continue
			}
			if d.subtask >= v.Parallelism {
				return usagef("--inject %s: operator %q has %d tasks, the last is %s/%d", d.text, id, v.Parallelism, id, v.Parallelism-1)
			}
			return nil
		}
	}
	slices.Sort(ids)
	if source {
		return usagef("--inject %s: %q is a source, which has no input records to count; there are %s", d.text, d.operator, strings.Join(ids, ", "))
	}
	return usagef("--inject %s: no operator has the id %q; there are %s", d.text, d.operator, strings.Join(ids, ", "))
}

// of is taskexec.Config.Drill: the function is called before each record that a task of the
// operator reads, and made anew for each attempt. nil: there is no drill for this task.
func (d *drills) of(operator string, subtask int) func() {
	var mine []int
	for i, x := range d.all {
		if !x.jobMaster && x.operator == operator && (x.subtask < 0 || x.subtask == subtask) && !d.hasFired(i) {
			mine = append(mine, i)
		}
	}
	if mine == nil {
		return nil
	}
	var count uint64
	return func() {
		count++
		for _, i := range mine {
			if count >= d.all[i].at && d.claim(i) {
				panic(fmt.Sprintf("drill: --inject %s", d.all[i].text))
			}
		}
	}
}

// jobMasterDies says, once for each drill, that the JobMaster has to die while this
// checkpoint is in flight.
func (d *drills) jobMasterDies(checkpoint uint64) bool {
	for i, x := range d.all {
		if x.jobMaster && x.at == checkpoint && d.claim(i) {
			return true
		}
	}
	return false
}

// claim says whether the drill fires now: it has not before, and that it has is durable.
func (d *drills) claim(i int) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	key := d.all[i].key
	if slices.Contains(d.fired, key) {
		return false
	}
	if d.file != "" && d.failed == nil {
		d.failed = appendLine(filepath.ToSlash(d.file), key)
	}
	if d.failed != nil {
		return false // one that cannot be written down would fire for ever
	}
	d.fired = append(d.fired, key)
	return true
}

func (d *drills) hasFired(i int) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Contains(d.fired, d.all[i].key)
}

// silent are the drills that never fired, with the reason when there is one.
func (d *drills) silent() []string {
	var texts []string
	for i, x := range d.all {
		if d.hasFired(i) {
			continue
		}
		if d.failed != nil {
			x.text += fmt.Sprintf(" (cannot be written down: %v)", d.failed)
		}
		texts = append(texts, x.text)
	}
	return texts
}

func appendLine(name, line string) error {
	data := []byte(line + "\n")
	err := durable.Append(durable.OS(), name, data)
	if errors.Is(err, fs.ErrNotExist) {
		err = durable.Replace(durable.OS(), name, name+".new", data)
	}
	return err
}
