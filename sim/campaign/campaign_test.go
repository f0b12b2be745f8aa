package campaign

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"blink/internal/invariant"
	"blink/operator"
	"blink/sim"
)

// lines runs a campaign with --json and returns its lines, and whether it was well.
func lines(t *testing.T, o Options) (seeds []line, sum summary, ok bool) {
	t.Helper()
	var out strings.Builder
	o.JSON, o.Out = true, &out
	ok, err := Run(o)
	if err != nil {
		t.Fatal(err)
	}
	all := strings.Split(strings.TrimSpace(out.String()), "\n")
	for _, text := range all[:len(all)-1] {
		var l line
		if err := json.Unmarshal([]byte(text), &l); err != nil {
			t.Fatal(err)
		}
		seeds = append(seeds, l)
	}
	if err := json.Unmarshal([]byte(all[len(all)-1]), &sum); err != nil {
		t.Fatal(err)
	}
	return seeds, sum, ok
}

func TestSeedsAreToldInTheirOrder(t *testing.T) {
	seeds, sum, ok := lines(t, Options{First: 10, Last: 29})
	if !ok || sum.OK != 20 || sum.Seeds != 20 || len(sum.Broken) != 0 {
		t.Errorf("%v, %+v", ok, sum)
	}
	for i, l := range seeds {
		if l.Seed != uint64(10+i) || l.Result != "ok" || len(l.Hash) != 16 || l.Events == 0 || l.Virtual == 0 {
			t.Errorf("%d: %+v", i, l)
		}
	}
}

// wrong is a job whose output is never right, which needs no fault.
func wrong(seed uint64) sim.Workload {
	w := sim.Random(seed)
	w.Fails = false
	w.Check = func(map[string]string) error { return errors.New("wrong") }
	return w
}

func TestABrokenSeedIsToldWithItsInvariantAndPlan(t *testing.T) {
	seeds, sum, ok := lines(t, Options{First: 5, Last: 6, Workload: wrong})
	if ok || len(sum.Broken) != 2 || sum.Broken[0] != 5 {
		t.Errorf("%v, %+v", ok, sum)
	}
	for _, l := range seeds {
		if l.Result != "I1" || l.Error != "I1: wrong" || len(l.Plan) != 0 {
			t.Errorf("%+v", l)
		}
	}
}

// A few seeds do not meet everything.
func TestACampaignFailsWhenItHasNotMetEverything(t *testing.T) {
	_, sum, ok := lines(t, Options{First: 1, Last: 2, Cover: 2})
	if ok || sum.OK != 2 || len(sum.Missing) == 0 {
		t.Errorf("%v, and it has never met %q", ok, sum.Missing)
	}
	for _, cover := range []uint64{0, 3} { // never asked for, and of longer ones only
		if _, sum, ok := lines(t, Options{First: 1, Last: 2, Cover: cover}); !ok || len(sum.Missing) > 0 {
			t.Errorf("with Cover %d: %v, %q", cover, ok, sum.Missing)
		}
	}
	var out strings.Builder
	if ok, err := Run(Options{First: 1, Last: 2, Cover: 2, Out: &out}); ok || err != nil || !strings.Contains(out.String(), "\nnever met: "+sum.Missing[0]+"\n") {
		t.Errorf("%v, %v:\n%s", ok, err, out.String())
	}
}

func TestABrokenSeedIsToldToPeopleWithItsReplayCommand(t *testing.T) {
	var out strings.Builder
	if ok, err := Run(Options{First: 7, Last: 7, Workload: wrong, Out: &out, Replay: "go run ./x sim"}); ok || err != nil {
		t.Errorf("%v, %v", ok, err)
	}
	want := "seed 7: I1: wrong\n  faults that are enough: none\n  again with: go run ./x sim --seed 7 --trace\n"
	if !strings.HasPrefix(out.String(), want) {
		t.Errorf("printed\n%s\nand not\n%s", out.String(), want)
	}
}

func TestAPanicIsTheOutcomeOfItsSeed(t *testing.T) {
	breaks := func(seed uint64) sim.Workload {
		w := sim.Random(seed)
		if seed == 5 {
			w.Check = func(map[string]string) error { panic("broken check") }
		}
		return w
	}
	seeds, sum, ok := lines(t, Options{First: 5, Last: 6, Workload: breaks})
	if ok || len(sum.Broken) != 1 || sum.OK != 1 {
		t.Fatalf("%v, %+v", ok, sum)
	}
	if l := seeds[0]; l.Result != "error" || !strings.Contains(l.Error, "broken check") || !strings.Contains(l.Error, "campaign_test.go") {
		t.Errorf("%+v", l)
	}
}

func TestAnInvariantOfTheCodeIsToldAsOne(t *testing.T) {
	breaks := func(seed uint64) sim.Workload {
		w := sim.Random(seed)
		build := w.Program
		w.Fails, w.Program = false, func() (*operator.Program, error) {
			p, err := build()
			if err == nil {
				p.Factories[0].New = func(operator.Outlets) any {
					invariant.Check(false, "five is not six")
					return nil
				}
			}
			return p, err
		}
		return w
	}
	seeds, _, ok := lines(t, Options{First: 5, Last: 5, Workload: breaks})
	if l := seeds[0]; ok || l.Result != "invariant" || !strings.Contains(l.Error, "invariant: five is not six") {
		t.Errorf("%v, %+v", ok, l)
	}
}

func TestTheStoryNamesFaultsLeadersAndTheEnd(t *testing.T) {
	var out strings.Builder
	if ok, err := Run(Options{First: 12, Last: 12, Story: true, Out: &out}); !ok || err != nil {
		t.Fatal(ok, err)
	}
	for _, want := range []string{"leads with epoch", "deploys attempt 1 of task", "is complete", "fault ", "ends the job: FINISHED"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in the story", want)
		}
	}
}

// full has room for so many writes.
type full struct{ left int }

var errFull = errors.New("no room")

func (f *full) Write(p []byte) (int, error) {
	if f.left == 0 {
		return 0, errFull
	}
	f.left--
	return len(p), nil
}

// Whoever reads the output must not take what is there for all of it.
func TestWhatCannotBeToldIsAnError(t *testing.T) {
	for _, o := range []Options{{JSON: true}, {}, {Story: true}} {
		for left := range 3 { // of two seeds and the summary, or of a story
			if !o.JSON && !o.Story && left > 0 {
				continue // two good seeds are one line and a table
			}
			o.First, o.Last, o.Out = 1, 2, &full{left}
			if o.Story {
				o.Last = 1
			}
			if _, err := Run(o); !errors.Is(err, errFull) || !strings.Contains(err.Error(), "tell how the seeds went: no room") {
				t.Errorf("JSON %v, story %v, room for %d: %v", o.JSON, o.Story, left, err)
			}
		}
	}
}
