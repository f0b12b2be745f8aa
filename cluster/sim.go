package cluster

import (
	"flag"
	"io"
	"strings"

	"blink/operator"
	"blink/sim/campaign"
)

// simulator is runSimulated, or a test's. It returns false when a seed broke something.
type simulator func(p program, o simOptions) (ok bool, err error)

// simOptions say which seeds of a simulated run are wanted, and how they are told.
type simOptions struct {
	first, last uint64 // inclusive
	trace       bool   // tell the story of the seed
	json        bool   // one object a line
	out         io.Writer
	replay      string // the command, in front of the seed
}

// defaultSeeds is what sim runs when it is given none.
const defaultSeeds = "1-20"

// simVerb runs the job on a simulated cluster, once for each seed.
func (b *binary) simVerb(p job, args []string) (int, error) {
	o := simOptions{out: b.stdout}
	var seeds, seed string
	var flags runFlags
	set, given, err := b.flags("sim", p, func(set *flag.FlagSet) {
		set.StringVar(&seeds, "seeds", defaultSeeds, "first and last `seed`, A-B")
		set.StringVar(&seed, "seed", "", "one `seed`, to replay it")
		set.BoolVar(&o.trace, "trace", false, "tell what happens, with --seed")
		set.BoolVar(&o.json, "json", false, "print one JSON object a line for each seed, and a summary last")
		set.IntVar(&flags.parallelism, "parallelism", 0, "`number` of tasks of each operator; 0: the job's own")
	})
	if err != nil {
		return 0, err
	}
	if err := parse(set, args); err != nil {
		return 0, err
	}
	flags.noteSet(set)
	if err := flags.check(); err != nil {
		return 0, err
	}
	if o.first, o.last, err = seedRange(seeds, seed, flags.set["seeds"]); err != nil {
		return 0, err
	}
	if o.trace && (o.first != o.last || o.json) {
		return 0, usagef("--trace tells the story of one seed to a person: name it with --seed, without --json")
	}
	words := []string{b.called}
	if len(b.programs) > 1 {
		words = append(words, p.name)
	}
	o.replay = replay(append(words, "sim"), set)
	make := func() (*operator.Program, error) {
		built, err := p.build(given.given)
		if err != nil {
			return nil, err
		}
		return built, flags.apply(built.Job)
	}
	if _, err := make(); err != nil {
		return 0, err
	}
	ok, err := b.simulate(program{p.name, make}, o)
	if err != nil || ok {
		return exitOK, err
	}
	return exitFailed, nil
}

// replay is the command line that runs the same job, but for the seeds and how they are told.
func replay(words []string, given *flag.FlagSet) string {
	given.Visit(func(f *flag.Flag) {
		switch f.Name {
		case "seeds", "seed", "trace", "json":
			return
		}
		word := "--" + f.Name + "=" + f.Value.String()
		if strings.ContainsAny(word, " \t\n'\"$\\*?[]#~&;<>|(){}!`") {
			word = "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
		}
		words = append(words, word)
	})
	return strings.Join(words, " ")
}

// seedRange reads --seeds A-B or --seed N.
func seedRange(seeds, seed string, both bool) (first, last uint64, err error) {
	if seed != "" {
		if both {
			return 0, 0, usagef("--seed and --seeds exclude each other")
		}
		seeds = seed + "-" + seed
	}
	first, last, err = campaign.Seeds(seeds)
	if err != nil {
		return 0, 0, usagef("%v", err)
	}
	return first, last, nil
}
