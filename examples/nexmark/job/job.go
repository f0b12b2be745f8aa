package job

import (
	"fmt"
	"path"
	"strings"

	"blink"
	"blink/connector/files"
	"blink/connector/nexmark"
)

// Nexmark is the job, with the place where its result goes. The zero value writes the rows to
// a folder that a parameter names.
type Nexmark struct {
	// Ledger takes the digest of the rows, which are not written then.
	Ledger nexmark.Ledger
	// Empty is the digest that rows are added to: nexmark.Digest{} or nexmark.WithFull().
	Empty nexmark.Digest
	out   string // the folder
}

// Build describes the job of the query that the parameter query names.
func (n Nexmark) Build(job *blink.Job) {
	query := job.String("query", "q0", "`name` of the query: "+strings.Join(Queries(), " "))
	events := job.Int("events", 1_000_000, "number of events; 0: without end")
	splits := job.Int("splits", 1, "tasks of the source at most: give it the parallelism")
	switch {
	case events < 0:
		job.Refuse("events", "at least 0")
		return
	case splits < 1 || splits > nexmark.MaxSplits:
		job.Refuse("splits", fmt.Sprintf("from 1 to %d", nexmark.MaxSplits))
		return
	}
	if n.Ledger == nil {
		n.out = job.String("out", "", "`folder` of the rows, new or empty (default: a fresh one)")
	}
	in := read(job, nexmark.Options{Events: uint64(events), Splits: splits})
	for _, q := range queries {
		if q.name == query {
			q.build(n, in)
			return
		}
	}
	job.Refuse("query", "one of "+strings.Join(Queries(), " "))
}

// streams are the events by their kinds. A query that reads something else asks the job.
type streams struct {
	job      *blink.Job
	bids     blink.Stream[nexmark.Bid]
	auctions blink.Stream[nexmark.Auction]
	persons  blink.Stream[nexmark.Person]
}

func read(job *blink.Job, o nexmark.Options) streams {
	bids := job.Read(nexmark.Bids(o)).ID("events")
	return streams{job, bids, bids.Side(nexmark.Auctions()), bids.Side(nexmark.Persons())}
}

// sides is the side input of q13.
func (in streams) sides() blink.Stream[nexmark.Side] {
	return in.job.Read(blink.Values(nexmark.SideInput()...)).ID("sides")
}

// queries are what each query reads and how its rows are counted.
var queries = []struct {
	name  string
	build func(n Nexmark, in streams)
}{
	{"q0", func(n Nexmark, in streams) { write(n, Q0(in.bids), (*nexmark.Trade).AddTo) }},
	{"q1", func(n Nexmark, in streams) { write(n, Q1(in.bids), (*nexmark.Trade).AddTo) }},
	{"q2", func(n Nexmark, in streams) { write(n, Q2(in.bids), (*nexmark.Pick).AddTo) }},
	{"q3", func(n Nexmark, in streams) { write(n, Q3(in.auctions, in.persons), (*nexmark.Offer).AddTo) }},
	{"q4", func(n Nexmark, in streams) { write(n, Q4(in.bids, in.auctions), (*nexmark.Average).AddTo) }},
	{"q5", func(n Nexmark, in streams) { write(n, Q5(in.bids), (*nexmark.Hot).AddTo) }},
	{"q7", func(n Nexmark, in streams) { write(n, Q7(in.bids), (*nexmark.Highest).AddTo) }},
	{"q8", func(n Nexmark, in streams) { write(n, Q8(in.auctions, in.persons), (*nexmark.Newcomer).AddTo) }},
	{"q9", func(n Nexmark, in streams) { write(n, Q9(in.bids, in.auctions), (*nexmark.Sale).AddTo) }},
	{"q10", func(n Nexmark, in streams) { write(n, Q10(in.bids), (*nexmark.Entry).AddTo) }},
	{"q11", func(n Nexmark, in streams) { write(n, Q11(in.bids), (*nexmark.Session).AddTo) }},
	{"q12", func(n Nexmark, in streams) { write(n, Q12(in.bids), (*nexmark.Busy).AddTo) }},
	{"q13", func(n Nexmark, in streams) { write(n, Q13(in.bids, in.sides()), (*nexmark.Labelled).AddTo) }},
	{"q14", func(n Nexmark, in streams) { write(n, Q14(in.bids), (*nexmark.Rated).AddTo) }},
	{"q15", func(n Nexmark, in streams) { write(n, Q15(in.bids), (*nexmark.Daily).AddTo) }},
	{"q16", func(n Nexmark, in streams) { write(n, Q16(in.bids), (*nexmark.Channel).AddTo) }},
	{"q17", func(n Nexmark, in streams) { write(n, Q17(in.bids), (*nexmark.Statistics).AddTo) }},
	{"q18", func(n Nexmark, in streams) { write(n, Q18(in.bids), (*nexmark.Trade).AddTo) }},
	{"q19", func(n Nexmark, in streams) { write(n, Q19(in.bids), (*nexmark.Ranked).AddTo) }},
	{"q20", func(n Nexmark, in streams) { write(n, Q20(in.bids, in.auctions), (*nexmark.Match).AddTo) }},
	{"q21", func(n Nexmark, in streams) { write(n, Q21(in.bids), (*nexmark.Routed).AddTo) }},
	{"q22", func(n Nexmark, in streams) { write(n, Q22(in.bids), (*nexmark.Folders).AddTo) }},
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
	if n.Ledger == nil {
		rows.Write(files.CSV(path.Join(n.out, "rows") + "/")).ID("rows")
		return
	}
	rows.Write(nexmark.DigestTo(n.Ledger, n.Empty, add)).ID("digest")
}
