package job

import (
	"strings"

	"blink"
	"blink/connector/nexmark"
)

// Nexmark is the job, with the place where its result goes.
type Nexmark struct {
	Ledger nexmark.Ledger
	// Empty is the digest that rows are added to: nexmark.Digest{} or nexmark.WithFull().
	Empty nexmark.Digest
}

// Build describes the job of the query that the parameter query names.
func (n Nexmark) Build(job *blink.Job) {
	query := job.String("query", "q0", "`name` of the query: "+strings.Join(Queries(), " "))
	events := job.Int("events", 1_000_000, "number of events; 0: without end")
	splits := job.Int("splits", 1, "tasks of the source at most: give it the parallelism")
	if events < 0 {
		job.Refuse("events", "at least 0")
		return
	}
	bids := job.Read(nexmark.Bids(nexmark.Options{Events: uint64(events), Splits: splits})).ID("events")
	in := streams{bids, bids.Side(nexmark.Auctions()), bids.Side(nexmark.Persons())}
	for _, q := range queries {
		if q.name == query {
			q.build(n, in)
			return
		}
	}
	job.Refuse("query", "one of "+strings.Join(Queries(), " "))
}

// streams are the events by their kinds.
type streams struct {
	bids     blink.Stream[nexmark.Bid]
	auctions blink.Stream[nexmark.Auction]
	persons  blink.Stream[nexmark.Person]
}

// queries are what each query reads and how its rows are counted.
var queries = []struct {
	name  string
	build func(n Nexmark, in streams)
}{
	{"q0", func(n Nexmark, in streams) { write(n, in.bids, (*nexmark.Bid).AddTo) }},
	{"q1", func(n Nexmark, in streams) { write(n, Q1(in.bids), (*nexmark.Trade).AddTo) }},
	{"q2", func(n Nexmark, in streams) { write(n, Q2(in.bids), (*nexmark.Pick).AddTo) }},
}

// Queries are the names of all queries, in the order of their numbers.
func Queries() []string {
	names := make([]string, len(queries))
	for i, q := range queries {
		names[i] = q.name
	}
	return names
}

func write[R any](n Nexmark, rows blink.Stream[R], add func(*R, *nexmark.Digest)) {
	rows.Write(nexmark.DigestTo(n.Ledger, n.Empty, add)).ID("digest")
}
