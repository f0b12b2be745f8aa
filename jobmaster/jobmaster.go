package jobmaster

import (
	"context"
	"encoding/json"
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
	"blink/snapshot"
	"blink/snapshot/store"
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

// jobState is what a leader finds.
type jobState struct {
	recovered exec.Recovered
	pointer   string
	manifest  string  // of the newest complete checkpoint
	over      *Result // of this run, or of the job that has finished
}

func readJob(ctx context.Context, config Config) (s jobState, err error) {
	if s.pointer, err = config.Leader.Pointer(ctx, config.Job); err != nil {
		return s, fmt.Errorf("read the pointer: %w", err)
	}
	s.manifest = s.pointer
	if strings.HasPrefix(s.pointer, resultPrefix) {
		result, err := readResult(ctx, config, s.pointer)
		if err != nil {
			return s, err
		}
		s.manifest = result.Checkpoint
		if result.Run == config.Run || result.State == exec.JobFinished {
			s.over = result
		}
	}
	r := &s.recovered
	if s.manifest != "" {
		if *r, err = readCheckpoints(ctx, config, s.manifest); err != nil {
			return s, err
		}
	}
	if s.over != nil {
		r.Over = &exec.Finish{State: s.over.State, Reason: s.over.Reason, Stuck: s.over.Stuck}
	}
	if r.Splits, err = readSplits(ctx, config); err != nil {
		return s, err
	}
	r.Executors, err = config.Resources.Executors(ctx, config.Job)
	if err != nil {
		return s, fmt.Errorf("list the executors: %w", err)
	}
	return s, nil
}

// errDamaged is an object that is there and cannot be read as what it should be.
var errDamaged = errors.New("damaged object")

func readResult(ctx context.Context, config Config, key string) (*Result, error) {
	data, err := config.Store.Get(ctx, key)
	if errors.Is(err, store.ErrNotFound) { // nothing deletes what the pointer names
		return nil, fmt.Errorf("%w %s: %w", errDamaged, key, err)
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", key, err)
	}
	result := &Result{}
	if err := json.Unmarshal(data, result); err != nil {
		return nil, fmt.Errorf("%w %s: %w", errDamaged, key, err)
	}
	return result, nil
}

// readCheckpoints reads the newest complete checkpoint's manifest and those retained beside
// it. When the newest is unusable, which ones were older is found among the objects.
func readCheckpoints(ctx context.Context, config Config, key string) (r exec.Recovered, err error) {
	r.Newest, _ = snapshot.CheckpointOf(key)
	newest, err := readManifest(ctx, config, key)
	if err != nil && !unusable(err) {
		return r, err
	}
	var older []string
	if err != nil {
		r.Broken = err.Error()
		keys, err := config.Store.List(ctx, snapshot.CheckpointsPrefix)
		if err != nil {
			return r, err
		}
		older = snapshot.ManifestsBefore(keys, key)
	} else {
		older = newest.Older
	}
	for _, k := range slices.Backward(older) {
		m, err := readManifest(ctx, config, k)
		if err == nil {
			r.Manifests = append(r.Manifests, m)
		} else if !unusable(err) {
			return r, err
		}
	}
	if newest != nil {
		r.Manifests = append(r.Manifests, newest)
	}
	return r, nil
}

var errManifest = errors.New("unusable checkpoint")

func unusable(err error) bool {
	return errors.Is(err, errManifest) || errors.Is(err, store.ErrNotFound)
}

func readManifest(ctx context.Context, config Config, key string) (*snapshot.Manifest, error) {
	data, err := config.Store.Get(ctx, key)
	if err != nil {
		return nil, err
	}
	m, err := snapshot.DecodeManifest(data)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", errManifest, key, err)
	}
	return m, nil
}

// splitsKey is the object that holds the splits of every source, once for a job.
const splitsKey = "splits"

func readSplits(ctx context.Context, config Config) ([]exec.Splits, error) {
	data, err := config.Store.Get(ctx, splitsKey)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	parts, err := snapshot.DecodeParts(data)
	if err != nil {
		return nil, fmt.Errorf("%w %s: %w", errDamaged, splitsKey, err)
	}
	splits := []exec.Splits{}
	for _, p := range parts {
		splits = append(splits, exec.Splits{Operator: p.Operator, Items: p.Items})
	}
	return splits, nil
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
