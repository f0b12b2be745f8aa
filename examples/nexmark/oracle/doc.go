// Package oracle computes the results of the Nexmark queries in plain loops: events in the
// order of their numbers, maps, no engine. Jobs are compared with it, in what they give and
// in what they cost, so it shares nothing with them but what connector/nexmark defines:
// events, rows and digests.
//
//	in := oracle.Generated(nexmark.NewGenerator(), 1_000_000)
//	oracle.Q4(in, func(r *nexmark.Average) { … })      // rows, valid during the call
//
//	for _, q := range oracle.Queries() {
//		var d nexmark.Digest
//		q.Run(oracle.Generated(g, n), &d)          // or only their digest
//	}
//
// # What the queries are
//
// Every function defines its query in its comment. Common to all: times are event times;
// windows are aligned to 0 and hold start ≤ t < end; all windows are complete at the end of
// the input. An id names one person or one auction, which comes once. Event time does not go
// back, and a bid that comes before its auction is earlier than it, by the generator's
// making, so it cannot win (Q4, Q9); where no time is asked for (Q20) it counts.
//
// Start reading at Queries, then bids.go.
package oracle
