package sim

import (
	"context"
	"fmt"
	"runtime/debug"
	"syscall"
	"testing"
	"time"

	"blink"
	"blink/connector/files"
	"blink/operator"
)

// BenchmarkNodes runs a calm cluster with the production actors: each executor has ten
// tasks, of five pipelines of a source and a sink that nothing ties together. Between two
// checkpoints a source emits a record; heartbeat and lease are those of production. It tells how
// many hours of a node fit into a CPU-second when the job is running, and how long it takes to
// get there.
func BenchmarkNodes(b *testing.B) {
	for _, nodes := range []int{10, 100, 1000} {
		for _, every := range []time.Duration{10 * time.Second, time.Minute, 10 * time.Minute} {
			b.Run(fmt.Sprintf("nodes=%d/checkpoints=%v", nodes, every), func(b *testing.B) {
				for range b.N {
					runNodes(b, nodes, every)
				}
			})
		}
	}
}

const tasksPerNode = 10

func runNodes(b *testing.B, nodes int, every time.Duration) {
	span := 5 * every // of virtual time
	register()
	defer debug.SetGCPercent(debug.SetGCPercent(GCPercent))
	began := cpuSeconds(b)
	c, err := newCluster(1, &Scenario{
		Workload: idle(nodes * tasksPerNode / 2), Candidates: 1, Slots: tasksPerNode / 2,
		CheckpointEvery: every, BatchRecords: 64, Credits: 2, Rate: 1 / every.Seconds(),
		Heartbeat: time.Second, Lease: time.Minute,
	})
	if err != nil {
		b.Fatal(err)
	}
	defer c.w.Close()
	c.resources.quick = true
	c.startCandidate("jm0")
	up := func() bool { return len(c.check.live) == nodes*tasksPerNode && c.check.last > 0 }
	if err := c.w.RunUntil(up, 10*time.Minute+2*every); err != nil {
		b.Fatal(err, len(c.check.live), c.check.last)
	}
	before, events, first := cpuSeconds(b), c.w.Events(), c.check.last
	from := c.w.Elapsed()
	if err := c.w.RunUntil(func() bool { return c.w.Elapsed() >= from+span }, 2*span); err != nil {
		b.Fatal(err)
	}
	if n := c.check.last - first; n < 4 {
		b.Fatalf("%d checkpoints in %v", n, span)
	}
	used := cpuSeconds(b) - before
	b.ReportMetric(float64(nodes)*span.Hours()/used, "node-h/CPU-s")
	b.ReportMetric(float64(c.w.Events()-events)/used/1e6, "Mevents/CPU-s")
	b.ReportMetric(before-began, "CPU-s-to-start")
}

func cpuSeconds(b *testing.B) float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return (time.Duration(u.Utime.Nano()) + time.Duration(u.Stime.Nano())).Seconds()
}

// idle is a job of pairs of tasks with little to do.
func idle(pairs int) Workload {
	return Workload{Name: "idle", Program: func() (*operator.Program, error) {
		job := blink.NewJob("idle", nil).Parallelism(pairs).MaxParallelism(max(128, pairs))
		job.Read(trickle(pairs)).ID("trickle").Map(func(n int64) factRow { return factRow{ID: n} }).NewChain().Write(files.CSV("out/"))
		return job.Program()
	}}
}

// trickle is a source that does not end, of a number a batch.
func trickle(splits int) blink.Source[int64] {
	o := blink.SourceOptions{Name: "trickle", NonBlocking: true}
	return blink.NewSource(o, drops(splits), func(_ context.Context, _ blink.FS, d drop) (blink.Reader[int64, drop], error) {
		return &d, nil
	})
}

type drops int

func (n drops) Splits(context.Context, blink.FS) ([]drop, error) {
	all := make([]drop, n)
	for i := range all {
		all[i].Split = int64(i)
	}
	return all, nil
}

type drop struct{ Split, N int64 }

func (d drop) ID() string { return fmt.Sprintf("%06d", d.Split) }

func (d *drop) Next(_ context.Context, into *blink.Records[int64]) error {
	into.Append(d.N, time.Time{})
	d.N++
	return nil
}

func (d *drop) Position() drop { return *d }

func (d *drop) Close() error { return nil }
