package cluster

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"blink/connector/files"
	"blink/graph"
	"blink/operator"
)

// running is one execution of the verb run.
type running struct {
	b      *binary
	p      job
	flags  runFlags
	params map[string]string // as given; out is added

	built *operator.Program // with params
	dir   *stateDir         // nil: no state dir
	was   *identity         // what the state dir remembers; nil: nothing
	now   *identity
	fresh bool     // the output folder was made up by this run
	claim *os.File // of the output folder; nil: none
}

func (b *binary) runVerb(p job, args []string) (int, error) {
	r := &running{b: b, p: p}
	set, given, err := b.flags("run", p, r.flags.register)
	if err != nil {
		return 0, err
	}
	if err := parse(set, args); err != nil {
		return 0, err
	}
	r.flags.noteSet(set)
	if err := r.flags.check(); err != nil {
		return 0, err
	}
	r.params = given.given
	return r.do()
}

// do goes through the steps that doc.go draws.
func (r *running) do() (int, error) {
	if err := r.build(); err != nil {
		return 0, err
	}
	plan, err := graph.Compile(r.built.Job)
	if err != nil {
		return 0, err
	}
	if _, err := newDrills(r.flags.inject, plan, ""); err != nil {
		return 0, err
	}
	if err := r.remember(); err != nil {
		return 0, err
	}
	if r.dir != nil {
		defer r.dir.close()
	}
	ctx, stop, release := r.b.interrupts()
	defer release()
	if err := r.lookAtInputs(ctx); err != nil {
		return 0, err
	}
	if r.finished() {
		return exitOK, r.showAgain()
	}
	defer func() { _ = r.claim.Close() }() // nothing was written to it, and it may be nil
	if err := r.placeOutput(ctx); err != nil {
		return 0, err
	}
	drills, err := newDrills(r.flags.inject, plan, r.stateFile(drillFile))
	if err != nil {
		return 0, err
	}
	return r.execute(ctx, stop, drills)
}

// build makes the program with the parameters known so far.
func (r *running) build() (err error) {
	r.built, err = r.make()
	return err
}

func (r *running) make() (*operator.Program, error) {
	p, err := r.p.build(r.params)
	if err != nil {
		return nil, err
	}
	return p, r.flags.apply(p.Job)
}

// remember opens the state dir and refuses one that was made for something else.
func (r *running) remember() (err error) {
	r.now = newIdentity(r.built.Job)
	if out := r.params[outParam]; out != "" && r.hasOut() {
		if r.now.Out, err = filepath.Abs(out); err != nil {
			return err
		}
	}
	if r.flags.stateDir == "" {
		return nil
	}
	if r.dir, err = openStateDir(r.flags.stateDir); err != nil {
		return err
	}
	if r.was, err = r.dir.load(); err == nil && r.was != nil {
		if err = r.was.refuseChanges(r.now, r.built.Job.Params); err != nil {
			err = fmt.Errorf("state dir %s: %w", r.dir.path, err)
		}
	}
	if err != nil {
		r.dir.close()
	}
	return err
}

func (r *running) hasOut() bool {
	for _, p := range r.built.Job.Params {
		if isOut(p) {
			return true
		}
	}
	return false
}

// lookAtInputs enumerates the splits of every source: what is missing or has changed stops
// the run before anything begins. Once the job has finished, nothing need be there.
func (r *running) lookAtInputs(ctx context.Context) error {
	for i, f := range r.built.Factories {
		if f.Splits == nil {
			continue
		}
		splits, err := f.Splits(ctx, files.OS())
		if r.finished() && errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		r.now.addInputs(r.built.Job.Operators[i].ID, splits)
	}
	if r.was == nil {
		return nil
	}
	refuse := r.was.refuseInputs
	if r.finished() {
		refuse = r.was.refuseChangedInputs
	}
	if err := refuse(r.now); err != nil {
		return fmt.Errorf("state dir %s: %w", r.dir.path, err)
	}
	return nil
}

func (r *running) finished() bool { return r.was != nil && r.was.Finished != nil }

// placeOutput finds and claims the output folder, and writes job.json when the job begins.
func (r *running) placeOutput(ctx context.Context) (err error) {
	if r.hasOut() {
		if err := r.findOut(); err != nil {
			return err
		}
	}
	if r.was != nil {
		if err := r.findWritten(ctx); err != nil {
			return err
		}
	}
	if r.now.Out != "" {
		if err := r.takeOut(); err != nil {
			return err
		}
	}
	if r.dir != nil && r.was == nil {
		return r.dir.save(r.now)
	}
	return nil
}

// takeOut looks at what is in the folder when nobody else can put anything there.
func (r *running) takeOut() (err error) {
	if r.claim, err = claimOut(r.now.Out); err != nil {
		return err
	}
	var own []string
	if r.was != nil {
		own = entries(r.built.Job, r.now.Out)
	}
	return refuseUsed(r.now.Out, own)
}

// findWritten looks whether what the job has written before is still there.
func (r *running) findWritten(ctx context.Context) error {
	written, err := r.dir.written(ctx)
	if err != nil || !written {
		return err
	}
	return refuseLost(r.built.Job, r.now.Out, r.was)
}

func (r *running) findOut() (err error) {
	if r.was != nil {
		r.now.Out = r.was.Out
	}
	if r.now.Out == "" {
		if r.now.Out, err = freshOut(r.p.name, r.dir); err != nil {
			return err
		}
		r.fresh = true
	}
	if r.dir != nil {
		if err := r.dir.refuseOut(r.now.Out); err != nil {
			return err
		}
	}
	return r.buildInto(r.now.Out)
}

