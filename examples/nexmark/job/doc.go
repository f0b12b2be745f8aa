// Package job has the queries of the Nexmark benchmark as jobs: each is a function of streams,
// to be copied, and Build joins one of them to a source of events and to a sink that keeps the
// digest of the rows.
//
//	events ─┬─ bids ─────┐
//	        ├─ auctions ─┼─► Q1 … Q22 ─► digest
//	        └─ persons ──┘
//
// What each query means is said by the loop of the same name in package oracle, with which
// the digests are compared. Start reading at Build, then Q2.
package job
