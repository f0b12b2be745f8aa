package taskexec

import (
	"testing"

	"blink/graph"
	"blink/operator"
)

// lender is an operator that lends in its way, and notes that it may change what it is handed.
type lender struct {
	lends   operator.Lending
	inPlace bool
}

func (l *lender) Lends() operator.Lending { return l.lends }
func (l *lender) InPlace()                { l.inPlace = true }

func TestARecordIsChangedInPlaceOnlyWhereNobodyElseLooksAtIt(t *testing.T) {
	from := func(op int, tag string) []graph.Edge { return []graph.Edge{{From: op, Tag: tag}} }
	for name, c := range map[string]struct {
		head, filter operator.Lending
		more         []graph.Operator // other consumers
		want         bool
	}{
		"a row":                                    {operator.Lends, operator.Passes, nil, true},
		"a filter that makes records":              {operator.Keeps, operator.Lends, nil, true},
		"the head keeps its records":               {operator.Keeps, operator.Passes, nil, false},
		"the filter keeps its records":             {operator.Lends, operator.Keeps, nil, false},
		"a sibling":                                {operator.Lends, operator.Passes, []graph.Operator{{In: from(1, "")}}, false},
		"a sibling of the filter":                  {operator.Lends, operator.Passes, []graph.Operator{{In: from(0, "")}}, false},
		"a sibling of a filter that makes records": {operator.Lends, operator.Lends, []graph.Operator{{In: from(0, "")}}, true},
		"one that takes another output":            {operator.Lends, operator.Passes, []graph.Operator{{In: from(0, "late")}}, true},
	} {
		head, filter, update := &lender{lends: c.head}, &lender{lends: c.filter}, &lender{}
		job := &graph.Job{Operators: append([]graph.Operator{{}, {In: from(0, "")}, {In: from(1, "")}}, c.more...)}
		chain := &chain{ops: []any{head, filter, update}, index: []int{0, 1, 2}, parent: []int{-1, 0, 1}}
		chain.lend(job)
		if update.inPlace != c.want {
			t.Errorf("%s: in place is %v, want %v", name, update.inPlace, c.want)
		}
	}
}