func (r *running) buildInto(out string) error {
	r.params[outParam] = filepath.ToSlash(out)
	return r.build()
}

func (r *running) stateFile(name string) string {
	if r.dir == nil {
		return ""
	}
	return filepath.Join(r.dir.path, name)
}

// execute runs the job and tells how it ended.
func (r *running) execute(ctx context.Context, stop <-chan struct{}, d *drills) (int, error) {
	o := runOptions{rate: r.flags.rate, bufferTimeout: r.flags.bufferTimeout, restart: r.flags.restart, drills: d, allowFallback: r.flags.allowFallback, stop: stop}
	if r.dir != nil {
		o.stateDir = r.dir.path
	}
	start := time.Now()
	show := &display{to: r.b.stderr, name: r.p.name, terminal: r.b.terminal, start: start}
	out, err := r.b.run(ctx, program{r.p.name, r.make}, o, show.observer())
	show.end()
	if r.dir == nil && out.state != finishedState {
		r.clear()
	}
	if err != nil {
		return 0, err
	}
	c := newCounters(r.built.Job, out, time.Since(start))
	c.Unfired = d.silent()
	switch out.state {
	case finishedState:
		return exitOK, r.finish(c)
	case stoppedState:
		return exitInterrupted, r.tell(c, r.stopped(out))
	}
	if err := r.tell(c, ""); err != nil {
		return 0, err
	}
	return 0, fmt.Errorf("the job failed: %s%s", out.reason, r.advice(out))
}

// clear removes what nobody can go on from: the folder that was made for this run, or the
// unfinished files in one that was named, which was empty when it began. What cannot be
// removed is named by the next run that it hinders.
func (r *running) clear() {
	if r.fresh {
		_ = os.RemoveAll(r.now.Out) // best effort, as below
		return
	}
	if r.now.Out == "" {
		return
	}
	for _, o := range outputsIn(r.built.Job, r.now.Out) {
		_ = os.RemoveAll(filepath.FromSlash(o.Staging())) // best effort
		if o.Folder() {
			_ = os.Remove(filepath.FromSlash(o.Path())) // unless it holds parts that others may have read
		}
	}
}

// stopped says where a job that was interrupted can go on.
func (r *running) stopped(out outcome) string {
	if r.dir == nil {
		return "stopped; without --state-dir nothing of it is kept"
	}
	return fmt.Sprintf("stopped at checkpoint %d: run the same command again to go on", out.checkpoint)
}

func (r *running) advice(out outcome) string {
	if r.dir == nil || out.stuck {
		return ""
	}
	if out.checkpoint == 0 {
		return "\nNo checkpoint was completed: the same command begins where this one began"
	}
	return fmt.Sprintf("\nNothing is lost: the same command goes on from checkpoint %d", out.checkpoint)
}

// finish shows the result and keeps it.
func (r *running) finish(c counters) error {
	var text bytes.Buffer
	if r.b.show != nil {
		if err := r.b.show(&text, Result{Program: r.p.name, Params: r.resultParams()}); err != nil {
			return fmt.Errorf("show the result: %w", err)
		}
	}
	if r.now.Out != "" {
		fmt.Fprintf(&text, "The result is in %s:\n", r.now.Out)
		for _, name := range outputs(r.built.Job, r.now.Out) {
			fmt.Fprintf(&text, "  %-14s %s rows\n", name, thousands(c.RecordsOut[name]))
		}
	}
	if r.dir != nil {
		kept := r.now
		if r.was != nil {
			kept = r.was
		}
		kept.Finished = &finished{text.String(), c}
		if err := r.dir.save(kept); err != nil {
			return err
		}
	}
	return r.tell(c, text.String())
}

func (r *running) resultParams() map[string]string {
	all := map[string]string{}
	for _, p := range r.built.Job.Params {
		all[p.Name] = p.Value
	}
	return all
}

// showAgain shows the result of a job that had finished before.
func (r *running) showAgain() error {
	fmt.Fprintf(r.b.stderr, "%s: it has finished before; this is its result\n", r.p.name)
	if err := r.tellGone(); err != nil {
		return err
	}
	f := r.was.Finished
	return r.tell(f.Counters, f.Text)
}

// tellGone names the files of the result that are not there any more.
func (r *running) tellGone() error {
	if r.was.Out == "" {
		return nil
	}
	if err := r.buildInto(r.was.Out); err != nil {
		return err
	}
	for _, name := range outputs(r.built.Job, r.was.Out) {
		if file := filepath.Join(r.was.Out, name); missing(file) {
			fmt.Fprintf(r.b.stderr, "%s: %s is gone: to make it again, begin anew with another state dir\n", r.p.name, file)
		}
	}
	return nil
}

// tell prints text and counters: with --json only the counters go to the standard output.
func (r *running) tell(c counters, text string) error {
	people := r.b.stdout
	if r.flags.json {
		people = r.b.stderr
	}
	if text != "" {
		if _, err := io.WriteString(people, withNewline(text)); err != nil {
			return err
		}
	}
	if _, err := fmt.Fprintln(people, c.summary()); err != nil {
		return err
	}
	for _, text := range c.Unfired {
		if _, err := fmt.Fprintf(r.b.stderr, "%s: --inject %s never fired\n", r.p.name, text); err != nil {
			return err
		}
	}
	if !r.flags.json {
		return nil
	}
	return c.print(r.b.stdout)
}

func withNewline(text string) string {
	if text[len(text)-1] == '\n' {
		return text
	}
	return text + "\n"
}
