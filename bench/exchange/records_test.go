package exchange

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"blink"
	"blink/protos"
	"blink/taskexec"
)

// The processes of this test run two pipelines of one program, and in one of them the type of the
// records, which has the same name, has other fields.
const (
	records  = 1000
	agreed   = "agreed"
	disputed = "disputed"
)

func programHere() (blink.Program, *tally) {
	type reading struct{ Value int32 }
	return pipelines[reading]()
}

func programThere() (blink.Program, *tally) {
	type reading struct{ Value int64 }
	return pipelines[reading]()
}

// pipelines are of operators that are named after what is said of their records.
func pipelines[T any]() (blink.Program, *tally) {
	seen := &tally{}
	return blink.Define("exchange", func(job *blink.Job) {
		job.Parallelism(1)
		pipeline[int64](job, agreed, seen)
		pipeline[T](job, disputed, &tally{})
	}), seen
}

func pipeline[T any](job *blink.Job, name string, seen *tally) {
	o := blink.SourceOptions{Name: name, Bounded: true, NonBlocking: true}
	from := blink.NewSource(o, splits(1), func(_ context.Context, _ blink.FS, s split) (blink.Reader[T, split], error) {
		return &zeros[T]{s}, nil
	})
	job.Read(from).ID(name).Rebalance().Write(sinkOf[T](trial{}, seen)).ID(name + " sink")
}

// zeros reads that many zero values.
type zeros[T any] struct{ split }

func (z *zeros[T]) Next(_ context.Context, into *blink.Records[T]) error {
	into.Slots(1)
	if z.split.Next++; z.split.Next == records {
		return io.EOF
	}
	return nil
}

func (z *zeros[T]) Position() split { return z.split }

func (*zeros[T]) Close() error { return nil }

// peerWithOtherRecords is the other process: it is told where the test listens, says where it
// does, and when a line comes, how many records have arrived at the sink of those agreed on.
func peerWithOtherRecords(in io.Reader, out io.Writer) error {
	lines := bufio.NewScanner(in)
	if !lines.Scan() {
		return io.ErrUnexpectedEOF
	}
	address := lines.Text()
	program, seen := programThere()
	n, err := newNode(far, program, taskexec.Config{Slots: 1}, func() string { return address })
	if err != nil {
		return err
	}
	fmt.Fprintln(out, n.conns.Addr())
	if err := n.deploy(); err != nil {
		return err
	}
	if !lines.Scan() {
		return io.ErrUnexpectedEOF
	}
	if _, err := n.until(map[string]protos.TaskState{agreed + " sink": protos.TaskState_ENDED}); err != nil {
		return err
	}
	if err := n.close(); err != nil {
		return err
	}
	_, err = fmt.Fprintln(out, seen.records)
	return err
}

// until waits until the tasks of some operators are in these states, and returns what is reported
// of all.
func (n *node) until(states map[string]protos.TaskState) (map[string]*protos.TaskReport, error) {
	all, late := map[string]*protos.TaskReport{}, time.After(20*time.Second)
	for {
		reached := 0
		for id, want := range states {
			if r := all[id]; r != nil && r.State == want {
				reached++
			}
		}
		if reached == len(states) {
			return all, nil
		}
		select {
		case r := <-n.reports:
			for _, t := range r.Tasks {
				v := n.plan.Vertices[t.Task.Vertex]
				all[n.program.Job.Operators[v.Operators[0]].ID] = t
			}
		case <-late:
			return nil, fmt.Errorf("%v is reported, want %v", all, states)
		}
	}
}

func TestOtherRecordsFailTheirChannelAndNothingElse(t *testing.T) {
	var there string
	program, _ := programHere()
	n, err := newNode(near, program, taskexec.Config{Slots: 1}, func() string { return there })
	if err != nil {
		t.Fatal(err)
	}
	defer n.close()
	cmd := testPeer(t.Context())
	cmd.Env = append(cmd.Env, otherRecords+"=1")
	in, err1 := cmd.StdinPipe()
	out, err2 := cmd.StdoutPipe()
	if err := errors.Join(err1, err2, cmd.Start()); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	if fmt.Fprintln(in, n.conns.Addr()); !lines.Scan() {
		t.Fatal("the other process says nothing")
	}
	there = lines.Text()
	if err := n.deploy(); err != nil {
		t.Fatal(err)
	}
	all, err := n.until(map[string]protos.TaskState{agreed: protos.TaskState_ENDED, disputed: protos.TaskState_FAILED})
	if err != nil {
		t.Fatal(err)
	}
	failure := all[disputed].Failure
	for _, want := range []string{`from operator "disputed" to operator "disputed sink"`, "exchange.reading", "the same binary"} {
		if !strings.Contains(failure, want) {
			t.Errorf("%q does not say %q", failure, want)
		}
	}
	if fmt.Fprintln(in, "end"); !lines.Scan() || lines.Text() != fmt.Sprint(records) {
		t.Errorf("%q of %d other records have arrived", lines.Text(), records)
	}
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
}
