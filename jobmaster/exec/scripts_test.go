package exec

import (
	"cmp"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"blink/graph"
	"blink/snapshot"
)

var rewrite = flag.Bool("rewrite", false, "write what the machine does into testdata/*.txt, to be reviewed as a diff")

// TestTheMachineTellsItsStories plays every script of testdata: the lines that say what
// happens, each followed by what the machine wants, indented; what is wanted twice stands there
// once. What comes before the line "---" is how it came so far, and told without the machine's
// words. The language is lines.
func TestTheMachineTellsItsStories(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d scripts: %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			told := play(t, string(text))
			switch {
			case told == string(text):
			case *rewrite:
				if err := os.WriteFile(file, []byte(told), 0o644); err != nil {
					t.Fatal(err)
				}
			default:
				t.Errorf("%s tells another story now (-rewrite writes it):\n%s", file, firstDifference(string(text), told))
			}
		})
	}
}

func firstDifference(was, is string) string {
	a, b := strings.Split(was, "\n"), strings.Split(is, "\n")
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return fmt.Sprintf("line %d was %q\nand is %q", i+1, a[i], b[i])
		}
	}
	return "one is longer"
}

// lines is the language: a pattern for each line, and what happens then.
var lines = []struct {
	pattern string
	happens func(s *stage, a []string)
}{
	// The job: links "0-1" (pipelined) or "0=1" (blocking); "x2" after them: two tasks a vertex.
	{`job (.+)`, func(s *stage, a []string) { s.plan = s.parsePlan(strings.Fields(a[0])) }},
	{`allow fall-back`, func(s *stage, a []string) { s.options.AllowFallback = true }},
	{`restart at most (\d+) times`, func(s *stage, a []string) { s.options.Restarts.Attempts = s.number(a[0]) }},
	{`checkpoint every (\w+)`, func(s *stage, a []string) { s.options.CheckpointEvery = s.duration(a[0]) }},
	{`a leader may act (\w+) beside the next`, func(s *stage, a []string) { s.options.Handover = s.duration(a[0]) }},
	{`show hello`, func(s *stage, a []string) { s.hellos = true }},

	// Leaders.
	{`leader (\d+) over (.+)`, func(s *stage, a []string) { s.lead(s.number(a[0]), a[1], "") }},
	{`leader (\d+) over (.+), the newest checkpoint is broken`, func(s *stage, a []string) { s.lead(s.number(a[0]), a[1], "checksum") }},
	{`stop`, func(s *stage, a []string) { s.step(StopRequested{}) }},
	{`cancel`, func(s *stage, a []string) { s.step(CancelRequested{}) }},

	// Executors: orders reach them at once, reports are sent by these lines.
	{`(te\d) reports`, func(s *stage, a []string) { s.report(s.process(a[0])) }},
	{`(te\d)'s last report comes again`, func(s *stage, a []string) { s.step(s.reports[a[0]]) }},
	{`(te\d)'s report before that comes late`, func(s *stage, a []string) { s.step(s.late[a[0]]) }},
	{`(te\d) is cut off`, func(s *stage, a []string) { s.cut[a[0]] = true }},
	{`(te\d) is back`, func(s *stage, a []string) { s.cut[a[0]] = false }},
	{`(te\d) starts anew`, func(s *stage, a []string) { s.restart(a[0]) }},
	{`(te\d) runs another program`, func(s *stage, a []string) { s.process(a[0]).fingerprint = "g" }},
	{`(te\d) obeys leader (\d+)`, func(s *stage, a []string) { s.process(a[0]).epoch = uint64(s.number(a[1])) }},

	{`(te\d) was told that checkpoint (\d+) is concluded`, func(s *stage, a []string) {
		s.process(a[0]).seen.Concluded = uint64(s.number(a[1]))
	}},
	{`(te\d) holds an acknowledgement of (t\S+)@(\d+) for checkpoint (\d+), a delta onto (\d+)`, func(s *stage, a []string) {
		p := s.process(a[0])
		task, attempt, id := s.task(a[1]), uint32(s.number(a[2])), uint64(s.number(a[3]))
		p.acks = append(p.acks, Ack{
			Task: task, Attempt: attempt, Checkpoint: id, Handle: snapshot.Handle{Key: snapshot.TaskKey(id, task, attempt, 1)},
			Parts: []snapshot.PartSummary{{Operator: fmt.Sprint("op", task.Vertex), Onto: uint64(s.number(a[4]))}},
		})
	}},
	{`(te\d) holds an acknowledgement of (t\S+)@(\d+) for checkpoint (\d+)`, func(s *stage, a []string) {
		p := s.process(a[0])
		p.acks = append(p.acks, Ack{Task: s.task(a[1]), Attempt: uint32(s.number(a[2])), Checkpoint: uint64(s.number(a[3]))})
	}},

	// Tasks: what happens in them is reported by the next report. An old one is of an attempt
	// that nobody knew of.
	{`(t.+) fails?: (.+)`, func(s *stage, a []string) { s.each(a[0], func(in *instance) { in.gone(a[1]) }) }},
	{`(t.+) fails? for good: (.+)`, func(s *stage, a []string) {
		s.each(a[0], func(in *instance) { in.gone(a[1]); in.Permanent = true })
	}},
	{`(t.+) (?:cannot|can not) read the checkpoint: (.+)`, func(s *stage, a []string) {
		s.each(a[0], func(in *instance) { in.gone(a[1]); in.Unusable = true })
	}},
	{`(t.+) ends?`, func(s *stage, a []string) { s.each(a[0], func(in *instance) { in.State = Ended }) }},
	{`all end`, func(s *stage, a []string) { s.all(func(in *instance) { in.State = Ended }) }},
	{`(t.+) (?:takes|take) no snapshot`, func(s *stage, a []string) { s.each(a[0], func(in *instance) { in.hangs = true }) }},
	{`(t.+) (?:takes|take) snapshots again`, func(s *stage, a []string) { s.each(a[0], func(in *instance) { in.hangs = false }) }},
	{`(t\S+) declines: (.+)`, func(s *stage, a []string) { s.each(a[0], func(in *instance) { in.declines = a[1] }) }},
	{`restoring takes long`, func(s *stage, a []string) { s.slow = true }},
	{`restoring is done`, func(s *stage, a []string) { s.slow = false }},
	{`the output of (t\S+)@(\d+) is lost`, func(s *stage, a []string) { s.step(PartitionLost{s.task(a[0]), uint32(s.number(a[1]))}) }},

	// Answers to what the machine asked for.
	{`answered`, func(s *stage, a []string) { s.answer() }},
	{`placed`, func(s *stage, a []string) { s.answerPlace() }},
	{`enumeration fails: (.+)`, func(s *stage, a []string) { asked[Enumerate](s); s.step(EnumerateFailed{a[0]}) }},
	{`the manifest is not stored: (.+)`, func(s *stage, a []string) { s.step(StoreFailed{asked[StoreManifest](s).Manifest.Checkpoint, a[0]}) }},
	{`the pointer's answer is lost`, func(s *stage, a []string) { s.step(AdvanceFailed{asked[AdvancePointer](s).Checkpoint}) }},
	{`the pointer advances, its answer is lost`, func(s *stage, a []string) {
		p := asked[AdvancePointer](s)
		s.vault.pointer = p.Key
		s.step(AdvanceFailed{p.Checkpoint})
	}},
	{`the result is not stored: (.+)`, func(s *stage, a []string) { asked[StoreResult](s); s.step(ResultNotStored{a[0]}) }},
	{`another leader holds the job`, func(s *stage, a []string) { s.step(Fenced{}) }},

	// Time, and everything at once: all is answered and reported until nothing changes.
	{`(\w+) pass`, func(s *stage, a []string) { s.pass(s.duration(a[0])) }},
	{`settle`, func(s *stage, a []string) { s.settle() }},
	{`status`, func(s *stage, a []string) {
		again := ""
		if r := s.m.Restarts(); r.Regions > 0 {
			again = fmt.Sprintf(" (regions: %d, resumed: %d)", r.Regions, r.Resumed)
		}
		s.say("%s, %d of %d tasks, %d restarted%s", s.m.State(), s.m.Alive(), len(s.plan.Tasks()), s.m.Restarts().Tasks, again)
	}},
}

