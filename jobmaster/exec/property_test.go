package exec

import (
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"blink/graph"
	"blink/snapshot"
)

// shapes are the plans of the runs: regions side by side, and stages with blocking links.
var shapes = [][]string{
	{"0-1"}, {"0-1", "2-3"}, {"0", "1", "2"}, {"0-1", "1-2", "3"},
	{"0=1"}, {"0=1", "1=2"}, {"0=1", "0=2"}, {"0-1", "1=2", "3"},
}

// Each run plays about half a minute of troubles, and then calm.
var (
	runs = flag.Int("runs", 2000, "lives to play")
	only = flag.Int("seed", -1, "play the life with this seed alone, and tell it")
)

// TestPromisesHoldWhateverHappens plays short lives of small jobs: executors obey late, die, are
// cut off and come back, messages are lost, repeated and overtaken, stores fail or leave it
// open whether they have, leaders follow each other. After each step the promises are looked
// at, and when the troubles are over the job must run, take a checkpoint and come to its end.
func TestPromisesHoldWhateverHappens(t *testing.T) {
	first, last := 0, *runs
	if *only >= 0 {
		first, last = *only, *only+1
	}
	layers := map[int]int{}
	for seed := first; seed < last; seed++ {
		w := newWeather(t, uint64(seed))
		w.layers = layers
		w.storm()
		w.calmDown()
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
	for n := 1; n <= stackable && *only < 0; n++ {
		if layers[n] == 0 {
			t.Errorf("no snapshot had %d layers: %v", n, layers)
		}
	}
}

// weather is one run.
type weather struct {
	t       *testing.T
	rnd     *rand.Rand
	plan    *graph.Plan
	options Options
	regions [][]graph.TaskID
	region  map[graph.TaskID]int
	blocks  bool // it has blocking links

	now   time.Time
	calm  bool
	ends  bool // tasks come to their end as soon as they can
	nodes []*node
	mail  []letter

	vault    vault
	m        *Machine // nil while nobody leads
	epoch    uint64
	wake     time.Time
	offers   offers
	wanted   Place
	layers   map[int]int // of the snapshots of complete checkpoints: how many had how many
	collects int         // that the leader has asked for
	last     uint64
	finished *Finish

	ordered   map[graph.TaskID]attempt // the newest that any leader has ordered
	where     map[graph.TaskID]string
	discarded map[string]bool          // snapshots that tasks have deleted
	atEnd     map[string]bool          // snapshots of tasks that had ended
	ended     map[graph.TaskID]attempt // that came to the end of its input
	empty     map[graph.TaskID]attempt // that was restored as ended, and so makes no output
	output    map[graph.TaskID]attempt // that has made what its task sends over blocking links
	reads     map[graph.TaskID]inputs
	trouble   map[int]bool // regions to which something has happened since they were deployed
}

// node is a machine with a process, or with none until it starts again.
type node struct {
	*process
	up      bool
	cut     bool
	until   time.Time // it is cut off or down
	shaken  time.Time // a lease after that: tasks may still stop because of it
	next    time.Time // it works again
	told    time.Time
	changed bool
}

type letter struct {
	at      time.Time
	deliver func()
}

// attempt orders the attempts of a task: by the epoch of their leader, then by number.
type attempt struct {
	epoch uint64
	n     uint32
}

// inputs is the output that the newest attempt of a task was deployed to read, by who makes it.
type inputs map[graph.TaskID]attempt

func newWeather(t *testing.T, seed uint64) *weather {
	w := &weather{
		t: t, rnd: rand.New(rand.NewPCG(seed, 1)), now: time.Unix(1000, 0), vault: vault{manifests: map[string]*snapshot.Manifest{}},
		region: map[graph.TaskID]int{}, ordered: map[graph.TaskID]attempt{}, where: map[graph.TaskID]string{}, trouble: map[int]bool{},
		discarded: map[string]bool{}, atEnd: map[string]bool{}, ended: map[graph.TaskID]attempt{}, empty: map[graph.TaskID]attempt{}, output: map[graph.TaskID]attempt{}, reads: map[graph.TaskID]inputs{},
		options: Options{
			Heartbeat: time.Second, Lease: 8 * time.Second, CheckpointEvery: 2 * time.Second, CheckpointTimeout: 4 * time.Second,
			Restarts: RestartPolicy{Attempts: 1 << 20, BackOff: 100 * time.Millisecond, Max: time.Second},
		}.Defaults(),
	}
	w.plan = planOf(t, 1+w.rnd.IntN(2), shapes[w.rnd.IntN(len(shapes))]...)
	w.blocks = slices.ContainsFunc(w.plan.Links, func(l graph.Link) bool { return l.Blocking })
	w.regions = w.plan.Regions()
	for r, tasks := range w.regions {
		for _, id := range tasks {
			w.region[id] = r
		}
	}
	for i := range 3 {
		w.nodes = append(w.nodes, &node{process: w.process(fmt.Sprint("te", i), 1), up: true})
	}
	w.lead()
	return w
}

// process starts one, whose tasks share the object store with all others.
func (w *weather) process(node string, incarnation uint64) *process {
	p := startProcess(node, incarnation, w.options.Lease, w.now)
	p.discarded, p.atEnd = w.discarded, w.atEnd
	return p
}

func (w *weather) errorf(format string, args ...any) {
	w.t.Helper()
	w.t.Errorf("%v: %s", w.now.Sub(time.Unix(1000, 0)), fmt.Sprintf(format, args...))
}

func (w *weather) logf(format string, args ...any) {
	w.t.Logf("%v: %s", w.now.Sub(time.Unix(1000, 0)), fmt.Sprintf(format, args...))
}

// chance is true once in n times, never when it is calm.
func (w *weather) chance(n int) bool { return !w.calm && w.rnd.IntN(n) == 0 }

func (w *weather) upTo(d time.Duration) time.Duration { return time.Duration(w.rnd.Int64N(int64(d))) }

// storm is the time of troubles.
func (w *weather) storm() {
	for end := w.now.Add(10*time.Second + w.upTo(30*time.Second)); w.now.Before(end) && w.finished == nil && !w.t.Failed(); {
		w.strike()
		w.advance()
	}
}

// calmDown mends everything and wants the job to run and take a checkpoint, and then to end,
// each within a time that is enough for a lease, a back-off and a few checkpoints that time out.
func (w *weather) calmDown() {
	const enough = 30 * time.Second
	w.calm = true
	for _, n := range w.nodes {
		w.mend(n)
		for _, in := range n.tasks {
			in.hangs, in.declines = false, ""
		}
	}
	if w.m == nil {
		w.lead()
	}
	before := w.vault.complete()
	if !w.blocks {
		w.await(enough, "run and take a checkpoint", func() bool { return w.m.State() == JobRunning && w.vault.complete() > before })
	}
	w.ends = true
	w.await(enough, "end", func() bool { return false })
	if w.finished != nil && len(w.m.Step(w.now.Add(time.Hour), Tick{})) > 0 {
		w.errorf("it does something after its end")
	}
}

func (w *weather) await(enough time.Duration, what string, done func() bool) {
	for end := w.now.Add(enough); w.finished == nil && !done() && !w.t.Failed(); w.advance() {
		if w.now.After(end) {
			w.errorf("it does not %s: %s, checkpoint %d", what, w.m.State(), w.vault.complete())
		}
	}
}

// advance lets the next thing happen that is due.
func (w *weather) advance() {
	next := w.wake
	if w.m == nil {
		next = w.now.Add(time.Hour)
	}
	var at *node
	for _, n := range w.nodes {
		if n.next.Before(next) {
			next, at = n.next, n
		}
	}
	first := -1
	for i, l := range w.mail {
		if !l.at.After(next) {
			next, first = l.at, i
		}
	}
	if next.After(w.now) {
		w.now = next
	}
	for _, n := range w.nodes {
		if n.watchLease(w.now) {
			w.disturb(n)
		}
	}
	switch {
	case first >= 0:
		l := w.mail[first]
		w.mail = slices.Delete(w.mail, first, first+1)
		l.deliver()
	case at != nil:
		w.work(at)
	default:
		w.step(Tick{})
	}
	w.lookAtAttempts()
}

// post lets something happen in a while; between processes it may be lost, or happen twice.
func (w *weather) post(lossy bool, deliver func()) {
	times := 1
	if lossy && w.chance(8) {
		times = 2 * w.rnd.IntN(2)
	}
	for range times {
		delay := w.upTo(10 * time.Millisecond)
		if w.chance(2) {
			delay = w.upTo(500 * time.Millisecond)
		}
		if lossy && w.chance(300) {
			delay = w.upTo(2 * w.options.Lease)
		}
		w.mail = append(w.mail, letter{w.now.Add(delay), deliver})
	}
}

// strike may let something go wrong.
func (w *weather) strike() {
	n := w.nodes[w.rnd.IntN(len(w.nodes))]
	switch {
	case w.chance(150):
		w.disturb(n)
		n.cut, n.until = true, w.now.Add(w.upTo(15*time.Second))
	case w.chance(200) && n.up:
		w.disturb(n)
		n.up, n.tasks, n.acks, n.until = false, nil, nil, w.now.Add(w.upTo(12*time.Second))
	case w.chance(150):
		w.m = nil
		leaderless := w.now.Add(w.upTo(2 * time.Second))
		w.mail = append(w.mail, letter{leaderless, func() {
			if w.m == nil {
				w.lead()
			}
		}})
	case w.chance(60) && len(n.tasks) > 0:
		in := n.tasks[w.rnd.IntN(len(n.tasks))]
		switch w.rnd.IntN(4) {
		case 0:
			in.hangs = true
		case 1:
			in.declines = "disk full"
		default:
			if in.State.live() {
				w.trouble[w.region[in.Task]] = true
				in.gone("it broke")
				n.changed = true
			}
		}
	case w.chance(100) && w.m != nil:
		w.losePartition()
	case w.chance(500):
		w.step(StopRequested{})
	case w.chance(3000):
		w.step(CancelRequested{})
	}
}

func (w *weather) losePartition() {
	if len(w.output) == 0 {
		return
	}
	all := slices.SortedFunc(maps.Keys(w.output), graph.TaskID.Compare)
	id := all[w.rnd.IntN(len(all))]
	made := w.output[id]
	delete(w.output, id)
	w.trouble[w.region[id]] = true
	w.step(PartitionLost{id, made.n})
}

// missing is what a task was to read over blocking links and is not there.
func (w *weather) missing(id graph.TaskID) (from graph.TaskID, was attempt, missing bool) {
	for _, from := range w.makers(id) {
		if was := w.reads[id][from]; w.output[from] != was {
			return from, was, true
		}
	}
	return from, was, false
}

// makers are the tasks that send to a task over blocking links.
func (w *weather) makers(id graph.TaskID) (from []graph.TaskID) {
	for _, l := range w.plan.Vertices[id.Vertex].In {
		if w.plan.Links[l].Blocking {
			from = append(from, w.plan.Links[l].Senders(id.Subtask)...)
		}
	}
	return from
}

// makes says whether a task sends over a blocking link.
func (w *weather) makes(id graph.TaskID) bool {
	return slices.ContainsFunc(w.plan.Vertices[id.Vertex].Out, func(l int) bool { return w.plan.Links[l].Blocking })
}

// disturb notes that something happens to a node, and so to the regions that are there.
func (w *weather) disturb(n *node) {
	n.shaken = w.now.Add(w.options.Lease + time.Second)
	for id, at := range w.where { // any order: each is marked
		if at == n.node {
			w.trouble[w.region[id]] = true
		}
	}
}

func (w *weather) mend(n *node) {
	if n.cut || !n.up {
		w.disturb(n)
	}
	if n.cut = false; !n.up {
		n.process, n.up, n.changed = w.process(n.node, n.incarnation+1), true, true
	}
}

// lead puts a new leader in the place of the old one, whose session is over: what it has asked
// for may still be on its way.
func (w *weather) lead() {
	w.epoch++
	w.offers, w.wanted, w.collects, w.last = nil, Place{}, 0, 0
	var listed []string
	for _, n := range w.nodes {
		busy := slices.Contains(slices.Collect(maps.Values(w.where)), n.node)
		if n.up && (busy || !w.chance(3)) || !n.up && w.chance(2) { // the list may be old
			listed = append(listed, n.node)
		}
		if n.cut || !n.up {
			w.disturb(n)
		}
	}
	for r, tasks := range w.regions {
		w.trouble[r] = w.trouble[r] || len(w.living(r)) < len(tasks)
	}
	w.m = New(Spec{Job: "job", Plan: w.plan, Fingerprint: "f", Epoch: w.epoch, Options: w.options})
	w.step(w.vault.recovered(listed))
}

// living are the instances of a region's tasks that live somewhere.
func (w *weather) living(region int) (all []*instance) {
	for _, n := range w.nodes {
		for _, in := range n.tasks {
			if in.State.live() && w.region[in.Task] == region {
				all = append(all, in)
			}
		}
	}
	return all
}

// lookAtAttempts wants that no two attempts of a region live at a time.
func (w *weather) lookAtAttempts() {
	for r := range w.regions {
		all := w.living(r)
		for _, in := range all {
			if in.Attempt != all[0].Attempt || in.Epoch != all[0].Epoch {
				w.errorf("region %d lives twice: %s@%d of epoch %d and %s@%d of epoch %d", r,
					name(all[0].Task), all[0].Attempt, all[0].Epoch, name(in.Task), in.Attempt, in.Epoch)
				return
			}
		}
	}
}

// work is a moment of a node: its tasks go on, and it reports.
func (w *weather) work(n *node) {
	n.next = w.now.Add(100*time.Millisecond + w.upTo(200*time.Millisecond))
	if !w.calm && (n.cut || !n.up) && !w.now.Before(n.until) {
		w.mend(n)
	}
	if !n.up {
		return
	}
	for _, in := range n.tasks {
		n.changed = w.progress(n, in) || n.changed
	}
	if n.changed || w.now.Sub(n.told) >= w.options.Heartbeat {
		n.changed, n.told = false, w.now
		r := n.report(w.now)
		if !n.cut {
			w.post(true, func() { w.step(r) })
		}
	}
}

func (w *weather) progress(n *node, in *instance) bool {
	switch {
	case w.chance(2) || !in.State.live():
		return false
	case in.doomed:
		in.gone("")
	case in.State == Deploying:
		in.State = Running
	case in.State == Running && w.inputEnded(in) && (w.ends || w.blocks && w.rnd.IntN(20) == 0 || w.chance(300)):
		w.end(in)
	case w.chance(4) && in.stopAt < w.last: // the barrier comes before the trigger
		n.snapshot(in, w.last)
	default:
		return false
	}
	return true
}

// end lets a task come to its end, or look in vain for what it reads.
func (w *weather) end(in *instance) {
	now := attempt{in.Epoch, in.Attempt}
	if from, was, missing := w.missing(in.Task); missing && w.ordered[in.Task] == now {
		w.trouble[w.region[from]] = w.trouble[w.region[from]] || w.ordered[from] == was
		w.trouble[w.region[in.Task]] = true
		w.step(PartitionLost{from, was.n})
		in.gone("what it reads is gone")
		return
	}
	w.ended[in.Task] = now
	if in.State = Ended; w.makes(in.Task) && w.empty[in.Task] != now {
		w.output[in.Task] = now
	}
}

// inputEnded says whether all has ended that sends to a task over pipelined links.
func (w *weather) inputEnded(in *instance) bool {
	for _, l := range w.plan.Vertices[in.Task.Vertex].In {
		if w.plan.Links[l].Blocking {
			continue
		}
		for _, from := range w.plan.Links[l].Senders(in.Task.Subtask) {
			if !slices.ContainsFunc(w.living(w.region[from]), func(in *instance) bool { return in.Task == from && in.State == Ended }) {
				return false
			}
		}
	}
	return true
}

func (w *weather) step(ev Event) {
	if w.m == nil || w.finished != nil {
		return
	}
	if r, is := ev.(Reported); *only >= 0 && !is {
		w.logf("%T%+v", ev, ev)
	} else if *only >= 0 {
		w.logf("report of %s: %+v %d acks", r.Node, r.Tasks, len(r.Acks))
	}
	first := map[int]Deploy{} // of each region in this step
	for _, a := range slices.Clone(w.m.Step(w.now, ev)) {
		if d, is := a.(Deploy); is {
			r := w.region[d.Task]
			if f, more := first[r]; more && (f.Attempt != d.Attempt || f.Restore != d.Restore) {
				w.errorf("region %d is deployed in two ways: %s and %s", r, tell(f), tell(d))
			}
			first[r] = d
		}
		if _, hello := a.(Hello); *only >= 0 && !hello {
			w.logf("%s", tell(a))
		}
		w.do(a)
	}
	w.lookAtReaders()
}

// lookAtReaders wants that no region is to run while what it reads over blocking links is being
// made again, unless it has finished.
func (w *weather) lookAtReaders() {
	if w.m.phase != active && w.m.phase != finalizing {
		return
	}
	for _, r := range w.m.regions {
		if (r.phase == deploying || r.phase == up) && !w.m.ended(r) && slices.ContainsFunc(r.inputs, func(in *region) bool { return in.phase != up || !w.m.ended(in) }) {
			w.errorf("region %d is to run, and what it reads is being made", r.index)
		}
	}
}

func (w *weather) do(a Action) {
	if to := addressee(a); to != "" {
		w.lookAtOrder(a)
		w.order(to, a)
		return
	}
	switch a := a.(type) {
	case Available:
		w.offers.take(a)
		w.place()
	case Place:
		w.wanted = a
		w.place()
	case Wake:
		w.wake = a.At
	case Note:
		if strings.Contains(a.Text, "holds a delta") {
			w.errorf("%s", a.Text)
		}
	case Finish:
		w.finished = &a
		if a.State == JobFailed {
			w.errorf("it fails: %s", a.Reason)
		}
		for r := range w.regions {
			if left := w.living(r); len(left) > 0 {
				w.errorf("it is over, and %s@%d lives", name(left[0].Task), left[0].Attempt)
			}
		}
	case StepDown:
		w.errorf("it steps down: %s", a.Reason)
	default:
		w.ask(a)
	}
}

// order sends a to an executor.
func (w *weather) order(to string, a Action) {
	i := slices.IndexFunc(w.nodes, func(n *node) bool { return n.node == to })
	n, epoch := w.nodes[i], w.epoch
	w.post(true, func() {
		if n.up && !n.cut {
			n.obey(a, epoch, w.now)
			_, hello := a.(Hello)
			n.changed = n.changed || !hello
		}
	})
}

// lookAtOrder wants checkpoints to follow each other; see also lookAtDeploy and lookAtCancel.
func (w *weather) lookAtOrder(a Action) {
	switch a := a.(type) {
	case Deploy:
		w.lookAtDeploy(a)
	case Cancel:
		w.lookAtCancel(a)
	case Trigger:
		if a.Checkpoint < w.last || a.Checkpoint <= w.vault.complete() {
			w.errorf("checkpoint %d is triggered after %d; %d is complete", a.Checkpoint, w.last, w.vault.complete())
		}
		w.last = a.Checkpoint
	}
}

// lookAtDeploy wants the newest complete checkpoint restored, but nothing where output for a
// blocking link is made, by an attempt that is newer than all before.
func (w *weather) lookAtDeploy(d Deploy) {
	if complete := w.vault.complete(); d.Restore != complete && d.Restore != 0 {
		w.errorf("%s, but the pointer names %d", tell(d), complete)
	} else if makes := slices.ContainsFunc(w.regions[w.region[d.Task]], w.makes); d.Restore == 0 && complete > 0 && !makes {
		w.errorf("%s, and not from checkpoint %d", tell(d), complete)
	}
	if restored := d.Restore > 0; restored != (len(d.Fetches) > 0) || (d.Task == graph.TaskID{}) && restored == (len(d.Initial) > 0) {
		w.errorf("%s, with %d pieces of it and the first splits of %d sources", tell(d), len(d.Fetches), len(d.Initial))
	}
	now, was := attempt{w.epoch, d.Attempt}, w.ordered[d.Task]
	if now == was {
		return // again
	}
	if now.epoch == was.epoch && now.n < was.n {
		w.errorf("%s, after attempt %d", tell(d), was.n)
	}
	w.reads[d.Task] = inputs{}
	for _, from := range w.makers(d.Task) {
		if w.ended[from] != w.ordered[from] {
			w.errorf("%s, but %s has not ended", tell(d), name(from))
		}
		w.reads[d.Task][from] = w.ordered[from]
	}
	if d.Restore != 0 && w.atEnd[w.entry(d.Task).Handle.Key] {
		w.empty[d.Task] = now
	}
	delete(w.output, d.Task) // what an earlier attempt has made is gone with it
	w.ordered[d.Task], w.where[d.Task] = now, d.Node
	delete(w.trouble, w.region[d.Task])
}

// entry is what the newest complete checkpoint has of a task.
func (w *weather) entry(id graph.TaskID) snapshot.TaskEntry {
	all := w.vault.manifests[w.vault.pointer].Tasks
	return all[slices.IndexFunc(all, func(e snapshot.TaskEntry) bool { return e.Task == id })]
}

// lookAtCancel wants that a region is cancelled only if something has happened to it.
func (w *weather) lookAtCancel(c Cancel) {
	r := w.region[c.Task]
	if w.m.phase == leaving {
		w.trouble[r] = true // a later leader finds only a part of it
	}
	for i, tasks := range w.regions { // what it has made goes with it
		w.trouble[i] = w.trouble[i] || slices.ContainsFunc(tasks, func(id graph.TaskID) bool { return slices.Contains(w.makers(id), c.Task) })
	}
	if c.UpTo < w.ordered[c.Task].n || c.Node != w.where[c.Task] || w.trouble[r] {
		return
	}
	for _, id := range w.regions[r] {
		if w.misses(id) {
			w.trouble[r] = true // also when it has been made again
			return
		}
		for _, n := range w.nodes {
			if n.node == w.where[id] && (n.cut || !n.up || w.now.Before(n.shaken)) {
				return
			}
		}
	}
	w.errorf("%s, and nothing has happened to region %d", tell(c), r)
}

// misses says whether something has happened to what a task reads over blocking links.
func (w *weather) misses(id graph.TaskID) bool {
	_, _, missing := w.missing(id)
	return missing || slices.ContainsFunc(w.makers(id), func(from graph.TaskID) bool { return w.trouble[w.region[from]] })
}

func (w *weather) place() {
	if placed, ok := assign(w.wanted, w.offers); ok && len(w.wanted.Units) > 0 {
		w.wanted = Place{}
		w.answer(placed)
	}
}

// answer tells the leader that has asked, if it still leads when the answer comes.
func (w *weather) answer(ev Event) {
	epoch := w.epoch
	w.post(false, func() {
		if w.epoch == epoch {
			w.step(ev)
		}
	})
}

// ask lets an effect happen, whoever leads by then.
func (w *weather) ask(a Action) {
	epoch := w.epoch
	if m, is := a.(StoreManifest); is {
		w.lookAtManifest(m.Manifest)
	}
	if _, is := a.(Collect); is {
		w.collects++
	}
	nth := w.collects
	w.post(false, func() {
		if ev := w.effect(a, epoch, nth == w.collects); ev != nil && epoch == w.epoch {
			w.answer(ev)
		}
	})
}

// effect does what a leader has asked for, or fails to, and returns the answer, if any.
func (w *weather) effect(a Action, epoch uint64, newest bool) Event {
	leads := epoch == w.epoch && w.m != nil // else the leader service refuses
	switch a := a.(type) {
	case StoreManifest:
		if w.chance(10) {
			return StoreFailed{a.Manifest.Checkpoint, "no space left"}
		}
	case AdvancePointer:
		lost := w.chance(4)
		if !leads || lost && w.chance(2) {
			return AdvanceFailed{a.Checkpoint}
		}
		if a.Checkpoint < w.vault.complete() {
			w.errorf("the pointer goes back from %d to %d", w.vault.complete(), a.Checkpoint)
		}
		w.lookAtSnapshots(a.Key)
		if lost {
			w.vault.serve(a) // all the same
			return AdvanceFailed{a.Checkpoint}
		}
	case StoreResult:
		if a.Result.State != JobFinished && w.chance(3) {
			return ResultNotStored{"no space left"}
		}
		if !leads {
			return nil
		}
	case Collect:
		if w.collect(a, epoch); !newest {
			return nil
		}
	}
	answer := w.vault.serve(a)
	if answer == nil {
		w.errorf("nobody does %T", a)
	}
	return answer
}

// lookAtSnapshots wants that a checkpoint that becomes complete is there.
func (w *weather) lookAtSnapshots(manifest string) {
	for _, e := range w.vault.manifests[manifest].Tasks {
		for _, h := range e.Layers() {
			if w.discarded[h.Key] {
				w.errorf("%s is complete, and %s was deleted", manifest, h.Key)
			}
		}
		w.layers[len(e.Layers())]++
	}
}

// lookAtManifest wants that a checkpoint consists of the attempts that run.
func (w *weather) lookAtManifest(m *snapshot.Manifest) {
	for _, e := range m.Tasks {
		o := w.ordered[e.Task]
		if want := snapshot.TaskKey(m.Checkpoint, e.Task, o.n, o.epoch); e.Handle.Key != want {
			w.errorf("manifest %d names %s, not %s", m.Checkpoint, e.Handle.Key, want)
		}
	}
}

// collect deletes manifests, and wants that nothing that the retained ones consist of goes.
func (w *weather) collect(c Collect, epoch uint64) {
	newest := w.vault.manifests[w.vault.pointer]
	for key, m := range w.vault.manifests { // any order: each by itself
		garbage := snapshot.Garbage(m.Objects(key), c.Keep, c.Newest, epoch)
		if newest != nil && len(garbage) > 0 && (m == newest || slices.Contains(newest.Older, key)) {
			w.errorf("%s would delete %v of %s", tell(c), garbage, key)
		}
		if slices.Contains(garbage, key) {
			delete(w.vault.manifests, key)
		}
	}
}
