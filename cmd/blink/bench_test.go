package main

import (
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
)

func TestBenchNexmarkPrintsTheFieldsThatAreAgreedOn(t *testing.T) {
	var out, errs strings.Builder
	status := run(strings.Fields("bench nexmark --query q0,q2 --events 100000 --checkpoint-interval 10ms --full-digest --json"), &out, &errs)
	if status != exitOK || errs.Len() > 0 {
		t.Fatalf("status %d, stderr %q", status, errs.String())
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 2 {
		t.Fatalf("printed %q", lines)
	}
	want := strings.Fields("allocs_per_event cheap checkpoint_interval_seconds checkpoints cpu_seconds events full generator_cpu_seconds gogc loop_cpu_seconds parallelism processors query restarts resumed rows wall_seconds")
	for _, line := range lines {
		var fields map[string]any
		if err := json.Unmarshal([]byte(line), &fields); err != nil {
			t.Fatal(err)
		}
		if have := slices.Sorted(maps.Keys(fields)); !slices.Equal(have, want) {
			t.Errorf("fields\n%v\nwant\n%v", have, want)
		}
	}
}

func TestBenchNamesTheOptionThatIsWrong(t *testing.T) {
	for _, c := range []struct{ args, want string }{
		{"bench", "usage: blink bench"},
		{"bench fly", `bench: unknown benchmark "fly"`},
		{"bench nexmark now", `bench nexmark: it takes no arguments, got ["now"]`},
		{"bench nexmark --query q6000", `--query q6000: there is no query "q6000": there are q0 q1`},
		{"bench nexmark --events 0", "--events 0: at least 1"},
		{"bench nexmark --events x", `"x" for flag -events`},
		{"bench nexmark --events -1", `"-1" for flag -events: parse error: blink bench nexmark -h lists`},
		{"bench nexmark --event 1", "not defined: -event: blink bench nexmark -h lists"},
		{"bench nexmark --events 5 --goals", "--goals: it excludes --events"},
		{"bench nexmark --parallelism 0", "--parallelism 0: at least 1"},
		{"bench nexmark --checkpoint-interval -1s", "--checkpoint-interval -1s: at least 1ms, or 0"},
		{"bench nexmark --checkpoint-interval 1ns", "--checkpoint-interval 1ns: at least 1ms, or 0"},
		{"bench nexmark --parallelism 129 --events 1000000000000", "--parallelism 129: job nexmark has 128 key groups"},
		{"bench nexmark --inject nonsense --events 1000000000000", "--inject nonsense: it does not begin with panic="},
		{"bench nexmark --query q0 --inject panic=filter-1@5 --events 1000000000000", `no operator has the id "filter-1"; there are digest`},
		{"bench soak --parallelism 129", "--parallelism 129: job nexmark has 128 key groups"},
		{"bench soak --checkpoint-interval 1ns", "--checkpoint-interval 1ns: at least 1ms, or 0"},
		{"bench nexmark --runs 0", "--runs 0: at least 1"},
		{"bench nexmark --cpuprofile x", "--cpuprofile x: it takes one query"},
		{"bench soak --query q18", "--query q18: not one of q0 q1"},
		{"bench soak --duration 0s", "--duration 0s: at least 1.6s"},
		{"bench soak --duration 1s", "--duration 1s: at least 1.6s, which is 8 looks at the memory"},
		{"bench soak --duration 10m --look 2m", "--look 2m0s: at most 1m15s, so that there are 8 looks in --duration 10m0s"},
		{"bench report", "--from is missing"},
		{"bench generator --runs 0", "--runs 0: at least 1"},
		{"bench nexmark --query q0 --cpuprofile no/such/folder", "--cpuprofile: open no/such/folder"},
		{"bench exchange --case plain --cpuprofile no/such/folder", "--cpuprofile: open no/such/folder.near"},
		{"bench exchange --credits 4294967296", "--credits 4294967296: 1 to 65536"},
		{"bench exchange --batch-bytes 4611686018427387904", "--batch-bytes 4611686018427387904: 1 to 16777216"},
		{"bench exchange --processors -1", "--processors -1: at least 1"},
		{"bench exchange --parallelism 129", "--parallelism 129: from 1 to 128"},
		{"bench latency --channels 129", "--channels 129: from 1 to 128"},
		{"bench state --keys -1", "--keys -1: at least 1, or 0"},
		{"bench state --keys 99", "--keys 99: at least 100 in the case delta"},
		{"bench nexmark --query q4 --inject panic=winners@50% --events 1000000000000", "--inject panic=winners@50%: a share is of the result's rows: want panic=digest@N%"},
		{"bench nexmark --inject panic=digest@0%", "--inject panic=digest@0%: a share of the rows"},
	} {
		var out, errs strings.Builder
		status := run(strings.Fields(c.args), &out, &errs)
		if status != exitUsage || !strings.Contains(errs.String(), c.want) || out.Len() > 0 {
			t.Errorf("%s: status %d, stdout %q, stderr %q, want %q", c.args, status, out.String(), errs.String(), c.want)
		}
	}
}

// broken is an output that takes nothing.
type broken struct{}

var errBroken = errors.New("the output is broken")

func (broken) Write([]byte) (int, error) { return 0, errBroken }

func TestABenchEndsWithItsOutput(t *testing.T) {
	for _, args := range []string{"nexmark --query q0,q1 --events 1000", "nexmark --query q0,q1 --events 1000 --json", "soak --query q0 --duration 1h --look 1ms --json", "codec --time 1ms", "generator --events 1000 --runs 1"} {
		var errs strings.Builder
		status := run(append([]string{"bench"}, strings.Fields(args)...), broken{}, &errs)
		if status != exitFailed || strings.Count(errs.String(), errBroken.Error()) != 1 {
			t.Errorf("%s: status %d, stderr %q", args, status, errs.String())
		}
	}
}

func TestADrillThatCannotFireFailsTheBenchAndLetsTheOtherQueriesRun(t *testing.T) {
	var out, errs strings.Builder
	status := run(strings.Fields("bench nexmark --query q0,q4 --events 10000 --inject panic=winners@5 --json"), &out, &errs)
	if status != exitFailed || !strings.Contains(errs.String(), `q0: --inject panic=winners@5: no operator has the id "winners"`) {
		t.Errorf("status %d, stderr %q", status, errs.String())
	}
	if !strings.HasPrefix(out.String(), `{"query":"q4"`) || !strings.Contains(out.String(), `"restarts":1`) {
		t.Errorf("printed %q", out.String())
	}
}
