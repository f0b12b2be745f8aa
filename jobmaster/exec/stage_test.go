package exec

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"blink/graph"
)

// stage plays a script.
type stage struct {
	t         *testing.T
	plan      *graph.Plan
	options   Options
	vault     vault
	m         *Machine
	epoch     uint64
	now       time.Time
	wake      time.Time
	beat      time.Time // of the executors' next regular reports
	processes []*process
	reports   map[string]Reported // the last of each executor
	late      map[string]Reported // the last but one
	cut       map[string]bool
	offers    offers
	pending   []Action // not answered yet
	slow      bool     // tasks stay in their restore
	hellos    bool
	said      []string
}

// lead puts a new leader in the place of the old one.
func (s *stage) lead(epoch int, nodes, broken string) {
	found := s.vault.recovered(strings.Fields(nodes))
	if n := len(found.Manifests); broken != "" {
		found.Broken, found.Manifests = broken, found.Manifests[:n-1]
	}
	s.epoch, s.offers, s.pending = uint64(epoch), nil, nil
	s.m = New(Spec{Job: "job", Plan: s.plan, Fingerprint: "f", Epoch: s.epoch, Options: s.options})
	s.step(found)
}

// process finds or starts the executor of a node.
func (s *stage) process(node string) *process {
	i, ok := slices.BinarySearchFunc(s.processes, node, func(p *process, n string) int { return cmp.Compare(p.node, n) })
	if !ok {
		s.processes = slices.Insert(s.processes, i, startProcess(node, 1, s.options.Lease, s.now))
	}
	return s.processes[i]
}

func (s *stage) restart(node string) {
	p := s.process(node)
	*p = *startProcess(node, p.incarnation+1, s.options.Lease, s.now)
}

// each changes the tasks that are named where they live.
func (s *stage) each(tasks string, change func(in *instance)) {
	for word := range strings.FieldsSeq(tasks) {
		id, found := s.task(word), false
		s.all(func(in *instance) {
			if in.Task == id {
				found = true
				change(in)
			}
		})
		if !found {
			s.t.Fatalf("%s lives nowhere", word)
		}
	}
}

// all changes every task that lives.
func (s *stage) all(change func(in *instance)) {
	for _, p := range s.processes {
		for _, in := range p.tasks {
			if in.State.live() {
				change(in)
			}
		}
	}
}

func (s *stage) report(p *process) {
	if s.cut[p.node] {
		return
	}
	s.progress(p)
	s.late[p.node], s.reports[p.node] = s.reports[p.node], p.report(s.now)
	s.step(s.reports[p.node])
}

// progress lets what was begun in a process come to its end.
func (s *stage) progress(p *process) {
	for _, in := range p.tasks {
		switch {
		case in.doomed:
			in.gone("")
		case in.State == Deploying && !s.slow:
			in.State = Running
		}
	}
}

func (s *stage) step(ev Event) {
	for _, a := range slices.Clone(s.m.Step(s.now, ev)) {
		s.do(a)
	}
}

func (s *stage) say(format string, args ...any) {
	s.said = append(s.said, fmt.Sprintf(format, args...))
}

func (s *stage) do(a Action) {
	if _, hello := a.(Hello); !hello || s.hellos {
		if line := tell(a); line != "" {
			s.said = append(s.said, line)
		}
	}
	if to := addressee(a); to != "" {
		s.order(to, a)
		return
	}
	switch a := a.(type) {
	case Available:
		s.offers.take(a)
	case Place:
		s.pending = slices.DeleteFunc(s.pending, func(a Action) bool { _, is := a.(Place); return is })
		s.pending = append(s.pending, a)
	case Wake:
		s.wake = a.At
	case Note, Finish, StepDown:
	default:
		s.pending = append(s.pending, a)
	}
}

// order sends a to an executor.
func (s *stage) order(node string, a Action) {
	if p := s.process(node); !s.cut[node] {
		p.obey(a, s.epoch, s.now)
	}
}

// asked takes the oldest action of a kind that waits for an answer.
func asked[A Action](s *stage) A {
	i := slices.IndexFunc(s.pending, func(a Action) bool { _, is := a.(A); return is })
	if i < 0 {
		s.t.Fatalf("nobody has asked for a %T", *new(A))
	}
	a := s.pending[i].(A)
	s.pending = slices.Delete(s.pending, i, i+1)
	return a
}

// answer gives what was asked first its normal answer.
func (s *stage) answer() {
	if len(s.pending) == 0 {
		s.t.Fatal("nothing waits for an answer")
	}
	a := s.pending[0]
	if _, is := a.(Place); is {
		s.answerPlace()
		return
	}
	s.pending = slices.Delete(s.pending, 0, 1)
	ev := s.vault.serve(a)
	if ev == nil {
		s.t.Fatalf("no answer to %T", a)
	}
	s.step(ev)
}

func (s *stage) answerPlace() {
	p := asked[Place](s)
	if placed, ok := assign(p, s.offers); ok {
		s.step(placed)
	} else {
		s.say("(no slots)")
		s.pending = append(s.pending, p)
	}
}

// settle answers everything and lets every executor report until nothing changes.
func (s *stage) settle() {
	for range 100 {
		waits := slices.ContainsFunc(s.pending, func(a Action) bool { p, is := a.(Place); return !is || s.fits(p) })
		if waits {
			if p, is := s.pending[0].(Place); is && !s.fits(p) {
				s.pending = append(s.pending[1:], p)
			}
			s.answer()
			continue
		}
		told := false
		for _, p := range s.processes {
			if s.progress(p); !s.cut[p.node] && p.changed() {
				s.report(p)
				told = true
			}
		}
		if !told {
			return
		}
	}
	s.t.Fatal("it does not settle")
}

func (s *stage) fits(p Place) bool {
	_, ok := assign(p, s.offers)
	return ok
}

// pass lets time pass: executors report with each heartbeat, and the machine is woken.
func (s *stage) pass(d time.Duration) {
	for end := s.now.Add(d); s.now.Before(end); {
		s.now = slices.MinFunc([]time.Time{end, s.wake, s.beat}, time.Time.Compare)
		for _, p := range s.processes {
			p.watchLease(s.now)
		}
		if !s.now.Before(s.beat) {
			s.beat = s.beat.Add(s.options.Heartbeat)
			for _, p := range s.processes {
				s.report(p)
			}
		}
		if !s.now.Before(s.wake) {
			s.wake = s.now.Add(time.Hour) // unless it asks for another
			s.step(Tick{})
		}
	}
}
