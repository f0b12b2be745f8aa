package exchange

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
)

// The other process is this test, run again.
const (
	asPeer       = "BLINK_TEST_EXCHANGE_PEER"
	otherRecords = "BLINK_TEST_EXCHANGE_OTHER_RECORDS" // and plays in records_test.go
	failing      = "BLINK_TEST_EXCHANGE_FAILING"       // and does not do what it was told: how
)

func TestMain(m *testing.M) {
	if os.Getenv(asPeer) == "" {
		os.Exit(m.Run())
	}
	play := Peer
	switch {
	case os.Getenv(otherRecords) != "":
		play = peerWithOtherRecords
	case os.Getenv(failing) != "":
		play = peerThatFails
	}
	if err := play(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func testPeer(ctx context.Context) *exec.Cmd {
	c := exec.CommandContext(ctx, os.Args[0])
	c.Env = append(os.Environ(), asPeer+"=1")
	c.Stderr = os.Stderr
	return c
}

// No test depends on a timing: this looks at the measurement.
func TestEveryCaseIsMeasuredBetweenTwoProcesses(t *testing.T) {
	for _, name := range Cases() {
		for _, parallelism := range []int{1, 3} {
			r, err := Run(context.Background(), Options{Case: name, Records: 30_000, Parallelism: parallelism, Rate: 100_000, Peer: testPeer})
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			if r.Records != 30_000 || r.NearSeconds <= 0 || r.FarSeconds <= 0 || r.RawPerCPU <= 0 || r.BytesPerCPU <= 0 || (r.LateP99 > 0) != (name == Paced) {
				t.Errorf("%+v", r)
			}
		}
	}
}

func TestWhatCannotBeMeasuredIsRefused(t *testing.T) {
	for _, o := range []Options{{Case: "other", Records: 1, Parallelism: 1}, {Case: Plain, Records: 1, Parallelism: 2}, {Case: Plain}} {
		if _, err := Run(context.Background(), o); err == nil {
			t.Errorf("%+v is taken", o)
		}
	}
}

// peerThatFails agrees to a trial and does not take part.
func peerThatFails(in io.Reader, out io.Writer) error {
	words, answers := json.NewDecoder(in), json.NewEncoder(out)
	var s setup
	if err := words.Decode(&s); err != nil {
		return err
	}
	if err := answers.Encode(ready{"127.0.0.1:1"}); err != nil { // nobody listens
		return err
	}
	if err := words.Decode(&s); err != nil {
		return err
	}
	if how := os.Getenv(failing); how != "silently" {
		return answers.Encode(done{Failure: how})
	}
	return nil
}

func TestARunEndsWhenTheOtherProcessFails(t *testing.T) {
	for how, want := range map[string]string{"no memory": "the other process: no memory", "silently": "the other process: EOF"} {
		peer := func(ctx context.Context) *exec.Cmd {
			c := testPeer(ctx)
			c.Env = append(c.Env, failing+"="+how)
			return c
		}
		if _, err := Run(context.Background(), Options{Case: Plain, Records: 1000, Parallelism: 1, Peer: peer}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

func TestProcessesHaveAProcessorForEachTask(t *testing.T) {
	t.Setenv("GOMAXPROCS", "")
	runtime.SetDefaultGOMAXPROCS()
	all := runtime.GOMAXPROCS(0)
	for processors, want := range map[int]int{0: 1, 1 << 10: all} {
		r, err := Run(context.Background(), Options{Case: Plain, Records: 1000, Parallelism: 1, Processors: processors, Peer: testPeer})
		if err != nil || r.Processors != want {
			t.Errorf("%d of %d processors, want %d (%v)", r.Processors, all, want, err)
		}
	}
	if have := runtime.GOMAXPROCS(0); have != all {
		t.Errorf("%d processors afterwards, want %d", have, all)
	}
}
