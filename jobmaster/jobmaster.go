package jobmaster

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"blink/actors"
	"blink/graph"
	"blink/jobmaster/exec"
	"blink/jobmaster/leader"
	"blink/operator"
	"blink/protos"
)

// JobMaster is the leader of a job for one epoch: it drives the machine that decides.
type JobMaster struct {
	config  Config
	lead    leader.Lead
	until   time.Time // it may act before
	boss    actors.Ref
	c       *actors.Ctx
	program *operator.Program
	plan    *graph.Plan
	m       *exec.Machine
	place   actors.Ref
	offers  []offer   // executors that obey us, ascending by node
	wakeAt  time.Time // of the machine; zero: it is not to be woken
	early   []any     // what came before the machine was ready; bounded by maxEarly

	status    Status
	observed  time.Time // by people
	triggered uint64    // the checkpoint being taken
	began     time.Time
	writing   int           // manifests on their way
	size      int64         // of the checkpoint whose manifest was stored last
	garbage   *exec.Collect // to be done next
	sweeping  bool          // one is being done
	pointer   string        // of the job
	manifest  string        // of the newest complete checkpoint
	stored    *Result       // that is durable
	result    *Result       // that the candidate was told
	resigned  bool
}

// maxEarly bounds the reports that are kept while the state of the job is read: they are
// repeated. What else may come by then is a word of the user.
const maxEarly = 1000

func newJobMaster(config Config, lead leader.Lead, until time.Time, boss actors.Ref) actors.Actor {
	return &JobMaster{config: config, lead: lead, until: until, boss: boss}
}

type wake struct{}

// Receive turns messages into events. A JobMaster whose leadership is not proven any more
// does nothing.
func (j *JobMaster) Receive(c *actors.Ctx, m any) error {
	j.c = c
	if d, ok := m.(deadline); ok {
		j.until = d.at
		return nil
	}
	if !j.mayAct() {
		return nil
	}
	switch m := m.(type) {
	case actors.Started:
		return j.start()
	case *protos.Report:
		j.heard(m)
	case wake:
		j.wakeAt = time.Time{}
		j.step(exec.Tick{})
	case retry:
		m.f()
	case StopJob:
		j.step(exec.StopRequested{})
	case CancelJob:
		j.step(exec.CancelRequested{})
	case exec.Placed, exec.Released:
		j.step(m)
	case actors.Down:
		return fmt.Errorf("placement: %v", m.Err)
	}
	return nil
}

// mayAct says whether the job goes on, and we lead it for sure. Whoever finds that it may not
// act lets something pass that it does not hear of again, so it gives up for good.
func (j *JobMaster) mayAct() bool {
	if j.result != nil || j.resigned {
		return false
	}
	if j.c.Now().Before(j.until) {
		return true
	}
	j.resign("its leadership was not proven in time")
	return false
}

// resign asks the candidate for another JobMaster.
func (j *JobMaster) resign(reason string) {
	j.resigned = true
	j.c.Tell(j.boss, resigned{j.lead.Epoch, reason})
}

// start builds the job, and reads where it stands.
func (j *JobMaster) start() error {
	var err error
	if j.program, err = j.config.Program(); err != nil {
		j.end(failedResult(err))
		return nil
	}
	if j.plan, err = graph.Compile(j.program.Job); err != nil {
		j.end(failedResult(err))
		return nil
	}
	j.status = Status{State: exec.JobReconciling, Epoch: j.lead.Epoch, Tasks: len(j.plan.Tasks())}
	if j.place, err = j.c.Spawn("placement", "placement", func() actors.Actor { return newPlacer(j.config, j.lead.Epoch) }); err != nil {
		return err
	}
	j.recover(1)
	return nil
}

const (
	recoverBackOff    = 100 * time.Millisecond
	maxRecoverBackOff = 5 * time.Second
)

// recover reads the pointer, the manifests, the splits and the list of executors, until it
// can. What is damaged stays so: then the job ends.
func (j *JobMaster) recover(try int) {
	config := j.config
	j.c.Go("read the job's state", func(ctx context.Context) (any, error) { return readJob(ctx, config) }, func(v any, err error) {
		if errors.Is(err, errDamaged) {
			j.end(failedResult(fmt.Errorf("%w: begin anew with an empty state dir", err)))
			return
		}
		if err != nil {
			j.c.Log().Warn().Err(err).Int("try", try).Msg("cannot read the job's state yet")
			j.c.After("recover", min(recoverBackOff<<min(try, 10), maxRecoverBackOff), retry{func() { j.recover(try + 1) }})
			return
		}
		found := v.(jobState)
		j.stored, j.pointer, j.manifest = found.over, found.pointer, found.manifest
		if found.over == nil {
			j.c.Tell(j.place, needed{j.plan.Slots()})
		}
		options := config.Options
		options.Handover = config.Election.TTL
		j.m = exec.New(exec.Spec{
			Job: config.Job, Plan: j.plan, Fingerprint: graph.Fingerprint(j.program.Job),
			Epoch: j.lead.Epoch, Options: options,
		})
		j.step(found.recovered)
		for _, ev := range j.early {
			j.step(ev)
		}
		j.early = nil
	})
}

// step drives the machine and does what it says.
func (j *JobMaster) step(ev exec.Event) {
	if j.m == nil {
		if _, report := ev.(exec.Reported); !report || len(j.early) < maxEarly {
			j.early = append(j.early, ev)
		}
		return
	}
	if !j.mayAct() {
		return
	}
	actions := slices.Clone(j.m.Step(j.c.Now(), ev))
	if j.config.Stepped != nil {
		j.config.Stepped(ev, actions)
	}
	for _, a := range actions {
		j.do(a)
	}
	if j.m.Restarts() != j.status.Restarts || j.m.Completed() != j.status.Checkpoint || j.c.Now().Sub(j.observed) >= observeEvery {
		j.observe("")
	}
}

// heard takes an executor's report.
func (j *JobMaster) heard(r *protos.Report) {
	if r.Job == j.config.Job {
		j.step(eventOf(r))
	}
}

// available tells the placement which slots there are.
func (j *JobMaster) available(a exec.Available) {
	i, ok := slices.BinarySearchFunc(j.offers, a.Node, func(o offer, n string) int { return strings.Compare(o.node, n) })
	if ok {
		j.offers = slices.Delete(j.offers, i, i+1)
	}
	if a.Slots > 0 {
		j.offers = slices.Insert(j.offers, i, offer{a.Node, a.Slots})
	}
	j.c.Tell(j.place, offered{slices.Clone(j.offers)})
}

// end tells the candidate that the job is over.
func (j *JobMaster) end(r Result) {
	j.observe("")
	j.result = &r
	j.c.Tell(j.boss, finished{r})
}

// observeEvery is how often people are shown how the job is, beside restarts and checkpoints:
// it takes a look at every task.
const observeEvery = 100 * time.Millisecond

// observe shows people how the job is.
func (j *JobMaster) observe(note string) {
	if j.config.Observe == nil || j.m == nil {
		return
	}
	j.observed = j.c.Now()
	s := j.status
	s.State, s.Restarts, s.Checkpoint, s.Running, s.Note = j.m.State(), j.m.Restarts(), j.m.Completed(), j.m.Alive(), note
	s.Counters = j.m.Counters()
	j.status = s
	j.config.Observe(s)
}
