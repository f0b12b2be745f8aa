package taskexec

import (
	"context"
	"slices"
	"testing"
	"time"

	"blink/actors"
	"blink/graph"
	"blink/operator"
	"blink/snapshot/store"
	"blink/taskexec/exchange"
)

// toil is an operator that is busy with each record for a while.
type toil time.Duration

func (t toil) Input(int) any { return operator.Collector[int](t) }

func (t toil) Collect(*int, int64) {
	for start := time.Now(); time.Since(start) < time.Duration(t); {
	}
}

// flood is at the other end of all channels of a task: it has a full batch for every credit.
type flood struct {
	full func() operator.Records
	seq  [4]uint64
}

func (f *flood) Receive(c *actors.Ctx, m any) error {
	switch m := m.(type) {
	case exchange.Open:
		for range m.Credits {
			f.send(c, m.Address, f.full())
		}
	case exchange.Credit:
		f.send(c, m.Address, m.Records)
	}
	return nil
}

func (f *flood) send(c *actors.Ctx, a exchange.Address, r operator.Records) {
	f.seq[a.From]++
	c.Tell(c.Sender(), &exchange.Batch{Address: a, Seq: f.seq[a.From], Records: r})
}

// BenchmarkAControlMessageReachesABusyTask tells how long a message waits for a task that is always
// behind: 4 channels bring more than it can do, at 2 µs a record.
func BenchmarkAControlMessageReachesABusyTask(b *testing.B) {
	port, err := operator.PortOf[int]()
	if err != nil {
		b.Fatal(err)
	}
	program := &operator.Program{
		Job: &graph.Job{Name: "job", Parallelism: 1, MaxParallelism: 8, Operators: []graph.Operator{
			{Index: 0, ID: "flood", Source: true, Parallelism: 4},
			{Index: 1, ID: "toil", In: []graph.Edge{{From: 0, Ship: graph.Rebalance}}, Sink: true},
		}},
		Factories: []operator.Factory{{Main: port}, {New: func(operator.Outlets) any { return toil(2 * time.Microsecond) }}},
	}
	plan, err := graph.Compile(program.Job)
	if err != nil {
		b.Fatal(err)
	}
	sys := actors.New(actors.Config{Node: "local"})
	defer sys.Shutdown(context.Background())
	config := Config{Job: "job", Store: store.Memory()}.Defaults()
	full := func() operator.Records {
		out := port.Output(operator.OutputOptions{Channels: 1, BatchRecords: 1 << 20, BatchBytes: 1 << 30, Full: func(int) {}, Dirty: func(int) {}})
		for n := range config.BatchRecords {
			out.Input(0).(operator.Collector[int]).Collect(&n, operator.NoTime)
		}
		return out.Take(0)
	}
	others, err := sys.Spawn("flood", "flood", func() actors.Actor { return &flood{full: full} })
	if err != nil {
		b.Fatal(err)
	}
	spec := taskSpec{config: &config, program: program, plan: plan, ref: func(graph.TaskID) actors.Ref { return others }, deploy: deployment{
		task: graph.TaskID{Vertex: 1}, attempt: 1, epoch: 1,
	}}
	task, err := sys.Spawn("task", "task", func() actors.Actor { return newTask(spec) }, actors.OnLoop(sys.NewLoop("slot")))
	if err != nil {
		b.Fatal(err)
	}
	var waits []time.Duration
	heard := make(chan time.Time)
	for b.Loop() {
		told := time.Now()
		sys.Tell(task, call{func() { heard <- time.Now() }})
		waits = append(waits, (<-heard).Sub(told))
	}
	slices.Sort(waits)
	b.ReportMetric(float64(waits[len(waits)/2].Nanoseconds()), "ns-median")
	b.ReportMetric(float64(waits[len(waits)*99/100].Nanoseconds()), "ns-p99")
}
