package main

import (
	"errors"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"

	"blink/sim"
)

// The test binary is the program itself when this variable is set.
const asProgram = "BLINK_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// .ci/run compares the hashes under the race detector too.
func TestASeedIsTheSameRunInEveryProcess(t *testing.T) {
	args := []string{"sim", "--seeds", "1-15", "--json"}
	var here strings.Builder
	if status := run(args, &here, os.Stderr); status != exitOK {
		t.Fatal(status)
	}
	seeds := func(out string) string { return out[:strings.LastIndex(out, `{"seeds"`)] } // without the summary's time
	for _, threads := range []string{"1", "2"} {
		c := exec.Command(os.Args[0], args...)
		c.Env = append(os.Environ(), asProgram+"=1", "GOMAXPROCS="+threads)
		there, err := c.Output()
		if err != nil {
			t.Fatal(err)
		}
		if seeds(string(there)) != seeds(here.String()) {
			t.Errorf("with GOMAXPROCS=%s another process ran\n%s\nand this one\n%s", threads, there, here.String())
		}
	}
}

func TestVersionNamesTheToolchain(t *testing.T) {
	var out, errs strings.Builder
	if status := run([]string{"version"}, &out, &errs); status != exitOK || errs.Len() > 0 {
		t.Fatalf("status %d, stderr %q", status, errs.String())
	}
	if !strings.HasPrefix(out.String(), "blink ") || !strings.Contains(out.String(), runtime.Version()) {
		t.Errorf("printed %q", out.String())
	}
}

func TestAMistakeInTheCommandLineIsNamedWithTheUsage(t *testing.T) {
	for _, c := range []struct {
		args []string
		want string
	}{
		{nil, "usage: blink"},
		{[]string{"fly"}, `unknown verb "fly"`},
		{[]string{"version", "now"}, `version takes no arguments, got ["now"]`},
	} {
		var out, errs strings.Builder
		if status := run(c.args, &out, &errs); status != exitUsage {
			t.Errorf("%q: status %d, want %d", c.args, status, exitUsage)
		}
		if !strings.Contains(errs.String(), c.want) || out.Len() > 0 {
			t.Errorf("%q: stdout %q, stderr %q, want %q on stderr", c.args, out.String(), errs.String(), c.want)
		}
	}
}

func TestSimTellsOneSeedALine(t *testing.T) {
	var out, errs strings.Builder
	if status := run([]string{"sim", "--seeds", "3-4", "--json"}, &out, &errs); status != exitOK || errs.Len() > 0 {
		t.Fatalf("status %d, stderr %q", status, errs.String())
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 3 || !strings.HasPrefix(lines[0], `{"seed":3,"hash":"`) || !strings.HasPrefix(lines[2], `{"seeds":2,"ok":2,"broken":[]`) {
		t.Errorf("printed %q", lines)
	}
}

func TestSimFailsWhenASeedBreaksAndTellsHowToReplayIt(t *testing.T) {
	wrong := func(seed uint64) sim.Workload {
		w := sim.Random(seed)
		if seed == 4 {
			w.Fails, w.Check = false, func(map[string]string) error { return errors.New("wrong") }
		}
		return w
	}
	for _, c := range []struct {
		args   []string
		status int
		want   string
	}{
		{[]string{"--seeds", "3-5"}, exitFailed, "seed 4: I1: wrong\n  faults that are enough: none\n  again with: go run ./cmd/blink sim --seed 4 --trace\n3 seeds: 2 ok, 1 broken;"},
		{[]string{"--seeds", "3-5", "--json"}, exitFailed, `"result":"I1","error":"I1: wrong"`},
		{[]string{"--seed", "3"}, exitOK, "1 seeds: 1 ok, 0 broken;"},
	} {
		var out, errs strings.Builder
		if status := simulate(c.args, wrong, &out, &errs); status != c.status || errs.Len() > 0 {
			t.Errorf("%q: status %d, stderr %q", c.args, status, errs.String())
		}
		if !strings.Contains(out.String(), c.want) {
			t.Errorf("%q printed\n%s\nand not\n%s", c.args, out.String(), c.want)
		}
	}
}

func TestSimRefusesWhatIsNoRangeOfSeeds(t *testing.T) {
	for _, args := range [][]string{
		{"sim", "--seeds", "5"}, {"sim", "--seeds", "5-4"}, {"sim", "--seed", "x"}, {"sim", "--seed", "1", "--seeds", "1-2"}, {"sim", "--seed", "1", "--seeds", "1-100"},
		{"sim", "--trace"}, {"sim", "--fly"}, {"sim", "now"},
	} {
		var out, errs strings.Builder
		if status := run(args, &out, &errs); status != exitUsage || errs.Len() == 0 || out.Len() > 0 {
			t.Errorf("%q: status %d, stdout %q, stderr %q", args, status, out.String(), errs.String())
		}
	}
}

func TestHelpIsNotAMistake(t *testing.T) {
	var out, errs strings.Builder
	if status := run([]string{"-h"}, &out, &errs); status != exitOK || out.String() != usage {
		t.Errorf("status %d, printed %q", status, out.String())
	}
}
