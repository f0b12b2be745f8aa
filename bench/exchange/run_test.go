package exchange

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"testing"
)

// The other process is this test, run again.
const (
	asPeer       = "BLINK_TEST_EXCHANGE_PEER"
	otherRecords = "BLINK_TEST_EXCHANGE_OTHER_RECORDS" // and plays in records_test.go
)

func TestMain(m *testing.M) {
	if os.Getenv(asPeer) == "" {
		os.Exit(m.Run())
	}
	play := Peer
	if os.Getenv(otherRecords) != "" {
		play = peerWithOtherRecords
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