func play(t *testing.T, text string) string {
	s := &stage{
		t: t, now: time.Unix(1000, 0), cut: map[string]bool{}, reports: map[string]Reported{}, late: map[string]Reported{},
		vault:   vault{manifests: map[string]*snapshot.Manifest{}},
		options: Options{Restarts: RestartPolicy{Attempts: 3, BackOff: 100 * time.Millisecond, Max: time.Second}}.Defaults(),
	}
	s.beat = s.now.Add(s.options.Heartbeat)
	told := strings.Contains(text, "\n---\n")
	var out strings.Builder
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "\t") {
			continue
		}
		out.WriteString(line)
		line = strings.TrimSpace(line)
		told = told && line != "---"
		if line == "" || line == "---" || strings.HasPrefix(line, "#") {
			continue
		}
		s.said = nil
		s.play(line)
		for i, l := range s.said {
			if !told && !slices.Contains(s.said[:i], l) {
				out.WriteString("\t" + l + "\n")
			}
		}
	}
	return out.String()
}

func (s *stage) play(line string) {
	for _, l := range slices.Backward(lines) {
		if a := regexp.MustCompile("^" + l.pattern + "$").FindStringSubmatch(line); a != nil {
			l.happens(s, a[1:])
			return
		}
	}
	s.t.Fatalf("no such line: %q", line)
}

