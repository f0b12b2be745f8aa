package sim

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"blink"
	"blink/connector/files"
	"blink/operator"
)

// Scripts of testdata direct faults at one phase of a protocol, on a job of two pipelines
// that nothing ties together: region 0 is "wide", two tasks a vertex on te0 and te1, and
// region 1 "narrow", on te0. Two candidates; one executor more than the job needs. All
// checkers watch.
//
//	# what it shows
//	at 3s                           when this time has come, or
//	when checkpoint 2 is complete   when the story first says so,
//	    crash jobmaster leader for 1s after 10ms
//	                                this goes wrong: kind, targets (leader: who leads by then)
//	expect 0 restarts               of tasks; "some restarts"
//	expect 2 leaders
//	said TEXT                       somewhere in the story
//	never TEXT

const scriptSeeds = 25

func TestDirectedFaults(t *testing.T) {
	names, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(names) == 0 {
		t.Fatal(names, err)
	}
	for _, name := range names {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txt"), func(t *testing.T) {
			s, err := readScript(name)
			if err != nil {
				t.Fatal(err)
			}
			for seed := uint64(1); seed <= scriptSeeds && !t.Failed(); seed++ {
				s.run(t, seed)
			}
		})
	}
}

// script is a scenario and what is expected of it.
type script struct {
	faults      []Fault
	cues        []Cue
	restarts    string
	leaders     int
	said, never []string
}

func readScript(name string) (*script, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	s, at := &script{}, time.Duration(0)
	lines := bufio.NewScanner(f)
	for n := 1; lines.Scan(); n++ {
		line := lines.Text()
		verb, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		err := error(nil)
		switch {
		case verb == "" || strings.HasPrefix(verb, "#"):
		case strings.HasPrefix(line, "    "):
			err = s.fault(at, strings.TrimSpace(line))
		case verb == "at":
			at, err = time.ParseDuration(rest)
		case verb == "when":
			at = -1
			s.cues = append(s.cues, Cue{Says: rest})
		case verb == "said":
			s.said = append(s.said, rest)
		case verb == "never":
			s.never = append(s.never, rest)
		case verb == "expect" && strings.HasSuffix(rest, " restarts"):
			s.restarts = strings.TrimSuffix(rest, " restarts")
		case verb == "expect" && strings.HasSuffix(rest, " leaders"):
			s.leaders, err = strconv.Atoi(strings.TrimSuffix(rest, " leaders"))
		default:
			err = fmt.Errorf("unknown verb %q", verb)
		}
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", name, n, err)
		}
	}
	return s, lines.Err()
}

// fault adds a fault to the last cue, or to the plan when at is no negative time.
func (s *script) fault(at time.Duration, line string) error {
	f := Fault{}
	for _, k := range FaultKinds {
		if strings.HasPrefix(line, string(k)) && len(k) > len(f.Kind) {
			f.Kind = k
		}
	}
	if f.Kind == "" {
		return fmt.Errorf("no kind of fault begins %q", line)
	}
	words := strings.Fields(strings.TrimPrefix(line, string(f.Kind)))
	for i := 0; i < len(words); i++ {
		switch w := words[i]; {
		case (w == "for" || w == "after") && i+1 < len(words):
			d, err := time.ParseDuration(words[i+1])
			if err != nil {
				return err
			}
			if i++; w == "for" {
				f.For = d
			} else {
				f.At = d
			}
		case f.Target == "":
			f.Target = w
		default:
			f.Other = w
		}
	}
	if at >= 0 {
		f.At += at
		s.faults = append(s.faults, f)
		return nil
	}
	q := &s.cues[len(s.cues)-1]
	q.Faults = append(q.Faults, f)
	return nil
}

func (s *script) run(t *testing.T, seed uint64) {
	t.Helper()
	var story []string
	out := Run(seed, Scenario{
		Workload: twoPipelines(seed), Candidates: 2, Spare: 1, Slots: 1, CheckpointEvery: time.Second, BatchRecords: 2, Credits: 2,
		Rate: 12, Horizon: 12 * time.Second, Faults: s.faults, Cues: s.cues,
		Story: func(at time.Duration, where, what string) {
			story = append(story, fmt.Sprintf("%12.6fs  %-9s  %s", at.Seconds(), where, what))
		},
	})
	told := strings.Join(story, "\n")
	if out.Err != nil {
		t.Errorf("seed %d: %v", seed, out.Err)
	}
	for _, q := range s.cues {
		if !strings.Contains(told, q.Says) {
			t.Errorf("seed %d: nothing is told of %q", seed, q.Says)
		}
	}
	if want := s.restarts; want == "some" && out.Restarts == 0 || want != "some" && want != "" && want != strconv.Itoa(out.Restarts) {
		t.Errorf("seed %d: %d restarts, want %s", seed, out.Restarts, want)
	}
	if s.leaders > 0 && out.Leaders != s.leaders {
		t.Errorf("seed %d: %d leaders, want %d", seed, out.Leaders, s.leaders)
	}
	for _, w := range s.said {
		if !strings.Contains(told, w) {
			t.Errorf("seed %d: nobody says %q", seed, w)
		}
	}
	for _, w := range s.never {
		if strings.Contains(told, w) {
			t.Errorf("seed %d: somebody says %q", seed, w)
		}
	}
	if t.Failed() {
		t.Logf("the story:\n%s", told)
	}
}

// twoPipelines counts the records of two sources by key, apart.
func twoPipelines(seed uint64) Workload {
	j := &randomJob{
		groups: 8, bound: time.Second,
		sources:  []randomSource{{splits: 2, records: 60, keys: 5}, {splits: 1, records: 60, keys: 5}},
		branches: []randomBranch{{kind: "count", source: 0}, {kind: "count", source: 1}},
	}
	pipe := func(job *blink.Job, source, parallelism int) {
		job.Read(j.source(seed, source)).ID(fmt.Sprint("facts", source)).Parallelism(parallelism).
			KeyBy(keyOf).Count().ID(fmt.Sprint("count", source)).Parallelism(parallelism).
			Map(func(kv blink.KV[int64, int64]) countRow { return countRow{kv.Key, kv.Value} }).Parallelism(parallelism).
			Write(files.CSV(fmt.Sprintf("out/%d.csv", source))).Parallelism(parallelism)
	}
	w := j.workload(seed)
	w.Rescale = nil
	w.Program = func() (*operator.Program, error) {
		job := blink.NewJob("two pipelines", nil).MaxParallelism(j.groups)
		pipe(job, 0, 2)
		pipe(job, 1, 1)
		return job.Program()
	}
	return w
}
