package campaign

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

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

// A job whose output is never right needs no fault to be wrong.
func TestABrokenSeedIsToldWithItsInvariantAndPlan(t *testing.T) {
	wrong := func(seed uint64) sim.Workload {
		w := sim.Random(seed)
		w.Fails = false
		w.Check = func(map[string]string) error { return errors.New("wrong") }
		return w
	}
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
