// Package jobmaster runs a job's JobMaster: the actors around the machine that decides
// (package exec) and the election of the one that may act (package leader).
//
//	Candidate "jm" ──leads──► JobMaster "job@<epoch>" ──► Placement "placement"
//	   ▲                        │      ▲  ▲                    │
//	   └── Service ─────────────┘      │  └─ Placed ───────────┘
//	                                   └── protos.Report from executors
//
// Executors report to the JobMaster that has said Hello; those that look for the leader by
// themselves find the Candidate, which passes their reports on.
//
// A Candidate campaigns for the job's key. When it wins it spawns a JobMaster for that epoch,
// which always starts by reconciling with what runs; when it loses, or the JobMaster fails,
// the JobMaster is stopped and the campaign begins anew. So a new leader, the first start and
// a crash of the actor take one and the same way.
//
// The actors translate: messages to events, actions to messages and to calls of the object
// store, the leader service and the resource manager, which run in Ctx.Go. They decide
// nothing about the job.
//
// Start reading at Candidate.Receive, then JobMaster.Receive and JobMaster.do.
package jobmaster