func (s *stage) number(text string) (n int) {
	if _, err := fmt.Sscan(text, &n); err != nil {
		s.t.Fatalf("%q: %v", text, err)
	}
	return n
}

func (s *stage) duration(text string) time.Duration {
	d, err := time.ParseDuration(text)
	if err != nil {
		s.t.Fatal(err)
	}
	return d
}

func (s *stage) task(text string) (id graph.TaskID) {
	if _, err := fmt.Sscanf(text, "t%d.%d", &id.Vertex, &id.Subtask); err != nil {
		s.t.Fatalf("task %q: %v", text, err)
	}
	return id
}

func (s *stage) parsePlan(words []string) *graph.Plan {
	parallelism := 1
	if n, ok := strings.CutPrefix(words[len(words)-1], "x"); ok {
		parallelism, words = s.number(n), words[:len(words)-1]
	}
	return planOf(s.t, parallelism, words...)
}

// tell is an action as a line, empty for one that says nothing to a reader.
func tell(a Action) string {
	switch a := a.(type) {
	case Hello:
		line := fmt.Sprintf("hello %s: registration %d, concluded %d, complete %d", a.Node, a.Registration, a.Concluded, a.Completed)
		if a.Held == 0 {
			line += ", tell me everything"
		}
		if a.Onto != a.Completed {
			line += ", whole snapshots"
		}
		return line
	case Deploy:
		from := ""
		if a.Restore != 0 {
			from = fmt.Sprintf(" from checkpoint %d", a.Restore)
		}
		return fmt.Sprintf("deploy %s@%d on %s/%d%s", name(a.Task), a.Attempt, a.Node, a.Slot, from)
	case Cancel:
		return fmt.Sprintf("cancel %s@%d on %s", name(a.Task), a.UpTo, a.Node)
	case Trigger:
		kind := "checkpoint"
		if a.Stop {
			kind = "stop checkpoint"
		}
		var tasks []string
		for _, t := range a.Tasks {
			tasks = append(tasks, fmt.Sprintf("%s@%d", name(t.Task), t.Attempt))
		}
		return fmt.Sprintf("%s %d on %s: %s", kind, a.Checkpoint, a.Node, strings.Join(tasks, " "))
	case Finalize:
		return fmt.Sprintf("finalize %s@%d on %s with checkpoint %d", name(a.Task), a.Attempt, a.Node, a.Checkpoint)
	case Enumerate:
		return "enumerate the splits"
	case StoreSplits:
		return "store the splits"
	case Place:
		var units []string
		for _, u := range a.Units {
			var tasks []string
			for _, t := range u.Tasks {
				tasks = append(tasks, name(t))
			}
			if u.Previous.Node != "" {
				tasks = append(tasks, fmt.Sprintf("(last on %s/%d)", u.Previous.Node, u.Previous.Index))
			}
			units = append(units, strings.Join(tasks, " "))
		}
		return fmt.Sprintf("place %s", strings.Join(units, ", "))
	case StoreResult:
		return fmt.Sprintf("store the result %s", a.Result.State)
	case Release:
		return "release the slots"
	case Available:
		if a.Slots > 0 {
			return fmt.Sprintf("%s is available", a.Node)
		}
		return fmt.Sprintf("%s is not available", a.Node)
	case StoreManifest:
		return fmt.Sprintf("store manifest %d", a.Manifest.Checkpoint)
	case AdvancePointer:
		return fmt.Sprintf("advance the pointer to %d", a.Checkpoint)
	case Collect:
		var keep []string
		for _, k := range a.Keep {
			if strings.Contains(k, "/manifest-") {
				keep = append(keep, strings.TrimLeft(strings.Split(k, "/")[1], "0"))
			}
		}
		what := fmt.Sprint("up to ", a.Newest)
		if a.Newest == math.MaxUint64 {
			what = "everything"
		}
		return fmt.Sprintf("collect %s, but %s", what, cmp.Or(strings.Join(keep, " and "), "nothing"))
	case Note:
		return fmt.Sprintf("note: %s", a.Text)
	case Finish:
		return fmt.Sprintf("finish %s", strings.TrimSuffix(fmt.Sprintf("%s: %s", a.State, a.Reason), ": "))
	case StepDown:
		return fmt.Sprintf("step down: %s", a.Reason)
	}
	return ""
}

func name(t graph.TaskID) string { return fmt.Sprintf("t%d.%d", t.Vertex, t.Subtask) }
