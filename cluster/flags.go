package cluster

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"blink/graph"
	"blink/taskexec"
)

// flags makes the flag set of a verb: its own flags, and the job's parameters, which share
// one name space with them. The values of the parameters are returned by name; those that
// the command line does not give are absent.
func (b *binary) flags(verb string, p job, own func(*flag.FlagSet)) (*flag.FlagSet, *parameters, error) {
	set := flag.NewFlagSet(p.name+" "+verb, flag.ContinueOnError)
	set.SetOutput(io.Discard) // the mistake is told once, by main
	own(set)
	asked, err := p.asked()
	if err != nil {
		return nil, nil, err
	}
	given := &parameters{given: map[string]string{}}
	var clashes []error
	for _, a := range asked {
		if set.Lookup(a.Name) != nil {
			clashes = append(clashes, fmt.Errorf("job %s: parameter %q has the name of a flag of %s: call it something else", p.name, a.Name, verb))
			continue
		}
		set.Func(a.Name, a.Usage, func(v string) error {
			given.given[a.Name] = v
			return nil
		})
	}
	set.Usage = func() { b.flagHelp(set, verb, p.name, asked) }
	return set, given, errors.Join(clashes...)
}

// parameters are those that the command line gives.
type parameters struct{ given map[string]string }

// parse reads the arguments of a verb, which are flags only.
func parse(set *flag.FlagSet, args []string) error {
	help := set.Usage
	set.Usage = func() {} // a mistake is no call for help
	if err := set.Parse(args); errors.Is(err, flag.ErrHelp) {
		help()
		return err
	} else if err != nil {
		return usageError{err}
	}
	if set.NArg() > 0 {
		return usagef("unexpected argument %q: there are flags only", set.Arg(0))
	}
	return nil
}

// flagHelp prints the flags of a verb, then the job's parameters.
func (b *binary) flagHelp(set *flag.FlagSet, verb, job string, asked []graph.Param) {
	fmt.Fprintf(b.stdout, "Flags of %s:\n", verb)
	isParam := map[string]bool{}
	for _, a := range asked {
		isParam[a.Name] = true
	}
	set.VisitAll(func(f *flag.Flag) {
		if !isParam[f.Name] {
			what, usage := flag.UnquoteUsage(f)
			b.flagLine(f.Name, what, usage, f.DefValue)
		}
	})
	if len(asked) > 0 {
		fmt.Fprintf(b.stdout, "\nParameters of %s:\n", job)
	}
	for _, a := range asked {
		b.flagLine(a.Name, "value", a.Usage, a.Default)
	}
}

func (b *binary) flagLine(name, what, usage, def string) {
	if what != "" {
		name += " " + what
	}
	if def != "" && def != "0" && def != "0s" && def != "false" {
		usage += " (default " + def + ")"
	}
	fmt.Fprintf(b.stdout, "  --%s\n    \t%s\n", name, strings.ReplaceAll(usage, "\n", "\n    \t"))
}

// runFlags are the flags of run. None of them changes the result of a job whose state dir is
// whole, so all may be different when it goes on.
type runFlags struct {
	stateDir        string
	parallelism     int
	checkpointEvery time.Duration
	rate            float64
	bufferTimeout   time.Duration
	restart         restartPolicy
	inject          []string
	allowFallback   bool
	json            bool

	set map[string]bool // given on the command line
}

func (o *runFlags) register(set *flag.FlagSet) {
	o.restart = defaultRestart
	set.StringVar(&o.stateDir, "state-dir", "", "`folder` of checkpoints: run again with it to go on after a crash")
	set.IntVar(&o.parallelism, "parallelism", 0, "`number` of tasks of each operator; 0: the job's own")
	set.DurationVar(&o.checkpointEvery, "checkpoint-interval", 0, "`time` between two checkpoints; 0: none but the last (default: the job's own)")
	set.Float64Var(&o.rate, "rate", 0, "`records` a second that each source reads at most, all its tasks together; 0: no limit")
	set.DurationVar(&o.bufferTimeout, "buffer-timeout", taskexec.DefaultBufferTimeout, "`time` that records wait at most in a batch that is not full, when their task is too busy to send it")
	set.Var(&o.restart, "restart", "`attempts[,first[,most]]`: restarts after failures within ten minutes before the job fails, and the pause before the first, which doubles up to the longest")
	set.Func("inject", "a drill, repeatable: `panic=ID[/SUBTASK]@RECORDS` makes a task of operator ID panic when it has read that many records,\npanic=jobmaster@CHECKPOINT lets the JobMaster die while that checkpoint is in flight", func(v string) error {
		o.inject = append(o.inject, v)
		return nil
	})
	set.BoolVar(&o.allowFallback, "allow-fallback", false, "go back to an older checkpoint when the newest is damaged, even if that repeats output which others may have read")
	set.BoolVar(&o.json, "json", false, "print one line of counters on the standard output, and nothing else there")
}

