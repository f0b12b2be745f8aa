// Package operator is what a task does for each record, watermark, barrier and timer.
//
// Typed inside, untyped towards the task: contract.go is what a task sees (Node, Source,
// SinkOperator, Advancer, Snapshotter … and Port for what crosses a border between tasks);
// everything else is generic in the record types. A chain is put together back to front:
//
//	spec := NewMap(func(l Line) Hit { … })      // once, when the job is described
//	op := spec.New(outlets)                       // once a task: outlets.Main() is a Collector[Hit]
//	head := op.(Node).Input(0).(Collector[Line])  // one assertion an edge …
//	head.Collect(&line, ts)                       // … and none a record
//
// and is driven by the task: Open, Restore, Start; then Collect for each record, Advance
// after each batch, Wake when asked for, Snapshot at a barrier; at last Close.
//
// # Constructors
//
// There is one constructor for each verb, NewMap to NewWindowAggregate, and all give a Spec:
// the function for Factory.New, the states and side outputs that the operator declares, and
// every mistake in its types. Key functions stand first, functions of the user next, options
// last. PortOf makes the port of a record type, HashOf the hash of an edge. SourceOf, SinkOf
// and AnySink are what connectors make with NewSource, NewSink and NewAnySink.
//
// # Rules inside
//
//   - A record is passed by pointer and valid during the call. Who makes a record owns the
//     slot it stands in.
//   - Collect never blocks and never drops. When an output or a sink cannot take more, it
//     keeps what comes and holds Pressure; whoever feeds the chain stops behind the record.
//     Timers and windows therefore fire one at a time, looking at Pressure between two.
//   - Nothing is allocated for a record.
//   - What is counted is part of the snapshot, so the metrics "read", "written", "skipped",
//     "dead letters", "late" and "missed windows" are exact after any failure.
//   - An error or panic of user code leaves as a *UserError, by panic: the task's actor
//     recovers it. Before user code runs, the operator notes itself in Pressure (place.enter),
//     so that one deferred call a batch can tell who it was.
//   - An error that every attempt would meet is marked with Permanent: the job fails at once.
//
// Start reading at stateless.go, then place.go, process.go, window.go, windower.go, session.go,
// frozen.go and combine.go.
package operator
