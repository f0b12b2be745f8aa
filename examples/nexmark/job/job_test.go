package job

import (
	"slices"
	"strings"
	"testing"

	"blink"
	"blink/blinktest"
	"blink/connector/nexmark"
	"blink/examples/nexmark/oracle"
)

// simulated runs a query under faults, and compares its rows with those of its loop.
func simulated[R any](name string, tasks int, build func(streams) blink.Stream[R], add func(*R, *nexmark.Digest)) func(*testing.T) {
	events := enough(name)
	return func(t *testing.T) {
		t.Parallel()
		out := new(blinktest.Sink[R])
		blinktest.Run(t, func(job *blink.Job) {
			build(read(job, nexmark.Options{Events: events, Splits: tasks})).Write(out.To())
		}, out, blinktest.Seeds(4), blinktest.Parallelism(tasks))
		have, want := nexmark.WithFull(), nexmark.WithFull()
		for _, r := range out.Records() {
			add(&r, &have)
		}
		queries := oracle.Queries()
		loop := queries[slices.IndexFunc(queries, func(q oracle.Query) bool { return q.Name == name })]
		loop.Run(oracle.Generated(nexmark.NewGenerator(), events), &want)
		if have != want || have.Rows == 0 {
			t.Errorf("have %+v, want %+v", have, want)
		}
	}
}

// enough is the number of events with which a query shows what it has to. Windows of 10 s, and
// sessions with as long a pause, close before the end of 25 s of event time.
func enough(query string) uint64 {
	if slices.Contains([]string{"q4", "q5", "q7", "q8", "q11"}, query) {
		return 250_000
	}
	return 6000
}

// TestQueriesGiveTheRowsOfTheirLoopsWhateverFails leaves out those of which nothing is kept.
func TestQueriesGiveTheRowsOfTheirLoopsWhateverFails(t *testing.T) {
	t.Run("q3", simulated("q3", 2, func(in streams) blink.Stream[nexmark.Offer] { return Q3(in.auctions, in.persons) }, (*nexmark.Offer).AddTo))
	t.Run("q4", simulated("q4", 2, func(in streams) blink.Stream[nexmark.Average] { return Q4(in.bids, in.auctions) }, (*nexmark.Average).AddTo))
	t.Run("q5", simulated("q5", 2, func(in streams) blink.Stream[nexmark.Hot] { return Q5(in.bids) }, (*nexmark.Hot).AddTo))
	t.Run("q7", simulated("q7", 2, func(in streams) blink.Stream[nexmark.Highest] { return Q7(in.bids) }, (*nexmark.Highest).AddTo))
	t.Run("q8", simulated("q8", 2, func(in streams) blink.Stream[nexmark.Newcomer] { return Q8(in.auctions, in.persons) }, (*nexmark.Newcomer).AddTo))
	t.Run("q9", simulated("q9", 3, func(in streams) blink.Stream[nexmark.Sale] { return Q9(in.bids, in.auctions) }, (*nexmark.Sale).AddTo))
	t.Run("q11", simulated("q11", 2, func(in streams) blink.Stream[nexmark.Session] { return Q11(in.bids) }, (*nexmark.Session).AddTo))
	t.Run("q13", simulated("q13", 2, func(in streams) blink.Stream[nexmark.Labelled] { return Q13(in.bids, in.sides()) }, (*nexmark.Labelled).AddTo))
	t.Run("q15", simulated("q15", 2, func(in streams) blink.Stream[nexmark.Daily] { return Q15(in.bids) }, (*nexmark.Daily).AddTo))
	t.Run("q16", simulated("q16", 2, func(in streams) blink.Stream[nexmark.Channel] { return Q16(in.bids) }, (*nexmark.Channel).AddTo))
	t.Run("q17", simulated("q17", 1, func(in streams) blink.Stream[nexmark.Statistics] { return Q17(in.bids) }, (*nexmark.Statistics).AddTo))
	t.Run("q18", simulated("q18", 1, func(in streams) blink.Stream[nexmark.Trade] { return Q18(in.bids) }, (*nexmark.Trade).AddTo))
	t.Run("q19", simulated("q19", 1, func(in streams) blink.Stream[nexmark.Ranked] { return Q19(in.bids) }, (*nexmark.Ranked).AddTo))
	t.Run("q20", simulated("q20", 3, func(in streams) blink.Stream[nexmark.Match] { return Q20(in.bids, in.auctions) }, (*nexmark.Match).AddTo))
}

// TestWindowsOfTheClockHaveAllBids runs q12, whose rows depend on the clock, without faults.
func TestWindowsOfTheClockHaveAllBids(t *testing.T) {
	out := new(blinktest.Sink[nexmark.Busy])
	blinktest.Run(t, func(job *blink.Job) {
		Q12(read(job, nexmark.Options{Events: 5000, Splits: 2}).bids).Write(out.To())
	}, out, blinktest.Seeds(0), blinktest.Parallelism(2))
	bids := int64(0)
	for _, b := range out.Records() {
		if b.End-b.Start != windowMillis || b.End%windowMillis != 0 {
			t.Errorf("%+v is no window of 10 s", b)
		}
		bids += b.Bids
	}
	if bids != 5000*46/50 {
		t.Errorf("%d bids are counted, of %d", bids, 5000*46/50)
	}
}

func TestParametersThatCannotBeAreRefused(t *testing.T) {
	p := blink.Define("nexmark", Nexmark{}.Build)
	for _, c := range []struct {
		params map[string]string
		want   string
	}{
		{map[string]string{"query": "q99"}, "parameter --query=q99: want one of q0 q1 q2"},
		{map[string]string{"events": "-1"}, "parameter --events=-1: want at least 0"},
		{map[string]string{"splits": "0"}, "parameter --splits=0: want from 1 to 32768"},
		{map[string]string{"splits": "32769"}, "parameter --splits=32769: want from 1 to 32768"},
	} {
		if _, err := p.Describe(c.params); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: %v", c.params, err)
		}
	}
}