// noteSet remembers which flags were given.
func (o *runFlags) noteSet(set *flag.FlagSet) {
	o.set = map[string]bool{}
	set.Visit(func(f *flag.Flag) { o.set[f.Name] = true })
}

// check refuses values that cannot be.
func (o *runFlags) check() error {
	switch {
	case o.set["parallelism"] && o.parallelism < 0:
		return usagef("--parallelism %d: at least 1, or 0 for the job's own", o.parallelism)
	case o.checkpointEvery < 0 || o.checkpointEvery > 0 && o.checkpointEvery < graph.MinCheckpointInterval:
		return usagef("--checkpoint-interval %v: at least %v, or 0 for none", o.checkpointEvery, graph.MinCheckpointInterval)
	case !(o.rate >= 0) || o.rate > 1e12:
		return usagef("--rate %v: at least 0 records a second", o.rate)
	case o.set["buffer-timeout"] && o.bufferTimeout <= 0:
		return usagef("--buffer-timeout %v: more than 0", o.bufferTimeout)
	case o.set["state-dir"] && o.stateDir == "":
		return usagef("--state-dir is empty: name a folder")
	}
	return nil
}

// apply changes what the job's graph says by default.
func (o *runFlags) apply(j *graph.Job) error {
	if o.parallelism > 0 {
		j.Parallelism = o.parallelism
	}
	if o.set["checkpoint-interval"] {
		j.CheckpointEvery = o.checkpointEvery
	}
	if j.Parallelism > j.MaxParallelism {
		return usagef("--parallelism %d: job %s has %d key groups, so at most as many tasks", j.Parallelism, j.Name, j.MaxParallelism)
	}
	return nil
}

// restartPolicy is how often a job is restarted after failures, and how soon.
type restartPolicy struct {
	Attempts    int
	First, Most time.Duration
}

// restartWithin is how long a failure counts: a job that runs for months meets many.
const restartWithin = 10 * time.Minute

var defaultRestart = restartPolicy{Attempts: 10, First: 100 * time.Millisecond, Most: 10 * time.Second}

// String is the form that Set reads.
func (r *restartPolicy) String() string {
	if *r == (restartPolicy{}) {
		return ""
	}
	return fmt.Sprintf("%d,%v,%v", r.Attempts, r.First, r.Most)
}

// Set is flag.Value. What is left out keeps its default.
func (r *restartPolicy) Set(text string) error {
	parts := strings.Split(text, ",")
	if len(parts) > 3 {
		return errors.New("want ATTEMPTS[,FIRST[,MOST]], such as 10,100ms,10s")
	}
	n, err := strconv.Atoi(parts[0])
	if err != nil || n < 0 {
		return fmt.Errorf("%q is not a number of attempts", parts[0])
	}
	p := restartPolicy{Attempts: n, First: defaultRestart.First, Most: defaultRestart.Most}
	for i, d := range parts[1:] {
		to := []*time.Duration{&p.First, &p.Most}[i]
		if *to, err = time.ParseDuration(d); err != nil || *to <= 0 {
			return fmt.Errorf("%q is not a time above 0, such as 500ms", d)
		}
	}
	if p.Most < p.First {
		if len(parts) == 3 {
			return fmt.Errorf("the longest pause %v is shorter than the first, %v", p.Most, p.First)
		}
		p.Most = p.First
	}
	*r = p
	return nil
}
